//! What was cut, by which rule, and what it saved: the one thing that every output renders.
//!
//! A report never holds prompt content: names of tools and headings of sections are the most that it says.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::tokens::WindowSource;
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
    /// The rule's id, as `rules list` prints it.
    pub id: String,
    /// How often it matched.
    pub matched: usize,
    /// Tokens it saved, in o200k; negative when it added text.
    pub saved: i64,
}

/// The account of one exchange.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The window in force, in tokens of the model.
    pub window: usize,
    pub window_source: WindowSource,
    /// The most that the prompt may have.
    pub budget: usize,
    /// Whether what is sent stays within it. `false` only where the client is answered with an error.
    pub fits: bool,
    /// The profile of the window tier.
    pub profile: String,
    /// The pack that knew the client; empty when none did.
    pub pack: String,
    /// Rules that should have matched this client version and did not.
    pub dead: Vec<String>,
    /// Sections and tools that no rule names.
    pub unknown: Vec<String>,
    pub before: Parts,
    pub after: Parts,
    pub rules: Vec<RuleHit>,
    /// Names of the tools that stand in the index only.
    pub parked: Vec<String>,
    /// How often the history was cut so far.
    pub cuts: usize,
    /// What else is known, beside the stable part above.
    #[serde(flatten)]
    pub details: Details,
}

/// What a report says beyond the fields that are promised to scripts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Details {
    /// `main`, `subagent`, `compaction`, or the name of a side request.
    pub kind: String,
    /// The client's version, where it says one.
    pub version: String,
    /// The served model.
    pub model: String,
    /// The family of model rules that was used.
    pub family: String,
    /// `native`, `prompted` or `constrained`.
    pub channel: String,
    /// How the history is cut: `prefix` or `shift`.
    pub schedule: String,
    /// Steps of the history that are no longer verbatim.
    pub folded_steps: usize,
    /// The longest prefix that this prompt shares with the one before it in the same conversation, in our tokens; as far
    /// as the proxy saw one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicted_cached: Option<usize>,
    /// What was sent, without the template's marks, counted as `before` is: in o200k.
    pub after_o200k: usize,
    /// What was mended in the answer, by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub repairs: BTreeMap<String, usize>,
    /// What the server reported: prompt, cached part, output. Absent where it said nothing.
    #[serde(skip_serializing_if = "is_silent")]
    pub upstream: Usage,
}

impl Parts {
    /// Sums the parts.
    pub fn of(system: usize, tools: usize, messages: usize) -> Self {
        Self { system, tools, messages, total: system + tools + messages }
    }
}

impl Report {
    /// The share of the client's tokens that was not sent, in percent, both counted in o200k; 0 when nothing was saved.
    pub fn reduction(&self) -> f64 {
        let saved = self.before.total.saturating_sub(self.details.after_o200k);
        if self.before.total == 0 { 0.0 } else { 100.0 * saved as f64 / self.before.total as f64 }
    }
}

fn is_silent(usage: &Usage) -> bool {
    *usage == Usage::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn nothing_saved_is_zero() {
        let details = Details { after_o200k: 9, ..Details::default() };
        let report = Report { before: Parts::of(1, 2, 3), details, ..Report::default() };
        assert_eq!(report.reduction().to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn the_promised_fields_come_first_and_in_order() {
        let value = serde_json::to_value(Report::default()).unwrap();
        let Value::Object(fields) = value else { panic!("a report is an object") };
        let names: Vec<&str> = fields.keys().map(String::as_str).take(13).collect();
        let promised = "window window_source budget fits profile pack dead unknown before after rules parked cuts";
        assert_eq!(names.join(" "), promised);
    }
}
