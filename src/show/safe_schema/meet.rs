//! Two schemas laid over each other: what fits the result fits both.

use serde_json::{Map, Value, json};

use crate::calls::heal::Schema;

/// The most alternatives that are kept.
const MOST: usize = 16;

/// What fits both; `None` when nothing does.
pub(super) fn meet(one: &Value, other: &Value) -> Option<Value> {
    let (Some(a), Some(b)) = (one.as_object(), other.as_object()) else { return Some(one.clone()) };
    if let Some(alternatives) = a.get("anyOf").and_then(Value::as_array) {
        return with_each(a, alternatives, other);
    }
    if let Some(alternatives) = b.get("anyOf").and_then(Value::as_array) {
        return with_each(b, alternatives, one);
    }
    let mut out = a.clone();
    for (key, value) in b {
        let Some(before) = a.get(key) else {
            out.insert(key.clone(), value.clone());
            continue;
        };
        let met = match key.as_str() {
            "type" => kind(before, value)?,
            "enum" => choices(before, value)?,
            "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => larger(before, value),
            "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => smaller(before, value),
            "required" => both_lists(before, value),
            "properties" | "additionalProperties" | "items" | "prefixItems" => continue,
            _ => before.clone(),
        };
        out.insert(key.clone(), met);
    }
    objects(a, b, &mut out)?;
    lists(a, b, &mut out);
    allowed_choices(&mut out)?;
    Some(Value::Object(out))
}

/// The same, of a schema that has alternatives, each of which is whole.
fn with_each(words: &Map<String, Value>, alternatives: &[Value], other: &Value) -> Option<Value> {
    let met: Vec<Value> = alternatives.iter().filter_map(|one| meet(one, other)).take(MOST).collect();
    if met.len() < 2 {
        return met.into_iter().next();
    }
    let mut out = words.clone();
    out.insert("anyOf".into(), Value::Array(met));
    Some(Value::Object(out))
}

fn kind(one: &Value, other: &Value) -> Option<Value> {
    match (one.as_str()?, other.as_str()?) {
        (a, b) if a == b => Some(one.clone()),
        ("integer", "number") | ("number", "integer") => Some(json!("integer")),
        _ => None,
    }
}

fn choices(one: &Value, other: &Value) -> Option<Value> {
    let both: Vec<&Value> =
        one.as_array()?.iter().filter(|value| other.as_array().is_some_and(|all| all.contains(value))).collect();
    (!both.is_empty()).then(|| json!(both))
}

fn larger(one: &Value, other: &Value) -> Value {
    if one.as_f64() >= other.as_f64() { one.clone() } else { other.clone() }
}

fn smaller(one: &Value, other: &Value) -> Value {
    if one.as_f64() <= other.as_f64() { one.clone() } else { other.clone() }
}

fn both_lists(one: &Value, other: &Value) -> Value {
    let mut all = one.as_array().cloned().unwrap_or_default();
    all.extend(
        other
            .as_array()
            .into_iter()
            .flatten()
            .filter(|key| !one.as_array().is_some_and(|keys| keys.contains(key)))
            .cloned(),
    );
    Value::Array(all)
}

/// The properties of both; one that only one side describes is for the other side an additional one.
fn objects(a: &Map<String, Value>, b: &Map<String, Value>, out: &mut Map<String, Value>) -> Option<()> {
    let (free_a, free_b) = (additional(a), additional(b));
    let described = |map: &Map<String, Value>| map.get("properties").and_then(Value::as_object).cloned();
    if described(a).is_some() || described(b).is_some() {
        let (one, other) = (described(a).unwrap_or_default(), described(b).unwrap_or_default());
        let mut properties = Map::new();
        let mut closed = false;
        for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
            let sides = (one.get(name).or(free_a.as_ref()), other.get(name).or(free_b.as_ref()));
            let met = match sides {
                (Some(one), Some(other)) => meet(one, other),
                _ => None,
            };
            match met {
                Some(met) => drop(properties.insert(name.clone(), met)),
                None if is_required(out, name) => return None,
                None => closed = true,
            }
        }
        out.insert("properties".into(), Value::Object(properties));
        if closed {
            out.insert("additionalProperties".into(), Value::Bool(false));
            return Some(());
        }
    }
    if a.contains_key("additionalProperties") || b.contains_key("additionalProperties") {
        let free = match (free_a, free_b) {
            (Some(one), Some(other)) => meet(&one, &other).unwrap_or(Value::Bool(false)),
            _ => Value::Bool(false),
        };
        out.insert("additionalProperties".into(), free);
    }
    Some(())
}

