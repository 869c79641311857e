//! Ollama's `/api/chat` stream, a JSON object a line, into deltas. Sans-IO.

use serde_json::Value;

use super::lines::{LineTooLong, Lines};
use super::refusal::error_in;
use super::{Delta, End, Refusal, StopReason, ToolUse, Usage, WireError, count_in};

/// Reads the lines of one answer.
#[derive(Debug, Default)]
pub struct ChatDecoder {
    lines: Lines,
    end: Option<End>,
}

impl ChatDecoder {
    /// Takes bytes; pushes what they hold. Says how the answer ended, once it has.
    ///
    /// # Errors
    /// When a line is too long.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Delta>) -> Result<Option<End>, LineTooLong> {
        let Self { lines, end } = self;
        lines.feed(bytes, |line| read_line(line, end, out))?;
        Ok(self.end.clone())
    }

    /// The connection is closed.
    pub fn on_close(&mut self, out: &mut Vec<Delta>) -> End {
        // Half a line at the end is an answer that broke off, not one that is damaged.
        let rest = self.lines.rest();
        if serde_json::from_slice::<Value>(&rest).is_ok() {
            read_line(&rest, &mut self.end, out);
        }
        self.end.clone().unwrap_or_else(|| End::Failed(WireError::broken_off()))
    }
}

fn read_line(line: &[u8], end: &mut Option<End>, out: &mut Vec<Delta>) {
    if end.is_some() || line.trim_ascii().is_empty() {
        return;
    }
    let Ok(Value::Object(fields)) = serde_json::from_slice(line) else {
        *end = Some(End::Failed(WireError::damaged(unreadable(line))));
        return;
    };
    let value = Value::Object(fields);
    if error_in(&value).is_some() {
        *end = Some(Refusal::from_value(500, &value).end(Usage::default(), out));
        return;
    }
    match value.get("message") {
        Some(message) if !is_message(message) => {
            *end = Some(End::Failed(WireError::damaged("a message of an unknown shape")));
            return;
        }
        Some(message) => read_message(message, out),
        None => {}
    }
    if value.get("done").and_then(Value::as_bool) == Some(true) {
        *end = Some(End::Complete { stop: stop_reason(&value), usage: usage(&value) });
    }
}

/// Why a line says nothing, without its content.
pub(super) fn unreadable(line: &[u8]) -> &'static str {
    match std::str::from_utf8(line) {
        Err(_) => "a line that is not UTF-8",
        Ok(line) if serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok() => "a line that is no object",
        Ok(_) => "a line that is no JSON",
    }
}

/// Whether nothing of a message would be lost.
fn is_message(message: &Value) -> bool {
    let is = |key: &str, fits: fn(&Value) -> bool| message.get(key).is_none_or(|value| value.is_null() || fits(value));
    let is_calls = |calls: &Value| calls.as_array().is_some_and(|calls| calls.iter().all(Value::is_object));
    message.is_null()
        || message.is_object()
            && is("content", Value::is_string)
            && is("thinking", Value::is_string)
            && is("tool_calls", is_calls)
}

fn read_message(message: &Value, out: &mut Vec<Delta>) {
    let text = |key: &str| message.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    out.extend(text("thinking").map(Delta::Thinking));
    out.extend(text("content").map(Delta::Text));
    let calls = message.get("tool_calls").and_then(Value::as_array);
    out.extend(calls.into_iter().flatten().map(read_call));
}

fn read_call(call: &Value) -> Delta {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let function = call.get("function").unwrap_or(&Value::Null);
    let (id, name) = (text(call.get("id")), text(function.get("name")));
    match function.get("arguments") {
        Some(input @ Value::Object(_)) => Delta::Call(ToolUse { id, name, input: input.clone() }),
        Some(Value::String(json)) => match serde_json::from_str(json) {
            Ok(input @ Value::Object(_)) => Delta::Call(ToolUse { id, name, input }),
            _ => Delta::BrokenCall { id, name, arguments: json.clone() },
        },
        None | Some(Value::Null) => Delta::Call(ToolUse { id, name, input: Value::Object(serde_json::Map::new()) }),
        Some(other) => Delta::BrokenCall { id, name, arguments: other.to_string() },
    }
}

fn stop_reason(value: &Value) -> StopReason {
    match value.get("done_reason").and_then(Value::as_str).unwrap_or_default() {
        "" | "stop" | "load" | "unload" => StopReason::EndTurn,
        "length" => StopReason::MaxTokens,
        other => StopReason::Other(other.to_owned()),
    }
}

