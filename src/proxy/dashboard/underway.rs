//! What is under way: requests whose answer has not ended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::report::Report;

/// All requests in work, by the order of their coming.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    next: AtomicU64,
    works: Mutex<BTreeMap<u64, Work>>,
    /// Changes when a request comes or goes.
    changed: watch::Sender<u64>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { next: AtomicU64::new(0), works: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

#[derive(Debug)]
struct Work {
    kind: String,
    before: usize,
    after: usize,
    cuts: usize,
    began: Instant,
    said: Arc<AtomicU64>,
}

/// A request in work; it leaves the list when this is dropped.
#[derive(Debug)]
pub(in crate::proxy) struct Underway {
    list: List,
    number: u64,
    said: Arc<AtomicU64>,
}

impl super::Dashboard {
    /// Lists a request that goes to the model.
    pub(in crate::proxy) fn begin(&self, report: &Report) -> Underway {
        let said = Arc::new(AtomicU64::new(0));
        let work = Work {
            kind: report.details.kind.clone(),
            before: report.before.total,
            after: report.details.after_o200k,
            cuts: report.cuts,
            began: Instant::now(),
            said: said.clone(),
        };
        let list = self.underway.clone();
        let number = list.shared.next.fetch_add(1, Ordering::Relaxed);
        list.change(|works| drop(works.insert(number, work)));
        Underway { list, number, said }
    }
}

impl Underway {
    /// The answer has grown by some characters.
    pub(in crate::proxy) fn said(&self, characters: usize) {
        self.said.fetch_add(characters as u64, Ordering::Relaxed);
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.list.change(|works| drop(works.remove(&self.number)));
    }
}

impl List {
    fn change(&self, change: impl FnOnce(&mut BTreeMap<u64, Work>)) {
        change(&mut self.shared.works.lock().unwrap_or_else(PoisonError::into_inner));
        self.shared.changed.send_modify(|count| *count += 1);
    }

    /// Told of every request that comes or goes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// The list as the page reads it; `said` is null while the model reads.
    pub(super) fn shown(&self) -> Value {
        let works = self.shared.works.lock().unwrap_or_else(PoisonError::into_inner);
        works.values().map(Work::shown).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shared.works.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Work {
    fn shown(&self) -> Value {
        let said = self.said.load(Ordering::Relaxed);
        json!({
            "kind": self.kind,
            "before": self.before,
            "after": self.after,
            "cuts": self.cuts,
            "ms": self.began.elapsed().as_millis() as u64,
            "said": (said > 0).then_some(said),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dashboard;
    use super::*;

    #[test]
    fn a_request_is_listed_until_its_end() {
        let dashboard = Dashboard::default();
        let work = dashboard.begin(&Report::default());
        assert!(dashboard.underway.shown()[0]["said"].is_null());
        work.said(3);
        assert_eq!(dashboard.underway.shown()[0]["said"], 3);
        drop(work);
        assert!(dashboard.underway.is_empty());
    }
}
