//! Sums over exchanges: what was received, what was sent, and what the server says it read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Entry, Outcome, Tokens};

/// Sums over a number of exchanges.
///
/// Tokens are summed over the exchanges that a model answered; what was answered here or refused is counted apart, so
/// that nothing looks saved that was never going to be sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    pub exchanges: u64,
    pub answered: u64,
    pub local: u64,
    pub refused: u64,
    pub passed_through: u64,
    pub failed: u64,
    pub cancelled: u64,
    /// Received from clients, in o200k.
    pub before: Tokens,
    /// Sent, in the model's tokens by our count.
    pub after: Tokens,
    /// What was sent, in o200k, beside what was received, over the exchanges of which both are known.
    pub sent: Pair,
    /// The same over exchanges that were only looked at, and went through as they came.
    pub shadow: Pair,
    /// Requests that were longer than the window when they came.
    pub over_window: u64,
    /// Requests in whose history something was folded.
    pub folded: u64,
    pub repairs: BTreeMap<String, u64>,
    pub dead: BTreeSet<String>,
    /// What the server said about prompts, beside our own count of the same prompts.
    pub reported: Pair,
    /// What the server said it took from its cache, beside the whole of the same prompts.
    pub cached: Pair,
    /// Milliseconds to the first content, summed, and of how many exchanges.
    pub first_ms: Pair,
}

/// Two sums over the same exchanges, and how many these were. 0 exchanges: unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Pair {
    pub part: u64,
    pub whole: u64,
    pub exchanges: u64,
}

impl Pair {
    fn add(&mut self, part: Option<u64>, whole: Option<u64>) {
        if let (Some(part), Some(whole)) = (part, whole) {
            self.part = self.part.saturating_add(part);
            self.whole = self.whole.saturating_add(whole);
            self.exchanges += 1;
        }
    }

    /// The part in percent of the whole; `None` where nothing is known.
    pub fn percent(&self) -> Option<f64> {
        (self.whole > 0).then(|| 100.0 * self.part as f64 / self.whole as f64)
    }
}

impl Summary {
    /// The sums over some entries.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut summary = Self::default();
        for entry in entries {
            summary.add(entry);
        }
        summary
    }

    /// Adds one exchange.
    pub fn add(&mut self, entry: &Entry) {
        self.exchanges += 1;
        *self.counter(&entry.outcome) += 1;
        if entry.outcome == Outcome::Answered {
            self.add_answered(entry);
        }
        if entry.outcome == Outcome::PassedThrough && entry.after_o200k > 0 {
            self.shadow.add(Some(entry.after_o200k), Some(entry.before.total));
        }
        for (kind, count) in &entry.repairs {
            let sum = self.repairs.entry(kind.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
        self.dead.extend(entry.dead.iter().cloned());
    }

    fn add_answered(&mut self, entry: &Entry) {
        self.before.add(entry.before);
        self.after.add(entry.after);
        let counted = entry.after_o200k > 0;
        self.sent.add(counted.then_some(entry.after_o200k), counted.then_some(entry.before.total));
        self.over_window += u64::from(entry.window > 0 && entry.before.total > entry.window);
        self.folded += u64::from(entry.folded_steps > 0);
        self.reported.add(entry.prompt, Some(entry.after.total));
        self.cached.add(entry.cached, entry.prompt);
        self.first_ms.add(entry.first_ms, Some(entry.total_ms));
    }

    fn counter(&mut self, outcome: &Outcome) -> &mut u64 {
        match outcome {
            Outcome::Answered => &mut self.answered,
            Outcome::Local => &mut self.local,
            Outcome::Refused => &mut self.refused,
            Outcome::PassedThrough => &mut self.passed_through,
            Outcome::Failed => &mut self.failed,
            Outcome::Cancelled => &mut self.cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(before: u64, after: u64) -> Entry {
        let tokens = |total| Tokens { messages: total, total, ..Tokens::default() };
        Entry { window: 4096, before: tokens(before), after: tokens(after), ..Entry::default() }
    }

    #[test]
    fn what_was_answered_here_saves_nothing() {
        let local = Entry { outcome: Outcome::Local, ..answered(16_000, 0) };
        let summary = Summary::of([&local]);
        assert_eq!((summary.local, summary.before.total), (1, 0));
    }

    #[test]
    fn the_servers_count_is_compared_over_the_same_prompts_only() {
        let silent = answered(9000, 2000);
        let told = Entry { prompt: Some(1010), cached: Some(900), ..answered(9000, 1000) };
        let summary = Summary::of([&silent, &told]);
        assert_eq!(summary.reported, Pair { part: 1010, whole: 1000, exchanges: 1 });
        assert_eq!(summary.cached, Pair { part: 900, whole: 1010, exchanges: 1 });
        assert_eq!(summary.over_window, 2);
    }

    #[test]
    fn what_was_only_looked_at_is_summed_apart() {
        let shadow = Entry { outcome: Outcome::PassedThrough, after_o200k: 900, ..answered(9000, 1000) };
        let summary = Summary::of([&shadow]);
        assert_eq!(summary.shadow, Pair { part: 900, whole: 9000, exchanges: 1 });
        assert_eq!((summary.sent, summary.before.total), (Pair::default(), 0));
    }

    #[test]
    fn nothing_known_is_not_zero_percent() {
        assert_eq!(Summary::of([&answered(1, 1)]).cached.percent(), None);
    }
}
