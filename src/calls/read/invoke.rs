//! Calls as elements with names for attributes: `<invoke name="NAME"><parameter name="KEY">VALUE</parameter></invoke>`, with
//! the prefixes of MiniMax, DeepSeek (DSML), Step and Muse, and the short words of MiniCPM. Not XML: values are as they stand.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Raw, Seen};
use super::qwen_xml::inner;
use super::scan::{Scan, Step, Stop, look};
use crate::calls::heal::typed;
use crate::calls::json;

/// Elements with names.
pub(super) struct Invoke;

/// Prefixes of the elements.
const PREFIXES: [&str; 8] = ["", "antml:", "steptml:", "atem:", "｜DSML｜", "‖DSML‖", "｜｜DSML｜｜", "|DSML|"];

/// The words for a call and a parameter.
const WORDS: [(&str, &str); 3] = [("invoke", "parameter"), ("function", "param"), ("call", "arg")];

/// What may stand around calls, without its prefix and brackets.
const WRAPPERS: [&str; 3] = ["tool_calls", "function_calls", "tool_call"];

/// So many marks stand around a call in a row, at most.
const NESTED: usize = 8;

/// Whole marks that may stand around calls.
const OUTER: [&str; 8] = [
    "<minimax:tool_call>",
    "</minimax:tool_call>",
    "<｜tool_calls_begin｜>",
    "<｜tool_call_begin｜>",
    "<｜tool_call_end｜>",
    "<｜tool_calls_end｜>",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>",
];

impl Format for Invoke {
    fn openings(&self) -> &'static [Opening] {
        &[
            Opening::Mark("<invoke name="),
            Opening::Mark("<steptml:invoke"),
            Opening::Mark("<atem:"),
            Opening::Mark("<｜DSML｜"),
            Opening::Mark("<‖DSML‖"),
            Opening::Mark("<｜｜DSML｜｜"),
            Opening::Mark("<|DSML|"),
            Opening::Mark("<minimax:tool_call>"),
            Opening::Mark("<｜tool_call"),
            Opening::Mark("<function_calls>"),
            Opening::Mark("<tool_call"),
            Opening::Mark("<function name="),
            Opening::Mark("<call name="),
        ]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        let walked = calls(seen, &mut name);
        look(seen, walked, name, "invoke>")
    }
}

fn calls<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::marked();
    let mut nested = 0;
    loop {
        scan.space();
        if nested < NESTED && wrapper(&mut scan)? {
            nested += 1;
            if !found.calls.is_empty() {
                found.used = scan.at;
            }
            continue;
        }
        nested = 0;
        let Some(element) = opening(&mut scan)? else {
            return if found.calls.is_empty() { Err(Stop::Not) } else { Ok(found) };
        };
        *name = Some(element.name);
        let input = parameters(&mut scan, &element, &mut found)?;
        found.calls.push(Raw { name: element.name.to_owned(), input });
        found.used = scan.at;
    }
}

/// Takes a mark around calls.
fn wrapper(scan: &mut Scan<'_>) -> Step<bool> {
    if scan.eat_any(&OUTER)?.is_some() {
        return Ok(true);
    }
    let before = scan.at;
    if scan.eat_any(&["</", "<"])?.is_some() {
        prefix(scan)?;
        if scan.eat_any(&WRAPPERS)?.is_some() && scan.eat(">")? {
            return Ok(true);
        }
    }
    scan.at = before;
    Ok(false)
}

/// Takes the longest prefix.
fn prefix(scan: &mut Scan<'_>) -> Step<&'static str> {
    let named: Vec<&str> = PREFIXES.iter().copied().filter(|prefix| !prefix.is_empty()).collect();
    let found = scan.eat_any(&named)?;
    Ok(PREFIXES.iter().copied().find(|prefix| Some(*prefix) == found).unwrap_or(""))
}

/// The opening tag of a call.
struct Element<'a> {
    prefix: &'static str,
    words: (&'static str, &'static str),
    name: &'a str,
}

fn opening<'a>(scan: &mut Scan<'a>) -> Step<Option<Element<'a>>> {
    let before = scan.at;
    let found = opened(scan)?;
    if found.is_none() {
        scan.at = before;
    }
    Ok(found)
}

fn opened<'a>(scan: &mut Scan<'a>) -> Step<Option<Element<'a>>> {
    if !scan.eat("<")? {
        return Ok(None);
    }
    let prefix = prefix(scan)?;
    let Some(word) = scan.eat_any(&[WORDS[0].0, WORDS[1].0, WORDS[2].0])? else { return Ok(None) };
    if !scan.eat(" name=")? {
        return Ok(None);
    }
    let closer = if scan.eat("\"")? { "\"" } else { ">" };
    let name = scan.word(|c| c != '\n' && !closer.contains(c))?;
    if closer == "\"" && !scan.eat(closer)? {
        return Ok(None);
    }
    scan.word(|c| c == ' ')?;
    if !scan.eat(">")? {
        return Ok(None);
    }
    let words = WORDS.iter().copied().find(|words| words.0 == word).unwrap_or(WORDS[0]);
    Ok(Some(Element { prefix, words, name: name.split("<|").next().unwrap_or(name).trim() }))
}

/// Takes the parameters and the closing tag of a call.
fn parameters(scan: &mut Scan<'_>, element: &Element<'_>, found: &mut Found) -> Step<Value> {
    let open = format!("<{}{}", element.prefix, element.words.1);
    let close = format!("</{}{}>", element.prefix, element.words.1);
    let end = format!("</{}{}>", element.prefix, element.words.0);
    let mut input = Map::new();
    loop {
        scan.space();
        let over = scan.over() && !input.is_empty();
        if over || scan.eat(&end)? {
            found.open = over;
            return Ok(Value::Object(input));
        }
        scan.need(&open)?;
        scan.need(" name=")?;
        let quoted = scan.eat("\"")?;
        let key = scan.word(|c| !matches!(c, '"' | '>' | ' ' | '\n'))?;
        if quoted {
            scan.need("\"")?;
        }
        let attributes = scan.upto(">")?;
        let text = value(scan, &close, &[&open, &end])?;
        input.insert(key.to_owned(), meant(text, attributes, scan, element.name, key));
    }
}

/// Takes a value up to a closing tag that is followed by what may follow a parameter.
fn value<'a>(scan: &mut Scan<'a>, close: &str, next: &[&str]) -> Step<&'a str> {
    let start = scan.at;
    loop {
        scan.upto(close)?;
        let end = scan.at;
        scan.space();
        if scan.over() || scan.ahead().begins_any(next).map_err(|_| Stop::Short)?.is_some() {
            scan.at = end;
            return Ok(&scan.seen.text[start..end - close.len()]);
        }
        scan.at = end;
    }
}

/// The value as its attribute or the schema has it.
fn meant(text: &str, attributes: &str, scan: &Scan<'_>, tool: &str, key: &str) -> Value {
    if attributes.contains("string=\"true\"") {
        return Value::String(text.to_owned());
    }
    if attributes.contains("string=\"false\"")
        && let Some((value, _)) = json::read_whole(text)
    {
        return value;
    }
    typed(inner(text), scan.seen.scope.parameter(tool, key))
}
