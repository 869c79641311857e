//! The same call with the same result, again and again.

use super::{Act, Call};

/// A run of one call with one result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// The index, among the calls, of the last of the run.
    pub last: usize,
    /// How often it was made, at least 2; no other call succeeded in between.
    pub times: usize,
}

/// Every run of equal calls with equal results. A successful other call that changes something ends a run.
pub fn repeats(calls: &[Call<'_>]) -> Vec<Repeat> {
    let mut runs: Vec<Repeat> = Vec::new();
    for at in 0..calls.len() {
        let Some(before) = previous(calls, at) else { continue };
        match runs.iter_mut().find(|run| run.last == before) {
            Some(run) => *run = Repeat { last: at, times: run.times + 1 },
            None => runs.push(Repeat { last: at, times: 2 }),
        }
    }
    runs
}

/// The nearest earlier call that is the same with the same result, with no other success between.
fn previous(calls: &[Call<'_>], at: usize) -> Option<usize> {
    for earlier in (0..at).rev() {
        if same(&calls[earlier], &calls[at]) {
            return Some(earlier);
        }
        if calls[earlier].ok() && !matches!(calls[earlier].act, Act::Other) {
            return None;
        }
    }
    None
}

fn same(a: &Call<'_>, b: &Call<'_>) -> bool {
    a.call.name == b.call.name
        && a.call.input == b.call.input
        && match (a.result, b.result) {
            (Some(a), Some(b)) => a.2.is_error == b.2.is_error && a.2.content == b.2.content,
            _ => false,
        }
}
