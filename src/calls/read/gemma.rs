//! The forms of Gemma 4 and FunctionGemma: `call:NAME{key:<|"|>text<|"|>,n:42}` between marks; also in round brackets, with
//! the name said twice, and at the start of a line where the server has eaten the marks.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};
use crate::calls::heal::typed;

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
    let place = Place { tool: Some(called), closer, close: if marked { close } else { "" } };
    let input = members(&mut scan, &place, &mut found.repairs)?;
    found.add(called, input);
    found.used = scan.at;
    if marked && scan.eat_spaced(close)? {
        found.used = scan.at;
    }
    Ok(found)
}

/// Whose members are read: a tool's, or those of something inside.
#[derive(Clone, Copy)]
struct Place<'a> {
    tool: Option<&'a str>,
    /// What ends the members.
    closer: &'a str,
    /// The mark that ends the whole call.
    close: &'a str,
}

/// Something inside of a value: its keys are no parameters.
const INSIDE: Place<'static> = Place { tool: None, closer: "}", close: "" };

impl Place<'_> {
    /// Whether the call is over here, so that what is open was left open.
    fn is_over(&self, scan: &Scan<'_>) -> Step<bool> {
        Ok(!self.close.is_empty() && scan.ahead().begins(self.close).ok_or(Stop::Short)?)
    }
}

fn members(scan: &mut Scan<'_>, place: &Place<'_>, repairs: &mut Vec<&'static str>) -> Step<Value> {
    let mut map = Map::new();
    loop {
        scan.space();
        if scan.eat(place.closer)? {
            return Ok(Value::Object(map));
        }
        if !map.is_empty() && place.is_over(scan)? {
            repairs.push("json-missing-closer");
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
        let value = value(scan, place, key, repairs)?;
        map.insert(key.to_owned(), value);
        scan.space();
        scan.eat(",")?;
    }
}

fn value(scan: &mut Scan<'_>, place: &Place<'_>, key: &str, repairs: &mut Vec<&'static str>) -> Step<Value> {
    let before = scan.at;
    scan.space();
    if let Some(quote) = scan.eat_any(&QUOTES)? {
        return quoted(scan, quote, place, repairs).map(Value::from);
    }
    match scan.next()? {
        Some('{') => {
            scan.need("{")?;
            members(scan, &INSIDE, repairs)
        }
        Some('[') => items(scan, place, key, repairs),
        Some('"') => scan.literal(repairs),
        _ => bare(scan, before, place, key, repairs),
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
        list.push(value(scan, &Place { closer: "]", ..*place }, key, repairs)?);
        scan.space();
        scan.eat(",")?;
    }
}

/// Takes text up to its closing quote; where there is none to the very end, up to the closer before the mark that ends the
/// call.
fn quoted<'a>(scan: &mut Scan<'a>, quote: &str, place: &Place<'_>, repairs: &mut Vec<&'static str>) -> Step<&'a str> {
    let rest = scan.rest();
    if let Some(end) = rest.find(quote) {
        let mut behind = Scan { at: scan.at + end + quote.len(), ..*scan };
        behind.space();
        let closes = matches!(behind.next()?, None | Some(',' | '}' | ')' | ']' | '<'));
        if let Some(text) = before_next_key(&rest[..end], scan, place).filter(|_| !closes) {
            scan.at += text.len();
            repairs.push("unquoted-text");
            return Ok(text);
        }
        scan.at += end + quote.len();
        return Ok(&rest[..end]);
    }
    if !scan.seen.end {
        return Err(Stop::Inside);
    }
    let call = rest.trim_end().strip_suffix(place.close).filter(|_| !place.close.is_empty()).ok_or(Stop::Not)?;
    let text = call.trim_end();
    let text = text.strip_suffix(place.closer).unwrap_or(text);
    scan.at += text.len();
    repairs.push("unquoted-text");
    Ok(text)
}

/// The text before `,KEY:` at its end, where that is a parameter of the tool: what seemed to close the text opens the next.
fn before_next_key<'a>(text: &'a str, scan: &Scan<'_>, place: &Place<'_>) -> Option<&'a str> {
    let (before, key) = text.trim_end().strip_suffix([':', '='])?.rsplit_once(',')?;
    scan.seen.scope.parameter(place.tool?, key.trim()).map(|_| before)
}

/// A value without quotes: a number or a word of JSON; else text from `before` up to the next key that the tool has, or the
/// closer.
fn bare(
    scan: &mut Scan<'_>,
    before: usize,
    place: &Place<'_>,
    key: &str,
    repairs: &mut Vec<&'static str>,
) -> Step<Value> {
    let simple = scan.rest().find([',', '}', ']', ')', '\n', '<']);
    let Some(simple) = simple else { return Err(if scan.seen.end { Stop::Not } else { Stop::Inside }) };
    if let Ok(value) = serde_json::from_str::<Value>(scan.rest()[..simple].trim()) {
        scan.at += simple;
        return Ok(value);
    }
    let Some(tool) = place.tool else { return Err(Stop::Not) };
    let length = text_end(scan, tool, place)?;
    // Lines before the text are its own; a space behind the colon is not.
    let start = if scan.seen.text[before..scan.at].contains('\n') { before } else { scan.at };
    scan.at += length;
    let text = &scan.seen.text[start..scan.at];
    scan.eat_any(&QUOTES[..2])?;
    repairs.push("unquoted-text");
    Ok(typed(text, scan.seen.scope.parameter(tool, key)))
}

/// Where text without quotes ends: before `,KEY:` of the tool, or before a closer at the end of the line.
fn text_end(scan: &Scan<'_>, tool: &str, place: &Place<'_>) -> Step<usize> {
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
        } else if place.is_over(&ahead)? {
            return Ok(at);
        } else if rest[at..].starts_with("<|") {
            // The quote at its end, of which the first was left out; no other mark stands in text without quotes.
            let quoted = ahead.eat_any(&QUOTES[..2])?.is_some();
            ahead.space();
            let closed = quoted && matches!(ahead.next()?, None | Some(',' | '}' | ')' | '<'));
            return if closed { Ok(at) } else { Err(Stop::Not) };
        } else if rest[at..].starts_with(place.closer) {
            ahead.need(place.closer)?;
            if matches!(ahead.next()?, None | Some('\n' | '<')) {
                return Ok(at);
            }
        }
    }
    Err(if scan.seen.end { Stop::Not } else { Stop::Inside })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn quotes_and_closers_that_are_missing() {
        check(&[
            ("<|tool_call>call:Bash{command:<|\"|>ls}<tool_call|>", &[r#"Bash{"command":"ls"}"#]),
            ("<|tool_call>call:Bash{command:<|\"|>ls<|\"|><tool_call|>", &[r#"Bash{"command":"ls"}"#]),
            ("<|tool_call>call:Bash{command:ls -l<tool_call|>", &[r#"Bash{"command":"ls -l"}"#]),
            (
                "<|tool_call>call:Bash{command:<|\"|>echo '<tool_call|>'<|\"|>}<tool_call|>",
                &[r#"Bash{"command":"echo '<tool_call|>'"}"#],
            ),
            ("call:Bash{command:<|\"|>ls}", &["!Bash"]),
            ("<|tool_call>call:Bash{command:a <|x|> b}<tool_call|>", &["!Bash"]),
        ]);
    }
}
