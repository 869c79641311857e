//! What a model server says when it does not answer, and what that means for the client.

use serde_json::Value;

use super::{Delta, End, ErrorKind, Fault, StopReason, Usage, WireError};

/// What a server's error amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A call that could not be parsed was thrown away, and what the model wrote for it; empty where that is not said.
    LostCall(String),
    /// The server could not parse what the model wrote, and gives the rest of it as it stands: an answer after all.
    Unparsed(String),
    /// An error for the client.
    Error(WireError),
}

impl Refusal {
    /// Reads an error body: Anthropic's, OpenAI's and llama-server's shapes, Ollama's `{"error": "…"}`, an engine's JSON
    /// within such a string, or plain text.
    pub fn read(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::from_value(status, &value),
            Err(_) => written(&String::from_utf8_lossy(body)).unwrap_or_else(|| {
                Self::Error(explained(status, ErrorKind::from_status(status), &plain(status, body)))
            }),
        }
    }

    /// How an answer ends with this. What the model wrote goes to `out`.
    pub fn end(self, usage: Usage, out: &mut Vec<Delta>) -> End {
        let written = match self {
            Self::Error(error) => return End::Failed(error),
            Self::LostCall(text) => Delta::lost_call(text),
            Self::Unparsed(text) => Delta::Text(text),
        };
        out.push(written);
        End::Complete { stop: StopReason::EndTurn, usage }
    }

    /// As [`Self::read`], of an error that is parsed already.
    pub fn from_value(status: u16, value: &Value) -> Self {
        let inner = error_in(value).unwrap_or(value);
        let message = match inner {
            Value::String(text) => text.as_str(),
            other => other.get("message").and_then(Value::as_str).unwrap_or_default(),
        };
        if let Some(within) = engine_json(message) {
            return Self::from_value(status, &within);
        }
        if let Some(written) = written(message) {
            return written;
        }
        if let Some(error) = too_long(inner) {
            return Self::Error(error);
        }
        let named = inner.get("type").and_then(Value::as_str).filter(|name| name.ends_with("_error"));
        let kind = match named.map(ErrorKind::from_name) {
            None | Some(ErrorKind::Api) => ErrorKind::from_status(status),
            Some(kind) => kind,
        };
        let unsaid = format!("the model server answered with status {status}");
        Self::Error(explained(status, kind, if message.is_empty() { &unsaid } else { message }))
    }

    /// With what a `Retry-After` header said beside it.
    #[must_use]
    pub fn retried_after(self, seconds: Option<String>) -> Self {
        match (self, seconds) {
            (Self::Error(error), Some(seconds)) => Self::Error(error.retried_after(seconds)),
            (refusal, _) => refusal,
        }
    }
}

/// The error that a JSON object reports; some servers write `"error": null` where there is none.
pub(super) fn error_in(value: &Value) -> Option<&Value> {
    value.get("error").filter(|error| !error.is_null())
}

/// What servers say, in small letters, and what it means: words that all have to be there.
const MEANINGS: [(Meaning, &[&str]); 18] = [
    (Meaning::Overflow, &["exceeds", "context size"]),
    (Meaning::Overflow, &["exceeds", "context length"]),
    (Meaning::Overflow, &["exceeds", "context window"]),
    (Meaning::Overflow, &["longer than the context"]),
    (Meaning::Overflow, &["maximum context length is"]),
    (Meaning::Overflow, &["greater than the context length"]),
    (Meaning::Overflow, &["context", "overflows"]),
    (Meaning::Overflow, &["context length of only"]),
    (Meaning::Overflow, &[">= n_ctx"]),
    (Meaning::Overflow, &["context_length_exceeded"]),
    (Meaning::NoModel, &["model", "not found"]),
    (Meaning::NoMemory, &["more system memory"]),
    (Meaning::NoMemory, &["out of memory"]),
    (Meaning::NoMemory, &["failed to allocate"]),
    (Meaning::NoMemory, &["insufficient", "memory"]),
    (Meaning::Queue, &["maximum pending requests"]),
    (Meaning::Queue, &["server busy"]),
    (Meaning::Loading, &["loading model"]),
];

/// What a server's sentence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Overflow,
    NoModel,
    NoMemory,
    Queue,
    Loading,
}

