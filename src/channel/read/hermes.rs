//! JSON between tags: `<tool_call>{…}</tool_call>` of Hermes and Qwen, with or without attributes, and the many like it.
//! The closing tag may be missing.

use super::bare_json::CLOSERS;
use super::envelope;
use super::format::{Format, Found, Look, Opening, Seen, Short};
use crate::channel::json::{self, Fix, Reading};

/// Tagged JSON.
pub(super) struct Hermes;

/// The tags. An opening one may have attributes where it lacks its bracket here.
const TAGS: [(&str, &str); 9] = [
    ("<tool_call", "</tool_call>"),
    ("<tool_calls", "</tool_calls>"),
    ("<function_call", "</function_call>"),
    ("<function_calls", "</function_calls>"),
    ("<tools", "</tools>"),
    ("<longcat_tool_call", "</longcat_tool_call>"),
    ("<tool_code", "</tool_code>"),
    ("<|tool_call|>", "<|/tool_call|>"),
    ("<|tool_call>", "<tool_call|>"),
];

impl Format for Hermes {
    fn openings(&self) -> &'static [Opening] {
        const OPENINGS: [Opening; 9] = {
            let mut all = [Opening::Mark(""); 9];
            let mut at = 0;
            while at < 9 {
                all[at] = Opening::Mark(TAGS[at].0);
                at += 1;
            }
            all
        };
        &OPENINGS
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let Some((opening, close)) = opening(seen) else { return Look::Not };
        let Ok(opening) = opening else { return Look::More };
        let body = seen.skip(opening);
        let start = body.space();
        match body.text[start..].chars().next() {
            None if seen.end => Look::Not,
            None => Look::More,
            Some('{' | '[') => bodies(&body.skip(start), close, opening + start),
            Some(_) => Look::Not,
        }
    }
}

/// The length of the opening tag, and the tag that closes it.
fn opening(seen: &Seen<'_>) -> Option<(Result<usize, Short>, &'static str)> {
    let tag = |(open, _): &&(&str, &str)| seen.text.starts_with(open) || open.starts_with(seen.text);
    let (open, close) = TAGS.iter().filter(tag).max_by_key(|(open, _)| open.len())?;
    if seen.text.len() <= open.len() && !open.ends_with('>') {
        return Some((Err(Short), close));
    }
    if open.ends_with('>') {
        return Some((if seen.text.len() < open.len() { Err(Short) } else { Ok(open.len()) }, close));
    }
    let rest = &seen.text[open.len()..];
    match rest.chars().next() {
        Some('>') => Some((Ok(open.len() + 1), close)),
        Some(' ') => attributes(rest).map(|length| (length.map(|length| open.len() + length), *close)),
        _ => None,
    }
}

/// The length of attributes up to the bracket, if that is what they are.
fn attributes(rest: &str) -> Option<Result<usize, Short>> {
    let end = rest.find(['>', '\n', '<', '{']);
    match end {
        Some(end) if rest[end..].starts_with('>') => Some(Ok(end + 1)),
        Some(_) => None,
        None if rest.len() > 200 => None,
        None => Some(Err(Short)),
    }
}

/// Reads one or more JSON values and the closing tag. `before`: what stands before them, in bytes.
fn bodies(body: &Seen<'_>, close: &str, before: usize) -> Look {
    let mut at = 0;
    let mut found = Found { used: 0, calls: Vec::new(), marked: true, repairs: Vec::new() };
    loop {
        let rest = body.skip(at);
        match json::read(rest.text, rest.end) {
            Reading::More => return Look::Until(CLOSERS),
            Reading::Bad => return broken(body, close, before),
            Reading::Whole { value, used, fixes } => {
                let Some(calls) = envelope::calls(&value) else { return Look::Not };
                found.calls.extend(calls);
                found.repairs.extend(fixes.into_iter().map(Fix::kind));
                at += used;
            }
        }
        let rest = body.skip(at);
        let Some(next) = after(&rest, close) else { return Look::More };
        match next {
            Next::Closed(length) => {
                found.used = before + at + length;
                return Look::Calls(found);
            }
            Next::Another(space) => at += space,
        }
    }
}

enum Next {
    /// The end of the tag, so many bytes further.
    Closed(usize),
    /// Another value, so many bytes further.
    Another(usize),
}

/// What follows a value inside of a tag; `None` when that is not known yet.
fn after(rest: &Seen<'_>, close: &str) -> Option<Next> {
    let tail = rest.text.trim_start_matches([' ', '\t', '\n', '\r', '}', ']', ',']);
    let space = rest.text.len() - tail.len();
    let ahead = rest.skip(space);
    if ahead.begins(close)? {
        return Some(Next::Closed(space + close.len()));
    }
    if tail.starts_with('{') && !rest.text[..space].contains("\n\n") {
        return Some(Next::Another(space));
    }
    Some(Next::Closed(0))
}

/// A tagged object that is no JSON: a call that cannot be read, where it has the name of a tool and an end.
fn broken(body: &Seen<'_>, close: &str, before: usize) -> Look {
    let Some(name) = name_of(body.text).filter(|name| body.scope.knows(name)) else { return Look::Not };
    match body.text.find(close) {
        Some(end) => Look::Broken { used: before + end + close.len(), name: name.to_owned() },
        None if body.end => Look::Broken { used: before + body.text.len(), name: name.to_owned() },
        None => Look::Until(b">"),
    }
}

/// The name in an object that may be damaged further on.
fn name_of(text: &str) -> Option<&str> {
    let rest = text.split_once("\"name\"")?.1.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    rest.split_once('"').map(|(name, _)| name)
}
