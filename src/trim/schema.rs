//! Schemas made short, and never wider: any input that is valid under the reduced schema is valid under the client's.

use serde_json::{Map, Value};

/// Keywords that say something to a reader and nothing to a validator.
const WORDS_ONLY: [&str; 6] = ["$schema", "$comment", "title", "description", "default", "examples"];
/// Keywords whose value is a map from names to schemas.
const MAPS: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
/// Keywords whose value is data.
const DATA: [&str; 4] = ["enum", "const", "required", "dependentRequired"];
/// Keywords by which a property that is left out could still be meant.
const REACHING: [&str; 2] = ["patternProperties", "unevaluatedProperties"];

/// The schema without words.
pub(super) fn bare(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => Value::Object(bare_fields(fields)),
        Value::Array(items) => items.iter().map(bare).collect(),
        other => other.clone(),
    }
}

fn bare_fields(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in fields {
        let key_str = key.as_str();
        if WORDS_ONLY.contains(&key_str) {
            continue;
        }
        let value = match value {
            Value::Object(map) if MAPS.contains(&key_str) => {
                Value::Object(map.iter().map(|(name, schema)| (name.clone(), bare(schema))).collect())
            }
            value if DATA.contains(&key_str) => value.clone(),
            value => bare(value),
        };
        out.insert(key.clone(), value);
    }
    out
}

/// What is shown of a tool's parameters.
pub(super) struct Shown<'a> {
    /// Whether an optional parameter is shown.
    pub(super) shows: &'a dyn Fn(&str) -> bool,
    /// Whether an optional parameter is shown as one that is needed.
    pub(super) needs: &'a dyn Fn(&str) -> bool,
    /// The words for a parameter; empty for none.
    pub(super) words: &'a dyn Fn(&str, &Value) -> String,
}

/// The schema of a tool with only the parameters that are shown. A parameter that is left out is forbidden, so that
/// none can be given that the client would refuse.
pub(super) fn reduce(schema: &Value, shown: &Shown) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let mut reduced = bare_fields(fields);
    let Some(Value::Object(properties)) = fields.get("properties") else { return Value::Object(reduced) };
    let whole = REACHING.iter().any(|key| fields.contains_key(*key));
    let required: Vec<&str> =
        fields.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut kept = Map::new();
    for (name, property) in properties {
        if whole || required.contains(&name.as_str()) || (shown.shows)(name) {
            kept.insert(name.clone(), with_words(bare(property), (shown.words)(name, property)));
        }
    }
    let needed = |name: &&String| (shown.needs)(name) && !required.contains(&name.as_str());
    let needed: Vec<&str> = kept.keys().filter(needed).map(String::as_str).collect();
    if !needed.is_empty() {
        reduced.insert("required".into(), required.iter().chain(&needed).copied().collect());
    }
    if kept.len() < properties.len() {
        reduced.insert("additionalProperties".into(), Value::Bool(false));
    }
    reduced.insert("properties".into(), Value::Object(kept));
    Value::Object(reduced)
}

fn with_words(property: Value, words: String) -> Value {
    match property {
        Value::Object(mut fields) if !words.is_empty() => {
            fields.insert("description".into(), words.into());
            Value::Object(fields)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reduced(schema: &Value, shows: &[&str]) -> Value {
        reduce(schema, &Shown { shows: &|name| shows.contains(&name), needs: &|_| false, words: &|_, _| String::new() })
    }

    #[test]
    fn required_parameters_stay_and_the_rest_is_forbidden() {
        let schema = json!({"type": "object", "$schema": "x", "required": ["a"],
            "properties": {"a": {"type": "string", "description": "d"}, "b": {"type": "number"}, "c": {"enum": [1]}}});
        let expected = json!({"type": "object", "required": ["a"],
            "properties": {"a": {"type": "string"}, "c": {"enum": [1]}}, "additionalProperties": false});
        assert_eq!(reduced(&schema, &["c"]), expected);
    }

    #[test]
    fn what_a_model_forgets_is_needed_and_no_input_becomes_valid_by_it() {
        let schema = json!({"type": "object", "required": ["a"], "properties": {"a": {}, "b": {}, "c": {}}});
        let needs = |name: &str| ["a", "b"].contains(&name);
        let shown = reduce(&schema, &Shown { shows: &|_| true, needs: &needs, words: &|_, _| String::new() });
        assert_eq!(shown["required"], json!(["a", "b"]));
        let hidden = reduce(&schema, &Shown { shows: &|_| false, needs: &needs, words: &|_, _| String::new() });
        assert_eq!(hidden["required"], json!(["a"]));
    }

    #[test]
    fn a_property_may_be_called_description() {
        let schema = json!({"type": "object", "properties": {"description": {"type": "string", "title": "t"}}});
        assert_eq!(
            reduced(&schema, &["description"]),
            json!({"type": "object", "properties": {"description": {"type": "string"}}})
        );
    }

    #[test]
    fn nothing_is_left_out_where_a_pattern_could_still_mean_it() {
        let schema =
            json!({"type": "object", "properties": {"ab": {"type": "string"}}, "patternProperties": {"^a": {}}});
        assert_eq!(reduced(&schema, &[]), schema);
    }

    #[test]
    fn words_of_ours_stand_in_place_of_theirs() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string", "description": "long"}}});
        let words = |_: &str, _: &Value| "short".to_owned();
        let shown = reduce(&schema, &Shown { shows: &|_| true, needs: &|_| false, words: &words });
        assert_eq!(shown["properties"]["a"]["description"], "short");
    }
}
