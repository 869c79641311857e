//! The heads of the histories in work: a client sends the same system text and tools with every request. It only makes it
//! fast: a miss makes the same head.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::trail::Terms;
use crate::report::Parts;
use crate::show::ShownHead;
use crate::trim::TrimmedHead;

/// Heads that are kept: a session has one, its subagents and side requests have others.
const KEPT: usize = 12;

/// What is made of system text and tools.
#[derive(Debug)]
pub(super) struct MadeHead {
    pub(super) trimmed: TrimmedHead,
    /// Tokens of the client's system text and tools.
    pub(super) before: Parts,
}

/// A head as it is shown, and its tokens.
#[derive(Debug)]
pub(super) struct MadeShown {
    pub(super) head: ShownHead,
    /// In the tokens of the model's family.
    pub(super) tokens: Parts,
    /// In o200k.
    pub(super) o200k: usize,
}

/// What was made on these terms.
#[derive(Debug)]
struct Kept {
    terms: Terms,
    made: Arc<MadeHead>,
    shown: Option<Arc<MadeShown>>,
}

/// The last heads, newest first.
#[derive(Debug, Default)]
pub(super) struct Heads {
    last: Mutex<VecDeque<Kept>>,
}

impl Heads {
    /// The head on these terms, made where it is not known.
    pub(super) fn made(&self, terms: &Terms, make: impl FnOnce() -> MadeHead) -> Arc<MadeHead> {
        if let Some(kept) = self.lock().iter().find(|kept| kept.terms == *terms) {
            return kept.made.clone();
        }
        let made = Arc::new(make());
        let mut last = self.lock();
        last.push_front(Kept { terms: terms.clone(), made: made.clone(), shown: None });
        last.truncate(KEPT);
        made
    }

    /// The same as it is shown.
    pub(super) fn shown(&self, terms: &Terms, make: impl FnOnce() -> MadeShown) -> Arc<MadeShown> {
        let known = |kept: &Kept| if kept.terms == *terms { kept.shown.clone() } else { None };
        if let Some(shown) = self.lock().iter().find_map(known) {
            return shown;
        }
        let shown = Arc::new(make());
        if let Some(kept) = self.lock().iter_mut().find(|kept| kept.terms == *terms) {
            kept.shown = Some(shown.clone());
        }
        shown
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Kept>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
