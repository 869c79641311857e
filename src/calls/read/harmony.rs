//! The form of gpt-oss: `<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{…}<|call|>`, also where the
//! server has eaten the marks, and with the recipient before the channel. Headers of plain text are residue; what stands in
//! the channel of analysis is thinking.

use serde_json::Value;

use super::format::{Format, Found, Look, Opening, Seen, Short};
use super::scan::{Scan, Step, Stop, look};
use super::think::{GLUED, GLUED_ANSWER, GLUED_CALL, begins_glued};

/// Channels and recipients.
pub(super) struct Harmony;

const START: &str = "<|start|>";
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
const RECIPIENT: &str = "to=";
/// What stands before the name of a tool, mostly.
const NAMESPACE: &str = "functions.";
/// The longest header, in bytes.
const HEADER: usize = 400;
/// Words of a header.
const WORDS: [&str; 7] = ["assistant", "assistantcommentary", GLUED, "commentary", "final", "json", "code"];
/// Whom a message may be to, that is no tool; what is to oneself is thinking.
const PEOPLE: [&str; 3] = ["assistant", "user", "all"];
const ONESELF: &str = "self";

impl Format for Harmony {
    fn openings(&self) -> &'static [Opening] {
        &[
            Opening::Mark(START),
            Opening::Mark(CHANNEL),
            Opening::Line("commentary to="),
            Opening::Line(RECIPIENT),
            Opening::Line(GLUED),
            Opening::Line(GLUED_CALL),
            Opening::Line(GLUED_ANSWER),
        ]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        if seen.place.follows_call() {
            match seen.begins_any(&[GLUED, GLUED_ANSWER]) {
                Err(Short) => return Look::More,
                Ok(Some(_)) => return glued(seen).unwrap_or_else(Look::from),
                Ok(None) => {}
            }
        }
        let mut name = None;
        match message(seen, &mut name) {
            Ok(Message::Call(found)) => Look::Calls(found),
            Ok(Message::Plain(used)) => Look::Residue(used),
            Ok(Message::Thought { used, said }) => Look::Thought { used, said },
            Err(stop) => look(seen, Err(stop), name, "<|call|>"),
        }
    }
}

enum Message {
    Call(Found),
    /// The header of plain text, in so many bytes.
    Plain(usize),
    /// Thinking, and what was said, in so many bytes.
    Thought {
        used: usize,
        said: String,
    },
}

fn message<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Message> {
    let mut scan = Scan::new(*seen);
    let marked = seen.text.starts_with('<');
    let called = match header(&mut scan)? {
        To::Tool(called) => called,
        other => {
            let thought = other == To::Oneself || seen.text[..scan.at].contains(GLUED);
            let whole = marked || other != To::Nobody;
            if !scan.eat(MESSAGE)? || !whole {
                return Err(Stop::Not);
            }
            return if thought { self::thought(scan) } else { Ok(Message::Plain(scan.at)) };
        }
    };
    let mut found = Found::marked();
    let marked = scan.eat_any(&[MESSAGE])?.is_some();
    let body = scan.at;
    scan.space();
    // The call itself in another form.
    if marked && scan.next()? == Some('<') {
        return Ok(Message::Plain(body));
    }
    *name = Some(called);
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

/// Takes what stands in the channel of analysis, up to its end or the next message.
fn thought(mut scan: Scan<'_>) -> Step<Message> {
    let rest = scan.rest();
    let ends = |(at, _)| {
        Some((at, ["<|end|>", "<|eom|>", START, CHANNEL].into_iter().find(|mark| rest[at..].starts_with(mark))?))
    };
    let (length, closed) = match rest.match_indices("<|").find_map(ends) {
        Some((length, mark)) => (length, if mark.starts_with("<|e") { mark.len() } else { 0 }),
        None if scan.seen.end => (rest.len(), 0),
        None => return Err(Stop::Inside),
    };
    scan.at += length + closed;
    Ok(Message::Thought { used: scan.at, said: rest[..length].to_owned() })
}

/// Thinking behind a call, where the marks were eaten: up to what is left of the next one.
fn glued(seen: &Seen<'_>) -> Step<Look> {
    let text = seen.text;
    if text == GLUED && !seen.end {
        return Err(Stop::Short);
    }
    if text.starts_with(GLUED_ANSWER) {
        return Ok(Look::Residue(GLUED_ANSWER.len()));
    }
    if !begins_glued(text) {
        return Err(Stop::Not);
    }
    let answer = text.find(GLUED_ANSWER).map(|at| (at, at + GLUED_ANSWER.len()));
    let call = text.find(GLUED_CALL).map(|at| (at, at + "assistant".len()));
    match answer.into_iter().chain(call).min() {
        Some((end, used)) => Ok(Look::Thought { used, said: text[GLUED.len()..end].to_owned() }),
        None if seen.end => Err(Stop::Not),
        None => Err(Stop::Short),
    }
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

/// Whom a message is to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To<'a> {
    Nobody,
    Person,
    Oneself,
    Tool(&'a str),
}

/// Takes a header up to its message; gives whom it is to.
fn header<'a>(scan: &mut Scan<'a>) -> Step<To<'a>> {
    let mut to = To::Nobody;
    let start = scan.at;
    loop {
        scan.space();
        if scan.at - start > HEADER {
            return Err(Stop::Not);
        }
        if scan.eat_any(&[START, CHANNEL, "<|constrain|>"])?.is_some() {
            continue;
        }
        if scan.eat(RECIPIENT)? {
            to = recipient(scan)?;
            continue;
        }
        let next = scan.next()?;
        if matches!(next, Some('<' | '{')) {
            return Ok(to);
        }
        let word = scan.word(|c| c.is_alphanumeric() || matches!(c, '_' | '='))?;
        if to != To::Nobody && scan.seen.text.starts_with(START) && !word.is_empty() {
            continue;
        }
        if !WORDS.contains(&word) {
            return Err(Stop::Not);
        }
    }
}

/// Takes a recipient: a tool of this request, or of the namespace of all tools.
fn recipient<'a>(scan: &mut Scan<'a>) -> Step<To<'a>> {
    let spaced = scan.eat(NAMESPACE)?;
    let name = scan.name()?;
    Ok(match name {
        _ if spaced || scan.seen.scope.knows(name) => To::Tool(name),
        ONESELF => To::Oneself,
        name if PEOPLE.contains(&name) => To::Person,
        _ => return Err(Stop::Not),
    })
}
