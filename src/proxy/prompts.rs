//! The last prompts that were sent: what a server's cache should give back of the next one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::pipeline::Plan;
use crate::pipeline::prefix::{Piece, likeness, pieces, shared};

/// A server with one slot holds one prompt, and may restore some older ones; a session has a few in turn.
const KEPT: usize = 6;

/// The last prompts, newest first.
#[derive(Debug, Default)]
pub(crate) struct Prompts {
    last: Mutex<VecDeque<Vec<Piece>>>,
}

impl Prompts {
    /// Tokens of this prompt that one of the last ones begins with too. Then it is the newest itself.
    pub(crate) fn predict(&self, plan: &Plan) -> usize {
        let prompt = pieces(plan);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let best = last.iter().max_by_key(|before| likeness(before, &prompt));
        let best = best.map(|before| shared(before, &prompt, plan.counter()));
        last.truncate(KEPT - 1);
        last.push_front(prompt);
        best.unwrap_or(0)
    }
}
