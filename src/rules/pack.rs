//! What is known of one client: its prompt sections, tools, reminders and side requests.

use serde::Deserialize;

/// A rule file for one client.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    pub client: String,
    #[serde(default, rename = "tool")]
    pub tools: Vec<ToolRule>,
}

/// How one tool is shown, and what it does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRule {
    /// Its names in the client's versions; the first is the present one.
    pub names: Vec<String>,
    #[serde(default)]
    pub show: Show,
    /// Our own description.
    #[serde(default)]
    pub text: Option<String>,
    /// What kind of work it does, and by which parameters.
    #[serde(default)]
    pub role: Option<Role>,
}

/// Whether a tool stands in the head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Show {
    /// In full: our description and a reduced schema.
    Core,
    /// By name and a few words in the index.
    #[default]
    Park,
    /// Not at all: the client's own placeholder.
    Hide,
}

/// What a tool does to files. The parameter names are the client's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Role {
    Read { path: String, offset: Option<String>, limit: Option<String> },
    Edit { path: String, old: String, new: String, all: Option<String> },
    Write { path: String, content: String },
    Run { command: String },
    Search { pattern: String, path: Option<String> },
    List { pattern: String, path: Option<String> },
}
