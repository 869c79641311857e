//! The form of Kimi K3: elements in control tokens, with the type of each argument. Elements of plain text are residue.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};
use crate::calls::json;

/// Elements in tokens.
pub(super) struct KimiK3;

const OPEN: &str = "<|open|>";
const CLOSE: &str = "<|close|>";
const SEPARATOR: &str = "<|sep|>";

impl Format for KimiK3 {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Mark(OPEN), Opening::Mark(CLOSE)]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        match plain(seen) {
            Ok(Some(used)) => return Look::Residue(used),
            Ok(None) => {}
            Err(stop) => return stop.into(),
        }
        let mut name = None;
        let walked = call(seen, &mut name);
        look(seen, walked, name, "<|close|>call<|sep|>")
    }
}

/// An element around text or calls, in so many bytes.
fn plain(seen: &Seen<'_>) -> Step<Option<usize>> {
    let mut scan = Scan::new(*seen);
    scan.eat_any(&[OPEN, CLOSE])?;
    if scan.eat_any(&["response", "tools", "message"])?.is_none() || !scan.eat(SEPARATOR)? {
        return Ok(None);
    }
    Ok(Some(scan.at))
}

fn call<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    scan.need(OPEN)?;
    scan.need("call tool=\"")?;
    let called = scan.upto("\"")?;
    scan.upto(SEPARATOR)?;
    *name = Some(called);
    let mut input = Map::new();
    loop {
        if scan.eat("<|close|>call<|sep|>")? {
            let mut found = Found::marked();
            found.add(called, Value::Object(input));
            found.used = scan.at;
            return Ok(found);
        }
        scan.need(OPEN)?;
        scan.need("argument key=\"")?;
        let key = scan.upto("\"")?;
        let kind = scan.upto(SEPARATOR)?;
        let text = scan.upto("<|close|>argument<|sep|>")?;
        input.insert(key.to_owned(), meant(text, kind).ok_or(Stop::Not)?);
    }
}

/// The value as its type has it.
fn meant(text: &str, kind: &str) -> Option<Value> {
    if kind.contains("\"string\"") {
        return Some(Value::String(text.to_owned()));
    }
    json::read_whole(text).map(|(value, _)| value)
}
