//! The form of Qwen3-Coder: `<function=NAME><parameter=KEY>VALUE</parameter></function>`, in a `<tool_call>` or without.
//! Values carry no types; they are taken from the schema. A JSON object as the body (Llama 3.1) is read too, and a call
//! whose head a server has lost: `<name>NAME</parameter><parameter=KEY>…`.

use serde_json::{Map, Value};

use super::envelope;
use super::format::{Format, Found, Look, Opening, Raw, Seen, Short};
use crate::calls::heal::typed;
use crate::calls::json::{self, Fix, Reading};

/// Functions and parameters as tags.
pub(super) struct QwenXml;

const WRAPPER: &str = "<tool_call>";
const WRAPPER_END: &str = "</tool_call>";
const FUNCTION: &str = "<function=";
const FUNCTION_END: &str = "</function>";
/// What is left of a lost head.
const HEADLESS: &str = "<name>";
const PARAMETER: &str = "<parameter=";
const PARAMETER_END: &str = "</parameter>";

impl Format for QwenXml {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Mark(WRAPPER), Opening::Mark(FUNCTION), Opening::Line(HEADLESS)]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        read(seen).unwrap_or(Look::More)
    }
}

type Step<T> = Result<T, Short>;

fn read(seen: &Seen<'_>) -> Step<Look> {
    if seen.begins(HEADLESS).ok_or(Short)? {
        return headless(seen);
    }
    let wrapped = seen.text.starts_with(WRAPPER);
    let mut at = if wrapped { WRAPPER.len() + seen.skip(WRAPPER.len()).space() } else { 0 };
    let Some(FUNCTION) = seen.skip(at).begins_any(&[FUNCTION])? else { return Ok(Look::Not) };
    let mut found = Found::marked();
    loop {
        match function(&seen.skip(at))? {
            Function::Read { used, call, open, repairs } => {
                at += used;
                found.open = open;
                found.calls.push(call);
                found.repairs.extend(repairs);
            }
            Function::Not if found.calls.is_empty() => return Ok(Look::Not),
            Function::Not => return Ok(Look::Calls(found)),
            Function::Wait => return Ok(Look::Until(CLOSERS_AND_TAGS)),
            Function::Broken { used, name } => return Ok(Look::Broken { used: at + used, name }),
        }
        found.used = at;
        let rest = seen.skip(at);
        let space = rest.space();
        match rest.skip(space).begins_any(&[WRAPPER_END, FUNCTION])? {
            Some(FUNCTION) if wrapped => at += space,
            Some(WRAPPER_END) => {
                found.used = at + space + WRAPPER_END.len();
                return Ok(Look::Calls(found));
            }
            _ => return Ok(Look::Calls(found)),
        }
    }
}

/// `<name>NAME`, a closing tag of any kind, and parameters.
fn headless(seen: &Seen<'_>) -> Step<Look> {
    let head = &seen.text[HEADLESS.len()..];
    let Some(end) = head.find('<') else {
        return if seen.end || head.len() > 200 { Ok(Look::Not) } else { Err(Short) };
    };
    let name = head[..end].trim();
    let tags = seen.skip(HEADLESS.len() + end);
    let Some(tag) = tags.begins_any(&["</name>", PARAMETER_END])?.filter(|_| seen.scope.knows(name)) else {
        return Ok(Look::Not);
    };
    let body = tags.skip(tag.len());
    let Some(PARAMETER) = body.skip(body.space()).begins_any(&[PARAMETER])? else { return Ok(Look::Not) };
    Ok(match parameters(&body, name, HEADLESS.len() + end + tag.len())? {
        Function::Read { used, call, open, mut repairs } => {
            repairs.push("xml-missing-opener");
            Look::Calls(Found { used, calls: vec![call], open, repairs, ..Found::marked() })
        }
        Function::Broken { used, name } => Look::Broken { used, name },
        Function::Not => Look::Not,
        Function::Wait => Look::Until(CLOSERS_AND_TAGS),
    })
}

const CLOSERS_AND_TAGS: &[u8] = b"}])>";

enum Function {
    /// `open`: it was ended by the end of the text.
    Read {
        used: usize,
        call: Raw,
        open: bool,
        repairs: Vec<&'static str>,
    },
    Broken {
        used: usize,
        name: String,
    },
    Not,
    Wait,
}

fn function(seen: &Seen<'_>) -> Step<Function> {
    let head = &seen.text[FUNCTION.len().min(seen.text.len())..];
    let Some(end) = head.find(['>', '\n', '<']) else {
        return if seen.end || head.len() > 200 { Ok(Function::Not) } else { Err(Short) };
    };
    if !head[end..].starts_with('>') {
        return Ok(Function::Not);
    }
    let name = unquoted(head[..end].trim(), |name| seen.scope.knows_as_it_is(name));
    let start = FUNCTION.len() + end + 1;
    let body = seen.skip(start);
    let space = body.space();
    if body.text[space..].starts_with('{') {
        return json_body(&body.skip(space), name, start + space);
    }
    parameters(&body, name, start)
}

fn json_body(body: &Seen<'_>, name: &str, start: usize) -> Step<Function> {
    match json::read(body.text, body.end) {
        Reading::More => Ok(Function::Wait),
        Reading::Bad => Ok(Function::Not),
        Reading::Whole { value, used, fixes } => {
            let Some(input) = envelope::object(&value) else { return Ok(Function::Not) };
            let rest = body.skip(used);
            let space = rest.space();
            let closed = rest.skip(space).begins_any(&[FUNCTION_END])?.map_or(0, |tag| space + tag.len());
            let repairs = fixes.into_iter().map(Fix::kind).collect();
            let call = Raw { name: name.to_owned(), input };
            Ok(Function::Read { used: start + used + closed, call, open: false, repairs })
        }
    }
}

