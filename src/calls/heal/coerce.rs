//! The walk over a value that does not fit its schema.

use serde_json::{Map, Number, Value};

use crate::rules::Lexicon;

use super::schema::is_whole;
use super::{Repair, Schema};
use crate::calls::json;

/// The value, made to fit where its meaning is certain; unchanged where it fits or nothing is certain.
pub(super) fn mend(value: &Value, schema: Schema<'_>, lexicon: &Lexicon, repairs: &mut Vec<Repair>) -> Value {
    if schema.allows(value) {
        return value.clone();
    }
    if let Some(alternatives) = schema.alternatives()
        && let Some(mended) = by_alternative(value, alternatives, schema, lexicon, repairs)
    {
        return mended;
    }
    match value {
        Value::Object(map) if wants(schema, "object") => object(map, schema, lexicon, repairs),
        Value::Array(list) if wants(schema, "array") => array(list, schema, lexicon, repairs),
        _ => scalar(value, schema, lexicon, repairs).unwrap_or_else(|| value.clone()),
    }
}

/// The text of one parameter of a form that carries no types, as the schema has it.
pub(crate) fn typed(text: &str, schema: Option<Schema<'_>>) -> Value {
    let plain = || Value::String(text.to_owned());
    let Some(schema) = schema else {
        return json::read_whole(text.trim()).map_or_else(plain, |(value, _)| value);
    };
    if wants(schema, "string") && !schema.types().is_empty() && schema.types() != ["null"] {
        let other = schema.types().len() > 1;
        return if other { other_than_text(text, schema).unwrap_or_else(plain) } else { plain() };
    }
    if untyped(schema) && schema.allows(&plain()) && choices_are_text(schema) {
        let several = schema.alternatives().is_some();
        let other = other_than_text(text, schema).filter(|value| several && !value.is_string() && schema.allows(value));
        return other.unwrap_or_else(plain);
    }
    other_than_text(text, schema).unwrap_or_else(plain)
}

/// What the text says in JSON, if that is valid and no text.
fn other_than_text(text: &str, schema: Schema<'_>) -> Option<Value> {
    let (value, _) = json::read_whole(text.trim())?;
    if value.is_string() {
        return schema.allows(&value).then_some(value);
    }
    let whole = value.as_number().filter(|number| wants_only_whole(schema) && is_whole(number)).and_then(whole_number);
    Some(whole.unwrap_or(value))
}

fn untyped(schema: Schema<'_>) -> bool {
    schema.types().is_empty()
}

/// Whether the schema names choices, and all of them are text; or alternatives that take text.
fn choices_are_text(schema: Schema<'_>) -> bool {
    let choices = schema.keyword("enum").and_then(Value::as_array);
    let all_text = choices.is_some_and(|choices| choices.iter().all(Value::is_string));
    all_text || schema.alternatives().is_some_and(|mut forms| forms.any(|form| form.types().contains(&"string")))
}

fn wants(schema: Schema<'_>, kind: &str) -> bool {
    let types = schema.types();
    types.is_empty() && kind != "string" || types.contains(&kind)
}

fn wants_only_whole(schema: Schema<'_>) -> bool {
    schema.types().contains(&"integer") && !schema.types().contains(&"number")
}

/// The one alternative that the value can be made to fit with the fewest repairs, if that is not in doubt.
fn by_alternative<'a>(
    value: &Value,
    alternatives: impl Iterator<Item = Schema<'a>>,
    whole: Schema<'_>,
    lexicon: &Lexicon,
    repairs: &mut Vec<Repair>,
) -> Option<Value> {
    let attempt = |form: Schema<'a>| {
        let mut made = Vec::new();
        let mended = mend(value, form, lexicon, &mut made);
        (form.allows(&mended) && whole.allows(&mended)).then_some((made, mended))
    };
    let mut found: Vec<(Vec<Repair>, Value)> = alternatives.filter_map(attempt).collect();
    found.sort_by_key(|(made, _)| made.len());
    let doubt = found.get(1).is_some_and(|second| second.0.len() == found[0].0.len() && second.1 != found[0].1);
    if found.is_empty() || doubt {
        return None;
    }
    let (made, mended) = found.swap_remove(0);
    repairs.extend(made);
    Some(mended)
}

fn object(map: &Map<String, Value>, schema: Schema<'_>, lexicon: &Lexicon, repairs: &mut Vec<Repair>) -> Value {
    let mut out = Map::new();
    for (key, value) in map {
        let name = canonical(key, map, &out, schema, lexicon);
        let Some(form) = schema.property(&name) else {
            keep_extra(key, value, schema, &mut out, repairs);
            continue;
        };
        if name != *key {
            repairs.push(Repair::KeyAlias);
        }
        let mended = mend(value, form, lexicon, repairs);
        if says_nothing(&mended, form) && !schema.required().any(|required| required == name) {
            repairs.push(Repair::NullDropped);
        } else {
            out.insert(name, mended);
        }
    }
    Value::Object(out)
}

fn keep_extra(key: &str, value: &Value, schema: Schema<'_>, out: &mut Map<String, Value>, repairs: &mut Vec<Repair>) {
    if schema.forbids(key) {
        repairs.push(Repair::ExtraDropped);
    } else {
        out.insert(key.to_owned(), value.clone());
    }
}

