//! The forms of Gemma 4 and FunctionGemma: `call:NAME{key:<|"|>text<|"|>,n:42}` between marks; also in round brackets, with
//! the name said twice, and at the start of a line where the server has eaten the marks.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};
use crate::channel::heal::typed;

/// `call:NAME{…}`.
pub(super) struct Gemma;

const MARKS: [(&str, &str); 2] = [("<|tool_call>", "<tool_call|>"), ("<start_function_call>", "<end_function_call>")];
const CALL: &str = "call:";

/// What text stands between.
const QUOTES: [&str; 4] = ["<|\"|>", "<escape>", "`", "'"];

impl Format for Gemma {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Mark(MARKS[0].0), Opening::Mark(MARKS[1].0), Opening::Line(CALL)]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        let close = MARKS.iter().find(|(open, _)| seen.text.starts_with(open)).map_or("}", |(_, close)| close);
        let walked = call(seen, &mut name, close);
        look(seen, walked, name, close)
    }
}

fn call<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>, close: &str) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::marked();
    let marked = scan.eat_any(&[MARKS[0].0, MARKS[1].0])?.is_some();
    scan.space();
    scan.need(CALL)?;
    let called = scan.name()?;
    if !marked && !seen.scope.knows(called) {
        return Err(Stop::Not);
    }
    *name = Some(called);
    scan.space();
    let closer = match scan.eat_any(&["{", "("])? {
        Some("{") => "}",
        Some(_) => ")",
        None => return Err(Stop::Not),
    };
    let input = members(&mut scan, closer, &Place { tool: Some(called) }, &mut found.repairs)?;
    found.add(called, input);
    found.used = scan.at;
    if marked && scan.eat_spaced(close)? {
        found.used = scan.at;
    }
    Ok(found)
}

/// Whose members are read: a tool's, or those of something inside.
struct Place<'a> {
    tool: Option<&'a str>,
}

fn members(scan: &mut Scan<'_>, closer: &str, place: &Place<'_>, repairs: &mut Vec<&'static str>) -> Step<Value> {
    let mut map = Map::new();
    loop {
        scan.space();
        if scan.eat(closer)? {
            return Ok(Value::Object(map));
        }
        let quote = scan.eat_any(&["<|\"|>", "\"", "<escape>"])?;
        let key = scan.word(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))?.trim();
        if let Some(quote) = quote {
            scan.need(quote)?;
        }
        scan.space();
        if key.is_empty() || scan.eat_any(&[":", "="])?.is_none() {
            return Err(Stop::Not);
        }
        let value = value(scan, closer, place, key, repairs)?;
        map.insert(key.to_owned(), value);
        scan.space();
        scan.eat(",")?;
    }
}

fn value(
    scan: &mut Scan<'_>,
    closer: &str,
    place: &Place<'_>,
    key: &str,
    repairs: &mut Vec<&'static str>,
) -> Step<Value> {
    scan.space();
    if let Some(quote) = scan.eat_any(&QUOTES)? {
        return scan.upto(quote).map(|text| Value::String(text.to_owned()));
    }
    match scan.next()? {
        Some('{') => {
            scan.need("{")?;
            members(scan, "}", &Place { tool: None }, repairs)
        }
        Some('[') => items(scan, place, key, repairs),
        Some('"') => scan.literal(repairs),
        _ => bare(scan, closer, place, key, repairs),
    }
}

fn items(scan: &mut Scan<'_>, place: &Place<'_>, key: &str, repairs: &mut Vec<&'static str>) -> Step<Value> {
    scan.need("[")?;
    let mut list = Vec::new();
    loop {
        scan.space();
        if scan.eat("]")? {
            return Ok(Value::Array(list));
        }
        list.push(value(scan, "]", place, key, repairs)?);
        scan.space();
        scan.eat(",")?;
    }
}

/// A value without quotes: a number or a word of JSON; else text up to the next key that the tool has, or the closer.
fn bare(
    scan: &mut Scan<'_>,
    closer: &str,
    place: &Place<'_>,
    key: &str,
    repairs: &mut Vec<&'static str>,
) -> Step<Value> {
    let simple = scan.rest().find([',', '}', ']', ')', '\n']);
    let Some(simple) = simple else { return Err(if scan.seen.end { Stop::Not } else { Stop::Inside }) };
    if let Ok(value) = serde_json::from_str::<Value>(scan.rest()[..simple].trim()) {
        scan.at += simple;
        return Ok(value);
    }
    let Some(tool) = place.tool else { return Err(Stop::Not) };
    let length = text_end(scan, closer, tool)?;
    let text = &scan.rest()[..length];
    scan.at += length;
    repairs.push("unquoted-text");
    Ok(typed(text, scan.seen.scope.parameter(tool, key)))
}

/// Where text without quotes ends: before `,KEY:` of the tool, or before a closer at the end of the line.
fn text_end(scan: &Scan<'_>, closer: &str, tool: &str) -> Step<usize> {
    let rest = scan.rest();
    for (at, c) in rest.char_indices() {
        let mut ahead = Scan { at: scan.at + at, ..*scan };
        if c == ',' {
            ahead.need(",")?;
            ahead.space();
            let key = ahead.word(|c| c.is_alphanumeric() || c == '_')?;
            if ahead.next()? == Some(':') && scan.seen.scope.parameter(tool, key).is_some() {
                return Ok(at);
            }
        } else if rest[at..].starts_with(closer) {
            ahead.need(closer)?;
            if matches!(ahead.next()?, None | Some('\n' | '<')) {
                return Ok(at);
            }
        }
    }
    Err(if scan.seen.end { Stop::Not } else { Stop::Inside })
}
