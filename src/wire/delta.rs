//! The pieces of an answer, in one vocabulary for both upstream dialects.
//!
//! Upstream bytes are decoded into [`Delta`]s; the channel reads and heals calls among them; the proxy writes them out
//! as Anthropic events, or gathers them into one message.

use serde_json::Value;

use super::{ToolUse, WireError};

/// One piece of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Visible text, as produced.
    Text(String),
    /// Thinking, as produced.
    Thinking(String),
    /// A complete call.
    Call(ToolUse),
    /// A call whose arguments are not a JSON object: (id, name, arguments as written).
    BrokenCall { id: String, name: String, arguments: String },
    /// A whole content block of a type that is not known here, with the events that came for it, as they came.
    Other(Value),
}

impl Delta {
    /// A call that a server threw away, of which it tells what the model wrote, and not its name.
    pub fn lost_call(written: String) -> Self {
        Self::BrokenCall { id: String::new(), name: String::new(), arguments: written }
    }
}

/// How an upstream answer ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// The server said so, and why.
    Complete { stop: StopReason, usage: Usage },
    /// The stream broke off, or the server reported a fault after it had begun.
    Failed(WireError),
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    EndTurn,
    ToolUse,
    MaxTokens,
    StopSequence(Option<String>),
    /// A reason that is not known here, as it came.
    Other(String),
}

/// What the server says it read and wrote, in its own tokens. `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Usage {
    /// The whole prompt, cached part included.
    pub prompt: Option<u64>,
    /// The part of the prompt that came from the server's key-value cache.
    pub cached: Option<u64>,
    /// Tokens produced.
    pub output: Option<u64>,
}
