//! What trimming makes of a request.

use crate::rules::Version;
use crate::wire::{Message, Tool};

/// What a request is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Main,
    Subagent,
    /// The client asks for a summary of the conversation.
    /// The client wants a summary; `{digest}` in the form is where it stands.
    Compaction {
        form: String,
    },
    /// A side request that needs no model: the text to answer with.
    Side {
        name: String,
        answer: String,
    },
    /// A side request that a model must answer; its text is not trimmed.
    Aside {
        name: String,
    },
}

impl Kind {
    /// `main`, `subagent`, `compaction`, or the name of the side request.
    pub fn name(&self) -> &str {
        match self {
            Self::Main => "main",
            Self::Subagent => "subagent",
            Self::Compaction { .. } => "compaction",
            Self::Side { name, .. } | Self::Aside { name } => name,
        }
    }
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
    /// The parked tools by name, and how one of them is called. Empty where there is none.
    pub index: String,
    /// The most worked examples of the model's family; `None` for all of them.
    pub examples: Option<usize>,
    /// Nothing is changed that need not be: no tools of ours stand beside, and no call is looked for in text.
    pub untouched: bool,
    /// Sections of the client's prompt that are shown by their first sentence.
    pub left_out: Vec<LeftOut>,
}

/// A section that can be had back whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub handle: String,
    pub text: String,
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
    /// It was loaded in the middle of the session. Its name and schema stand where that happened, so that the head stays
    /// as it was; it is not in the index.
    pub late: bool,
}

/// What one rule did to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// `client/kind/rule`, as `rules list` prints it.
    pub id: String,
    pub matched: usize,
    /// Tokens it saved, in o200k; negative when it added text.
    pub saved: i64,
}

/// What trimming makes of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trimmed {
    pub kind: Kind,
    pub head: Head,
    /// What belongs before the first prompt but not into the head: environment, CLAUDE.md, kept reminders.
    pub preamble: String,
    /// The normalised messages: roles alternate, only user and assistant, every call answered.
    pub messages: Vec<Message>,
    /// What each rule did, in the order in which they first matched.
    pub hits: Vec<Hit>,
    /// Rules that should have matched this version of the client, and did not.
    pub dead: Vec<String>,
    /// Sections and tools that no rule names.
    pub unknown: Vec<String>,
    /// Tools that the client names but holds back. It runs a call of one all the same.
    pub withheld: Vec<String>,
    /// The client's version, where it says one.
    pub version: Option<Version>,
    /// The path of the working folder, where the client says it.
    pub folder: Option<String>,
    /// The pack that knew the client; empty when none did.
    pub pack: String,
}
