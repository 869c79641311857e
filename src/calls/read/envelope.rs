//! A JSON value as one or more calls: the envelopes in which models put a name and arguments.

use serde_json::{Map, Value};

use super::format::{Raw, Scope};
use crate::calls::heal::first_of_several;
use crate::calls::json;

/// Keys that hold the name of the tool, and those that hold the arguments beside each.
const PAIRS: [(&str, &[&str]); 8] = [
    ("name", &["arguments", "parameters", "args", "params", "kwargs", "input"]),
    ("tool_name", &["tool_args", "tool_input", "arguments", "parameters"]),
    ("function_name", &["arguments", "parameters", "args"]),
    ("tool", &["arguments", "parameters", "tool_input", "tool_args"]),
    ("function", &["arguments", "parameters", "args"]),
    ("recipient_name", &["parameters"]),
    ("action", &["action_input"]),
    ("toolName", &["toolArgs", "args"]),
];
/// Keys that may stand beside them, and say nothing.
const OTHERS: [&str; 9] =
    ["type", "id", "call_id", "tool_call_id", "index", "thoughts", "thought", "tool_calls", "tool_uses"];

/// The calls that a value holds: one, or a list of nothing but calls. An empty list of arguments counts as none.
pub(super) fn calls(value: &Value) -> Option<Vec<Raw>> {
    match value {
        Value::Object(map) => match ["tool_calls", "tool_uses"].iter().find_map(|key| map.get(*key)) {
            Some(listed) => calls(listed.as_array().map(|_| listed)?),
            None => one(map).map(|call| vec![call]),
        },
        Value::Array(items) if !items.is_empty() => items.iter().map(|item| item.as_object().and_then(one)).collect(),
        _ => None,
    }
}

/// The calls that a value behind a mark holds: as [`calls`], and calls without arguments, lists with something else among
/// the calls, and `{NAME: {…}}`.
pub(super) fn marked_calls(value: &Value, scope: &Scope) -> Option<Vec<Raw>> {
    if let Value::Array(items) = value {
        let among: Vec<Raw> = items.iter().filter_map(|item| marked_one(item.as_object()?, scope)).collect();
        return (!among.is_empty()).then_some(among);
    }
    calls(value).or_else(|| value.as_object().and_then(|map| marked_one(map, scope)).map(|call| vec![call]))
}

fn marked_one(map: &Map<String, Value>, scope: &Scope) -> Option<Raw> {
    let named = || {
        let name = map.get("name")?.as_str().filter(|_| only_known(map))?;
        let given = map.iter().find(|(key, _)| !OTHERS.contains(&key.as_str()) && *key != "name");
        let input = given.map_or_else(|| Some(Value::Object(Map::new())), |(_, given)| object(given))?;
        Some(Raw { name: name.to_owned(), input })
    };
    let keyed = || {
        let (name, input) = map.iter().next().filter(|(name, input)| input.is_object() && scope.knows(name))?;
        (map.len() == 1).then(|| Raw { name: name.clone(), input: input.clone() })
    };
    one(map).or_else(named).or_else(keyed)
}

/// Whether an object that begins like this may yet become a call. `any_name`: also of a tool that is not known.
pub(super) fn may_be_call(text: &str, scope: &Scope, any_name: bool) -> bool {
    let inner = text.trim_start().strip_prefix('[').unwrap_or(text).trim_start();
    if inner.is_empty() {
        return true;
    }
    inner.strip_prefix('{').is_some_and(|members| members_may(members, scope, any_name))
}

fn members_may(members: &str, scope: &Scope, any_name: bool) -> bool {
    let mut rest = members;
    loop {
        rest = rest.trim_start_matches([',', '，', ' ', '\n', '\t', '\r']);
        let (key, after) = match key_at(rest) {
            Key::Whole(key, after) => (key, after.trim_start()),
            Key::Cut(start) => return known().any(|key| key.starts_with(start)),
            Key::None => return rest.is_empty() || rest.starts_with(['/', '#', '}']),
        };
        if !known().any(|known| known == key) {
            return false;
        }
        let Some(value) = after.strip_prefix([':', '：']).map(str::trim_start) else { return after.is_empty() };
        if is_name(key) && !any_name && quoted(value).is_some_and(|(name, _)| !scope.knows(name)) {
            return false;
        }
        match after_value(value) {
            Some(next) => rest = next,
            None => return true,
        }
    }
}

