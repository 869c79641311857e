//! The walk over a schema: each part is rewritten, or found to allow nothing.

use serde_json::{Map, Value, json};

use super::meet::{apart, meet};
use super::pattern;
use crate::calls::heal::Schema;

/// What a schema is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Shown,
    /// A grammar is made of it, which cannot count as far as a schema can.
    Grammar,
}

/// How often a reference is followed inside of itself, and how many parts a schema may come to.
const REPEATS: usize = 2;
const MOST: usize = 3000;

/// The most that a grammar can count.
const COUNT: u64 = 2000;
/// The largest whole number that every server can hold.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// Keywords that say something to a reader only.
pub(super) const WORDS: [&str; 4] = ["description", "title", "default", "examples"];
/// Keywords that are no part of what is sent.
const DROPPED: [&str; 7] = ["$schema", "$id", "$defs", "definitions", "$ref", "$comment", "$anchor"];

/// Keywords whose value is no schema, nor holds any.
const DATA: [&str; 5] = ["enum", "default", "examples", "required", "const"];

/// A mark, while a schema is rewritten: nothing stands behind the places that are described.
const ENDED: &str = "\u{0}ended";

/// Rewrites one document.
pub(super) struct Compiler<'a> {
    root: &'a Value,
    made_for: Use,
    /// The references that are being followed.
    open: Vec<&'a str>,
    parts: usize,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(root: &'a Value, made_for: Use) -> Self {
        Self { root, made_for, open: Vec::new(), parts: 0 }
    }

    /// The whole document; a free object where nothing would fit.
    pub(super) fn root(mut self) -> Value {
        let mut whole = self.schema(self.root).unwrap_or_else(|| json!({"type": "object"}));
        if self.made_for == Use::Grammar {
            list_required(&mut whole);
        }
        whole
    }

    /// One schema; `None` when nothing fits it.
    fn schema(&mut self, schema: &'a Value) -> Option<Value> {
        self.parts += 1;
        match schema {
            Value::Bool(false) => None,
            Value::Object(map) => self.with_reference(map),
            _ => Some(json!({})),
        }
    }

    fn with_reference(&mut self, map: &'a Map<String, Value>) -> Option<Value> {
        let Some(pointer) = map.get("$ref").and_then(Value::as_str) else { return self.plain(map) };
        let own = self.plain(map)?;
        let Some(target) = pointer.strip_prefix('#').and_then(|path| self.root.pointer(path)) else { return Some(own) };
        // What holds itself would go on for ever: at some depth, nothing more fits.
        if self.open.iter().filter(|open| **open == pointer).count() >= REPEATS || self.parts > MOST {
            return None;
        }
        self.open.push(pointer);
        let target = self.schema(target);
        self.open.pop();
        let mut met = meet(&target?, &without_words(&own))?;
        for key in WORDS {
            if let (Some(met), Some(words)) = (met.as_object_mut(), own.get(key)) {
                met.insert(key.to_owned(), words.clone());
            }
        }
        Some(met)
    }

    fn plain(&mut self, map: &'a Map<String, Value>) -> Option<Value> {
        let mut out = Map::new();
        let mut never = Vec::new();
        for (key, value) in map.iter().filter(|(key, _)| !DROPPED.contains(&key.as_str())) {
            self.keyword(key, value, &mut out, &mut never);
        }
        fit_choices(&mut out);
        end_list(&mut out);
        forbid(&mut out, &never)?;
        let mut whole = Value::Object(out);
        for part in map.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            whole = meet(&whole, &self.schema(part)?)?;
        }
        for key in ["oneOf", "anyOf"] {
            let Some(listed) = map.get(key).and_then(Value::as_array).filter(|listed| !listed.is_empty()) else {
                continue;
            };
            let mut fitting: Vec<Value> = listed.iter().filter_map(|one| self.schema(one)).collect();
            if key == "oneOf" {
                fitting = apart(fitting, &whole);
            }
            whole = one_of(&whole, &fitting)?;
        }
        let kinds = kinds(map.get("type"));
        if kinds.len() > 1 {
            whole = one_of(&whole, &kinds.iter().map(|kind| json!({"type": kind})).collect::<Vec<_>>())?;
        }
        Some(whole)
    }

    fn keyword(&mut self, key: &str, value: &'a Value, out: &mut Map<String, Value>, never: &mut Vec<String>) {
        let value = match key {
            "allOf" | "anyOf" | "oneOf" => return,
            "const" => return drop(out.insert("enum".into(), json!([value]))),
            "enum" => value.as_array().filter(|list| !list.is_empty()).map(|_| value.clone()),
            "type" => match kinds(Some(value)).as_slice() {
                [one] => Some(json!(one)),
                _ => None,
            },
            "properties" => Some(self.properties(value, never)),
            "patternProperties" | "dependentSchemas" => Some(self.each(value)),
            "items" | "prefixItems" => return self.items(key, value, out),
            "additionalProperties" => Some(match value {
                Value::Bool(_) => value.clone(),
                schema => self.schema(schema).unwrap_or(Value::Bool(false)),
            }),
            "not"
            | "contains"
            | "if"
            | "then"
            | "else"
            | "propertyNames"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "additionalItems" => Some(self.schema(value).unwrap_or_else(|| json!({"not": {}}))),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => bound(value),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
                self.count(value)
            }
            "pattern" => value.as_str().and_then(pattern::plain).map(Value::from),
            _ => Some(value.clone()),
        };
        if let Some(value) = value {
            out.insert(key.to_owned(), value);
        }
    }

    fn properties(&mut self, value: &'a Value, never: &mut Vec<String>) -> Value {
        let mut out = Map::new();
        for (name, schema) in value.as_object().into_iter().flatten() {
            match self.schema(schema) {
                Some(schema) => drop(out.insert(name.clone(), schema)),
                None => never.push(name.clone()),
            }
        }
        Value::Object(out)
    }

    fn each(&mut self, value: &'a Value) -> Value {
        let all = value.as_object().into_iter().flatten();
        Value::Object(
            all.map(|(name, one)| (name.clone(), self.schema(one).unwrap_or_else(|| json!({"not": {}})))).collect(),
        )
    }

    /// The schema of all items, or one for each place; nothing may stand where nothing fits.
    fn items(&mut self, key: &str, value: &'a Value, out: &mut Map<String, Value>) {
        let Some(places) = value.as_array() else {
            match self.schema(value) {
                Some(schema) if value.is_object() => drop(out.insert(key.to_owned(), schema)),
                Some(_) => {}
                None => drop(out.insert(ENDED.into(), Value::Bool(true))),
            }
            return;
        };
        let mut fitting = Vec::new();
        for place in places {
            let Some(schema) = self.schema(place) else {
                out.insert(ENDED.into(), Value::Bool(true));
                break;
            };
            fitting.push(schema);
        }
        if !fitting.is_empty() {
            out.insert("prefixItems".into(), Value::Array(fitting));
        }
    }

    fn count(&self, value: &Value) -> Option<Value> {
        let count = value.as_f64().filter(|count| *count >= 0.0 && count.fract() == 0.0)? as u64;
        (self.made_for == Use::Shown || count <= COUNT).then(|| json!(count))
    }
}

