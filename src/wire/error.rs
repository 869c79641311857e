//! Errors in the shape that an Anthropic client understands.

use serde_json::{Value, json};

/// The `type` of an Anthropic error object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    InvalidRequest,
    NotFound,
    RequestTooLarge,
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

impl ErrorKind {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::NotFound => "not_found_error",
            Self::RequestTooLarge => "request_too_large",
            Self::Overloaded => "overloaded_error",
            Self::Api => "api_error",
        }
    }

    /// The HTTP status that belongs to it.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::NotFound => 404,
            Self::RequestTooLarge => 413,
            Self::Overloaded => 529,
            Self::Api => 500,
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
