//! What a family of models needs: its channel, its way of writing calls, its sampling, which examples it is shown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::pack::Paths;
use crate::tokens::{ImageTokens, Vocabulary};

/// Settings for one family of models.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelProfile {
    pub family: String,
    /// Globs over the served model's name, lower case.
    pub names: Vec<String>,
    /// What was tried on a real model of this family, and what was not.
    #[serde(default)]
    pub measured: String,
    /// The channel where the upstream is Ollama.
    pub ollama: ChannelKind,
    /// The channel where the upstream speaks the Messages API.
    pub anthropic: ChannelKind,
    /// The vocabulary whose tokens are counted.
    #[serde(default)]
    pub vocabulary: Vocabulary,
    /// Every digit is a token of its own.
    #[serde(default)]
    pub single_digits: bool,
    /// Tokens of this family for one of o200k, after the digits.
    #[serde(default = "one")]
    pub factor: f64,
    /// Tokens that the template puts around each message.
    #[serde(default = "five")]
    pub message_markers: usize,
    /// Tokens that the template puts around a list of tools in the dialect's own field (native only).
    #[serde(default = "two_hundred")]
    pub tool_markers: usize,
    /// How its history is cut: by what the server's cache can do, unless it is said here.
    #[serde(default)]
    pub fold: FoldChoice,
    /// It sees images; else an image becomes a note.
    #[serde(default)]
    pub images: bool,
    /// What an image costs.
    #[serde(default)]
    pub image_tokens: ImageTokens,
    /// How it is told to think, or not to.
    #[serde(default)]
    pub thinking: ThinkingForm,
    #[serde(default)]
    pub sampling: Sampling,
    #[serde(default)]
    pub show: ShowProfile,
    /// Its replies go out as they are, and nothing is said of its repeats: the profile `off`.
    #[serde(skip)]
    pub unreviewed: bool,
    /// Which of the worked examples it is shown.
    #[serde(default)]
    pub examples: ExampleProfile,
}

/// How the history of a model is to be cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FoldChoice {
    /// As a probe of the server finds; *prefix* where there was none.
    #[default]
    Auto,
    Prefix,
    Shift,
}

/// How a history is cut where it does not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Schedule {
    /// The oldest steps become a digest: for a server that keeps the cache of an equal beginning only.
    #[default]
    Prefix,
    /// Pieces are taken out, in the middle too: for a server that keeps the cache of text behind a hole.
    Shift,
}

impl Schedule {
    /// The word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::Shift => "shift",
        }
    }
}

impl FoldChoice {
    /// What is in force, where `found` is what a probe of the server says.
    pub fn decided(self, found: Option<Schedule>) -> Schedule {
        match self {
            Self::Auto => found.unwrap_or_default(),
            Self::Prefix => Schedule::Prefix,
            Self::Shift => Schedule::Shift,
        }
    }
}

/// How tools are shown to a model and its calls read back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// In the dialect's own field.
    #[default]
    Native,
    /// Written into the system text; calls are read from the text.
    Prompted,
    /// As prompted, and the server binds the output to a JSON Schema.
    Constrained,
}

impl ChannelKind {
    /// The word for it in rule files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Prompted => "prompted",
            Self::Constrained => "constrained",
        }
    }
}

/// How a family is told to think. Where the server says what a model can do, that goes before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThinkingForm {
    /// Not at all.
    #[default]
    None,
    /// On or off.
    Switch,
    /// Low, medium or high, and never off.
    Levels,
}

/// Options of the sampler. What is absent is left to the server.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u64>,
    pub repeat_penalty: Option<f64>,
    /// Strings that end a reply.
    pub stop: Vec<String>,
    /// Sent as `think` to a server that can switch thinking.
    pub think: Option<bool>,
}