fn parameters(body: &Seen<'_>, name: &str, start: usize) -> Step<Function> {
    let mut input = Map::new();
    let mut repairs = Vec::new();
    let mut at = 0;
    loop {
        at += body.skip(at).space();
        let rest = body.skip(at);
        let read = |used, input, open, repairs| {
            let call = Raw { name: name.to_owned(), input: Value::Object(input) };
            Ok(Function::Read { used: start + used, call, open, repairs })
        };
        match rest.begins_any(&[PARAMETER, FUNCTION_END, WRAPPER_END])? {
            Some(PARAMETER) => {}
            Some(FUNCTION_END) => return read(at + FUNCTION_END.len(), input, false, repairs),
            Some(_) => {
                repairs.push("xml-missing-closer");
                return read(at, input, false, repairs);
            }
            None if rest.text.is_empty() && rest.end && !input.is_empty() => {
                repairs.push("xml-missing-closer");
                return read(at, input, true, repairs);
            }
            None if input.is_empty() => return Ok(Function::Not),
            None => return Ok(unreadable(body, name, start)),
        }
        let Some(parameter) = parameter(&rest, name)? else { return Ok(unreadable(body, name, start)) };
        let value = typed(parameter.text, body.scope.parameter(name, parameter.key));
        input.insert(parameter.key.to_owned(), value);
        at += parameter.used;
        if !parameter.closed {
            repairs.push("xml-missing-closer");
        }
    }
}

/// A function of a known tool whose body is none: broken when it has an end, else text.
fn unreadable(body: &Seen<'_>, name: &str, start: usize) -> Function {
    if !body.scope.knows(name) {
        return Function::Not;
    }
    match body.text.find(FUNCTION_END) {
        Some(end) => Function::Broken { used: start + end + FUNCTION_END.len(), name: name.to_owned() },
        None if body.end => Function::Broken { used: start + body.text.len(), name: name.to_owned() },
        None => Function::Wait,
    }
}

struct Parameter<'a> {
    key: &'a str,
    text: &'a str,
    used: usize,
    closed: bool,
}

/// One parameter from its opening tag on; `None` when it is none.
fn parameter<'a>(seen: &Seen<'a>, name: &str) -> Step<Option<Parameter<'a>>> {
    let head = &seen.text[PARAMETER.len()..];
    let Some(end) = head.find(['>', '\n']) else { return if seen.end { Ok(None) } else { Err(Short) } };
    if !head[end..].starts_with('>') {
        return Ok(None);
    }
    let start = PARAMETER.len() + end + 1;
    let body = seen.skip(start);
    let key = unquoted(head[..end].trim(), |key| body.scope.parameter(name, key).is_some());
    let Some((length, closed)) = value_end(&body, name, key)? else { return Ok(None) };
    let used = start + length + if closed { PARAMETER_END.len() } else { 0 };
    Ok(Some(Parameter { key, text: inner(&body.text[..length]), used, closed }))
}

/// A name without quotes around it, unless they belong to it.
fn unquoted(name: &str, known: impl Fn(&str) -> bool) -> &str {
    if known(name) { name } else { name.trim_matches('"') }
}

/// Where a value ends, and whether by its own tag: at a closing tag that is followed by what may follow a parameter, so
/// that a value may speak of tags; or, where that was forgotten, before the next tag of the outer kind.
fn value_end(body: &Seen<'_>, name: &str, key: &str) -> Step<Option<(usize, bool)>> {
    let mut from = 0;
    while let Some(at) = body.text[from..].find('<').map(|at| at + from) {
        let rest = body.skip(at);
        match rest.begins_any(&[PARAMETER_END, FUNCTION_END, PARAMETER])? {
            Some(PARAMETER_END)
                if followed(&rest.skip(PARAMETER_END.len()), &[PARAMETER, FUNCTION_END, WRAPPER_END])? =>
            {
                return Ok(Some((at, true)));
            }
            Some(FUNCTION_END)
                if own_line(body.text, at) && followed(&rest.skip(FUNCTION_END.len()), &[WRAPPER_END])? =>
            {
                return Ok(Some((at, false)));
            }
            Some(PARAMETER) if own_line(body.text, at) && declared(&rest, name, key)? => return Ok(Some((at, false))),
            _ => from = at + 1,
        }
    }
    if body.end { Ok(None) } else { Err(Short) }
}

/// Whether this tag opens another parameter that the tool has.
fn declared(rest: &Seen<'_>, name: &str, key: &str) -> Step<bool> {
    let head = &rest.text[PARAMETER.len()..];
    let Some(end) = head.find(['>', '\n']) else { return if rest.end { Ok(false) } else { Err(Short) } };
    Ok(head[..end] != *key && rest.scope.parameter(name, &head[..end]).is_some())
}

/// Whether one of the tags follows, or the end.
fn followed(rest: &Seen<'_>, tags: &[&str]) -> Step<bool> {
    let ahead = rest.skip(rest.space());
    if ahead.text.is_empty() {
        return if rest.end { Ok(true) } else { Err(Short) };
    }
    Ok(ahead.begins_any(tags)?.is_some())
}

fn own_line(text: &str, at: usize) -> bool {
    text[..at].ends_with('\n')
}

/// The value without the line breaks that belong to its tags: both, or none.
pub(super) fn inner(text: &str) -> &str {
    let Some(text) = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')) else { return text };
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}
