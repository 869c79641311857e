//! Deltas into Anthropic events, with block indices that are right whatever came.

use serde_json::{Value, json};

use super::{Delta, Frame, StopReason, ToolUse, WireError};

/// What the client is told it has used, all on the scale of its own bytes. Never all zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientUsage {
    /// The whole prompt.
    pub input: u64,
    /// The part of it that came from the server's cache; `None` where the server says nothing.
    pub cached: Option<u64>,
    pub output: u64,
}

/// Writes one message as events.
#[derive(Debug, Default)]
pub struct EventEncoder {
    next: u64,
    open: Option<(Kind, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

impl EventEncoder {
    /// The `message_start`.
    pub fn start(&mut self, id: &str, model: &str, usage: ClientUsage, out: &mut Vec<u8>) {
        let message = json!({"id": id, "type": "message", "role": "assistant", "model": model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": usage.to_value()});
        emit(&json!({"type": "message_start", "message": message}), out);
    }

    /// One delta.
    pub fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(text) => self.flow(Kind::Text, text, out),
            Delta::Thinking(text) => self.flow(Kind::Thinking, text, out),
            Delta::Call(ToolUse { id, name, input }) => self.call(id, name, &input.to_string(), out),
            Delta::BrokenCall { id, name, arguments } => self.call(id, name, arguments, out),
            Delta::Other(events) => self.other(events, out),
        }
    }

    /// Closes what is open, says why the model stopped, and ends the message.
    pub fn finish(&mut self, stop: &StopReason, usage: ClientUsage, out: &mut Vec<u8>) {
        self.close(out);
        let delta = json!({"stop_reason": stop.as_str(), "stop_sequence": stop.sequence()});
        emit(&json!({"type": "message_delta", "delta": delta, "usage": usage.to_value()}), out);
        emit(&json!({"type": "message_stop"}), out);
    }

    /// Closes what is open, and ends the stream with an error.
    pub fn fail(&mut self, error: &WireError, out: &mut Vec<u8>) {
        self.close(out);
        emit(&error.to_value(), out);
    }

    /// A sign of life.
    pub fn ping(out: &mut Vec<u8>) {
        emit(&json!({"type": "ping"}), out);
    }

    fn flow(&mut self, kind: Kind, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let index = self.open_as(kind, out);
        let delta = match kind {
            Kind::Text => json!({"type": "text_delta", "text": text}),
            Kind::Thinking => json!({"type": "thinking_delta", "thinking": text}),
        };
        emit(&json!({"type": "content_block_delta", "index": index, "delta": delta}), out);
    }

    fn open_as(&mut self, kind: Kind, out: &mut Vec<u8>) -> u64 {
        if let Some((open, index)) = self.open
            && open == kind
        {
            return index;
        }
        let index = self.begin(out);
        let block = match kind {
            Kind::Text => json!({"type": "text", "text": ""}),
            Kind::Thinking => json!({"type": "thinking", "thinking": "", "signature": ""}),
        };
        emit(&json!({"type": "content_block_start", "index": index, "content_block": block}), out);
        self.open = Some((kind, index));
        index
    }

    /// Clients read the input from the deltas only.
    fn call(&mut self, id: &str, name: &str, arguments: &str, out: &mut Vec<u8>) {
        let index = self.begin(out);
        let block = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
        emit(&json!({"type": "content_block_start", "index": index, "content_block": block}), out);
        let delta = json!({"type": "input_json_delta", "partial_json": arguments});
        emit(&json!({"type": "content_block_delta", "index": index, "delta": delta}), out);
        emit(&json!({"type": "content_block_stop", "index": index}), out);
    }

    /// Events of an unknown kind, as they came, but for their index.
    fn other(&mut self, events: &Value, out: &mut Vec<u8>) {
        let events = events.as_array().map(Vec::as_slice).unwrap_or_default();
        let is_block = events.first().is_some_and(|event| event["type"] == "content_block_start");
        let index = if is_block { Some(self.begin(out)) } else { self.open.map(|(_, index)| index) };
        for event in events {
            let mut event = event.clone();
            if let (Some(index), Some(place)) = (index, event.get_mut("index")) {
                *place = index.into();
            }
            emit(&event, out);
        }
    }

    /// Closes what is open; gives the index of the block that begins.
    fn begin(&mut self, out: &mut Vec<u8>) -> u64 {
        self.close(out);
        self.next += 1;
        self.next - 1
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some((_, index)) = self.open.take() {
            emit(&json!({"type": "content_block_stop", "index": index}), out);
        }
    }
}

impl ClientUsage {
    pub(super) fn to_value(self) -> Value {
        let cached = self.cached.unwrap_or_default().min(self.input);
        json!({"input_tokens": self.input - cached, "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": cached, "output_tokens": self.output})
    }
}

impl StopReason {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::EndTurn => "end_turn",
            Self::ToolUse => "tool_use",
            Self::MaxTokens => "max_tokens",
            Self::StopSequence(_) => "stop_sequence",
            Self::Other(name) => name,
        }
    }

    /// The sequence that was met.
    pub fn sequence(&self) -> Option<&str> {
        match self {
            Self::StopSequence(sequence) => sequence.as_deref(),
            _ => None,
        }
    }
}