/// The types that a schema names, in the words of the standard; `null` only where nothing else is.
fn kinds(value: Option<&Value>) -> Vec<&str> {
    let named: Vec<&str> = match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut known: Vec<&str> = named.into_iter().filter_map(kind).collect();
    if known.iter().any(|kind| *kind != "null") {
        known.retain(|kind| *kind != "null");
    }
    known.dedup();
    known
}

/// A type as the standard calls it; `None` for one that it does not have.
fn kind(name: &str) -> Option<&str> {
    Some(match name {
        "string" | "number" | "integer" | "boolean" | "array" | "object" | "null" => name,
        "float" | "double" | "decimal" => "number",
        "int" | "long" => "integer",
        "bool" => "boolean",
        "str" | "text" => "string",
        "list" | "tuple" | "set" => "array",
        "dict" | "map" => "object",
        _ => return None,
    })
}

/// A bound of a number that every server can hold: a larger one is made smaller, never wider.
fn bound(value: &Value) -> Option<Value> {
    let number = value.as_f64()?;
    if number.abs() <= LARGEST {
        return Some(if number.fract() == 0.0 { json!(number as i64) } else { value.clone() });
    }
    Some(json!(if number > 0.0 { LARGEST as i64 } else { -(LARGEST as i64) }))
}

