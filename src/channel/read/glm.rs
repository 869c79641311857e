//! The form of GLM: `<tool_call>NAME`, then `<arg_key>K</arg_key><arg_value>V</arg_value>` in turn. Values carry no types.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};
use crate::channel::heal::typed;

/// Keys and values as tags.
pub(super) struct Glm;

const OPEN: &str = "<tool_call>";
const CLOSE: &str = "</tool_call>";
const KEY: &str = "<arg_key>";
const KEY_END: &str = "</arg_key>";
const VALUE: &str = "<arg_value>";
const VALUE_END: &str = "</arg_value>";

impl Format for Glm {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Mark(OPEN)]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        let walked = call(seen, &mut name);
        look(seen, walked, name, CLOSE)
    }
}

fn call<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    scan.need(OPEN)?;
    scan.space();
    let called = scan.name()?;
    scan.space();
    if scan.eat(CLOSE)? {
        return Ok(whole(scan, called, Map::new()));
    }
    if !scan.ahead().begins(KEY).ok_or(Stop::Short)? {
        return Err(Stop::Not);
    }
    *name = Some(called);
    let mut input = Map::new();
    loop {
        scan.space();
        if scan.eat(CLOSE)? || scan.over() {
            return Ok(whole(scan, called, input));
        }
        scan.need(KEY)?;
        let key = scan.upto(KEY_END)?.trim();
        scan.space();
        scan.need(VALUE)?;
        let value = value(&mut scan)?;
        input.insert(key.to_owned(), typed(value, seen.scope.parameter(called, key)));
    }
}

fn whole(scan: Scan<'_>, name: &str, input: Map<String, Value>) -> Found {
    let mut found = Found::marked();
    found.add(name, Value::Object(input));
    found.used = scan.at;
    found
}

/// Takes a value up to a closing tag that is followed by what may follow a value, so that a value may speak of tags.
fn value<'a>(scan: &mut Scan<'a>) -> Step<&'a str> {
    let start = scan.at;
    loop {
        scan.upto(VALUE_END)?;
        let end = scan.at;
        scan.space();
        if scan.over() || scan.ahead().begins_any(&[KEY, CLOSE]).map_err(|_| Stop::Short)?.is_some() {
            return Ok(&scan.seen.text[start..end - VALUE_END.len()]);
        }
        scan.at = end;
    }
}