impl Meaning {
    fn of(message: &str) -> Option<Self> {
        let text = message.to_lowercase();
        let says = |(_, words): &&(Self, &[&str])| words.iter().all(|word| text.contains(word));
        MEANINGS.iter().find(says).map(|(meaning, _)| *meaning)
    }

    /// What the user can do about it.
    fn remedy(self) -> &'static str {
        match self {
            Self::Overflow => "",
            Self::NoModel => "fetch it (ollama pull …), or name another with --model",
            Self::NoMemory => "take a smaller model or a smaller window (--num-ctx), or free memory",
            Self::Queue => "too many requests wait there; ask again in a few seconds",
            Self::Loading => "the model is still being loaded; ask again in a few seconds",
        }
    }
}

/// The error for the client: of the right kind, and with what can be done about it.
fn explained(status: u16, kind: ErrorKind, message: &str) -> WireError {
    let meaning = Meaning::of(message).filter(|meaning| *meaning != Meaning::NoModel || [400, 404].contains(&status));
    let kind = match meaning {
        Some(Meaning::Overflow) => return overflow(message),
        Some(Meaning::NoModel) => ErrorKind::NotFound,
        Some(Meaning::Queue | Meaning::Loading) => ErrorKind::Overloaded,
        Some(Meaning::NoMemory) | None => kind,
    };
    let message = meaning.map_or_else(|| message.to_owned(), |meaning| format!("{message}; {}", meaning.remedy()));
    WireError::new(kind, message).by(Fault::Refused).caused(format!("status {status}"))
}

/// In the words on which clients compact, with the server's numbers where it says them.
fn overflow(message: &str) -> WireError {
    let numbers = |text: &str| -> Vec<usize> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
    };
    let mut words = ["context size", "context length", "context window", "n_ctx"].iter();
    let window = words.find_map(|word| numbers(message.split_once(word)?.1).first().copied());
    let tokens = numbers(message).into_iter().filter(|number| Some(*number) != window).max();
    match (window, tokens) {
        (Some(window), tokens) => {
            WireError::prompt_too_long(tokens.filter(|n| *n > window).unwrap_or(window + 1), window)
        }
        (None, _) => WireError::new(ErrorKind::InvalidRequest, format!("prompt is too long: {message}")),
    }
    .by(Fault::Overflow)
}

/// An engine's own error object, which Ollama hands on as a string.
fn engine_json(message: &str) -> Option<Value> {
    let start = message.find("{\"error\"")?;
    serde_json::from_str(&message[start..]).ok()
}

/// What the model wrote, from an error that says that it could not be parsed.
fn written(message: &str) -> Option<Refusal> {
    if let Some((_, raw)) = message.split_once("error parsing tool call: raw='") {
        let end = raw.rfind("', err=").unwrap_or(raw.trim_end_matches('\'').len());
        return Some(Refusal::LostCall(raw[..end].to_owned()));
    }
    let unparsed = unparsed(message).filter(|text| !text.trim().is_empty());
    unparsed.map(|text| Refusal::Unparsed(text.to_owned())).or_else(|| no_xml(message))
}

/// The rest of an answer, from llama-server's `Failed to parse input at pos N: …`.
fn unparsed(message: &str) -> Option<&str> {
    let rest = message.split_once("Failed to parse input at pos ")?.1;
    let (place, text) = rest.split_once(':')?;
    let number = !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| text.strip_prefix(' ').unwrap_or(text))
}

/// Ollama's parsers that read calls as XML say where they failed, and nothing of what stood there.
fn no_xml(message: &str) -> Option<Refusal> {
    let mismatch = message.starts_with("expected element type <");
    (message.contains("XML syntax error on line ") || mismatch).then(|| Refusal::LostCall(String::new()))
}

