//! The two lines of ReAct: `Action: NAME`, and `Action Input: {…}` below it.

use super::format::{Format, Found, Look, Opening, Seen};
use super::name_json::lines;
use super::scan::{Scan, Step, Stop};

/// `Action:` and `Action Input:`.
pub(super) struct ReAct;

const ACTION: &str = "Action:";
const INPUT: &str = "Action Input:";

impl Format for ReAct {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Line(ACTION)]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        lines(seen, one).unwrap_or_else(Look::from)
    }
}

fn one(scan: &mut Scan<'_>, found: &mut Found) -> Step<()> {
    scan.need(ACTION)?;
    scan.word(|c| matches!(c, ' ' | '\t'))?;
    let name = scan.name()?;
    if !scan.seen.scope.knows(name) || !scan.word(char::is_whitespace)?.contains('\n') {
        return Err(Stop::Not);
    }
    scan.need(INPUT)?;
    scan.space();
    let input = scan.arguments(&mut found.repairs)?;
    found.add(name, input);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn an_action_and_its_input() {
        check(&[
            (
                "Thought: I look.\nAction: Bash\nAction Input: {\"command\": \"ls\"}",
                &["Thought: I look.", r#"Bash{"command":"ls"}"#],
            ),
            ("Action: nope\nAction Input: {}", &["Action: nope\nAction Input: {}"]),
            ("Action: Bash it\nAction Input: none", &["Action: Bash it\nAction Input: none"]),
        ]);
    }
}
