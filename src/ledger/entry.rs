//! What is kept of one exchange.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::{Parts, Report};

/// How an exchange ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The model's answer went to the client.
    #[default]
    Answered,
    /// Answered here: no model was asked.
    Local,
    /// The head and the typed prompt alone are too long: the client was told so.
    Refused,
    /// Not understood: it went through byte for byte.
    PassedThrough,
    /// Upstream failed, and the client was told how.
    Failed,
    /// The client hung up.
    Cancelled,
}

/// Tokens by part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub system: u64,
    pub tools: u64,
    pub messages: u64,
    pub total: u64,
}

/// One line of the ledger. Absent numbers were not told by the server: they are unknown, not 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// When the request came, in milliseconds since 1970.
    pub at_ms: i64,
    /// From the request to the first byte of the answer's content, in milliseconds.
    pub first_ms: Option<u64>,
    /// From the request to the end of the answer, in milliseconds.
    pub total_ms: u64,
    pub outcome: Outcome,
    /// `main`, `subagent`, `compaction`, or the name of a side request.
    pub kind: String,
    pub version: String,
    pub model: String,
    pub channel: String,
    pub window: u64,
    pub before: Tokens,
    pub after: Tokens,
    /// What was sent, counted as `before` is; 0 where that was not counted.
    pub after_o200k: u64,
    pub cuts: u64,
    pub folded_steps: u64,
    pub parked: u64,
    /// Ids of rules that should have matched and did not.
    pub dead: Vec<String>,
    /// How many sections and tools no rule names.
    pub unknown: u64,
    pub repairs: BTreeMap<String, u64>,
    /// Our own prediction of the part that the server has in its cache.
    pub predicted_cached: Option<u64>,
    /// What the server says: the whole prompt, the part that came from its cache, what it produced.
    pub prompt: Option<u64>,
    pub cached: Option<u64>,
    pub output: Option<u64>,
    /// Under which number its bodies are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
}

impl From<Parts> for Tokens {
    fn from(parts: Parts) -> Self {
        Self {
            system: parts.system as u64,
            tools: parts.tools as u64,
            messages: parts.messages as u64,
            total: parts.total as u64,
        }
    }
}

impl Tokens {
    /// The average over `count` exchanges, rounded down; nothing over none.
    #[must_use]
    pub fn divided(self, count: u64) -> Self {
        let count = count.max(1);
        Self {
            system: self.system / count,
            tools: self.tools / count,
            messages: self.messages / count,
            total: self.total / count,
        }
    }

    /// Adds the parts of another exchange.
    pub(super) fn add(&mut self, other: Self) {
        let sums = [&mut self.system, &mut self.tools, &mut self.messages, &mut self.total];
        for (sum, part) in sums.into_iter().zip([other.system, other.tools, other.messages, other.total]) {
            *sum = sum.saturating_add(part);
        }
    }
}

impl Entry {
    /// The numbers of a report; when it happened and how it ended is for the caller to say.
    pub fn of(report: &Report) -> Self {
        let details = &report.details;
        Self {
            kind: details.kind.clone(),
            version: details.version.clone(),
            model: details.model.clone(),
            channel: details.channel.clone(),
            window: report.window as u64,
            before: report.before.into(),
            after: report.after.into(),
            after_o200k: details.after_o200k as u64,
            cuts: report.cuts as u64,
            folded_steps: details.folded_steps as u64,
            parked: report.parked.len() as u64,
            dead: report.dead.clone(),
            unknown: report.unknown.len() as u64,
            repairs: details.repairs.iter().map(|(kind, count)| (kind.clone(), *count as u64)).collect(),
            predicted_cached: details.predicted_cached.map(|tokens| tokens as u64),
            prompt: details.upstream.prompt,
            cached: details.upstream.cached,
            output: details.upstream.output,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_no_section_and_no_tool() {
        let report = Report {
            unknown: vec!["# My private heading".into()],
            parked: vec!["mcp__secret__tool".into()],
            ..Report::default()
        };
        let line = serde_json::to_string(&Entry::of(&report)).unwrap();
        assert!(!line.contains("private") && !line.contains("secret"), "{line}");
        assert!(line.contains(r#""unknown":1"#) && line.contains(r#""parked":1"#));
    }

    #[test]
    fn what_the_server_did_not_say_is_unknown_and_not_zero() {
        let entry: Entry = serde_json::from_str(r#"{"at_ms":1}"#).unwrap();
        assert_eq!((entry.prompt, entry.cached), (None, None));
    }
}
