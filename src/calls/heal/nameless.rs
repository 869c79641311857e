//! Arguments of which a server says that they are a call, without telling its name.

use serde_json::Value;

use super::heal;
use crate::calls::json::{self, Reading};
use crate::rules::Lexicon;
use crate::wire::Tool;

/// The only tool that takes this object, with all of its keys, and the object.
pub(crate) fn nameless<'a>(text: &str, tools: &'a [Tool], lexicon: &Lexicon) -> Option<(&'a str, Value)> {
    let Reading::Whole { value, used, .. } = json::read(text, true) else { return None };
    let rest = text[used..].trim_matches(|c: char| c.is_whitespace() || matches!(c, '}' | ']'));
    let only = only_taker(&value, tools, lexicon).filter(|_| rest.is_empty())?;
    Some((only, value))
}

/// The only tool that takes this object, with all of its keys.
pub(crate) fn only_taker<'a>(value: &Value, tools: &'a [Tool], lexicon: &Lexicon) -> Option<&'a str> {
    let given = value.as_object().filter(|map| !map.is_empty())?.len();
    let takes = |tool: &&Tool| {
        heal(&tool.name, value.clone(), std::slice::from_ref(*tool), lexicon)
            .is_ok_and(|healed| healed.input.as_object().is_some_and(|map| map.len() == given))
            && tool.input_schema.get("required").and_then(Value::as_array).is_some_and(|keys| !keys.is_empty())
    };
    let mut found = tools.iter().filter(takes);
    found.next().filter(|_| found.next().is_none()).map(|only| only.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tools() -> Vec<Tool> {
        let tool = |name: &str, keys: &[&str]| {
            let properties: serde_json::Map<String, Value> =
                keys.iter().map(|key| ((*key).to_owned(), json!({"type": "string"}))).collect();
            let schema =
                json!({"type": "object", "properties": properties, "required": keys, "additionalProperties": false});
            Tool {
                name: name.into(),
                description: "".into(),
                input_schema: schema.into(),
                defer_loading: false,
                server_type: None,
            }
        };
        vec![
            tool("Bash", &["command"]),
            tool("Patch", &["input"]),
            tool("One", &["id"]),
            tool("Two", &["id"]),
            tool("None", &[]),
        ]
    }

    #[test]
    fn arguments_find_the_only_tool_that_takes_them() {
        let tools = tools();
        let name = |text| nameless(text, &tools, &Lexicon::builtin().unwrap()).map(|(name, _)| name);
        assert_eq!(name(r#"{"command": "ls"}"#), Some("Bash"));
        assert_eq!(name("{\"input\": \"*** Begin\\n*** End\"}]"), Some("Patch"));
        for text in [r#"{"id": "a"}"#, "{}", "ls -R", r#"{"command": "ls", "input": "x"}"#, r#"{"command": "l"#] {
            assert_eq!(name(text), None, "{text}");
        }
    }
}
