//! Schemas made safe: what Ollama refuses or renders at random is rewritten, and nothing valid becomes invalid by it
//! but where a server could not have told the difference.

use serde_json::{Map, Value, json};

/// How deep a `$ref` is followed; a schema that contains itself ends there in a free object.
const DEPTH: usize = 6;

/// The same schema without `$ref`, `const`, boolean schemas, and lists of types.
pub(crate) fn safe(schema: &Value) -> Value {
    rewrite(schema, schema, 0)
}

/// As [`safe`], and with at most one key beside `type` and `description` in a property: a renderer of Ollama walks
/// these in random order, and each change of order costs the whole prompt.
pub(crate) fn single_keyed(schema: &Value) -> Value {
    let mut schema = safe(schema);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(keep_one_key);
    }
    schema
}

fn keep_one_key(property: &mut Value) {
    const FIRST: [&str; 4] = ["enum", "items", "properties", "anyOf"];
    let Some(map) = property.as_object_mut() else { return };
    let extra = |key: &&String| !matches!(key.as_str(), "type" | "description");
    let extras: Vec<String> = map.keys().filter(extra).cloned().collect();
    let kept = FIRST.into_iter().find(|key| map.contains_key(*key)).map(str::to_owned).or(extras.first().cloned());
    map.retain(|key, _| !extras.contains(key) || Some(key) == kept.as_ref());
}

fn rewrite(schema: &Value, root: &Value, depth: usize) -> Value {
    match schema {
        Value::Object(map) => match map.get("$ref").and_then(Value::as_str) {
            Some(_) if depth >= DEPTH => json!({"type": "object"}),
            Some(pointer) => refer(map, pointer, root, depth),
            None => object(map, root, depth),
        },
        // `true` takes anything, and nothing can be sent for `false`.
        _ => json!({}),
    }
}

fn refer(map: &Map<String, Value>, pointer: &str, root: &Value, depth: usize) -> Value {
    let target = pointer.strip_prefix('#').and_then(|path| root.pointer(path)).unwrap_or(&Value::Null);
    let mut found = rewrite(target, root, depth + 1);
    if let (Some(found), Some(text)) = (found.as_object_mut(), map.get("description")) {
        found.insert("description".into(), text.clone());
    }
    found
}

fn object(map: &Map<String, Value>, root: &Value, depth: usize) -> Value {
    let mut out = Map::new();
    for (key, value) in map {
        match key.as_str() {
            "$schema" | "$id" | "$defs" | "definitions" => {}
            "const" => drop(out.insert("enum".into(), json!([value]))),
            "type" => kind(&mut out, value),
            "properties" => drop(out.insert(key.clone(), properties(value, root, depth))),
            "items" => drop(out.insert(key.clone(), rewrite(value, root, depth))),
            "anyOf" | "oneOf" => drop(out.insert("anyOf".into(), each(value, root, depth))),
            "allOf" => all_of(&mut out, value, root, depth),
            _ => drop(out.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(out)
}

/// A list of types becomes `anyOf`; one that only adds `null` becomes the other type.
fn kind(out: &mut Map<String, Value>, value: &Value) {
    let Some(kinds) = value.as_array() else {
        out.insert("type".into(), value.clone());
        return;
    };
    let real: Vec<&Value> = kinds.iter().filter(|kind| **kind != "null").collect();
    match real.as_slice() {
        [one] => drop(out.insert("type".into(), (*one).clone())),
        _ => drop(out.insert("anyOf".into(), real.iter().map(|kind| json!({"type": kind})).collect())),
    }
}

fn properties(value: &Value, root: &Value, depth: usize) -> Value {
    let properties = value.as_object().into_iter().flatten().filter(|(_, schema)| **schema != Value::Bool(false));
    Value::Object(properties.map(|(key, schema)| (key.clone(), rewrite(schema, root, depth))).collect())
}

fn each(value: &Value, root: &Value, depth: usize) -> Value {
    value.as_array().into_iter().flatten().map(|schema| rewrite(schema, root, depth)).collect()
}

/// Parts that must all hold are laid over each other.
fn all_of(out: &mut Map<String, Value>, value: &Value, root: &Value, depth: usize) {
    for part in value.as_array().into_iter().flatten() {
        for (key, value) in rewrite(part, root, depth).as_object().cloned().unwrap_or_default() {
            out.entry(key).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ollama_refuses_is_rewritten() {
        let schema = json!({"type": ["object", "null"], "$defs": {"P": {"type": "string", "const": "k"}},
            "properties": {"any": true, "never": false, "p": {"$ref": "#/$defs/P", "description": "d"}, "n": {"type": ["integer", "string"]}}});
        let expected = json!({"type": "object", "properties": {
            "any": {}, "p": {"type": "string", "enum": ["k"], "description": "d"}, "n": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}});
        assert_eq!(safe(&schema), expected);
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let schema = json!({"$defs": {"N": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}}, "properties": {"n": {"$ref": "#/$defs/N"}}});
        assert!(!safe(&schema).to_string().contains("$ref"));
    }

    #[test]
    fn a_property_keeps_one_extra_key() {
        let schema = json!({"type": "object", "properties": {"edit": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}, "additionalProperties": false}}});
        let keys: Vec<String> =
            single_keyed(&schema)["properties"]["edit"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["type", "properties"]);
    }
}
