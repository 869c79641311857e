//! Arguments are made to fit the client's schema where their meaning is certain; every repair is named.
//!
//! Valid input is never touched, but for marks of a call that a parser has left at the end of short text. Nothing else inside
//! a string is changed, and nothing is invented: what is not certain is [`Invalid`], with the reason in a form that a model can
//! use.

mod coerce;
mod leftover;
mod nameless;
mod names;
mod past;
mod schema;
mod split_name;

use serde_json::{Map, Value};

use leftover::Left;

use super::json::Reading;
use crate::rules::Lexicon;
use crate::wire::Tool;

pub(crate) use nameless::{nameless, only_taker};
pub use names::{nearest, tool_called};
pub use past::heal_past;
pub use schema::{Fault, Schema, Wrong};

pub(super) use coerce::typed;

/// A call whose name and arguments are the client's.
#[derive(Debug, Clone, PartialEq)]
pub struct Healed {
    pub name: String,
    /// A JSON object that is valid under the tool's schema.
    pub input: Value,
    /// What was mended, in the order of mending; empty for a call that was valid.
    pub repairs: Vec<Repair>,
}

/// A call that cannot be healed with certainty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// No tool of this request has this name; the nearest ones.
    UnknownTool { name: String, nearest: Vec<String> },
    /// The arguments do not fit, and why: one short clause a fault. `shaped`: every required parameter is there, every
    /// given one is known and has the right type; what is wrong lies deeper.
    Arguments { tool: String, why: String, shaped: bool },
}

/// A kind of repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// Control tokens or call syntax cut off a name.
    NameMarks,
    NameCase,
    NameAlias,
    KeyAlias,
    NumberString,
    BooleanString,
    /// A number where text is wanted.
    TextFromNumber,
    JsonInString,
    NullDropped,
    ScalarForArray,
    ExtraDropped,
    EnumCase,
    EnumAlias,
    /// Arguments that were JSON in a string, once or more.
    DoubleEncoded,
    /// Several objects run together, of which the first counts.
    FirstObject,
    /// Arguments inside of another `arguments`.
    Unwrapped,
    /// Plain text in place of arguments, for a tool that needs nothing but one text.
    BareArgument,
    /// Marks of a call taken off the end of a value, or out of a key.
    MarkupLeft,
}

impl Repair {
    /// The kind, as it is counted in a report.
    pub fn kind(self) -> &'static str {
        match self {
            Self::NameMarks => "name-marks",
            Self::NameCase => "name-case",
            Self::NameAlias => "name-alias",
            Self::KeyAlias => "key-alias",
            Self::NumberString => "number-string",
            Self::BooleanString => "boolean-string",
            Self::TextFromNumber => "text-from-number",
            Self::JsonInString => "json-in-string",
            Self::NullDropped => "null-dropped",
            Self::ScalarForArray => "scalar-for-array",
            Self::ExtraDropped => "extra-dropped",
            Self::EnumCase => "enum-case",
            Self::EnumAlias => "enum-alias",
            Self::DoubleEncoded => "double-encoded",
            Self::FirstObject => "first-object",
            Self::Unwrapped => "unwrapped",
            Self::BareArgument => "bare-argument",
            Self::MarkupLeft => "markup-left",
        }
    }
}

/// Makes a call fit the tools of this request.
///
/// # Errors
/// When the tool is not known, or the arguments do not fit and what was meant is not certain.
pub fn heal(name: &str, input: Value, tools: &[Tool], lexicon: &Lexicon) -> Result<Healed, Invalid> {
    if let Some((name, input)) = split_name::split(name).filter(|_| says_nothing(&input)) {
        let mut healed = heal(name, input, tools, lexicon)?;
        healed.repairs.insert(0, Repair::NameMarks);
        return Ok(healed);
    }
    let Some((tool, renamed)) = tool_called(name, tools, lexicon) else {
        let nearest = nearest(name, tools).into_iter().map(str::to_owned).collect();
        return Err(Invalid::UnknownTool { name: name.to_owned(), nearest });
    };
    let mut repairs: Vec<Repair> = renamed.into_iter().collect();
    let schema = Schema::new(&tool.input_schema).root();
    let given = object_of(input, &mut repairs).unwrap_or_else(|other| in_its_place(other, schema, &mut repairs));
    let given = unwrapped(given, tool, schema, &mut repairs);
    let given = match leftover::left(&given, schema) {
        Left::Nothing => given,
        Left::Mended(mended) => {
            repairs.push(Repair::MarkupLeft);
            mended
        }
        Left::Doubt(key) => {
            let why = format!("`{key}` holds marks of a call");
            return Err(Invalid::Arguments { tool: tool.name.clone(), why, shaped: true });
        }
    };
    let input = coerce::mend(&given, schema, lexicon, &mut repairs);
    let faults = schema.faults(&input);
    if faults.is_empty() && input.is_object() {
        return Ok(Healed { name: tool.name.clone(), input, repairs });
    }
    let shaped = input.is_object() && faults.iter().all(Fault::is_deep);
    Err(Invalid::Arguments { tool: tool.name.clone(), why: why(&schema, &given, &input), shaped })
}

