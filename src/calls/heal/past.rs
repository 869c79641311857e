//! Calls that already stand in the history are shown healed, so that a model does not learn from its own mistakes.

use super::{Schema, heal};
use crate::rules::Lexicon;
use crate::wire::{Block, Message, Tool, ToolUse};

/// Heals the past calls of these messages where that is certain; gives how many were changed.
///
/// A tool that the client loads in the middle of a session is left alone: its schema was not known when the call was
/// first shown, and what was shown must not change.
pub fn heal_past(messages: &mut [Message], tools: &[Tool], lexicon: &Lexicon) -> usize {
    let known: Vec<Tool> = tools.iter().filter(|tool| !tool.defer_loading).cloned().collect();
    let blocks = messages.iter_mut().flat_map(|message| &mut message.content);
    let calls = blocks.filter_map(|block| match block {
        Block::ToolUse(call) => Some(call),
        _ => None,
    });
    calls.map(|call| usize::from(heal_call(call, &known, lexicon))).sum()
}

fn heal_call(call: &mut ToolUse, tools: &[Tool], lexicon: &Lexicon) -> bool {
    if tools.iter().any(|tool| tool.name == call.name && is_valid(call, tool)) {
        return false;
    }
    match heal(&call.name, call.input.clone(), tools, lexicon) {
        Ok(healed) if !healed.repairs.is_empty() => {
            call.name = healed.name;
            call.input = healed.input;
            true
        }
        _ => false,
    }
}

fn is_valid(call: &ToolUse, tool: &Tool) -> bool {
    call.input.is_object() && Schema::new(&tool.input_schema).allows(&call.input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Role;
    use serde_json::{Value, json};

    fn past(name: &str, input: Value, defer_loading: bool) -> (usize, Message) {
        let schema =
            json!({"type": "object", "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]});
        let tool = Tool {
            name: "Read".into(),
            description: "".into(),
            input_schema: schema.into(),
            defer_loading,
            server_type: None,
        };
        let call = ToolUse { id: "1".into(), name: name.into(), input };
        let mut messages = [Message { role: Role::Assistant, content: vec![Block::ToolUse(call)].into() }];
        let count = heal_past(&mut messages, &[tool], &Lexicon::builtin().unwrap());
        let [message] = messages;
        (count, message)
    }

    fn call(message: &Message) -> (&str, &Value) {
        message.tool_uses().next().map(|call| (call.name.as_str(), &call.input)).unwrap()
    }

    #[test]
    fn a_past_call_is_shown_as_it_was_meant() {
        let (count, message) = past("read", json!({"path": "a"}), false);
        assert_eq!((count, call(&message)), (1, ("Read", &json!({"file_path": "a"}))));
    }

    #[test]
    fn what_is_valid_or_not_certain_stays() {
        for (name, input) in [("Read", json!({"file_path": "a"})), ("Read", json!({"n": 1})), ("Reap", json!({}))] {
            let (count, message) = past(name, input.clone(), false);
            assert_eq!((count, call(&message)), (0, (name, &input)));
        }
    }

    #[test]
    fn a_tool_that_was_loaded_later_is_left_alone() {
        assert_eq!(past("read", json!({"path": "a"}), true).0, 0);
    }
}
