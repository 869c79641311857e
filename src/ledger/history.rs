//! Questions about the past: sums, their course over time, and the exchanges that match a filter.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Entry, Outcome, Summary};

/// So many bars are drawn at most, when no width is asked for.
const MOST_BUCKETS: i64 = 60;

/// Widths that a bar may have, in milliseconds: minutes, hours, days, weeks.
const WIDTHS: [i64; 7] = [60_000, 600_000, 3_600_000, 6 * 3_600_000, 86_400_000, 7 * 86_400_000, 28 * 86_400_000];

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// From when on, in milliseconds since 1970.
    pub since_ms: i64,
    /// The width of a bar in milliseconds; 0: as fits.
    pub bucket_ms: i64,
    /// The most exchanges that are listed, newest first.
    pub limit: usize,
    /// All of these words, in any of: kind, model, version, channel, repairs, dead rules.
    pub words: Vec<String>,
    pub kind: Option<String>,
    pub outcome: Option<Outcome>,
    pub folded: bool,
    pub repaired: bool,
}

/// The answer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct History {
    pub summary: Summary,
    /// The width of a bar, in milliseconds.
    pub bucket: i64,
    /// In the order of time; those in which nothing happened are left out.
    pub buckets: Vec<Bucket>,
    /// How many exchanges there are of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// How many match the filter.
    pub found: usize,
    /// The newest of them, newest first.
    pub list: Vec<Entry>,
}

/// The exchanges that a model answered in one stretch of time; tokens in o200k where that was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// When it begins, in milliseconds since 1970.
    pub at_ms: i64,
    pub exchanges: u64,
    pub received: u64,
    pub sent: u64,
    /// As the server counts, where it says both.
    pub prompt: u64,
    pub cached: u64,
}

impl History {
    /// Answers a question over entries, in any order.
    pub fn of(question: &Question, entries: &[Entry]) -> Self {
        let entries: Vec<&Entry> = entries.iter().filter(|entry| entry.at_ms >= question.since_ms).collect();
        let first = entries.iter().map(|entry| entry.at_ms).min().unwrap_or_default();
        let last = entries.iter().map(|entry| entry.at_ms).max().unwrap_or_default();
        let start = if question.since_ms > 0 { question.since_ms } else { first - first.rem_euclid(86_400_000) };
        let bucket = if question.bucket_ms > 0 { question.bucket_ms } else { width(last - start) };
        let mut history = Self { bucket, ..Self::default() };
        let mut buckets: BTreeMap<i64, Bucket> = BTreeMap::new();
        let mut matching: Vec<&Entry> = Vec::new();
        for entry in entries {
            history.summary.add(entry);
            *history.kinds.entry(entry.kind.clone()).or_default() += 1;
            if entry.outcome == Outcome::Answered {
                buckets.entry((entry.at_ms - start).div_euclid(bucket)).or_default().add(entry);
            }
            if question.takes(entry) {
                matching.push(entry);
            }
        }
        history.buckets = buckets.into_iter().map(|(k, sums)| Bucket { at_ms: start + k * bucket, ..sums }).collect();
        history.found = matching.len();
        matching.sort_by_key(|entry| std::cmp::Reverse(entry.at_ms));
        history.list = matching.into_iter().take(question.limit).cloned().collect();
        history
    }
}

/// The least width with which a stretch of time has not too many bars.
fn width(span_ms: i64) -> i64 {
    WIDTHS.into_iter().find(|width| span_ms / width < MOST_BUCKETS).unwrap_or(WIDTHS[WIDTHS.len() - 1])
}

impl Bucket {
    fn add(&mut self, entry: &Entry) {
        self.exchanges += 1;
        self.received += entry.before.total;
        self.sent += if entry.after_o200k > 0 { entry.after_o200k } else { entry.after.total };
        if let (Some(prompt), Some(cached)) = (entry.prompt, entry.cached) {
            self.prompt += prompt;
            self.cached += cached;
        }
    }
}

impl Question {
    fn takes(&self, entry: &Entry) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == entry.kind)
            && self.outcome.as_ref().is_none_or(|outcome| *outcome == entry.outcome)
            && (!self.folded || entry.folded_steps > 0)
            && (!self.repaired || !entry.repairs.is_empty())
            && self.words.iter().all(|word| says(entry, &word.to_lowercase()))
    }
}

fn says(entry: &Entry, word: &str) -> bool {
    let texts = [&entry.kind, &entry.model, &entry.version, &entry.channel];
    texts.into_iter().chain(entry.repairs.keys()).chain(&entry.dead).any(|text| text.to_lowercase().contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Tokens;

    const HOUR: i64 = 3_600_000;

    fn entry(at_ms: i64, kind: &str, sent: u64) -> Entry {
        let tokens = |total| Tokens { total, ..Tokens::default() };
        let (before, after) = (tokens(100), tokens(sent));
        Entry { at_ms, kind: kind.into(), before, after, after_o200k: sent, ..Entry::default() }
    }

    #[test]
    fn bars_begin_where_the_question_begins() {
        let entries =
            [entry(50, "main", 1), entry(HOUR, "main", 10), entry(HOUR + 30, "main", 5), entry(3 * HOUR, "side", 2)];
        let question = Question { since_ms: 100, bucket_ms: HOUR, limit: 9, ..Question::default() };
        let history = History::of(&question, &entries);
        let bars: Vec<_> =
            history.buckets.iter().map(|bar| (bar.at_ms, bar.exchanges, bar.received, bar.sent)).collect();
        assert_eq!(bars, [(100, 2, 200, 15), (100 + 2 * HOUR, 1, 100, 2)]);
        assert_eq!(history.summary.exchanges, 3);
    }

    #[test]
    fn the_newest_that_match_are_listed_and_all_are_counted() {
        let mut entries: Vec<Entry> = (1..=9).map(|k| entry(k, if k % 2 == 0 { "main" } else { "side" }, 1)).collect();
        entries[7].repairs.insert("Key name".into(), 1);
        let ask = |question: Question| {
            let history = History::of(&Question { limit: 2, ..question }, &entries);
            (history.found, history.list.iter().map(|entry| entry.at_ms).collect::<Vec<_>>())
        };
        assert_eq!(ask(Question { kind: Some("main".into()), ..Question::default() }), (4, vec![8, 6]));
        assert_eq!(ask(Question { words: vec!["KEY".into(), "main".into()], ..Question::default() }), (1, vec![8]));
        assert_eq!(ask(Question { repaired: true, ..Question::default() }), (1, vec![8]));
        assert_eq!(ask(Question { folded: true, ..Question::default() }), (0, vec![]));
    }

    #[test]
    fn a_long_time_has_few_bars() {
        let entries = [entry(0, "main", 1), entry(400 * 24 * HOUR, "main", 1)];
        let history = History::of(&Question::default(), &entries);
        assert_eq!((history.bucket, history.buckets.len()), (7 * 24 * HOUR, 2));
        assert!(History::of(&Question::default(), &[]).buckets.is_empty());
    }
}
