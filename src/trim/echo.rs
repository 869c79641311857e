//! Calls as the model said them: the client writes them back with keys in another order and defaults filled in.

use serde_json::{Map, Value};

use crate::wire::ToolUse;

/// The call with its keys in the order of the schema, and without optional parameters at their default.
pub(super) fn as_said(call: &ToolUse, schema: &Value) -> ToolUse {
    let (Value::Object(input), Some(Value::Object(properties))) = (&call.input, schema.get("properties")) else {
        return call.clone();
    };
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_default = |key: &String, value: &Value| {
        !required.iter().any(|name| name == key) && properties.get(key).and_then(|p| p.get("default")) == Some(value)
    };
    let known = properties.keys().filter_map(|key| input.get_key_value(key));
    let other = input.iter().filter(|(key, _)| !properties.contains_key(*key));
    let said: Map<String, Value> = known
        .chain(other)
        .filter(|(key, value)| !is_default(key, value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    ToolUse { input: Value::Object(said), ..call.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_stand_as_in_the_schema_and_defaults_are_gone() {
        let schema = json!({"properties": {"path": {}, "old": {}, "all": {"default": false}}, "required": ["path"]});
        let input = json!({"all": false, "old": "x", "path": "p", "odd": 1});
        let call = ToolUse { id: "1".into(), name: "E".into(), input };
        assert_eq!(as_said(&call, &schema).input.to_string(), r#"{"path":"p","old":"x","odd":1}"#);
    }
}
