//! A progress bar on standard error, where somebody looks at it.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Columns of the bar.
const WIDTH: usize = 30;

/// Counts what is done; draws only on a terminal.
pub(super) struct Progress {
    all: usize,
    done: AtomicUsize,
    draws: bool,
}

impl Progress {
    pub(super) fn new(all: usize) -> Self {
        Self { all: all.max(1), done: AtomicUsize::new(0), draws: std::io::stderr().is_terminal() }
    }

    /// One more is done.
    pub(super) fn step(&self, name: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.draws {
            let full = done * WIDTH / self.all;
            let bar = format!("{}{}", "█".repeat(full), "░".repeat(WIDTH - full));
            let _ = write!(anstream::stderr(), "\r\x1b[K{bar} {done}/{} {name}", self.all);
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if self.draws {
            let _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }
}
