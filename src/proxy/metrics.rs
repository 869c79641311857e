//! Counters of a running proxy, in Prometheus' text format. Never prompt content.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ledger::{Entry, Outcome};
use crate::wire::Fault;

/// One counter.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// A sum that has reached the end of its numbers stays there.
    pub(crate) fn add(&self, n: u64) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sum| Some(sum.saturating_add(n)));
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All counters.
#[derive(Debug, Default)]
pub struct Metrics {
    pub requests: Count,
    pub answered_here: Count,
    pub passed_through: Count,
    pub refused: Count,
    pub failed: Count,
    pub cancelled: Count,
    pub cuts_by_server: Count,
    pub tokens_in: Count,
    pub tokens_out: Count,
    pub upstream_prompt: Count,
    pub upstream_cached: Count,
    pub upstream_output: Count,
    pub repairs: Count,
    pub dead_rules: Count,
    /// Requests that the door did not let in.
    pub turned_away: Count,
    /// Bodies that could not be recorded.
    pub unrecorded: Arc<Count>,
    faults: [Count; Fault::ALL.len()],
}

impl Metrics {
    /// Counts an exchange that is over.
    pub(crate) fn count(&self, entry: &Entry) {
        match entry.outcome {
            Outcome::Local => self.answered_here.add(1),
            Outcome::Refused => self.refused.add(1),
            Outcome::PassedThrough => self.passed_through.add(1),
            Outcome::Failed => self.failed.add(1),
            Outcome::Cancelled => self.cancelled.add(1),
            Outcome::Answered => {}
        }
        self.tokens_in.add(entry.before.total);
        self.tokens_out.add(entry.after.total);
        self.dead_rules.add(entry.dead.len() as u64);
        self.repairs.add(entry.repairs.values().sum());
        self.upstream_prompt.add(entry.prompt.unwrap_or_default());
        self.upstream_cached.add(entry.cached.unwrap_or_default());
        self.upstream_output.add(entry.output.unwrap_or_default());
    }

    /// Every counter: its name, what it means, its value.
    pub fn all(&self) -> [(&'static str, &'static str, u64); 16] {
        [
            ("requests_total", "Messages requests that were understood.", self.requests.get()),
            ("answered_here_total", "Of these, answered without the model.", self.answered_here.get()),
            ("passed_through_total", "Requests passed on byte for byte.", self.passed_through.get()),
            ("refused_total", "Requests that could not be made to fit, or were no requests.", self.refused.get()),
            ("failed_total", "Turns that ended with an error.", self.failed.get()),
            ("cancelled_total", "Turns that the client gave up.", self.cancelled.get()),
            ("server_cuts_total", "Answers that show that the server cut the prompt.", self.cuts_by_server.get()),
            ("client_tokens_total", "Tokens that clients sent, o200k.", self.tokens_in.get()),
            ("sent_tokens_total", "Tokens that were sent on, in the model's count.", self.tokens_out.get()),
            ("upstream_prompt_tokens_total", "Prompt tokens as the server reports them.", self.upstream_prompt.get()),
            ("upstream_cached_tokens_total", "The part of them from its cache.", self.upstream_cached.get()),
            ("upstream_output_tokens_total", "Output tokens as the server reports them.", self.upstream_output.get()),
            ("repairs_total", "What was mended in answers.", self.repairs.get()),
            (
                "dead_rules_total",
                "Rules that should have matched and did not, summed over requests.",
                self.dead_rules.get(),
            ),
            (
                "turned_away_total",
                "Requests with a foreign host or origin, or without the token.",
                self.turned_away.get(),
            ),
            ("unrecorded_total", "Bodies that could not be recorded.", self.unrecorded.get()),
        ]
    }

    /// Counts what went wrong.
    pub(crate) fn fault(&self, fault: Fault) {
        self.faults[fault as usize].add(1);
    }

    /// How often something went wrong so.
    pub fn faults(&self, fault: Fault) -> u64 {
        self.faults[fault as usize].get()
    }

    /// The text that a scraper reads.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for (name, help, value) in self.all() {
            let _ =
                write!(out, "# HELP fanlight_{name} {help}\n# TYPE fanlight_{name} counter\nfanlight_{name} {value}\n");
        }
        out.push_str("# HELP fanlight_faults_total What went wrong, by kind.\n# TYPE fanlight_faults_total counter\n");
        for fault in Fault::ALL {
            let _ = writeln!(out, "fanlight_faults_total{{kind=\"{}\"}} {}", fault.as_str(), self.faults(fault));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_rendered_with_its_meaning() {
        let metrics = Metrics::default();
        metrics.requests.add(3);
        let text = metrics.render();
        assert!(text.contains("# TYPE fanlight_requests_total counter\nfanlight_requests_total 3\n"), "{text}");
    }

    #[test]
    fn a_sum_does_not_begin_anew() {
        let count = Count::default();
        count.add(u64::MAX);
        count.add(2);
        assert_eq!(count.get(), u64::MAX);
    }

    #[test]
    fn each_fault_has_its_own_count() {
        let metrics = Metrics::default();
        Fault::ALL.into_iter().zip(1..).for_each(|(fault, n)| (0..n).for_each(|_| metrics.fault(fault)));
        let counts: Vec<u64> = Fault::ALL.into_iter().map(|fault| metrics.faults(fault)).collect();
        assert_eq!(counts, (1..=Fault::ALL.len() as u64).collect::<Vec<_>>());
        assert!(metrics.render().contains("fanlight_faults_total{kind=\"refused\"} 1\n"));
    }
}