impl Invalid {
    /// What is wrong, in one line.
    pub fn why(&self) -> String {
        match self {
            Self::UnknownTool { name, nearest } if nearest.is_empty() => format!("there is no tool `{name}`"),
            Self::UnknownTool { name, nearest } => {
                format!("there is no tool `{name}`; the nearest are {}", nearest.join(", "))
            }
            Self::Arguments { why, .. } => why.clone(),
        }
    }
}

fn says_nothing(input: &Value) -> bool {
    input.is_null() || input.as_object().is_some_and(Map::is_empty)
}

/// Reads arguments that came as JSON in a string, up to three times over; gives back what is no object even so.
fn object_of(input: Value, repairs: &mut Vec<Repair>) -> Result<Value, Value> {
    let mut value = input;
    for _ in 0..3 {
        let Value::String(text) = &value else { break };
        if text.trim().is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        let (inner, repair) = match (super::json::read_whole(text), first_of_several(text)) {
            (Some((inner, _)), _) => (inner, Repair::DoubleEncoded),
            (None, Some(first)) => (first, Repair::FirstObject),
            (None, None) => return Err(value),
        };
        value = inner;
        if !repairs.contains(&repair) {
            repairs.push(repair);
        }
    }
    match value {
        Value::Null => Ok(Value::Object(Map::new())),
        Value::Object(_) => Ok(value),
        other => Err(other),
    }
}

/// Plain text, as the one parameter that a tool needs; not what looks like damaged JSON.
fn in_its_place(given: Value, schema: Schema<'_>, repairs: &mut Vec<Repair>) -> Value {
    match (&given, schema.only_text()) {
        (Value::String(text), Some(key)) if !text.trim_start().starts_with(['{', '[', '"', '<']) => {
            repairs.push(Repair::BareArgument);
            let text = text.trim_end_matches(['\r', '\n']);
            Value::Object(Map::from_iter([(key.to_owned(), Value::from(text))]))
        }
        _ => given,
    }
}

/// The first of several objects that a server ran together; the others may be cut.
pub(super) fn first_of_several(text: &str) -> Option<Value> {
    match super::json::read(text, true) {
        Reading::Whole { value, used, fixes } if fixes.is_empty() && text[used..].trim_start().starts_with('{') => {
            Some(value)
        }
        _ => None,
    }
}

/// Takes arguments out of a second envelope: `{"arguments": {…}}`, with or without the name of the same tool.
fn unwrapped(input: Value, tool: &Tool, schema: Schema<'_>, repairs: &mut Vec<Repair>) -> Value {
    if schema.allows(&input) {
        return input;
    }
    let inner = input.as_object().and_then(|map| inner_arguments(map, tool, schema));
    match inner {
        Some(inner) => {
            repairs.push(Repair::Unwrapped);
            inner
        }
        None => input,
    }
}

fn inner_arguments(map: &Map<String, Value>, tool: &Tool, schema: Schema<'_>) -> Option<Value> {
    let wrappers = ["arguments", "parameters", "input", "args", "params"];
    let (key, inner) = map.iter().find(|(key, _)| wrappers.contains(&key.as_str()))?;
    let same_name = map.get("name").is_none_or(|name| name.as_str() == Some(&tool.name));
    let alone = map.keys().all(|other| other == key || other == "name");
    if !same_name || !alone || schema.property(key).is_some() {
        return None;
    }
    object_of(inner.clone(), &mut Vec::new()).ok()
}

/// The faults that are left, and what was given that has no place.
fn why(schema: &Schema<'_>, given: &Value, mended: &Value) -> String {
    let mut clauses: Vec<String> = schema.faults(mended).iter().map(Fault::to_string).collect();
    let extras = given.as_object().into_iter().flat_map(Map::keys);
    let unknown = extras.filter(|key| schema.property(key).is_none() && mended.get(key.as_str()).is_none());
    clauses.extend(unknown.map(|key| format!("`{key}` is not a parameter")));
    if clauses.is_empty() {
        clauses.push("the arguments must be a JSON object".into());
    }
    clauses.truncate(6);
    clauses.join("; ")
}

#[cfg(test)]
mod promises;
#[cfg(test)]
mod tests;
