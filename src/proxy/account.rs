//! How each exchange went: the ledger, the counters, and a line in the log.

use std::time::Instant;

use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::alarm::is_cut;
use super::state::Proxy;
use crate::ledger::{Entry, Outcome};
use crate::report::Report;
use crate::wire::{Fault, WireError};

/// The times of one exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    at: Timestamp,
    began: Instant,
    /// When the first content of the answer came.
    pub(crate) first: Option<Instant>,
    /// Under which number its bodies are recorded.
    pub(crate) record: Option<u64>,
}

impl Times {
    /// The request has come.
    pub(crate) fn begin() -> Self {
        Self { at: Timestamp::now(), began: Instant::now(), first: None, record: None }
    }

    fn total_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn first_ms(&self) -> Option<u64> {
        Some(self.first?.duration_since(self.began).as_millis() as u64)
    }
}

/// Takes the account of an exchange that is over.
pub(crate) fn settle(proxy: &Proxy, report: Report, outcome: Outcome, times: Times) {
    let entry = Entry {
        at_ms: times.at.as_millisecond(),
        first_ms: times.first_ms(),
        total_ms: times.total_ms(),
        outcome,
        record: times.record,
        ..Entry::of(&report)
    };
    proxy.metrics.count(&entry);
    log(&entry, &report);
    look_for_a_cut(proxy, &report);
    proxy.ledger.record(entry, report);
    proxy.dashboard.settled();
}

impl Proxy {
    /// Counts an error on its way to the client, and says in the log what is behind it. Never its message: a server may
    /// put into that what the model wrote.
    pub(crate) fn tell(&self, error: WireError) -> WireError {
        self.metrics.fault(error.fault);
        let (fault, kind) = (error.fault.as_str(), error.kind.as_str());
        if error.fault == Fault::Request {
            debug!(fault, kind, "a request was refused");
        } else {
            warn!(fault, kind, cause = error.cause, "the client is told of a failure");
        }
        error
    }
}

fn log(entry: &Entry, report: &Report) {
    info!(
        kind = entry.kind,
        outcome = ?entry.outcome,
        tokens_in = entry.before.total,
        tokens_out = entry.after.total,
        window = entry.window,
        profile = report.profile,
        prompt = entry.prompt,
        cached = entry.cached,
        predicted_cached = entry.predicted_cached,
        output = entry.output,
        cuts = entry.cuts,
        first_ms = entry.first_ms,
        total_ms = entry.total_ms,
        "exchange"
    );
}

/// Whether the server has cut the prompt of this exchange in silence.
pub(crate) fn was_cut(report: &Report) -> bool {
    let reported = report.details.upstream.prompt.unwrap_or_default() as usize;
    is_cut(report.window, report.after.total, reported)
}

fn look_for_a_cut(proxy: &Proxy, report: &Report) {
    if was_cut(report) {
        proxy.metrics.cuts_by_server.add(1);
        warn!(
            reported = report.details.upstream.prompt,
            sent = report.after.total,
            window = report.window,
            "the server has cut the prompt in silence: its window is smaller than ours; see `fanlight doctor`"
        );
    }
}

/// Says once, for each rule, that it should have matched and did not.
pub(crate) fn tell_dead_rules(proxy: &Proxy, report: &Report) {
    for id in &report.dead {
        if proxy.is_news(id) {
            warn!(rule = id, version = report.details.version, "a rule that should match this client matches nothing");
        }
    }
}
