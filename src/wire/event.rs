//! Anthropic events into deltas. Sans-IO, and forgiving: lost stops, re-used indices and unknown things do no harm.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ndjson::unreadable;
use super::refusal::error_in;
use super::{Delta, End, Frame, Refusal, StopReason, ToolUse, Usage, WireError, count_in};

/// Reads the events of one answer.
#[derive(Debug, Default)]
pub struct EventDecoder {
    open: BTreeMap<u64, Open>,
    stop: Option<StopReason>,
    usage: Usage,
    ended: bool,
}

/// A content block that has begun.
#[derive(Debug)]
enum Open {
    /// Text or thinking: handed on as it comes.
    Flowing,
    /// A call, until its input is whole.
    Call { id: String, name: String, input: Value, json: String },
    /// A block of an unknown type, with all its events.
    Other(Vec<Value>),
}

impl EventDecoder {
    /// Takes one frame; pushes what it holds. Says how the answer ended, once it has.
    pub fn on_frame(&mut self, frame: &Frame, out: &mut Vec<Delta>) -> Option<End> {
        if self.ended || is_no_event(frame) {
            return None;
        }
        let end = match serde_json::from_str(&frame.data) {
            Ok(Value::Object(event)) => self.on_event(Value::Object(event), &frame.event, out),
            _ => Some(End::Failed(WireError::damaged(unreadable(frame.data.as_bytes())))),
        };
        self.ended = end.is_some();
        end
    }

    /// The connection is closed. Complete where the server had said why it stopped, else failed.
    pub fn on_close(&mut self, out: &mut Vec<Delta>) -> End {
        match self.stop.take() {
            Some(stop) => self.complete(stop, out),
            None => End::Failed(WireError::broken_off()),
        }
    }

    /// Reads a whole message, as a server gives it that does not stream.
    pub fn on_message(&mut self, message: &Value, out: &mut Vec<Delta>) -> End {
        let blocks = message.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
        for (index, block) in blocks.into_iter().enumerate() {
            self.start(index as u64, &serde_json::json!({"type": "content_block_start", "content_block": block}), out);
            self.close(index as u64, out);
        }
        self.take_usage(message);
        self.complete(stop_reason(message).unwrap_or(StopReason::EndTurn), out)
    }

    fn on_event(&mut self, event: Value, name: &str, out: &mut Vec<Delta>) -> Option<End> {
        let index = event.get("index").and_then(Value::as_u64).unwrap_or_default();
        let kind = event.get("type").and_then(Value::as_str);
        let is_error = name == "error" || kind.is_none() && error_in(&event).is_some();
        match if is_error { "error" } else { kind.unwrap_or_default() } {
            "content_block_delta" if lost_in(&event) => {
                return Some(End::Failed(WireError::damaged("a piece of an unknown shape")));
            }
            "message_start" => self.take_usage(event.get("message").unwrap_or(&Value::Null)),
            "content_block_start" => self.start(index, &event, out),
            "content_block_delta" => self.delta(index, event, out),
            "content_block_stop" => self.close(index, out),
            "message_delta" => {
                self.take_usage(&event);
                self.stop = event.get("delta").and_then(stop_reason).or(self.stop.take());
            }
            "message_stop" => {
                let stop = self.stop.take().unwrap_or(StopReason::EndTurn);
                return Some(self.complete(stop, out));
            }
            "error" => return Some(Refusal::from_value(500, &event).end(self.usage, out)),
            "ping" => {}
            _ => out.push(Delta::Other(Value::Array(vec![event]))),
        }
        None
    }

    fn start(&mut self, index: u64, event: &Value, out: &mut Vec<Delta>) {
        self.close(index, out);
        self.close_whole_calls(out);
        let block = event.get("content_block").unwrap_or(&Value::Null);
        let field = |key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let open = match block.get("type").and_then(Value::as_str).unwrap_or_default() {
            "text" => {
                push_text(Delta::Text, field("text"), out);
                Open::Flowing
            }
            "thinking" => {
                push_text(Delta::Thinking, field("thinking"), out);
                Open::Flowing
            }
            "tool_use" => {
                let input = block.get("input").cloned().unwrap_or_default();
                Open::Call { id: field("id"), name: field("name"), input, json: String::new() }
            }
            _ => Open::Other(vec![event.clone()]),
        };
        self.open.insert(index, open);
    }

