//! Errors in the shape that an Anthropic client understands.

use serde_json::{Value, json};

/// The `type` of an Anthropic error object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    InvalidRequest,
    Authentication,
    Permission,
    NotFound,
    RequestTooLarge,
    RateLimit,
    Overloaded,
    Api,
}

/// An error for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    pub kind: ErrorKind,
    pub message: String,
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
    const ALL: [Self; 8] = [
        Self::InvalidRequest,
        Self::Authentication,
        Self::Permission,
        Self::NotFound,
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

impl WireError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
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