fn usage(value: &Value) -> Usage {
    let number = |key: &str| count_in(value, key);
    Usage {
        prompt: number("prompt_eval_count"),
        cached: number("prompt_eval_cached_count"),
        output: number("eval_count"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn decode(parts: &[&[u8]]) -> (Vec<Delta>, End) {
        let (mut decoder, mut out) = (ChatDecoder::default(), Vec::new());
        for part in parts {
            if let Some(end) = decoder.feed(part, &mut out).unwrap() {
                return (out, end);
            }
        }
        let end = decoder.on_close(&mut out);
        (out, end)
    }

    fn lines(values: &[Value]) -> Vec<u8> {
        values.iter().flat_map(|value| format!("{value}\n").into_bytes()).collect()
    }

    fn sample() -> Vec<u8> {
        lines(&[
            json!({"message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": false}),
            json!({"message": {"content": "I lööok."}, "done": false}),
            json!({"message": {"content": "", "tool_calls": [
                {"id": "call_1", "function": {"index": 0, "name": "Read", "arguments": {"b": 1, "a": 2}}},
                {"function": {"name": "Bash", "arguments": "{\"command\":"}}]}, "done": false}),
            json!({"message": {"content": ""}, "done": true, "done_reason": "length",
                   "prompt_eval_count": 90, "prompt_eval_cached_count": 80, "eval_count": 7}),
        ])
    }

    #[test]
    fn text_thinking_calls_and_counts() {
        let (deltas, end) = decode(&[&sample()]);
        assert_eq!(
            deltas,
            [
                Delta::Thinking("hm".into()),
                Delta::Text("I lööok.".into()),
                Delta::Call(ToolUse { id: "call_1".into(), name: "Read".into(), input: json!({"b": 1, "a": 2}) }),
                Delta::BrokenCall { id: String::new(), name: "Bash".into(), arguments: "{\"command\":".into() },
            ]
        );
        let usage = Usage { prompt: Some(90), cached: Some(80), output: Some(7) };
        assert_eq!(end, End::Complete { stop: StopReason::MaxTokens, usage });
    }

    #[test]
    fn an_error_line_ends_it() {
        let (deltas, end) = decode(&[&lines(&[json!({"message": {"content": "a"}}), json!({"error": "no memory"})])]);
        assert_eq!(deltas, [Delta::Text("a".into())]);
        let End::Failed(error) = end else { panic!("an error") };
        assert_eq!((error.kind, error.message.as_str()), (crate::wire::ErrorKind::Api, "no memory"));
    }

    #[test]
    fn a_line_that_cannot_be_read_ends_it() {
        let good = || json!({"message": {"content": "a"}}).to_string().into_bytes();
        let half = &good()[..15];
        let bad: [&[u8]; 9] = [
            half,
            b"{\"message\":{\"content\":\"\xff\"}}",
            b"null",
            b"[1]",
            b"<html>",
            br#"{"message":"text"}"#,
            br#"{"message":{"content":["text"]}}"#,
            br#"{"message":{"thinking":1}}"#,
            br#"{"message":{"tool_calls":[null]}}"#,
        ];
        for line in bad {
            let (deltas, end) = decode(&[&good(), b"\n", line, b"\n", &sample()]);
            assert_eq!(deltas, [Delta::Text("a".into())]);
            let End::Failed(error) = end else { panic!("{}", String::from_utf8_lossy(line)) };
            assert_eq!(error.fault, crate::wire::Fault::Damaged);
        }
    }

    #[test]
    fn empty_lines_status_lines_and_null_errors_do_no_harm() {
        let text = b"\n \n{\"status\":\"loading\"}\n{\"error\":null,\"message\":null}\n{\"error\":null,\"message\":{\"content\":\"a\"},\"done\":true}\n";
        let (deltas, end) = decode(&[text]);
        assert_eq!(deltas, [Delta::Text("a".into())]);
        assert!(matches!(end, End::Complete { .. }));
    }

    #[test]
    fn a_number_that_nobody_can_believe_is_not_told_on() {
        let line = json!({"message": {"content": ""}, "done": true, "prompt_eval_count": u64::MAX, "eval_count": 3});
        let End::Complete { usage, .. } = decode(&[&lines(&[line])]).1 else { panic!("complete") };
        assert_eq!((usage.prompt, usage.output), (None, Some(3)));
    }

    #[test]
    fn a_call_that_was_thrown_away_comes_as_it_was_written() {
        let error = json!({"error": "error parsing tool call: raw='{\"a\":1}{\"b\":2}', err=invalid character '{'"});
        let (deltas, end) = decode(&[&lines(&[error])]);
        assert_eq!(deltas, [Delta::lost_call("{\"a\":1}{\"b\":2}".into())]);
        assert!(matches!(end, End::Complete { stop: StopReason::EndTurn, .. }));
    }

    #[test]
    fn cut_at_any_byte_it_ends_and_says_so() {
        let sample = sample();
        let last_line_end = sample.len() - 1;
        for at in 0..sample.len() {
            let (_, end) = decode(&[&sample[..at]]);
            assert_eq!(matches!(end, End::Failed(_)), at < last_line_end, "cut at {at}");
        }
    }

    proptest! {
        #[test]
        fn where_bytes_are_split_makes_no_difference(at in 0usize..600) {
            let sample = sample();
            let (a, b) = sample.split_at(at.min(sample.len()));
            prop_assert_eq!(decode(&[a, b]), decode(&[&sample]));
        }
    }
}