    fn delta(&mut self, index: u64, event: Value, out: &mut Vec<Delta>) {
        let part = event.get("delta").unwrap_or(&Value::Null);
        let field = |key: &str| part.get(key).and_then(Value::as_str).unwrap_or_default();
        match (self.open.get_mut(&index), field("type")) {
            (Some(Open::Other(events)), _) => events.push(event),
            (Some(Open::Call { json, .. }), "input_json_delta") => json.push_str(field("partial_json")),
            (_, "text_delta") => push_text(Delta::Text, field("text").to_owned(), out),
            (_, "thinking_delta") => push_text(Delta::Thinking, field("thinking").to_owned(), out),
            // A signature is worth nothing to anybody but the server that made it.
            (_, "signature_delta" | "input_json_delta") => {}
            _ => out.push(Delta::Other(Value::Array(vec![event]))),
        }
    }

    fn close(&mut self, index: u64, out: &mut Vec<Delta>) {
        match self.open.remove(&index) {
            Some(Open::Call { id, name, input, json }) => out.push(call(id, name, input, json)),
            Some(Open::Other(mut events)) => {
                events.push(serde_json::json!({"type": "content_block_stop", "index": index}));
                out.push(Delta::Other(Value::Array(events)));
            }
            Some(Open::Flowing) | None => {}
        }
    }

    /// Some servers send all stops at the end, or none: a call that is whole need not wait for its own.
    fn close_whole_calls(&mut self, out: &mut Vec<Delta>) {
        let whole = |open: &Open| match open {
            Open::Call { json, .. } => serde_json::from_str::<Map<String, Value>>(json).is_ok(),
            _ => false,
        };
        let indices: Vec<u64> = self.open.iter().filter(|(_, open)| whole(open)).map(|(index, _)| *index).collect();
        for index in indices {
            self.close(index, out);
        }
    }

    fn complete(&mut self, stop: StopReason, out: &mut Vec<Delta>) -> End {
        for index in self.open.keys().copied().collect::<Vec<_>>() {
            self.close(index, out);
        }
        End::Complete { stop, usage: self.usage }
    }

    fn take_usage(&mut self, holder: &Value) {
        let Some(usage) = holder.get("usage") else { return };
        let number = |key: &str| count_in(usage, key);
        if let Some(fresh) = number("input_tokens") {
            let cached = number("cache_read_input_tokens");
            let prompt = fresh + cached.unwrap_or_default() + number("cache_creation_input_tokens").unwrap_or_default();
            self.usage.cached = cached.or(self.usage.cached);
            self.usage.prompt = Some(prompt).filter(|n| *n > 0).or(self.usage.prompt);
        }
        self.usage.output = number("output_tokens").or(self.usage.output);
    }
}

/// A frame that keeps the connection alive, or the mark that some servers end a stream with.
fn is_no_event(frame: &Frame) -> bool {
    let data = frame.data.trim();
    data == "[DONE]" || data.is_empty() && (frame.event.is_empty() || frame.event == "ping")
}

/// Whether a piece is of a known kind and does not hold what its kind holds.
fn lost_in(event: &Value) -> bool {
    let Some(part) = event.get("delta") else { return true };
    let key = match part.get("type").and_then(Value::as_str).unwrap_or_default() {
        "text_delta" => "text",
        "thinking_delta" => "thinking",
        "input_json_delta" => "partial_json",
        _ => return false,
    };
    !part.get(key).is_some_and(Value::is_string)
}

fn push_text(make: impl Fn(String) -> Delta, text: String, out: &mut Vec<Delta>) {
    if !text.is_empty() {
        out.push(make(text));
    }
}

/// A call from what was gathered: the fragments where there are any, else what its start held.
fn call(id: String, name: String, input: Value, json: String) -> Delta {
    if json.trim().is_empty() {
        let input = if input.is_object() { input } else { Value::Object(Map::new()) };
        return Delta::Call(ToolUse { id, name, input });
    }
    match serde_json::from_str(&json) {
        Ok(input @ Value::Object(_)) => Delta::Call(ToolUse { id, name, input }),
        _ => Delta::BrokenCall { id, name, arguments: json },
    }
}

/// The reason in a message or in the `delta` of a `message_delta`.
fn stop_reason(holder: &Value) -> Option<StopReason> {
    Some(match holder.get("stop_reason")?.as_str()? {
        "end_turn" => StopReason::EndTurn,
        "tool_use" => StopReason::ToolUse,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => {
            StopReason::StopSequence(holder.get("stop_sequence").and_then(Value::as_str).map(str::to_owned))
        }
        other => StopReason::Other(other.to_owned()),
    })
}

#[cfg(test)]
mod tests;
