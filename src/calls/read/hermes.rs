//! JSON between marks: `<tool_call>{…}</tool_call>` of Hermes and Qwen, with or without attributes, and the many like it:
//! Granite, Jamba, Apriel, LongCat, Cohere, InternLM, Phi, GigaChat, Apertus. The closing mark may be missing.

use super::envelope;
use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};

/// Marked JSON.
pub(super) struct Hermes;

/// The marks. One that lacks its bracket here may have attributes.
const MARKS: [(&str, &str); 18] = [
    ("<tool_call", "</tool_call>"),
    ("<tool_calls", "</tool_calls>"),
    ("<function_call", "</function_call>"),
    ("<function_calls", "</function_calls>"),
    ("<tools", "</tools>"),
    ("<longcat_tool_call", "</longcat_tool_call>"),
    ("<seed:tool_call", "</seed:tool_call>"),
    ("<TOOLCALL", "</TOOLCALL>"),
    ("<|tool_call|>", "<|/tool_call|>"),
    ("<|tool_call_start|>", "<|tool_call_end|>"),
    ("<|START_ACTION|>", "<|END_ACTION|>"),
    ("<|action_start|><|plugin|>", "<|action_end|>"),
    ("<|function_call|>", "<|/function_call|>"),
    ("<|message_sep|>\n\nfunction call<|role_sep|>\n", "<|message_sep|>"),
    ("function call<|role_sep|>\n", "<|message_sep|>"),
    ("<|tools_prefix|>", "<|tools_suffix|>"),
    ("<|python_tag|>", "<|eom_id|>"),
    ("functools", "<|end|>"),
];

const OPENINGS: [Opening; MARKS.len()] = {
    let mut all = [Opening::Mark(""); MARKS.len()];
    let mut at = 0;
    while at < MARKS.len() {
        all[at] = Opening::Mark(MARKS[at].0);
        at += 1;
    }
    all[MARKS.len() - 1] = Opening::Line("functools[");
    all
};

impl Format for Hermes {
    fn openings(&self) -> &'static [Opening] {
        &OPENINGS
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut scan = Scan::new(*seen);
        match opening(&mut scan) {
            Ok(close) => {
                let name = name_of(scan.rest());
                look(seen, bodies(scan, close), name, close)
            }
            Err(stop) => stop.into(),
        }
    }
}

/// Takes the opening mark up to the JSON behind it; gives the mark that closes it.
fn opening(scan: &mut Scan<'_>) -> Step<&'static str> {
    let text = scan.rest();
    if MARKS.iter().any(|(open, _)| open.len() > text.len() && open.starts_with(text)) && !scan.seen.end {
        return Err(Stop::Short);
    }
    let (open, close) =
        MARKS.iter().filter(|(open, _)| text.starts_with(open)).max_by_key(|(open, _)| open.len()).ok_or(Stop::Not)?;
    scan.at = open.len();
    if open.starts_with('<') && !open.ends_with(['>', '\n']) {
        attributes(scan)?;
    }
    scan.space();
    match scan.next()? {
        Some('{' | '[') => Ok(close),
        _ => Err(Stop::Not),
    }
}

/// Takes the rest of an opening tag.
fn attributes(scan: &mut Scan<'_>) -> Step<()> {
    match scan.next()? {
        Some('>' | ' ') => {}
        _ => return Err(Stop::Not),
    }
    let inside = scan.word(|c| !matches!(c, '>' | '\n' | '<' | '{'))?;
    if inside.len() > 200 { Err(Stop::Not) } else { scan.need(">") }
}

/// Takes one or more JSON values, and the closing mark.
fn bodies(mut scan: Scan<'_>, close: &str) -> Step<Found> {
    let mut found = Found::marked();
    loop {
        let value = scan.json(&mut found.repairs)?;
        found.calls.extend(envelope::marked_calls(&value, scan.seen.scope).ok_or(Stop::Not)?);
        let end = scan.at;
        scan.at += scan.rest().len() - scan.rest().trim_start_matches([' ', '\t', '\n', '\r', '}', ']', ',']).len();
        if scan.eat(close)? {
            break;
        }
        let near = !scan.seen.text[end..scan.at].contains("\n\n");
        if scan.next()? != Some('{') || !near {
            scan.at = end;
            break;
        }
    }
    found.used = scan.at;
    Ok(found)
}

/// The name in an object that may be damaged further on, where it comes first.
fn name_of(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(['[', ' ', '\n']).strip_prefix('{')?.trim_start().strip_prefix("\"name\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    rest.split_once('"').map(|(name, _)| name)
}
