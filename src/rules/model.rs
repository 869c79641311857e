//! What a family of models needs.

use serde::Deserialize;

/// Settings for one family of models.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelProfile {
    pub family: String,
    /// Globs over the served model's name, lower case.
    pub names: Vec<String>,
    /// The channel where the upstream is Ollama.
    pub ollama: ChannelKind,
    /// The channel where the upstream speaks the Messages API.
    pub anthropic: ChannelKind,
    /// Every digit is a token of its own.
    #[serde(default)]
    pub single_digits: bool,
    /// Tokens of this family for one of o200k, after the digits.
    #[serde(default = "one")]
    pub factor: f64,
}

/// How tools are shown to a model and its calls read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// In the dialect's own field.
    Native,
    /// Written into the system text; calls are read from the text.
    Prompted,
    /// As prompted, and the server binds the output to a JSON Schema.
    Constrained,
}

fn one() -> f64 {
    1.0
}
