//! How the stand-in says an answer: in the way that the request left open to it, streamed in small pieces.

use serde_json::{Value, json};

use super::reading::Read;
use super::session::Reply;

/// Characters in a streamed piece: about eight tokens.
const PIECE: usize = 32;

/// The content and the calls of a reply, as a model behind this request would give them.
///
/// With `format` every answer is one JSON object; with `tools` a call has a field of its own; else a call is text.
pub(super) fn said(body: &Value, reply: &Reply) -> (String, Option<Value>) {
    if reply.verbatim {
        return (reply.text.clone(), None);
    }
    let call = reply.call.as_ref().map(|call| json!({"name": call.name, "arguments": call.input}));
    match (call, body.get("format").is_some(), body.get("tools").is_some()) {
        (Some(call), true, _) => (call.to_string(), None),
        (None, true, _) => (json!({"name": "Answer", "arguments": {"text": reply.text}}).to_string(), None),
        (Some(call), false, true) => (reply.text.clone(), Some(json!([{"function": call}]))),
        (Some(call), false, false) => (format!("{}\n{call}", reply.text).trim_start().to_owned(), None),
        (None, false, _) => (reply.text.clone(), None),
    }
}

/// The lines of an `/api/chat` answer.
pub(super) fn lines(model: &str, content: &str, calls: Option<Value>, read: Read, produced: usize) -> Vec<Value> {
    let line = |message: Value| json!({"model": model, "created_at": "2026-11-02T12:00:00Z", "message": message, "done": false});
    let mut lines: Vec<Value> =
        pieces(content).map(|piece| line(json!({"role": "assistant", "content": piece}))).collect();
    lines.extend(calls.map(|calls| line(json!({"role": "assistant", "content": "", "tool_calls": calls}))));
    lines.push(json!({
        "model": model, "created_at": "2026-11-02T12:00:00Z", "message": {"role": "assistant", "content": ""},
        "done": true, "done_reason": "stop", "prompt_eval_count": read.prompt,
        "prompt_eval_cached_count": read.cached, "eval_count": produced,
    }));
    lines
}

fn pieces(text: &str) -> impl Iterator<Item = String> {
    let chars: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = chars.chunks(PIECE).map(|piece| piece.iter().collect()).collect();
    pieces.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ToolUse;

    fn call() -> Reply {
        let call = ToolUse { id: String::new(), name: "Look".into(), input: json!({"at": "x"}) };
        Reply { text: "I look.".into(), call: Some(call), verbatim: false }
    }

    #[test]
    fn a_call_takes_the_way_that_is_open() {
        let object = r#"{"name":"Look","arguments":{"at":"x"}}"#;
        assert_eq!(said(&json!({"format": {}}), &call()), (object.to_owned(), None));
        assert_eq!(said(&json!({}), &call()), (format!("I look.\n{object}"), None));
        assert!(said(&json!({"tools": []}), &call()).1.is_some());
    }

    #[test]
    fn the_pieces_are_the_text() {
        let lines = lines("m", "Größe und Farbe des Hafens", None, Read::default(), 9);
        let text: String = lines.iter().filter_map(|line| line["message"]["content"].as_str()).collect();
        assert_eq!(text, "Größe und Farbe des Hafens");
        assert_eq!(lines.last().unwrap()["done"], true);
    }
}
