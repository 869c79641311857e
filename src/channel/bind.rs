//! The JSON Schema that binds a reply: one call of a shown tool, a parked name with a free object, or an answer.

use serde_json::{Value, json};

use super::choice::Choice;
use super::{ANSWER, schema};
use crate::trim::{Head, ShownTool};

/// The schema of a whole reply. `open` are the parked tools that may be called.
pub(super) fn reply(head: &Head, own: &[ShownTool], choice: &Choice, open: impl Fn(&str) -> bool) -> Value {
    let mut kinds = Vec::new();
    if *choice != Choice::None {
        let core = head.core.iter().chain(own).filter(|tool| choice.allows(&tool.client.name));
        kinds.extend(core.map(|tool| call(&tool.client.name, &tool.schema)));
        let parked = head.parked.iter().map(|tool| tool.client.name.as_str());
        let parked: Vec<&str> = parked.filter(|name| choice.allows(name) && (open(name) || choice.is(name))).collect();
        if !parked.is_empty() {
            kinds.push(named(json!({"enum": parked}), json!({"type": "object"})));
        }
    }
    if matches!(choice, Choice::Auto | Choice::None) || kinds.is_empty() {
        kinds.push(answer());
    }
    any_of(kinds)
}

/// The schema of a reply that calls some shown tool.
pub(super) fn some_call(head: &Head) -> Value {
    any_of(head.core.iter().map(|tool| call(&tool.client.name, &tool.schema)).collect())
}

/// The schema of a reply that calls this one tool, with these arguments.
pub(super) fn call(name: &str, arguments: &Value) -> Value {
    let mut arguments = schema::safe(arguments);
    require_text(&mut arguments);
    named(json!({"enum": [name]}), arguments)
}

/// The schema of a reply that only answers.
pub(super) fn answer() -> Value {
    let text = json!({"type": "object", "properties": {"text": {"type": "string", "minLength": 1}}, "required": ["text"], "additionalProperties": false});
    named(json!({"enum": [ANSWER]}), text)
}

/// One of several.
pub(super) fn any_of(mut kinds: Vec<Value>) -> Value {
    if kinds.len() == 1 { kinds.remove(0) } else { json!({"anyOf": kinds}) }
}

fn named(name: Value, arguments: Value) -> Value {
    json!({
        "type": "object", "properties": {"name": name, "arguments": arguments},
        "required": ["name", "arguments"], "additionalProperties": false,
    })
}

/// A required text that may not be empty, but where the empty one has a sense: the new text of a replacement.
fn require_text(schema: &mut Value) {
    let required: Vec<String> = strings(&schema["required"]);
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (key, property) in properties {
        let text = property["type"] == "string" && property.get("enum").is_none() && property.get("pattern").is_none();
        if text && required.contains(key) && !may_be_empty(key) && property.get("minLength").is_none() {
            property["minLength"] = json!(1);
        }
    }
}

/// Replacing by nothing is deleting, and an empty file is a file.
fn may_be_empty(key: &str) -> bool {
    key.starts_with("new_") || key.contains("content")
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trim::ParkedTool;
    use crate::wire::Tool;

    fn tool(name: &str) -> Tool {
        Tool {
            name: name.into(),
            description: "".into(),
            input_schema: json!({}).into(),
            defer_loading: false,
            server_type: None,
        }
    }

    fn head() -> Head {
        let schema = json!({"type": "object", "properties": {"old_text": {"type": "string"}, "new_text": {"type": "string"}}, "required": ["old_text", "new_text"]});
        Head {
            core: vec![ShownTool { client: tool("Swap"), description: String::new(), schema }],
            parked: vec![ParkedTool { client: tool("Plan"), words: String::new(), late: false }],
            ..Head::default()
        }
    }

    fn fits(schema: &Value, reply: Value) -> bool {
        jsonschema::validator_for(schema).unwrap().is_valid(&reply)
    }

    #[test]
    fn a_bound_reply_is_a_call_a_parked_name_or_an_answer() {
        let schema = reply(&head(), &[], &Choice::Auto, |_| true);
        assert!(fits(&schema, json!({"name": "Swap", "arguments": {"old_text": "a", "new_text": ""}})));
        assert!(!fits(&schema, json!({"name": "Swap", "arguments": {"old_text": "", "new_text": "b"}})));
        assert!(!fits(&schema, json!({"name": "Swap", "arguments": {"old": "a", "new_text": "b"}})));
        assert!(fits(&schema, json!({"name": "Plan", "arguments": {"x": 1}})));
        assert!(!fits(&schema, json!({"name": "Other", "arguments": {}})));
        assert!(fits(&schema, json!({"name": "Answer", "arguments": {"text": "hi"}})));
    }

    #[test]
    fn a_parked_tool_that_is_not_open_yet_cannot_be_called() {
        let schema = reply(&head(), &[], &Choice::Auto, |_| false);
        assert!(!fits(&schema, json!({"name": "Plan", "arguments": {"x": 1}})));
        let schema = reply(&head(), &[], &Choice::Tool("Plan".into()), |_| false);
        assert!(fits(&schema, json!({"name": "Plan", "arguments": {"x": 1}})));
    }

    #[test]
    fn a_choice_of_the_client_narrows_it() {
        let must = reply(&head(), &[], &Choice::Any, |_| true);
        assert!(!fits(&must, json!({"name": "Answer", "arguments": {"text": "hi"}})));
        let one = reply(&head(), &[], &Choice::Tool("Plan".into()), |_| true);
        assert!(!fits(&one, json!({"name": "Swap", "arguments": {"old_text": "a", "new_text": "b"}})));
        let none = reply(&head(), &[], &Choice::None, |_| true);
        assert!(!fits(&none, json!({"name": "Plan", "arguments": {}})));
    }
}
