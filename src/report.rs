//! What was cut, by which rule, and what it saved: the one thing that every output renders.

use serde::Serialize;

use crate::wire::Usage;

/// Tokens by part. `before` is counted in o200k over the client's own texts and schemas, `after` in the model's family
/// over what is rendered for it. Tools count as tools wherever their text stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Parts {
    pub system: usize,
    pub tools: usize,
    pub messages: usize,
    pub total: usize,
}

/// What one rule did to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleHit {
    /// `pack/rule`, as `rules list` prints it.
    pub id: String,
    /// How often it matched.
    pub matched: usize,
    /// Tokens it saved, in o200k; negative when it added text.
    pub saved: i64,
}

/// The account of one exchange. Never holds prompt content.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    pub before: Parts,
    pub after: Parts,
    pub rules: Vec<RuleHit>,
    /// Names of the tools that stand in the index only.
    pub parked: Vec<String>,
    /// Rules that should have matched this client version and did not.
    pub dead: Vec<String>,
    /// Sections and tools that no rule names.
    pub unknown: Vec<String>,
    /// How often the history was cut so far.
    pub cuts: usize,
    /// Steps that are no longer verbatim.
    pub folded_steps: usize,
    /// What was mended in the answer: (kind, how often), in order of kind.
    pub repairs: Vec<(String, usize)>,
    /// What the server reported.
    pub upstream: Usage,
}
