//! Past calls as some engines tell of them, which models then write themselves: `[Calling tool: NAME({…})]`. The arguments
//! stand in round brackets, behind a word or a bar, or behind the square bracket; as JSON, or in the syntax of Python.

use super::format::{Format, Found, Look, Opening, Seen};
use super::name_json::lines;
use super::python;
use super::scan::{Scan, Step, Stop};

/// A bracket that announces a call.
pub(super) struct Echo;

/// How it begins, in small letters.
const ANNOUNCING: [&str; 9] = [
    "calling tool",
    "calling function",
    "calling",
    "tool call",
    "tool_call",
    "function call",
    "call tool",
    "tool use",
    "tool_use",
];

/// What may stand between the name and the arguments.
const BETWEEN: [&str; 8] = ["with arguments", "with args", "with input", "with", "arguments", "args", "input", "and"];

impl Format for Echo {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Line("[")]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        // In the midst of other lines it is a transcript.
        if seen.is_awaited() { lines(seen, one).unwrap_or_else(Look::from) } else { Look::Not }
    }
}

fn one(scan: &mut Scan<'_>, found: &mut Found) -> Step<()> {
    scan.need("[")?;
    announcement(scan)?;
    let name = scan.name()?.trim_end_matches(':');
    if !scan.seen.scope.knows(name) {
        return Err(Stop::Not);
    }
    blank(scan)?;
    if scan.next()? == Some('(') {
        in_brackets(scan, name, found)?;
        blank(scan)?;
        return scan.need("]");
    }
    if scan.eat("]")? {
        return behind(scan, name, found);
    }
    between(scan)?;
    let input = scan.arguments(&mut found.repairs)?;
    found.add(name, input);
    blank(scan)?;
    scan.need("]")
}

/// Takes the words before the name, in any case, and the colon.
fn announcement(scan: &mut Scan<'_>) -> Step<()> {
    let rest = scan.rest();
    let inside = |c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '_');
    let words = rest[..rest.find(|c| !inside(c)).unwrap_or(rest.len())].to_ascii_lowercase();
    if words.len() == rest.len() && !scan.seen.end && ANNOUNCING.iter().any(|known| known.starts_with(words.trim_end()))
    {
        return Err(Stop::Short);
    }
    if !ANNOUNCING.contains(&words.trim_end()) {
        return Err(Stop::Not);
    }
    scan.at += words.len();
    scan.need(":")?;
    blank(scan)
}

/// Takes `({…})`, `()` or `(key=value, …)`.
fn in_brackets(scan: &mut Scan<'_>, name: &str, found: &mut Found) -> Step<()> {
    let mut inside = *scan;
    inside.need("(")?;
    inside.space();
    let input = if inside.next()? == Some('{') {
        let input = inside.arguments(&mut found.repairs)?;
        inside.space();
        inside.need(")")?;
        *scan = inside;
        input
    } else {
        python::arguments(scan, name, found)?
    };
    found.add(name, input);
    Ok(())
}

/// Takes the arguments behind the bracket, on its line or the next one; none where there are none.
fn behind(scan: &mut Scan<'_>, name: &str, found: &mut Found) -> Step<()> {
    let mut ahead = *scan;
    ahead.space();
    let none = ahead.over() || ahead.next()? != Some('{');
    let input = if none {
        serde_json::Value::Object(serde_json::Map::new())
    } else {
        *scan = ahead;
        scan.arguments(&mut found.repairs)?
    };
    found.add(name, input);
    Ok(())
}

/// Takes words and signs between the name and the arguments.
fn between(scan: &mut Scan<'_>) -> Step<()> {
    scan.word(|c| matches!(c, ' ' | '\t' | '|' | ',' | '-'))?;
    let rest = scan.rest();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic() && c != ' ').unwrap_or(rest.len());
    if letters == rest.len() && !scan.seen.end {
        return Err(Stop::Short);
    }
    let words = rest[..letters].trim_end().to_ascii_lowercase();
    if !words.is_empty() && !BETWEEN.contains(&words.as_str()) {
        return Err(Stop::Not);
    }
    scan.at += letters;
    scan.word(|c| matches!(c, ' ' | '\t' | ':' | '='))?;
    Ok(())
}

fn blank(scan: &mut Scan<'_>) -> Step<()> {
    scan.word(|c| matches!(c, ' ' | '\t')).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn a_bracket_that_announces_a_call() {
        let ls: &[&str] = &[r#"Bash{"command":"ls"}"#];
        check(&[
            (r#"[Calling tool: Bash({"command": "ls"})]"#, ls),
            (r#"[calling Tool: bash ( {"command": "ls"} ) ]"#, &[r#"bash{"command":"ls"}"#]),
            (r#"[Tool call: Bash(command="ls")]"#, ls),
            (r#"[Calling tool: Bash with {"command": "ls"}]"#, ls),
            (r#"[Calling function: Bash | Arguments: {"command": "ls"}]"#, ls),
            ("[Calling tool: Bash]\n{\n  \"command\": \"ls\"\n}", ls),
            (r#"[Calling tool: Bash] {"command": "ls"}"#, ls),
            ("[Calling tool: refresh]", &["refresh{}"]),
            ("[Calling tool: Bash]", &["!Bash"]),
            ("[Calling tool: refresh()]\n[Calling tool: Bash {\"command\": \"ls\"}]", &["refresh{}", ls[0]]),
            ("I'll look.\n\n[Calling tool: Bash({\"command\": \"ls\"})]\n", &["I'll look.", ls[0]]),
        ]);
    }

    #[test]
    fn a_bracket_that_is_none() {
        let texts = [
            "[Calling tool: nope({})]",
            "[Calling all]",
            "[Tool calls are bound to a schema.]",
            "[Calling tool: Bash({\"command\": \"ls\"})]\nis what the log says.",
            "The log:\n[Calling tool: Bash({\"command\": \"ls\"})]",
        ];
        for text in texts {
            check(&[(text, &[text])]);
        }
    }
}
