//! Schemas made safe: what a server refuses, drops or renders at random is rewritten, and never made wider by it: what fits
//! the rewritten schema fits the client's. Only what no grammar can say, and a server would refuse, is left out.

mod compile;
mod meet;
mod pattern;

use serde_json::{Map, Value, json};

use compile::{Compiler, Use};

/// The schema as a model is shown it: references are followed, parts that must all hold are laid over each other, and
/// alternatives are whole. The parameters of a tool stay listed where they depend on alternatives.
pub(crate) fn safe(schema: &Value) -> Value {
    let mut safe = Compiler::new(schema, Use::Shown).root();
    list_parameters(&mut safe);
    safe
}

/// The schema as it binds what a model writes: as [`safe`], without what a grammar cannot say.
pub(crate) fn binding(schema: &Value) -> Value {
    Compiler::new(schema, Use::Grammar).root()
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

/// A body with the plainest schemas that say what its tools take: types, properties, choices. For a server that could not
/// make a grammar of what they said before.
pub fn with_plain_schemas(mut body: Value) -> Value {
    let tools = body.get_mut("tools").and_then(Value::as_array_mut);
    for tool in tools.into_iter().flatten() {
        for pointer in ["/input_schema", "/function/parameters"] {
            if let Some(schema) = tool.pointer_mut(pointer) {
                *schema = plainest(schema);
            }
        }
    }
    if let Some(format) = body.get_mut("format").filter(|format| format.is_object()) {
        *format = plainest(format);
    }
    body
}

fn plainest(schema: &Value) -> Value {
    const KEPT: [&str; 4] = ["type", "description", "required", "enum"];
    let Some(map) = schema.as_object() else { return json!({}) };
    let mut out = Map::new();
    for (key, value) in map {
        let plain = match (key.as_str(), value) {
            ("properties", Value::Object(all)) => {
                Value::Object(all.iter().map(|(name, schema)| (name.clone(), plainest(schema))).collect())
            }
            ("items", _) => plainest(value),
            ("anyOf", Value::Array(all)) => all.iter().map(plainest).collect(),
            ("additionalProperties", Value::Bool(_)) => value.clone(),
            (key, _) if KEPT.contains(&key) => value.clone(),
            _ => continue,
        };
        out.insert(key.clone(), plain);
    }
    Value::Object(out)
}

fn keep_one_key(property: &mut Value) {
    const FIRST: [&str; 4] = ["enum", "items", "properties", "anyOf"];
    let Some(map) = property.as_object_mut() else { return };
    let extra = |key: &&String| !matches!(key.as_str(), "type" | "description");
    let extras: Vec<String> = map.keys().filter(extra).cloned().collect();
    let kept = FIRST.into_iter().find(|key| map.contains_key(*key)).map(str::to_owned).or(extras.first().cloned());
    map.retain(|key, _| !extras.contains(key) || Some(key) == kept.as_ref());
}

/// Lists the parameters of a schema that has alternatives beside these: servers and prompts look for them at the root.
fn list_parameters(schema: &mut Value) {
    let Some(alternatives) =
        schema.get("anyOf").and_then(Value::as_array).filter(|_| schema.get("properties").is_none())
    else {
        return;
    };
    let mut properties = Map::new();
    let objects = alternatives.iter().filter_map(|one| one.get("properties")?.as_object());
    for (name, property) in objects.flatten() {
        properties.entry(name.clone()).or_insert_with(|| property.clone());
    }
    let needed = |name: &&String| alternatives.iter().all(|one| requires(one, name));
    let required: Vec<&String> = properties.keys().filter(needed).collect();
    if !properties.is_empty() {
        let (required, properties) = (json!(required), Value::Object(properties.clone()));
        schema["type"] = json!("object");
        schema["properties"] = properties;
        schema["required"] = required;
    }
}

fn requires(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|list| list.iter().any(|key| key == name))
}

