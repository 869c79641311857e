//! The tools of a head as compact text: one line each, and the index of parked ones.

use serde_json::{Value, json};

use super::{call_text, safe_schema};
use crate::rules::{CallForm, ShowProfile};
use crate::trim::ShownTool;

/// Instructions, tools and index. Empty where there is no tool.
pub(crate) fn all(profile: &ShowProfile, form: CallForm, tools: &[&ShownTool], index: &str) -> String {
    if tools.is_empty() && index.is_empty() {
        return String::new();
    }
    let call = call_text::call(form, "TOOL", &json!("…")).replace("\"…\"", "{…}");
    let answer = call_text::answer(form, "…");
    let instructions = profile.instructions.replace("{call}", &call).replace("{answer}", &answer);
    let mut parts = vec![instructions.trim().to_owned()];
    parts.extend(tools.iter().map(|tool| line(profile, tool)));
    if profile.parked && !index.is_empty() {
        parts.push(format!("- {index}"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// `Name(key: type, optional?: type): description`
fn line(profile: &ShowProfile, tool: &ShownTool) -> String {
    let name = &tool.client.name;
    let description = profile.tools.get(name).unwrap_or(&tool.description);
    let description: Vec<&str> = description.split_whitespace().collect();
    format!(
        "- {name}({}): {}",
        parameters(&safe_schema::safe(&tool.schema), profile.needed_only),
        description.join(" ")
    )
}

fn parameters(schema: &Value, needed_only: bool) -> String {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let one = |(key, value): (&String, &Value)| {
        let needed = required.contains(&key.as_str());
        let mark = if needed { "" } else { "?" };
        let shown = match type_of(value).as_str() {
            "string" => format!("{key}{mark}"),
            kind => format!("{key}{mark}: {kind}"),
        };
        (needed || !needed_only).then_some(shown)
    };
    properties.filter_map(one).collect::<Vec<_>>().join(", ")
}

/// A type in a few characters: `string`, `"a"|"b"`, `[string]`, `{key, other?: integer}`.
fn type_of(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join("|");
    }
    if let Some(kinds) = schema["anyOf"].as_array() {
        return kinds.iter().map(type_of).collect::<Vec<_>>().join("|");
    }
    match schema["type"].as_str() {
        Some("array") => format!("[{}]", type_of(&schema["items"])),
        Some("object") if schema["properties"].is_object() => format!("{{{}}}", parameters(schema, false)),
        Some(kind) => kind.to_owned(),
        None => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_schema_is_one_line() {
        let schema = json!({"type": "object", "required": ["todos"], "properties": {
            "todos": {"type": "array", "items": {"type": "object", "required": ["content"], "properties": {
                "content": {"type": "string"}, "status": {"enum": ["open", "done"]}}}},
            "limit": {"type": "integer"}}});
        assert_eq!(parameters(&schema, false), r#"todos: [{content, status?: "open"|"done"}], limit?: integer"#);
        assert_eq!(parameters(&schema, true), r#"todos: [{content, status?: "open"|"done"}]"#);
    }
}
