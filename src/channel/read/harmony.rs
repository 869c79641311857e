//! The form of gpt-oss: `<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{…}<|call|>`, also where the
//! server has eaten the marks, and with the recipient before the channel. Headers of plain text are residue.

use serde_json::Value;

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};

/// Channels and recipients.
pub(super) struct Harmony;

const START: &str = "<|start|>";
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
const RECIPIENT: &str = "to=functions.";

impl Format for Harmony {
    fn openings(&self) -> &'static [Opening] {
        &[
            Opening::Mark(START),
            Opening::Mark(CHANNEL),
            Opening::Line("commentary to=functions."),
            Opening::Line("to=functions."),
        ]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        match message(seen, &mut name) {
            Ok(Message::Call(found)) => Look::Calls(found),
            Ok(Message::Plain(used)) => Look::Residue(used),
            Err(stop) => look(seen, Err(stop), name, "<|call|>"),
        }
    }
}

enum Message {
    Call(Found),
    /// The header of plain text, in so many bytes.
    Plain(usize),
}

fn message<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Message> {
    let mut scan = Scan::new(*seen);
    let marked = seen.text.starts_with('<');
    let Some(called) = header(&mut scan)? else {
        return if marked && scan.eat(MESSAGE)? { Ok(Message::Plain(scan.at)) } else { Err(Stop::Not) };
    };
    *name = Some(called);
    let mut found = Found::marked();
    let marked = scan.eat_any(&[MESSAGE])?.is_some();
    scan.space();
    let input = match scan.next()? {
        Some('{') => scan.arguments(&mut found.repairs)?,
        _ if marked => {
            let text = plain(&mut scan, called)?;
            found.open = scan.over();
            Value::from(text)
        }
        _ => return Err(Stop::Not),
    };
    found.add(called, input);
    found.used = scan.at;
    scan.space();
    if scan.eat_any(&["<|call|>", "<|end|>"])?.is_some() {
        found.used = scan.at;
    }
    Ok(Message::Call(found))
}

/// Takes arguments that are no JSON but plain text, which healing gives its place: where the tool has but one for it.
fn plain<'a>(scan: &mut Scan<'a>, called: &str) -> Step<&'a str> {
    if !scan.seen.scope.takes_text(called) {
        return Err(Stop::Not);
    }
    let rest = scan.rest();
    let length = match rest.find("<|") {
        Some(length) => length,
        None if scan.seen.end => rest.len(),
        None => return Err(Stop::Inside),
    };
    scan.at += length;
    Ok(rest[..length].trim_end_matches(['\r', '\n']))
}

/// Takes a header up to its message; gives the tool that it is to.
fn header<'a>(scan: &mut Scan<'a>) -> Step<Option<&'a str>> {
    let mut called = None;
    loop {
        scan.space();
        if scan.eat_any(&[START, CHANNEL, "<|constrain|>"])?.is_some() {
            continue;
        }
        if scan.eat(RECIPIENT)? {
            called = Some(scan.name()?);
            continue;
        }
        let next = scan.next()?;
        if matches!(next, Some('<' | '{')) {
            return Ok(called);
        }
        let word = scan.word(|c| c.is_alphanumeric() || matches!(c, '_' | '='))?;
        if called.is_some() && scan.seen.text.starts_with(START) && !word.is_empty() {
            continue;
        }
        if !["assistant", "analysis", "commentary", "final", "json", "code", "to=assistant", "to=user"].contains(&word)
        {
            return Err(Stop::Not);
        }
    }
}