/// How the head, past calls and results are written. All of it can be switched off singly.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ShowProfile {
    /// How a call is written into text (prompted and constrained).
    pub form: CallForm,
    /// How a call is written where replies are bound (constrained), if that is another way.
    pub bound_form: Option<CallForm>,
    /// Says how to call; stands before the list of tools. `{call}` and `{answer}` are shown in the form of the channel.
    pub instructions: String,
    /// What is said of a tool, in place of what the pack says.
    pub tools: BTreeMap<String, String>,
    /// Of a tool, name the parameters that it needs, and no others. The others may be given all the same.
    pub needed_only: bool,
    /// A result in text: `{tool}` and `{text}` are filled in.
    pub result: String,
    /// Take the line numbers off what a reading tool returned.
    pub strip_line_numbers: bool,
    /// Elements of these names are taken out of results and prompts: the client's reminders.
    pub strip_tags: Vec<String>,
    /// Paths below the working folder are shown relative to it, and sent to the client absolute.
    pub relative_paths: bool,
    /// An edit or a write that succeeded is told in one line.
    pub short_results: bool,
    /// That line names the files changed so far.
    pub changed_files: bool,
    /// That line says where a word that was renamed still stands in the file.
    pub left_over: bool,
    /// Behind that line stands how the changed place now reads.
    pub now_reads: bool,
    /// Behind a listing of so many lines or more stands how many it has. 0: never.
    pub count_lines: usize,
    /// Show the lines of the pack that stand for the client's system prompt; `instructions` stand in either case.
    pub lines: bool,
    /// Show what the client tells of itself: environment, date, git, lists of skills. The user's own notes, and files that the
    /// user has attached, stand in either case.
    pub facts: bool,
    /// Show the index of parked tools.
    pub parked: bool,
    /// A bound reply may call a parked tool only when help for it was asked for, the user has named it, or it was called.
    pub parked_by_help: bool,
    /// Show our own tools among the others; else they are only named where they can be of use.
    pub own_tools: bool,
}

impl ModelProfile {
    /// How a call is written in this channel.
    pub fn call_form(&self, kind: ChannelKind) -> CallForm {
        let bound = self.show.bound_form.filter(|_| kind == ChannelKind::Constrained);
        bound.unwrap_or(self.show.form)
    }
}

/// How a call is written into text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CallForm {
    /// `{"name": …, "arguments": {…}}`, one a line.
    #[default]
    Json,
    /// `{"NAME":{…}}`, and an answer `{"Answer":"…"}`: a third fewer tokens to produce. For bound replies.
    Keyed,
    /// The same between `<tool_call>` and `</tool_call>`.
    Hermes,
    /// `<function=NAME><parameter=KEY>…` between the same tags.
    QwenXml,
    /// `{"name": …, "parameters": {…}}`.
    Llama,
    /// `[TOOL_CALLS][{…}]`.
    Mistral,
    /// `<tool_call>NAME<arg_key>…</arg_key><arg_value>…</arg_value></tool_call>`.
    Glm,
}

/// Which worked examples a model is shown, as past turns. One is shown only where tools for all its steps are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExampleProfile {
    /// The ids of those that stand in the head of every request, in this order.
    pub head: Vec<String>,
    /// How many of the nearest stand before each typed prompt, from then on. 0: none.
    pub each: usize,
    /// The most tokens that they may have together, before one prompt.
    pub tokens: usize,
    /// The least nearness to the prompt, in percent: 0 has nothing in common with it, 100 is the same text.
    pub near: usize,
}

impl ShowProfile {
    /// How paths below the working folder are shown.
    pub fn paths(&self) -> Paths {
        if self.relative_paths { Paths::Relative } else { Paths::Absolute }
    }
}

impl Default for ShowProfile {
    fn default() -> Self {
        Self {
            form: CallForm::Json,
            bound_form: None,
            instructions: String::new(),
            tools: BTreeMap::new(),
            needed_only: false,
            result: "{text}".into(),
            strip_line_numbers: false,
            strip_tags: Vec::new(),
            relative_paths: false,
            short_results: false,
            changed_files: false,
            left_over: false,
            now_reads: false,
            count_lines: 0,
            lines: true,
            facts: true,
            parked: true,
            parked_by_help: false,
            own_tools: true,
        }
    }
}

fn one() -> f64 {
    1.0
}

/// ChatML: start, role, line end, end, line end.
fn five() -> usize {
    5
}

/// Qwen's native tool instructions are about 150.
fn two_hundred() -> usize {
    200
}
