//! Deltas into one message, for a client that does not stream.

use serde_json::{Value, json};

use super::{ClientUsage, Delta, StopReason, ToolUse};

/// The message so far.
#[derive(Debug, Default)]
pub struct Gatherer {
    content: Vec<Value>,
}

impl Gatherer {
    /// Adds one delta.
    pub fn delta(&mut self, delta: &Delta) {
        match delta {
            Delta::Text(text) => self.flow("text", text),
            Delta::Thinking(text) => self.flow("thinking", text),
            Delta::Call(ToolUse { id, name, input }) => self.call(id, name, input.clone()),
            // The client's own error text about a wrong type is the best that can be said.
            Delta::BrokenCall { id, name, arguments } => self.call(id, name, json!({ "__unparsed": arguments })),
            Delta::Other(events) => {
                self.content.extend(events.get(0).and_then(|event| event.get("content_block")).cloned());
            }
        }
    }

    /// The message.
    pub fn finish(self, id: &str, model: &str, stop: &StopReason, usage: ClientUsage) -> Value {
        json!({"id": id, "type": "message", "role": "assistant", "model": model, "content": self.content,
            "stop_reason": stop.as_str(), "stop_sequence": stop.sequence(), "usage": usage.to_value()})
    }

    fn flow(&mut self, kind: &str, text: &str) {
        let last = self.content.last_mut().filter(|block| block["type"] == kind);
        if let Some(Value::String(so_far)) = last.and_then(|block| block.get_mut(kind)) {
            so_far.push_str(text);
        } else if kind == "thinking" {
            self.content.push(json!({"type": kind, "thinking": text, "signature": ""}));
        } else if !text.is_empty() {
            self.content.push(json!({"type": kind, "text": text}));
        }
    }

    fn call(&mut self, id: &str, name: &str, input: Value) {
        self.content.push(json!({"type": "tool_use", "id": id, "name": name, "input": input}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_join_and_order_is_kept() {
        let mut gatherer = Gatherer::default();
        let call = Delta::Call(ToolUse { id: "toolu_1".into(), name: "Read".into(), input: json!({"a": 1}) });
        let other = Delta::Other(json!([{"type": "content_block_start", "content_block": {"type": "novel"}}]));
        for delta in [Delta::Text("a".into()), Delta::Text("b".into()), call, other, Delta::Text("c".into())] {
            gatherer.delta(&delta);
        }
        let usage = ClientUsage { input: 3, cached: None, output: 1 };
        let message = gatherer.finish("msg_1", "m", &StopReason::StopSequence(Some("x".into())), usage);
        assert_eq!(
            message["content"],
            json!([{"type": "text", "text": "ab"}, {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"a": 1}},
                {"type": "novel"}, {"type": "text", "text": "c"}])
        );
        assert_eq!((&message["stop_reason"], &message["stop_sequence"]), (&json!("stop_sequence"), &json!("x")));
        assert_eq!(message["usage"]["input_tokens"], 3);
    }
}