enum Key<'a> {
    /// A key, and what follows it.
    Whole(&'a str, &'a str),
    /// The text ends inside of this key.
    Cut(&'a str),
    None,
}

fn key_at(text: &str) -> Key<'_> {
    if let Some(start) = text.strip_prefix(QUOTES) {
        return quoted(text).map_or(Key::Cut(start), |(key, after)| Key::Whole(key, after));
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    match end {
        Some(0) => Key::None,
        Some(end) => Key::Whole(&text[..end], &text[end..]),
        None if text.is_empty() => Key::None,
        None => Key::Cut(text),
    }
}

/// What keys and names stand between.
const QUOTES: [char; 5] = ['"', '\'', '“', '”', '„'];

/// A quoted text at the front, and what follows it; without escapes, as keys and names are.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| QUOTES.contains(c))?;
    let inside = &text[quote.len_utf8()..];
    let ends = |c: char| if quote.is_ascii() { c == quote } else { !c.is_ascii() && QUOTES.contains(&c) };
    let end = inside.find(ends)?;
    let length = inside[end..].chars().next()?.len_utf8();
    Some((&inside[..end], &inside[end + length..]))
}

/// What follows the first value; `None` when that is not whole, or is not simple.
fn after_value(text: &str) -> Option<&str> {
    if text.starts_with(['"', '{', '[']) {
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
        stream.next()?.ok()?;
        return text.get(stream.byte_offset()..);
    }
    text.find([',', '，', '}']).map(|end| &text[end..])
}

fn known() -> impl Iterator<Item = &'static str> {
    let pairs = PAIRS.iter().flat_map(|(name, arguments)| std::iter::once(name).chain(*arguments));
    pairs.chain(&OTHERS).copied()
}

fn is_name(key: &str) -> bool {
    PAIRS.iter().any(|(name, _)| *name == key)
}

fn only_known(map: &Map<String, Value>) -> bool {
    map.keys().all(|key| known().any(|known| known == key))
}

fn one(map: &Map<String, Value>) -> Option<Raw> {
    if !only_known(map) {
        return None;
    }
    if let Some(Value::Object(inner)) = map.get("function") {
        return one(inner);
    }
    let (name, given) = PAIRS.iter().find_map(|(name, arguments)| {
        let given = arguments.iter().find_map(|key| Some((*key, map.get(*key)?)))?;
        Some((map.get(*name)?.as_str()?, given))
    })?;
    // `name` and `input` alone are the keys of many a record.
    let plain = given.0 != "input" || map.get("type").and_then(Value::as_str) == Some("tool_use");
    Some(Raw { name: name.to_owned(), input: object(given.1).filter(|_| plain)? })
}

/// Arguments as an object: itself, JSON in a string, or nothing. A definition of parameters is none.
pub(super) fn object(given: &Value) -> Option<Value> {
    match given {
        Value::Object(map) => (!is_definition(map)).then(|| given.clone()),
        Value::String(text) if text.trim().is_empty() => Some(Value::Object(Map::new())),
        Value::String(text) => match json::read_whole(text) {
            Some((inner, _)) => object(&inner),
            // Healing takes the first one, and counts it.
            None => first_of_several(text).map(|_| given.clone()),
        },
        Value::Null => Some(Value::Object(Map::new())),
        Value::Array(items) if items.is_empty() => Some(Value::Object(Map::new())),
        _ => None,
    }
}

fn is_definition(map: &Map<String, Value>) -> bool {
    map.get("type").and_then(Value::as_str) == Some("object") && map.get("properties").is_some_and(Value::is_object)
}