/// llama-server's refusal of a prompt that does not fit.
fn too_long(inner: &Value) -> Option<WireError> {
    let number = |key: &str| inner.get(key).and_then(Value::as_u64).map(|n| n as usize);
    if inner.get("type").and_then(Value::as_str) != Some("exceed_context_size_error") {
        return None;
    }
    let maximum = number("n_ctx").unwrap_or_default();
    Some(WireError::prompt_too_long(number("n_prompt_tokens").unwrap_or(maximum + 1), maximum).by(Fault::Overflow))
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
            other => panic!("no error: {other:?}"),
        }
    }

    #[test]
    fn an_engine_that_refuses_is_understood_in_both_wrappings() {
        let engine = r#"{"error":{"code":400,"message":"request (17850 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":17850,"n_ctx":8192}}"#;
        let by_ollama = serde_json::json!({ "error": engine }).to_string();
        let wanted = WireError::prompt_too_long(17850, 8192).by(Fault::Overflow);
        assert_eq!(error(400, engine), wanted);
        assert_eq!(error(400, &by_ollama), wanted);
    }

    #[test]
    fn a_call_that_ollama_threw_away_comes_back() {
        let body = r#"{"error":"error parsing tool call: raw='{\"a\":'b', err=c'}{\"d\":1}', err=invalid character"}"#;
        assert_eq!(Refusal::read(500, body.as_bytes()), Refusal::LostCall("{\"a\":'b', err=c'}{\"d\":1}".into()));
    }

    #[test]
    fn what_a_server_could_not_parse_comes_back_from_every_body() {
        let raw = "\n<tool_call>\n<function=Look>\n</function>\n</tool_call>";
        let message = format!("Failed to parse input at pos 668: {raw}");
        let engine = serde_json::json!({"error": {"code": 500, "message": message, "type": "server_error"}});
        let bodies = [
            engine.to_string(),
            serde_json::json!({"type": "error", "error": {"type": "api_error", "message": message}}).to_string(),
            serde_json::json!({"error": message}).to_string(),
            serde_json::json!({"error": engine.to_string()}).to_string(),
            message,
        ];
        for body in bodies {
            assert_eq!(Refusal::read(500, body.as_bytes()), Refusal::Unparsed(raw.into()), "{body}");
        }
        for message in ["Failed to parse input at pos 3: ", "Failed to parse input at pos x: y"] {
            assert_eq!(error(500, message).kind, ErrorKind::Api);
        }
    }

    #[test]
    fn a_call_that_was_no_xml_is_lost_without_its_text() {
        for message in [
            "XML syntax error on line 8: element <function> closed by </parameter>",
            "failed to parse XML: XML syntax error on line 1: unexpected EOF",
            "expected element type <function> but have <parameter>",
        ] {
            let body = serde_json::json!({ "error": message }).to_string();
            assert_eq!(Refusal::read(500, body.as_bytes()), Refusal::LostCall(String::new()), "{message}");
        }
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

    #[test]
    fn every_server_says_in_its_own_words_that_a_prompt_is_too_long() {
        let cases = [
            (
                500,
                "Trying to keep the first 4735 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
                "4735 tokens > 4096",
            ),
            (
                400,
                "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the messages, 100 in the completion).",
                "5000 tokens > 4096",
            ),
            (500, "Cannot truncate prompt with n_keep (4735) >= n_ctx (4096)", "4735 tokens > 4096"),
            (400, "the input length exceeds the context length", "prompt is too long: the input"),
        ];
        for (status, message, wanted) in cases {
            let body = serde_json::json!({"error": {"message": message, "type": "server_error"}}).to_string();
            let error = error(status, &body);
            assert_eq!((error.kind, error.fault), (ErrorKind::InvalidRequest, Fault::Overflow), "{message}");
            assert!(
                error.message.starts_with("prompt is too long") && error.message.contains(wanted),
                "{}",
                error.message
            );
        }
    }

    #[test]
    fn a_refusal_says_what_can_be_done() {
        let cases = [
            (404, "model 'x' not found", ErrorKind::NotFound, "--model"),
            (400, "model \"x\" not found, try pulling it first", ErrorKind::NotFound, "ollama pull"),
            (500, "model requires more system memory (9 GiB) than is available (3 GiB)", ErrorKind::Api, "smaller"),
            (503, "server busy, please try again.  maximum pending requests exceeded", ErrorKind::Overloaded, "again"),
            (503, "Loading model", ErrorKind::Overloaded, "still being loaded"),
        ];
        for (status, message, kind, remedy) in cases {
            let error = error(status, &serde_json::json!({ "error": message }).to_string());
            assert_eq!(error.kind, kind, "{message}");
            assert!(error.message.starts_with(message) && error.message.contains(remedy), "{}", error.message);
        }
    }

    #[test]
    fn an_error_that_is_null_is_none() {
        assert_eq!(error_in(&serde_json::json!({"error": null})), None);
        assert_eq!(error(500, r#"{"error":null,"message":"oh"}"#).message, "oh");
    }
}
