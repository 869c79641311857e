//! Errors in the shape that an Anthropic client understands.

use serde_json::{Value, json};

/// The `type` of an Anthropic error object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    InvalidRequest,
    Authentication,
    Permission,
    NotFound,
    Timeout,
    RequestTooLarge,
    RateLimit,
    Overloaded,
    Api,
}

/// What went wrong, by name: what is counted, and said in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The server answered with an error.
    Refused,
    Unreachable,
    /// The connection ended before the answer did.
    BrokenOff,
    /// A line or an event of the answer cannot be read.
    Damaged,
    /// The answer, or a line of it, is longer than is taken in.
    TooLong,
    Silent,
    /// The server says that the prompt does not fit: its window is not what we thought.
    Overflow,
    /// The server sends us to another machine.
    Redirected,
    SlowClient,
    /// No room, here or there.
    Busy,
    /// It was refused here: it cannot be read, or does not fit.
    Request,
    Own,
}

/// An error for the client, and what the log is to know of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    pub kind: ErrorKind,
    pub message: String,
    /// When to ask again, as a `Retry-After` header says it.
    pub retry_after: Option<String>,
    pub fault: Fault,
    /// The causes behind it. Never content.
    pub cause: Option<String>,
}

/// How servers say that they could not make a grammar of a schema, in small letters.
const GRAMMAR: [&str; 7] = [
    "grammar",
    "json schema",
    "json_schema",
    "unrecognized schema",
    "input_schema",
    "resolving ref",
    "pattern must start",
];

impl WireError {
    /// Whether a server refused the request because of a schema in it.
    pub fn names_a_grammar(&self) -> bool {
        let message = self.message.to_lowercase();
        self.kind == ErrorKind::InvalidRequest && GRAMMAR.iter().any(|words| message.contains(words))
    }
}

impl ErrorKind {
    const ALL: [Self; 9] = [
        Self::InvalidRequest,
        Self::Authentication,
        Self::Permission,
        Self::NotFound,
        Self::Timeout,
        Self::RequestTooLarge,
        Self::RateLimit,
        Self::Overloaded,
        Self::Api,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::Authentication => "authentication_error",
            Self::Permission => "permission_error",
            Self::NotFound => "not_found_error",
            Self::Timeout => "timeout_error",
            Self::RequestTooLarge => "request_too_large",
            Self::RateLimit => "rate_limit_error",
            Self::Overloaded => "overloaded_error",
            Self::Api => "api_error",
        }
    }

    /// The HTTP status that belongs to it.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Authentication => 401,
            Self::Permission => 403,
            Self::NotFound => 404,
            Self::Timeout => 408,
            Self::RequestTooLarge => 413,
            Self::RateLimit => 429,
            Self::Overloaded => 529,
            Self::Api => 500,
        }
    }

    /// The kind with this name; any other is [`Self::Api`].
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).unwrap_or(Self::Api)
    }

    /// The kind that a server means with this HTTP status.
    pub fn from_status(status: u16) -> Self {
        match status {
            503 => Self::Overloaded,
            _ => Self::ALL.into_iter().find(|kind| kind.status() == status).unwrap_or(if status < 500 {
                Self::InvalidRequest
            } else {
                Self::Api
            }),
        }
    }
}

impl Fault {
    pub const ALL: [Self; 12] = [
        Self::Refused,
        Self::Unreachable,
        Self::BrokenOff,
        Self::Damaged,
        Self::TooLong,
        Self::Silent,
        Self::Overflow,
        Self::Redirected,
        Self::SlowClient,
        Self::Busy,
        Self::Request,
        Self::Own,
    ];

    /// The name in log and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::BrokenOff => "broken-off",
            Self::Damaged => "damaged-line",
            Self::TooLong => "too-long",
            Self::Silent => "silent",
            Self::Overflow => "overflow",
            Self::Redirected => "redirected",
            Self::SlowClient => "slow-client",
            Self::Busy => "busy",
            Self::Request => "request",
            Self::Own => "own",
        }
    }
}

impl WireError {
    /// An error that nobody told us more of.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, fault: Fault::Request, cause: None }
    }

    #[must_use]
    pub fn by(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    #[must_use]
    pub fn caused(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    #[must_use]
    pub fn retried_after(self, seconds: impl Into<String>) -> Self {
        Self { retry_after: Some(seconds.into()), ..self }
    }

    /// A line or an event of an answer that cannot be read: nobody knows what stood there.
    pub fn damaged(what: &str) -> Self {
        let message = format!("the model server's answer is damaged ({what}); what follows is lost");
        Self::new(ErrorKind::Api, message).by(Fault::Damaged).caused(what)
    }

    /// The connection ended before the answer.
    pub fn broken_off() -> Self {
        Self::new(ErrorKind::Api, "the model server broke off in the middle of its answer").by(Fault::BrokenOff)
    }

    /// The wording on which Claude Code compacts.
    pub fn prompt_too_long(tokens: usize, maximum: usize) -> Self {
        Self::new(ErrorKind::InvalidRequest, format!("prompt is too long: {tokens} tokens > {maximum} maximum"))
    }

    /// The error object.
    pub fn to_value(&self) -> Value {
        json!({"type": "error", "error": {"type": self.kind.as_str(), "message": self.message}})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_statuses_lead_back() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_name(kind.as_str()), kind);
            assert_eq!(ErrorKind::from_status(kind.status()), kind);
        }
        assert_eq!(ErrorKind::from_status(422), ErrorKind::InvalidRequest);
        assert_eq!(ErrorKind::from_status(502), ErrorKind::Api);
    }
}
