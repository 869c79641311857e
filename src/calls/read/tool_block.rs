//! A block of lines with words in capitals: `TOOL_NAME: NAME`, then `BEGIN_ARG: KEY`, the value on lines of its own, and
//! `END_ARG`. Mostly in a fence.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};
use crate::calls::heal::typed;

/// Lines with words in capitals.
pub(super) struct ToolBlock;

const NAME: &str = "TOOL_NAME:";
const BEGIN: &str = "BEGIN_ARG:";
const END: &str = "\nEND_ARG";

impl Format for ToolBlock {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Line(NAME)]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        let walked = call(seen, &mut name);
        look(seen, walked, name, END)
    }
}

fn call<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::marked();
    scan.need(NAME)?;
    scan.word(|c| c == ' ')?;
    let called = scan.name()?;
    if !scan.word(|c| c != '\n')?.trim().is_empty() {
        return Err(Stop::Not);
    }
    let mut input = Map::new();
    loop {
        found.used = scan.at;
        scan.space();
        if scan.over() || !scan.eat(BEGIN)? {
            found.open = scan.over();
            break;
        }
        *name = Some(called);
        let key = rest_of_line(&mut scan)?;
        let before = scan.at;
        scan.upto(END)?;
        let value = seen.text[before..scan.at - END.len()].strip_prefix('\n').ok_or(Stop::Not)?;
        input.insert(key.to_owned(), typed(value, seen.scope.parameter(called, key)));
    }
    if input.is_empty() && !seen.scope.knows(called) {
        return Err(Stop::Not);
    }
    found.add(called, Value::Object(input));
    Ok(found)
}

fn rest_of_line<'a>(scan: &mut Scan<'a>) -> Step<&'a str> {
    let line = scan.word(|c| c != '\n')?.trim();
    if line.is_empty() { Err(Stop::Not) } else { Ok(line) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn blocks_of_lines() {
        check(&[
            ("```tool\nTOOL_NAME: Bash\nBEGIN_ARG: command\nls\nEND_ARG\n```", &[r#"Bash{"command":"ls"}"#]),
            (
                "I'll write it.\n\n```tool\nTOOL_NAME: Write\nBEGIN_ARG: file_path\na.py\nEND_ARG\nBEGIN_ARG: content\nprint(\"\"\"x\"\"\")\n\nprint(2)\nEND_ARG\n```",
                &["I'll write it.", r#"Write{"file_path":"a.py","content":"print(\"\"\"x\"\"\")\n\nprint(2)"}"#],
            ),
            ("TOOL_NAME: refresh\n", &["refresh{}"]),
            ("TOOL_NAME: nope", &["TOOL_NAME: nope"]),
            ("TOOL_NAME: is a word in capitals", &["TOOL_NAME: is a word in capitals"]),
        ]);
    }
}