/// Ends a list behind the places that are described, where nothing may stand there.
fn end_list(out: &mut Map<String, Value>) {
    if out.remove(ENDED).is_some() {
        let places = out.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len) as u64;
        let most = out.get("maxItems").and_then(Value::as_u64).map_or(places, |most| most.min(places));
        out.insert("maxItems".into(), json!(most));
    }
}

/// Choices that are not of the type are none, where others are.
fn fit_choices(out: &mut Map<String, Value>) {
    let (Some(choices), Some(kind)) = (out.get("enum").and_then(Value::as_array), out.get("type")) else { return };
    let of_type = json!({ "type": kind });
    let fitting: Vec<Value> = choices.iter().filter(|choice| Schema::new(&of_type).allows(choice)).cloned().collect();
    if fitting.is_empty() {
        out.remove("type");
    } else {
        out.insert("enum".into(), Value::Array(fitting));
    }
}

/// Forbids properties that nothing fits.
fn forbid(out: &mut Map<String, Value>, never: &[String]) -> Option<()> {
    let required = out.get("required").and_then(Value::as_array);
    if required.is_some_and(|keys| keys.iter().any(|key| never.iter().any(|never| key == never))) {
        return None;
    }
    if !never.is_empty() {
        out.insert("additionalProperties".into(), Value::Bool(false));
    }
    Some(())
}

/// A required property that is not described is any other one: a grammar knows only what is described.
fn list_required(schema: &mut Value) {
    let parts: &mut dyn Iterator<Item = &mut Value> = match schema {
        Value::Object(map) => {
            &mut map.iter_mut().filter(|(key, _)| !DATA.contains(&key.as_str())).map(|(_, part)| part)
        }
        Value::Array(all) => &mut all.iter_mut(),
        _ => return,
    };
    parts.for_each(list_required);
    let Some(map) = schema.as_object_mut().filter(|map| map.get("required").is_some_and(Value::is_array)) else {
        return;
    };
    let others = match map.get("additionalProperties") {
        Some(Value::Bool(false)) => return,
        Some(schema @ Value::Object(_)) => schema.clone(),
        _ => json!({}),
    };
    let required: Vec<Value> = map["required"].as_array().cloned().unwrap_or_default();
    let properties = map.entry("properties").or_insert_with(|| json!({})).as_object_mut();
    let Some(properties) = properties.filter(|_| !required.is_empty()) else { return };
    for key in required.iter().filter_map(Value::as_str) {
        properties.entry(key).or_insert_with(|| others.clone());
    }
}

/// The schema with one of the alternatives laid over it: each of them whole, as grammars look at nothing beside them.
fn one_of(whole: &Value, alternatives: &[Value]) -> Option<Value> {
    let fitting: Vec<Value> = alternatives.iter().filter_map(|one| meet(&without_words(whole), one)).collect();
    let words = whole.as_object().into_iter().flatten().filter(|(key, _)| WORDS.contains(&key.as_str()));
    let mut out: Map<String, Value> = words.map(|(key, value)| (key.clone(), value.clone())).collect();
    match fitting.as_slice() {
        [] => return None,
        [Value::Object(one)] => {
            for (key, value) in one {
                out.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        several => drop(out.insert("anyOf".into(), several.into())),
    }
    Some(Value::Object(out))
}

fn without_words(schema: &Value) -> Value {
    let fields = schema.as_object().into_iter().flatten().filter(|(key, _)| !WORDS.contains(&key.as_str()));
    Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
}
