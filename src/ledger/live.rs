//! The ledger of a running proxy: what it did so far in memory, and a thread that writes it down.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Entry, Summary, file};
use crate::report::Report;

/// How many exchanges the live report names one by one.
const RECENT: usize = 60;
/// How many exchanges are kept in memory.
const KEPT: usize = 1000;
/// Of how many the whole report is kept.
const REPORTS: usize = 100;
/// How many entries may wait for the disk before one is left out.
const WAITING: usize = 1024;

/// Takes entries without waiting, and answers for the live report. Clones share one ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    started_ms: i64,
    folder: Option<PathBuf>,
    state: Mutex<State>,
    /// Entries that did not reach the disk.
    unwritten: Arc<AtomicU64>,
    writer: Option<Writer>,
}

#[derive(Debug, Default)]
struct State {
    recent: VecDeque<Entry>,
    summary: Summary,
    /// The reports of the newest of `recent`, in the same order.
    reports: VecDeque<Report>,
}

#[derive(Debug)]
struct Writer {
    queue: Option<SyncSender<Entry>>,
    thread: Option<JoinHandle<()>>,
}

impl Ledger {
    /// A ledger that is also written to `folder`; `None` keeps it in memory only.
    pub fn new(folder: Option<PathBuf>) -> Self {
        let unwritten = Arc::<AtomicU64>::default();
        let writer = folder.clone().map(|folder| Writer::start(folder, unwritten.clone()));
        let started_ms = Timestamp::now().as_millisecond();
        let shared = Shared { started_ms, folder, state: Mutex::default(), unwritten, writer };
        Self { shared: Arc::new(shared) }
    }

    /// Notes one exchange. Returns at once; an entry that the disk cannot keep up with is counted, not waited for.
    pub fn record(&self, entry: Entry, report: Report) {
        let taken = self.shared.writer.as_ref().is_none_or(|writer| writer.offer(entry.clone()));
        self.shared.unwritten.fetch_add(u64::from(!taken), Ordering::Relaxed);
        let mut state = self.shared.lock();
        state.summary.add(&entry);
        if state.recent.len() == KEPT {
            state.recent.pop_front();
        }
        if state.reports.len() == REPORTS {
            state.reports.pop_front();
        }
        state.recent.push_back(entry);
        state.reports.push_back(report);
    }

    /// What `/fanlight/report` answers: the sums since the start, the recent exchanges, and the last report in full.
    pub fn live(&self) -> Value {
        let state = self.shared.lock();
        let recent: Vec<&Entry> = state.recent.iter().rev().take(RECENT).rev().collect();
        json!({
            "started_ms": self.shared.started_ms,
            "summary": state.summary,
            "recent": recent,
            "last": state.reports.back(),
            "unwritten": self.unwritten(),
        })
    }

    /// How many entries did not reach the disk.
    pub fn unwritten(&self) -> u64 {
        self.shared.unwritten.load(Ordering::Relaxed)
    }

    /// The sums since the start.
    pub fn summary(&self) -> Summary {
        self.shared.lock().summary.clone()
    }

    /// Where it is written to; `None`: in memory only.
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.shared.folder.as_deref()
    }

    /// The exchange that came at `at_ms` and took `total_ms`, and its report, as far as they are still in memory.
    pub fn find(&self, at_ms: i64, total_ms: u64) -> Option<(Entry, Option<Report>)> {
        let state = self.shared.lock();
        let back = state.recent.iter().rev().position(|entry| entry.at_ms == at_ms && entry.total_ms == total_ms)?;
        let entry = state.recent[state.recent.len() - 1 - back].clone();
        let report = state.reports.len().checked_sub(1 + back).map(|at| state.reports[at].clone());
        Some((entry, report))
    }

    /// The exchanges that are still in memory, oldest first.
    pub fn recent(&self) -> Vec<Entry> {
        self.shared.lock().recent.iter().cloned().collect()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn start(folder: PathBuf, unwritten: Arc<AtomicU64>) -> Self {
        let (queue, entries) = sync_channel(WAITING);
        let thread = std::thread::spawn(move || write_all(&folder, &entries, &unwritten));
        Self { queue: Some(queue), thread: Some(thread) }
    }

    fn offer(&self, entry: Entry) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.try_send(entry).is_ok())
    }
}

/// The last clone waits until everything is on the disk.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(folder: &std::path::Path, entries: &Receiver<Entry>, unwritten: &AtomicU64) {
    let mut well = true;
    for entry in entries {
        let written = file::append(folder, &entry);
        unwritten.fetch_add(u64::from(written.is_err()), Ordering::Relaxed);
        let was_well = std::mem::replace(&mut well, written.is_ok());
        match written {
            Err(error) if was_well => {
                tracing::warn!(folder = %folder.display(), %error, "the ledger cannot be written");
            }
            Ok(()) if !was_well => {
                tracing::info!(folder = %folder.display(), "the ledger can be written again");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::read_since;

    fn entry(total_ms: u64) -> Entry {
        Entry { at_ms: 1_793_577_600_000, total_ms, ..Entry::default() }
    }

    #[test]
    fn everything_is_on_the_disk_when_the_last_clone_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(Some(home.path().to_owned()));
        let other = ledger.clone();
        for k in 0..200 {
            ledger.record(entry(k), Report::default());
        }
        drop((ledger, other));
        assert_eq!(read_since(home.path(), Timestamp::UNIX_EPOCH).unwrap().entries.len(), 200);
    }

    #[test]
    fn the_live_report_names_the_newest_and_sums_all() {
        let ledger = Ledger::new(None);
        for k in 0..100 {
            ledger.record(entry(k), Report::default());
        }
        let live = ledger.live();
        assert_eq!(live["recent"].as_array().unwrap().len(), RECENT);
        assert_eq!(live["recent"][RECENT - 1]["total_ms"], 99);
        assert_eq!(live["summary"]["exchanges"], 100);
    }

    #[test]
    fn an_exchange_is_found_with_its_report_while_that_is_kept() {
        let ledger = Ledger::new(None);
        for k in 0..150 {
            ledger.record(entry(k), Report { cuts: k as usize, ..Report::default() });
        }
        let cuts = |k| ledger.find(1_793_577_600_000, k).map(|(_, report)| report.map(|report| report.cuts));
        assert_eq!((cuts(149), cuts(50), cuts(49), cuts(150)), (Some(Some(149)), Some(Some(50)), Some(None), None));
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_nobody_a_turn() {
        let ledger = Ledger::new(Some(PathBuf::from("/proc/nowhere")));
        ledger.record(entry(1), Report::default());
        assert_eq!(ledger.recent().len(), 1);
        let began = std::time::Instant::now();
        while ledger.unwritten() == 0 && began.elapsed().as_secs() < 5 {
            std::thread::yield_now();
        }
        assert_eq!(ledger.live()["unwritten"], 1);
    }
}
