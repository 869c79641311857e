//! The form of GLM: `<tool_call>NAME`, then `<arg_key>K</arg_key><arg_value>V</arg_value>` in turn. Values carry no types.
//! One tag of a pair may be missing where the next one shows it.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};
use crate::calls::heal::typed;

/// Keys and values as tags.
pub(super) struct Glm;

const OPEN: &str = "<tool_call>";
const CLOSE: &str = "</tool_call>";
const KEY: &str = "<arg_key>";
const KEY_END: &str = "</arg_key>";
const VALUE: &str = "<arg_value>";
const VALUE_END: &str = "</arg_value>";

/// How a tag that was left out is counted.
const MISSING: &str = "xml-missing-closer";

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
    let mut found = Found::marked();
    scan.need(OPEN)?;
    scan.space();
    let called = scan.name()?;
    scan.space();
    let mut input = Map::new();
    while !scan.eat(CLOSE)? {
        if scan.over() && !input.is_empty() {
            found.open = true;
            break;
        }
        let key = key(&mut scan, &mut found)?;
        *name = Some(called);
        let value = value(&mut scan, called, &mut found)?;
        input.insert(key.to_owned(), typed(value, seen.scope.parameter(called, key)));
        scan.space();
    }
    found.add(called, Value::Object(input));
    found.used = scan.at;
    Ok(found)
}

/// Takes a key up to its value; one of the tags before the key, behind it, or before the value may be missing.
fn key<'a>(scan: &mut Scan<'a>, found: &mut Found) -> Step<&'a str> {
    let opened = scan.eat(KEY)?;
    let (start, mut mark) = (scan.at, None);
    while mark.is_none() {
        let rest = scan.rest();
        let Some(tag) = rest.find('<') else { return Err(if scan.seen.end { Stop::Not } else { Stop::Inside }) };
        scan.at += tag;
        mark = scan.eat_any(&[KEY_END, VALUE])?;
        if mark.is_none() && !opened {
            return Err(Stop::Not);
        }
        scan.at += usize::from(mark.is_none());
    }
    let end = scan.at - mark.map_or(0, str::len);
    let valued = mark == Some(VALUE) || scan.eat_spaced(VALUE)?;
    if !valued && mark != Some(VALUE) {
        scan.space();
    }
    if !opened || !valued || mark == Some(VALUE) {
        found.repairs.push(MISSING);
    }
    let key = scan.seen.text[start..end].trim();
    if key.is_empty() || key.contains('\n') { Err(Stop::Not) } else { Ok(key) }
}

/// Takes a value up to a closing tag that is followed by what may follow a value, so that a value may speak of tags; or,
/// where that was left out, up to the next key of the tool or the end of the call.
fn value<'a>(scan: &mut Scan<'a>, tool: &str, found: &mut Found) -> Step<&'a str> {
    let (text, start) = (scan.seen.text, scan.at);
    loop {
        let Some(tag) = scan.rest().find('<') else {
            return Err(if scan.seen.end { Stop::Not } else { Stop::Inside });
        };
        scan.at += tag;
        let end = scan.at;
        let closed = match scan.eat_any(&[VALUE_END, CLOSE, KEY])? {
            Some(VALUE_END) => (next_is(scan, &[KEY, CLOSE])? || declared(scan, tool)?).then_some(scan.at),
            Some(CLOSE) => next_is(scan, &[OPEN])?.then_some(end),
            Some(_) => declared(scan, tool)?.then_some(end),
            None => None,
        };
        if let Some(at) = closed {
            if at == end {
                found.repairs.push(MISSING);
            }
            scan.at = at;
            return Ok(&text[start..end]);
        }
        scan.at = end + 1;
    }
}

/// Whether the text ends here, or one of the marks follows.
fn next_is(scan: &Scan<'_>, marks: &[&str]) -> Step<bool> {
    let mut ahead = *scan;
    ahead.space();
    Ok(ahead.over() || ahead.eat_any(marks)?.is_some())
}

/// Whether a key follows that the tool has, up to its own end.
fn declared(scan: &Scan<'_>, tool: &str) -> Step<bool> {
    let mut ahead = *scan;
    ahead.space();
    let key = ahead.word(|c| c != '<' && c != '\n')?.trim();
    Ok(ahead.eat_any(&[KEY_END, VALUE])?.is_some() && scan.seen.scope.has_parameter(tool, key))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn keys_and_values_with_a_tag_missing() {
        let both: &[&str] = &[r#"Bash{"command":"ls","timeout":5}"#];
        for body in [
            "<arg_key>command</arg_key><arg_value>ls</arg_value><arg_key>timeout</arg_key><arg_value>5</arg_value>",
            "\n<arg_key>command</arg_key>\n<arg_value>ls</arg_value>\n<arg_key>timeout</arg_key>\n<arg_value>5</arg_value>\n",
            "<arg_key>command</arg_key><arg_value>ls<arg_key>timeout</arg_key><arg_value>5</arg_value>",
            "<arg_key>command</arg_key><arg_value>ls</arg_value><arg_key>timeout</arg_key><arg_value>5",
            " command</arg_key><arg_value>ls</arg_value><arg_key>timeout</arg_key><arg_value>5</arg_value>",
            "<arg_key>command</arg_key>ls</arg_value><arg_key>timeout<arg_value>5</arg_value>",
            " command</arg_key>ls</arg_value>timeout</arg_key>5</arg_value>",
            "<arg_key>command<arg_value>ls<arg_key>timeout<arg_value>5",
        ] {
            check(&[(&format!("<tool_call>Bash{body}</tool_call>"), both)]);
        }
    }

    #[test]
    fn a_value_that_was_cut_is_not_completed() {
        let cut = "<tool_call>Bash<arg_key>command</arg_key><arg_value>ls";
        check(&[(cut, &["!Bash"])]);
    }
}
