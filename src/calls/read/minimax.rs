//! The form of MiniMax M3: each tag stands behind a separator of its own, parameters are elements, which may nest.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};
use crate::calls::heal::{Schema, typed};

/// Separated elements.
pub(super) struct MiniMax;

const SEPARATOR: &str = "]<]minimax[>[";

impl Format for MiniMax {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Mark(SEPARATOR)]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        let walked = calls(seen, &mut name);
        look(seen, walked, name, "</tool_call>")
    }
}

fn calls<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::marked();
    tag(&mut scan, "<tool_call>")?.then_some(()).ok_or(Stop::Not)?;
    loop {
        if tag(&mut scan, "</tool_call>")? || scan.over() {
            found.used = scan.at;
            return Ok(found);
        }
        if !tag(&mut scan, "<invoke name=\"")? {
            return Err(Stop::Not);
        }
        let called = scan.upto("\">")?;
        *name = Some(called);
        let schema = seen.scope.tool(called).map(|tool| Schema::new(&tool.input_schema).root());
        let input = elements(&mut scan, "</invoke>", schema)?;
        found.add(called, Value::Object(input));
    }
}

/// Takes a separator and a tag.
fn tag(scan: &mut Scan<'_>, tag: &str) -> Step<bool> {
    let before = scan.at;
    scan.space();
    if scan.eat(SEPARATOR)? && scan.eat(tag)? {
        return Ok(true);
    }
    scan.at = before;
    Ok(false)
}

fn elements(scan: &mut Scan<'_>, close: &str, schema: Option<Schema<'_>>) -> Step<Map<String, Value>> {
    let mut map = Map::new();
    while !tag(scan, close)? {
        if !tag(scan, "<")? {
            return Err(Stop::Not);
        }
        let key = scan.upto(">")?;
        let value = element(scan, key, schema.and_then(|schema| schema.property(key)))?;
        map.insert(key.to_owned(), value);
    }
    Ok(map)
}

/// Takes the content and the closing tag of an element: elements, or text.
fn element(scan: &mut Scan<'_>, key: &str, schema: Option<Schema<'_>>) -> Step<Value> {
    let close = format!("</{key}>");
    let start = scan.at;
    let mut ahead = *scan;
    if tag(&mut ahead, "<")? && ahead.next()? != Some('/') {
        return elements(scan, &close, schema).map(Value::Object);
    }
    scan.upto(&format!("{SEPARATOR}{close}"))?;
    let text = &scan.seen.text[start..scan.at - SEPARATOR.len() - close.len()];
    Ok(typed(text, schema))
}
