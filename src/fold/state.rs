//! Where the fold of a history stands: behind a cut, and between two of them.

use std::sync::Arc;

use super::again::{Again, ShownAgain};
use super::compose::Told;
use crate::history::Files;

/// All that a cut leaves behind.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// The files as they were before `first`, and how many calls they have taken.
    pub(super) files: Files,
    pub(super) taken: usize,
    /// Digest blocks that are not edited again.
    pub(super) blocks: Vec<String>,
    pub(super) block_tokens: usize,
    pub(super) first: usize,
    pub(super) digest: Told,
    /// Tokens of the messages that stay verbatim, at the cut.
    pub(super) tail: usize,
    pub(super) cuts: usize,
}

/// Where a walk stands between two cuts.
#[derive(Debug, Clone)]
pub(super) struct Walked {
    pub(super) state: Arc<State>,
    pub(super) used: usize,
    pub(super) again: Option<Again>,
    pub(super) shown_again: Vec<ShownAgain>,
}

impl Walked {
    /// Right behind a cut.
    pub(super) fn from_cut(state: Arc<State>) -> Self {
        Self { used: state.tail, state, again: None, shown_again: Vec::new() }
    }
}