/// The items of both, place by place. Where nothing fits both, the list ends.
fn lists(a: &Map<String, Value>, b: &Map<String, Value>, out: &mut Map<String, Value>) {
    let of = |map: &Map<String, Value>| {
        let places = map.get("prefixItems").and_then(Value::as_array).cloned().unwrap_or_default();
        (places, map.get("items").cloned())
    };
    let ((one, rest_one), (other, rest_other)) = (of(a), of(b));
    let free = json!({});
    let place =
        |places: &[Value], rest: &Option<Value>, at: usize| places.get(at).or(rest.as_ref()).unwrap_or(&free).clone();
    let (mut places, mut ended) = (Vec::new(), None);
    for at in 0..one.len().max(other.len()) {
        let Some(met) = meet(&place(&one, &rest_one, at), &place(&other, &rest_other, at)) else {
            ended = Some(at);
            break;
        };
        places.push(met);
    }
    let rest = match (rest_one, rest_other) {
        (Some(one), Some(other)) => meet(&one, &other).or_else(|| {
            ended = ended.or(Some(places.len()));
            None
        }),
        (one, other) => one.or(other),
    };
    if let Some(most) = ended.map(|at| json!(at)) {
        let met = out.get("maxItems").map_or_else(|| most.clone(), |before| smaller(before, &most));
        out.insert("maxItems".into(), met);
    }
    for (key, value) in [("prefixItems", (!places.is_empty()).then_some(Value::Array(places))), ("items", rest)] {
        match value {
            Some(value) => drop(out.insert(key.to_owned(), value)),
            None => drop(out.remove(key)),
        }
    }
}

/// What a property may be that is not described; `None` for nothing.
fn additional(map: &Map<String, Value>) -> Option<Value> {
    match map.get("additionalProperties") {
        Some(Value::Bool(false)) => None,
        Some(schema @ Value::Object(_)) => Some(schema.clone()),
        _ => Some(json!({})),
    }
}

fn is_required(map: &Map<String, Value>, name: &str) -> bool {
    map.get("required").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(|key| key == name))
}

/// Choices that the rest of the schema refuses are none.
fn allowed_choices(out: &mut Map<String, Value>) -> Option<()> {
    let Some(choices) = out.get("enum").and_then(Value::as_array) else { return Some(()) };
    let rest: Map<String, Value> =
        out.iter().filter(|(key, _)| *key != "enum").map(|(key, value)| (key.clone(), value.clone())).collect();
    let rest = Value::Object(rest);
    let fitting: Vec<Value> = choices.iter().filter(|choice| Schema::new(&rest).allows(choice)).cloned().collect();
    if fitting.is_empty() {
        return None;
    }
    out.insert("enum".into(), Value::Array(fitting));
    Some(())
}

/// Alternatives of which just one may fit, so written that no two do: what makes another one fit is forbidden. Where that
/// cannot be seen, as they are.
pub(super) fn apart(alternatives: Vec<Value>, whole: &Value) -> Vec<Value> {
    let required = |schema: &Value| -> Vec<String> {
        let keys = schema["required"].as_array().into_iter().flatten();
        keys.filter_map(|key| key.as_str().map(str::to_owned)).collect()
    };
    let own: Vec<Vec<String>> = alternatives.iter().map(required).collect();
    let always = required(whole);
    let forbidden = |at: usize| -> Vec<&String> {
        let others = own.iter().enumerate().filter(|(other, _)| *other != at).flat_map(|(_, keys)| keys);
        others.filter(|key| !own[at].contains(key) && !always.contains(key)).collect()
    };
    let told = |at: usize, schema: &Value| {
        let others = own.iter().enumerate().filter(|(other, _)| *other != at);
        others.clone().all(|(other, keys)| {
            differ(schema, &alternatives[other])
                || keys.iter().any(|key| !own[at].contains(key) && !always.contains(key))
        })
    };
    // One that fits wherever this one does: then never just one of them fits.
    let implied = |at: usize| {
        let bare = |schema: &Value| schema.as_object().is_some_and(|map| map.keys().all(|key| key == "required"));
        let others = own.iter().enumerate().filter(|(other, _)| *other != at && bare(&alternatives[*other]));
        others.clone().any(|(_, keys)| keys.iter().all(|key| own[at].contains(key) || always.contains(key)))
    };
    let separate = alternatives.iter().enumerate().filter(|(at, _)| !implied(*at)).map(|(at, schema)| {
        let by_kind = alternatives.iter().enumerate().all(|(other, one)| other == at || differ(schema, one));
        if by_kind || !told(at, schema) {
            return schema.clone();
        }
        let closed: Map<String, Value> =
            described(schema, whole).into_iter().filter(|(key, _)| !forbidden(at).contains(&key)).collect();
        let mut schema = schema.clone();
        schema["properties"] = Value::Object(closed);
        schema["additionalProperties"] = Value::Bool(false);
        schema
    });
    separate.collect()
}

/// The properties of an alternative, and those around it.
fn described(schema: &Value, whole: &Value) -> Map<String, Value> {
    let mut all = schema["properties"].as_object().cloned().unwrap_or_default();
    for (key, value) in whole["properties"].as_object().into_iter().flatten() {
        all.entry(key.clone()).or_insert_with(|| value.clone());
    }
    all
}

/// Whether nothing can fit both, as far as types and choices of required properties show.
fn differ(one: &Value, other: &Value) -> bool {
    let types = (one["type"].as_str(), other["type"].as_str());
    let by_type = matches!(types, (Some(a), Some(b)) if kind(&json!(a), &json!(b)).is_none());
    let by_choice = |a: &Value, b: &Value| {
        a["enum"].is_array() && b["enum"].is_array() && choices(&a["enum"], &b["enum"]).is_none()
    };
    let shared = one["properties"].as_object().into_iter().flatten().any(|(key, schema)| {
        let both =
            |schema: &Value| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|name| name == key));
        both(one) && both(other) && by_choice(schema, &other["properties"][key])
    });
    by_type || by_choice(one, other) || shared
}
