//! What the client sent, made regular and short: classify, normalise, system text, tools.

use crate::wire::{Message, Tool};

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Main,
    Subagent,
    Compaction,
    /// A side request that needs no model: the text to answer with.
    Side {
        name: String,
        answer: String,
    },
}

/// System text and tools, as they are to be shown. Nothing in it depends on the folder, the date or the session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    /// The instructions that are left, in our order.
    pub system: String,
    /// Tools shown in full, in the order in which the client brought them.
    pub core: Vec<ShownTool>,
    /// Tools that stand in the index only.
    pub parked: Vec<ParkedTool>,
}

/// A tool as the model is shown it, beside the client's own.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownTool {
    /// The client's tool: name and full schema.
    pub client: Tool,
    /// Our description, or the client's first sentence.
    pub description: String,
    /// The reduced schema: any input valid under it is valid under the client's.
    pub schema: serde_json::Value,
}

/// A tool whose schema is left out of the head.
#[derive(Debug, Clone, PartialEq)]
pub struct ParkedTool {
    pub client: Tool,
    /// A few words that say what it is for; may be empty.
    pub words: String,
}

/// What trimming makes of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trimmed {
    pub head: Head,
    /// What belongs before the first prompt but not into the head: environment, CLAUDE.md, kept reminders.
    pub preamble: String,
    /// The normalised messages: roles alternate, only user and assistant, every call answered.
    pub messages: Vec<Message>,
}