#[cfg(test)]
mod promises;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ollama_refuses_is_rewritten() {
        let schema = json!({"type": ["object", "null"], "$defs": {"P": {"type": "string", "const": "k"}},
            "properties": {"any": true, "never": false, "p": {"$ref": "#/$defs/P", "description": "d"}, "n": {"type": ["integer", "string"]}}});
        let expected = json!({"type": "object", "properties": {
            "any": {}, "p": {"type": "string", "enum": ["k"], "description": "d"}, "n": {"anyOf": [{"type": "integer"}, {"type": "string"}]}},
            "additionalProperties": false});
        assert_eq!(safe(&schema), expected);
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let schema = json!({"$defs": {"N": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}}, "properties": {"n": {"$ref": "#/$defs/N"}}});
        assert!(!safe(&schema).to_string().contains("$ref"));
    }

    #[test]
    fn what_an_engine_cannot_compile_is_rewritten_wherever_it_stands() {
        let row = json!({"type": "object", "properties": {"v": {"type": "integer"}}, "required": ["v"]});
        let defs = json!({"Row": row});
        let refer = json!({"$ref": "#/$defs/Row"});
        let cases = [
            (json!({"$defs": defs, "additionalProperties": refer}), json!({"additionalProperties": row})),
            (json!({"$defs": defs, "prefixItems": [refer]}), json!({"prefixItems": [row]})),
            (
                json!({"$defs": defs, "items": {"anyOf": [refer, {"type": "null"}]}}),
                json!({"items": {"anyOf": [row, {"type": "null"}]}}),
            ),
            (json!({"type": "string", "enum": []}), json!({"type": "string"})),
            (json!({"type": ["null"]}), json!({"type": "null"})),
            (
                json!({"type": "integer", "maximum": 1e20}),
                json!({"type": "integer", "maximum": 9_007_199_254_740_991_i64}),
            ),
            (json!({"type": "float"}), json!({"type": "number"})),
            (json!({"type": "any", "anyOf": []}), json!({})),
            (json!({"type": "string", "pattern": "(?<=a)b"}), json!({"type": "string"})),
            (json!({"type": "string", "pattern": r"^\d+$"}), json!({"type": "string", "pattern": "^[0-9]+$"})),
            (json!({"type": "array", "items": false}), json!({"type": "array", "maxItems": 0})),
            (
                json!({"type": "object", "additionalProperties": true}),
                json!({"type": "object", "additionalProperties": true}),
            ),
            (json!({"not": true, "type": "string"}), json!({"not": {}, "type": "string"})),
            (
                json!({"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                    {"properties": {"b": {"type": "integer"}}, "required": ["b"]}]}),
                json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a", "b"]}),
            ),
        ];
        for (schema, expected) in cases {
            assert_eq!(binding(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn alternatives_are_whole() {
        let schema = json!({"type": "object", "required": ["project"],
            "properties": {"project": {"type": "string"}, "id": {"type": "integer"}, "title": {"type": "string"}},
            "oneOf": [{"required": ["id"]}, {"required": ["title"]}]});
        let bound = binding(&schema);
        assert_eq!(bound.as_object().unwrap().keys().collect::<Vec<_>>(), ["anyOf"]);
        let fits = |value: Value| jsonschema::is_valid(&bound, &value);
        assert!(fits(json!({"project": "p", "id": 1})) && fits(json!({"project": "p", "title": "t"})));
        for value in
            [json!({"project": "p"}), json!({"id": 1}), json!({"project": "p", "id": 1, "title": "t"}), json!(1)]
        {
            assert!(!fits(value.clone()), "{value}");
        }
        assert_eq!(safe(&schema)["required"], json!(["project"]));
        assert_eq!(safe(&schema)["properties"].as_object().unwrap().len(), 3);
    }

    #[test]
    fn the_plainest_schemas_say_what_a_tool_takes() {
        let schema = json!({"type": "object", "properties": {"at": {"type": "string", "pattern": "^a", "enum": ["ab"]},
            "pattern": {"type": "array", "items": {"type": "integer", "minimum": 1}}}, "required": ["at"], "additionalProperties": false});
        let plain = json!({"type": "object", "properties": {"at": {"type": "string", "enum": ["ab"]},
            "pattern": {"type": "array", "items": {"type": "integer"}}}, "required": ["at"], "additionalProperties": false});
        let body = json!({"tools": [{"input_schema": schema}, {"function": {"parameters": schema}}], "format": schema});
        assert_eq!(
            with_plain_schemas(body),
            json!({"tools": [{"input_schema": plain}, {"function": {"parameters": plain}}], "format": plain})
        );
        assert_eq!(with_plain_schemas(json!({"format": "json"})), json!({"format": "json"}));
    }

    #[test]
    fn a_property_keeps_one_extra_key() {
        let schema = json!({"type": "object", "properties": {"edit": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}, "additionalProperties": false}}});
        let keys: Vec<String> =
            single_keyed(&schema)["properties"]["edit"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["type", "properties"]);
    }
}
