//! What is known of one client: its prompt sections, tools, reminders and side requests.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::case::Case;
use super::message::MessageRule;
use super::version::{Seen, Version};

/// The rules for one client. One file holds a whole pack or a part of it; parts of one client are joined.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    pub client: String,
    /// Texts of which one stands in the system prompt of this client.
    #[serde(default)]
    pub marks: Vec<String>,
    /// What stands before the version number in the first system text.
    #[serde(default)]
    pub version_mark: Option<String>,
    /// What stands before the path of the working folder, at the beginning of a line (list marks aside).
    #[serde(default)]
    pub folder_marks: Vec<String>,
    /// The temperature that this client sends where its user chose none: the profile's goes before it.
    #[serde(default)]
    pub unasked_temperature: Option<f64>,
    /// Assistant texts that stand for nothing.
    #[serde(default)]
    pub empty: Vec<String>,
    #[serde(default, rename = "line")]
    pub lines: Vec<LineRule>,
    #[serde(default, rename = "section")]
    pub sections: Vec<SectionRule>,
    #[serde(default, rename = "tool")]
    pub tools: Vec<ToolRule>,
    #[serde(default, rename = "reminder")]
    pub reminders: Vec<ReminderRule>,
    #[serde(default, rename = "message")]
    pub messages: Vec<MessageRule>,
    #[serde(default, rename = "side")]
    pub sides: Vec<SideRule>,
    #[serde(default, rename = "test")]
    pub tests: Vec<Case>,
}

/// A line of ours in the system text. Lines stand in the order of the pack, each at most once.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineRule {
    pub id: String,
    pub text: String,
    /// It stands only where the client offers one of these tools.
    #[serde(default)]
    pub tools: Vec<String>,
    /// The lowest detail at which it stands.
    #[serde(default)]
    pub from: u8,
    /// The highest detail at which it stands; for a short form of another line.
    #[serde(default)]
    pub to: Option<u8>,
    /// The kind of request in which alone it stands: `main` or `subagent`.
    #[serde(default)]
    pub only: Option<Only>,
    /// The paths with which alone it stands: `absolute`, or `relative` where the model is shown them so.
    #[serde(default)]
    pub paths: Option<Paths>,
}

/// How paths below the working folder are shown to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Paths {
    Absolute,
    Relative,
}

/// The two kinds of request that carry on a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    Main,
    Subagent,
}

/// What becomes of one section of the system prompt.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionRule {
    pub id: String,
    /// Headings, without `#`; the first word or more of one is enough.
    #[serde(default)]
    pub headings: Vec<String>,
    /// Beginnings of a line at which the section starts where it has no heading.
    #[serde(default)]
    pub anchors: Vec<String>,
    /// It is only found at the beginning of a system text.
    #[serde(default)]
    pub first: bool,
    /// What the user chose: it ends only where another rule knows a line, not at any heading.
    #[serde(default)]
    pub own: bool,
    #[serde(rename = "do")]
    pub action: SectionAction,
    /// For `replace`: our text. For `preamble`: our text in its place, with `{}` for what `between` finds.
    #[serde(default)]
    pub text: Option<String>,
    /// Pairs of what stands before and behind the text that fills `{}`; the first pair that is found is taken. Where
    /// none is, the section stays as it came.
    #[serde(default)]
    pub between: Vec<[String; 2]>,
    /// Lines to leave out, by how they begin (list marks aside).
    #[serde(default)]
    pub drop_lines: Vec<String>,
    /// Below this detail it falls, whatever `do` says.
    #[serde(default)]
    pub from: u8,
    /// From this detail on the section stays as it came.
    #[serde(default)]
    pub keep_from: Option<u8>,
    /// It falls when none of these tools is shown in full.
    #[serde(default)]
    pub tools: Vec<String>,
    /// How the further paragraphs of the section begin. What begins otherwise was put behind it by the user, and is
    /// not touched. Without it, all paragraphs belong to the section, unless it is the last one of the prompt.
    #[serde(default)]
    pub paragraphs: Vec<String>,
    #[serde(default)]
    pub since: Option<Version>,
    #[serde(default)]
    pub until: Option<Version>,
}

/// What is done with a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SectionAction {
    Keep,
    Drop,
    /// Our text in its place.
    Replace,
    /// Out of the head, behind it: it depends on the folder, the day or the session.
    Preamble,
}

/// How one tool is shown, and what it does.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolRule {
    /// Its names in the client's versions; the first is the present one.
    pub names: Vec<String>,
    #[serde(default)]
    pub show: Show,
    /// For `core`: the lowest detail at which it is; below that it is parked.
    #[serde(default)]
    pub from: u8,
    /// Our own description.
    #[serde(default)]
    pub text: Option<String>,
    /// A shorter one for detail 1.
    #[serde(default)]
    pub brief: Option<String>,
    /// A few words for the index.
    #[serde(default)]
    pub words: Option<String>,
    /// The parameters that are shown beside the required ones. Without it all are.
    #[serde(default)]
    pub params: Option<BTreeMap<String, Param>>,
    /// What kind of work it does, and by which parameters.
    #[serde(default)]
    pub role: Option<Role>,
    #[serde(default)]
    pub since: Option<Version>,
    #[serde(default)]
    pub until: Option<Version>,
}

