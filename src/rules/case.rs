//! A test that a rule file carries.

use schemars::JsonSchema;
use serde::Deserialize;

/// Synthetic input, and what must come of it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Case {
    /// What it shows, in a few words.
    pub name: String,
    /// The profile under which it runs; `small` unless it is said.
    pub profile: Option<String>,
    /// The client's system prompt.
    pub system: String,
    /// Names of the tools that the client offers.
    pub tools: Vec<String>,
    /// The first user message, reminders included.
    pub user: String,
    /// A `role: "system"` message behind it.
    pub notice: String,
    /// The result of a call behind these.
    pub result: String,
    /// A text at the user's side, the kind of it (`typed` where it is none), and what is told of it behind a cut.
    pub message: Option<String>,
    pub is: Option<String>,
    pub told: Option<String>,
    /// Texts that must be in what is sent.
    pub must_keep: Vec<String>,
    /// Texts that must not be in it.
    pub must_drop: Vec<String>,
    /// Texts that must be behind the head, and not in it.
    pub preamble: Vec<String>,
    /// The name of the side request that it is, or `compaction`, `subagent`.
    pub kind: Option<String>,
    /// The answer that it gets here.
    pub answer: Option<String>,
}