fn emit(event: &Value, out: &mut Vec<u8>) {
    let name = event["type"].as_str().unwrap_or_default().to_owned();
    Frame { event: name, data: event.to_string() }.write(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{End, EventDecoder, SseReader};
    use proptest::prelude::*;

    fn events(bytes: &[u8]) -> Vec<Value> {
        let (mut reader, mut frames) = (SseReader::default(), Vec::new());
        reader.feed(bytes, &mut frames).unwrap();
        frames.iter().map(|frame| serde_json::from_str(&frame.data).unwrap()).collect()
    }

    fn encode(deltas: &[Delta]) -> Vec<u8> {
        let (mut encoder, mut out) = (EventEncoder::default(), Vec::new());
        let usage = ClientUsage { input: 10, cached: Some(4), output: 2 };
        encoder.start("msg_1", "m", usage, &mut out);
        for delta in deltas {
            encoder.delta(delta, &mut out);
        }
        encoder.finish(&StopReason::EndTurn, usage, &mut out);
        out
    }

    fn call(id: &str) -> Delta {
        Delta::Call(ToolUse { id: id.into(), name: "Read".into(), input: json!({"a": id}) })
    }

    #[test]
    fn a_call_has_its_input_in_deltas_only() {
        let seen = events(&encode(&[Delta::Text("a".into()), call("toolu_1")]));
        let kinds: Vec<&str> = seen.iter().map(|event| event["type"].as_str().unwrap()).collect();
        let block = ["content_block_start", "content_block_delta", "content_block_stop"];
        assert_eq!(kinds, [&["message_start"][..], &block, &block, &["message_delta", "message_stop"]].concat());
        assert_eq!(seen[4]["content_block"]["input"], json!({}));
        assert_eq!(seen[5]["delta"]["partial_json"], "{\"a\":\"toolu_1\"}");
    }

    #[test]
    fn usage_is_what_the_client_adds_up() {
        let seen = events(&encode(&[]));
        let usage = json!({"input_tokens": 6, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 4, "output_tokens": 2});
        assert_eq!(seen[0]["message"]["usage"], usage);
        assert_eq!(seen[1]["usage"], usage);
    }

    #[test]
    fn a_failure_closes_what_is_open() {
        let (mut encoder, mut out) = (EventEncoder::default(), Vec::new());
        encoder.delta(&Delta::Text("a".into()), &mut out);
        encoder.fail(&WireError::new(crate::wire::ErrorKind::Api, "gone"), &mut out);
        let kinds: Vec<Value> = events(&out).iter().map(|event| event["type"].clone()).collect();
        assert_eq!(kinds, ["content_block_start", "content_block_delta", "content_block_stop", "error"]);
    }

    fn any_delta() -> impl Strategy<Value = Delta> {
        prop_oneof![
            "[a-z]{1,4}".prop_map(Delta::Text),
            "[a-z]{1,4}".prop_map(Delta::Thinking),
            "toolu_[a-z]{8}".prop_map(|id| call(&id)),
            Just(Delta::Other(json!([
                {"type": "content_block_start", "index": 7, "content_block": {"type": "novel"}},
                {"type": "content_block_stop", "index": 7}
            ]))),
        ]
    }

    /// Deltas with neighbours of one kind joined, and without the indices of unknown events.
    fn joined(deltas: &[Delta]) -> Vec<Delta> {
        let mut out: Vec<Delta> = Vec::new();
        for delta in deltas {
            match (out.last_mut(), delta) {
                (Some(Delta::Text(a)), Delta::Text(b)) | (Some(Delta::Thinking(a)), Delta::Thinking(b)) => {
                    a.push_str(b);
                }
                (_, Delta::Other(_)) => out.push(Delta::Other(Value::Null)),
                _ => out.push(delta.clone()),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(deltas in proptest::collection::vec(any_delta(), 0..8)) {
            let (mut decoder, mut read, mut frames) = (EventDecoder::default(), Vec::new(), Vec::new());
            SseReader::default().feed(&encode(&deltas), &mut frames).unwrap();
            let end = frames.iter().find_map(|frame| decoder.on_frame(frame, &mut read));
            prop_assert_eq!(joined(&read), joined(&deltas));
            let complete = matches!(end, Some(End::Complete { .. }));
            prop_assert!(complete);
        }

        #[test]
        fn blocks_are_numbered_from_zero_and_never_overlap(deltas in proptest::collection::vec(any_delta(), 0..8)) {
            let (mut next, mut open) = (0, None);
            for event in events(&encode(&deltas)) {
                match event["type"].as_str().unwrap() {
                    "content_block_start" => {
                        prop_assert_eq!(open, None);
                        prop_assert_eq!(event["index"].as_u64(), Some(next));
                        open = Some(next);
                        next += 1;
                    }
                    "content_block_delta" => prop_assert_eq!(event["index"].as_u64(), open),
                    "content_block_stop" => prop_assert_eq!(event["index"].as_u64(), open.take()),
                    _ => prop_assert_eq!(open, None),
                }
            }
        }
    }
}