/// How one parameter is shown.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Param {
    /// Our words for it; empty for none.
    pub text: String,
    /// The lowest detail at which an optional parameter is shown.
    pub from: u8,
    /// An optional parameter that weak models forget is shown as one that is needed.
    pub needed: bool,
    /// What it is where there is nothing to choose: told behind its words.
    pub default: Option<serde_json::Value>,
}

/// Whether a tool stands in the head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Role {
    Read { path: String, offset: Option<String>, limit: Option<String> },
    Edit { path: String, old: String, new: String, all: Option<String> },
    Write { path: String, content: String },
    Run { command: String },
    Search { pattern: String, path: Option<String> },
    List { pattern: String, path: Option<String> },
}

/// What becomes of one kind of text that the client puts between the user's words.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReminderRule {
    pub id: String,
    /// How it begins.
    pub starts: Vec<String>,
    #[serde(rename = "do")]
    pub action: ReminderAction,
    /// Our text, for `replace`; what stands before the names, for `names`.
    #[serde(default)]
    pub text: Option<String>,
    /// Lines to leave out, by how they begin (list marks aside).
    #[serde(default)]
    pub drop_lines: Vec<String>,
    /// For `names`: they are tools that the client holds back. It runs a call of one all the same.
    #[serde(default)]
    pub withheld_tools: bool,
    /// Below this detail it falls, whatever `do` says.
    #[serde(default)]
    pub from: u8,
    /// From this detail on it stays as it came.
    #[serde(default)]
    pub keep_from: Option<u8>,
    /// How its further paragraphs begin, where it is dropped or replaced. A paragraph that begins otherwise is
    /// another text, and stays.
    #[serde(default)]
    pub paragraphs: Vec<String>,
    /// The user's own text: no rule reaches into it, and it ends only where one of `ends` begins a line.
    #[serde(default)]
    pub own: bool,
    #[serde(default)]
    pub ends: Vec<String>,
    #[serde(default)]
    pub since: Option<Version>,
    #[serde(default)]
    pub until: Option<Version>,
}

/// What is done with a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReminderAction {
    Keep,
    Drop,
    /// Our text in its place.
    Replace,
    /// A list `- name: description` by its names, and as many words as the profile gives.
    Names,
}

/// A request that the client makes beside the conversation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SideRule {
    pub id: String,
    /// What one of the system texts begins with.
    #[serde(default)]
    pub system: Vec<String>,
    /// What the newest user text contains; beside `system`, both must be there.
    #[serde(default)]
    pub prompt: Vec<String>,
    /// What the newest user text is, whole; beside `system`, both must hold.
    #[serde(default)]
    pub whole: Vec<String>,
    /// What stands anywhere in the system texts, and is enough.
    #[serde(default)]
    pub marks: Vec<String>,
    #[serde(rename = "do")]
    pub action: SideAction,
    /// For `answer`: the text. `{words}` is the first words of the user text as the inside of a JSON string, `{command}`
    /// the command of a command line, if it is a plain one.
    #[serde(default)]
    pub answer: Option<String>,
    /// The answer where `{command}` is not a plain one.
    #[serde(default)]
    pub otherwise: Option<String>,
    /// What stands before, and behind, the text that the answer speaks of.
    #[serde(default)]
    pub after: Option<String>,
    #[serde(default)]
    pub before: Option<String>,
}

/// What is done with a side request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SideAction {
    /// It is answered here.
    Answer,
    /// A model answers it; its text is not trimmed.
    Through,
    /// It asks for a summary of the conversation.
    Compaction,
    /// It is the work of a subagent.
    Subagent,
}

impl SectionRule {
    pub fn seen(&self) -> Seen {
        Seen { since: self.since, until: self.until }
    }
}

impl ToolRule {
    pub fn seen(&self) -> Seen {
        Seen { since: self.since, until: self.until }
    }
}

impl ReminderRule {
    pub fn seen(&self) -> Seen {
        Seen { since: self.since, until: self.until }
    }
}

impl Pack {
    /// The rule for the tool that has, or had, this name.
    pub fn tool(&self, name: &str) -> Option<&ToolRule> {
        self.tools.iter().find(|rule| rule.names.iter().any(|known| known == name))
    }
}

impl SectionAction {
    /// The word for it in a rule file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Replace => "replace",
            Self::Preamble => "preamble",
        }
    }
}

impl ReminderAction {
    /// The word for it in a rule file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Replace => "replace",
            Self::Names => "names",
        }
    }
}

impl SideAction {
    /// The word for it in a rule file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Through => "through",
            Self::Compaction => "compaction",
            Self::Subagent => "subagent",
        }
    }
}