/// The declared name that a key stands for: itself, the same letters, or a known alias; only where that name is not
/// given otherwise.
fn canonical(
    key: &str,
    given: &Map<String, Value>,
    out: &Map<String, Value>,
    schema: Schema<'_>,
    lexicon: &Lexicon,
) -> String {
    if schema.property(key).is_some() {
        return key.to_owned();
    }
    let free = |name: &&str| !given.contains_key(*name) && !out.contains_key(*name);
    let mut by_letters = schema.properties().filter(|name| letters(name).eq(letters(key))).filter(free);
    if let (Some(name), None) = (by_letters.next(), by_letters.next()) {
        return name.to_owned();
    }
    let declared = |name: &&str| schema.property(name).is_some();
    let mut by_alias = lexicon.parameters_called(key).filter(declared).filter(free);
    match (by_alias.next(), by_alias.next()) {
        (Some(name), None) => name.to_owned(),
        _ => key.to_owned(),
    }
}

fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase())
}

/// Whether a value only says that there is none, where none is allowed by leaving it out.
fn says_nothing(value: &Value, form: Schema<'_>) -> bool {
    let empty = match value {
        Value::Null => true,
        Value::String(text) => matches!(text.trim(), "" | "null" | "None" | "undefined"),
        _ => false,
    };
    empty && !form.allows(value)
}

fn array(list: &[Value], schema: Schema<'_>, lexicon: &Lexicon, repairs: &mut Vec<Repair>) -> Value {
    let Some(items) = schema.items() else { return Value::Array(list.to_vec()) };
    list.iter().map(|item| mend(item, items, lexicon, repairs)).collect()
}

fn scalar(value: &Value, schema: Schema<'_>, lexicon: &Lexicon, repairs: &mut Vec<Repair>) -> Option<Value> {
    if let Value::String(text) = value
        && let Some((repair, meant)) = from_text(text, schema, lexicon)
    {
        repairs.push(repair);
        return Some(mend(&meant, schema, lexicon, repairs));
    }
    let text_only = schema.types() == ["string"] && schema.keyword("enum").is_none();
    if text_only && value.is_number() {
        repairs.push(Repair::TextFromNumber);
        return Some(Value::String(value.to_string()));
    }
    in_a_list(value, schema, lexicon, repairs)
}

/// What a string stands for where no string is wanted.
fn from_text(text: &str, schema: Schema<'_>, lexicon: &Lexicon) -> Option<(Repair, Value)> {
    let trimmed = text.trim();
    if let Some(choice) = only_choice(schema, |choice| letters(choice).eq(letters(trimmed))) {
        return Some((Repair::EnumCase, choice));
    }
    if let Some(choice) = only_choice(schema, |choice| lexicon.values_called(trimmed).any(|meant| meant == choice)) {
        return Some((Repair::EnumAlias, choice));
    }
    if (wants(schema, "number") || wants(schema, "integer"))
        && !wants(schema, "string")
        && let Some(number) = number_of(trimmed, schema)
    {
        return Some((Repair::NumberString, number));
    }
    if wants(schema, "boolean") && !wants(schema, "string") {
        match trimmed {
            "true" | "True" | "TRUE" => return Some((Repair::BooleanString, Value::Bool(true))),
            "false" | "False" | "FALSE" => return Some((Repair::BooleanString, Value::Bool(false))),
            _ => {}
        }
    }
    let (value, _) = json::read_whole(trimmed)?;
    let fits = value.is_object() && wants(schema, "object") || value.is_array() && wants(schema, "array");
    fits.then_some((Repair::JsonInString, value))
}

/// The only one of the listed values that is meant.
fn only_choice(schema: Schema<'_>, meant: impl Fn(&str) -> bool) -> Option<Value> {
    let choices = schema.keyword("enum")?.as_array()?;
    let mut found = choices.iter().filter(|choice| choice.as_str().is_some_and(&meant));
    let first = found.next()?;
    found.next().is_none().then(|| first.clone())
}

fn number_of(text: &str, schema: Schema<'_>) -> Option<Value> {
    let number: Number = text.parse().ok()?;
    if wants_only_whole(schema) && is_whole(&number) {
        return whole_number(&number);
    }
    Some(Value::Number(number))
}

/// A whole number without its fraction of zeros.
fn whole_number(number: &Number) -> Option<Value> {
    if number.is_i64() || number.is_u64() {
        return Some(Value::Number(number.clone()));
    }
    let value = number.as_f64().filter(|value| value.abs() < 9e15)?;
    Some(Value::from(value as i64))
}

/// One value where a list of such is wanted.
fn in_a_list(value: &Value, schema: Schema<'_>, lexicon: &Lexicon, repairs: &mut Vec<Repair>) -> Option<Value> {
    if schema.types() != ["array"] || value.is_null() || value.is_array() {
        return None;
    }
    let items = schema.items()?;
    if items.value().as_object().is_none_or(Map::is_empty) {
        return None;
    }
    let mut made = Vec::new();
    let list = Value::Array(vec![mend(value, items, lexicon, &mut made)]);
    if !schema.allows(&list) {
        return None;
    }
    repairs.push(Repair::ScalarForArray);
    repairs.append(&mut made);
    Some(list)
}
