//! What a model server says when it does not answer, and what that means for the client.

use serde_json::Value;

use super::{ErrorKind, WireError};

/// What a server's error amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Ollama could not parse a call and threw it away, but says what the model wrote: an answer after all.
    LostCall(String),
    /// An error for the client.
    Error(WireError),
}

impl Refusal {
    /// Reads an error body: Anthropic's, OpenAI's and llama-server's shapes, Ollama's `{"error": "…"}`, an engine's JSON
    /// within such a string, or plain text.
    pub fn read(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::from_value(status, &value),
            Err(_) => Self::Error(WireError::new(ErrorKind::from_status(status), plain(status, body))),
        }
    }

    /// As [`Self::read`], of an error that is parsed already.
    pub fn from_value(status: u16, value: &Value) -> Self {
        let inner = value.get("error").unwrap_or(value);
        let message = match inner {
            Value::String(text) => text.as_str(),
            other => other.get("message").and_then(Value::as_str).unwrap_or_default(),
        };
        if let Some(within) = engine_json(message) {
            return Self::from_value(status, &within);
        }
        if let Some(call) = lost_call(message) {
            return Self::LostCall(call.to_owned());
        }
        if let Some(error) = too_long(inner) {
            return Self::Error(error);
        }
        let named = inner.get("type").and_then(Value::as_str).filter(|name| name.ends_with("_error"));
        let kind = match named.map(ErrorKind::from_name) {
            None | Some(ErrorKind::Api) => ErrorKind::from_status(status),
            Some(kind) => kind,
        };
        let message =
            if message.is_empty() { format!("the model server answered with status {status}") } else { message.into() };
        Self::Error(WireError::new(kind, message))
    }
}

/// An engine's own error object, which Ollama hands on as a string.
fn engine_json(message: &str) -> Option<Value> {
    let start = message.find("{\"error\"")?;
    serde_json::from_str(&message[start..]).ok()
}

/// What the model wrote, from `error parsing tool call: raw='…', err=…`.
fn lost_call(message: &str) -> Option<&str> {
    let raw = message.split_once("error parsing tool call: raw='")?.1;
    raw.rfind("', err=").map(|end| &raw[..end])
}

/// llama-server's refusal of a prompt that does not fit.
fn too_long(inner: &Value) -> Option<WireError> {
    let number = |key: &str| inner.get(key).and_then(Value::as_u64).map(|n| n as usize);
    if inner.get("type").and_then(Value::as_str) != Some("exceed_context_size_error") {
        return None;
    }
    let maximum = number("n_ctx").unwrap_or_default();
    Some(WireError::prompt_too_long(number("n_prompt_tokens").unwrap_or(maximum + 1), maximum))
}

fn plain(status: u16, body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(body).trim().chars().take(300).collect();
    if text.is_empty() { format!("the model server answered with status {status}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> WireError {
        match Refusal::read(status, body.as_bytes()) {
            Refusal::Error(error) => error,
            Refusal::LostCall(call) => panic!("a lost call: {call}"),
        }
    }

    #[test]
    fn an_engine_that_refuses_is_understood_in_both_wrappings() {
        let engine = r#"{"error":{"code":400,"message":"request (17850 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":17850,"n_ctx":8192}}"#;
        let by_ollama = serde_json::json!({ "error": engine }).to_string();
        let wanted = WireError::prompt_too_long(17850, 8192);
        assert_eq!(error(400, engine), wanted);
        assert_eq!(error(400, &by_ollama), wanted);
    }

    #[test]
    fn a_call_that_ollama_threw_away_comes_back() {
        let body = r#"{"error":"error parsing tool call: raw='{\"a\":'b', err=c'}{\"d\":1}', err=invalid character"}"#;
        assert_eq!(Refusal::read(500, body.as_bytes()), Refusal::LostCall("{\"a\":'b', err=c'}{\"d\":1}".into()));
    }

    #[test]
    fn kinds_come_from_names_first_and_from_the_status_else() {
        let named = error(400, r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#);
        assert_eq!((named.kind, named.message.as_str()), (ErrorKind::Overloaded, "busy"));
        assert_eq!(error(404, r#"{"error":"model 'x' not found"}"#).kind, ErrorKind::NotFound);
        assert_eq!(
            error(404, r#"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#).kind,
            ErrorKind::NotFound
        );
        assert_eq!(error(502, "<html>bad gateway</html>").message, "<html>bad gateway</html>");
        assert_eq!(error(403, "").message, "the model server answered with status 403");
    }
}
