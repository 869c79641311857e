//! Guards against a model that goes in circles, or says nothing.

use crate::history::{Call, History};
use crate::wire::ToolUse;

/// How often in a row, up to the call at `at`, the same call had the same result.
pub(super) fn times_so_far(calls: &[Call<'_>], at: usize) -> usize {
    let mut times = 1;
    for earlier in calls[..at].iter().rev() {
        if same(earlier, &calls[at]) {
            times += 1;
        } else if earlier.ok() {
            break;
        }
    }
    times
}

/// How often in a row this call has already been made with one same result.
pub(super) fn times_made(history: &History<'_>, call: &ToolUse) -> usize {
    let made = |earlier: &Call<'_>| earlier.call.name == call.name && earlier.call.input == call.input;
    let last = history.calls.iter().rposition(|earlier| made(earlier) || earlier.ok());
    last.filter(|at| made(&history.calls[*at])).map_or(0, |at| times_so_far(&history.calls, at))
}

fn same(a: &Call<'_>, b: &Call<'_>) -> bool {
    a.call.name == b.call.name
        && a.call.input == b.call.input
        && a.result.is_some()
        && a.failed() == b.failed()
        && a.result_text() == b.result_text()
}

/// A piece must come so often in a row to be a loop.
const TIMES: usize = 12;

/// Whether the last `least` bytes are one short piece over and over: a model that is left alone then goes on until its
/// window is full.
pub(super) fn loops(text: &str, least: usize) -> bool {
    let Some(from) = text.len().checked_sub(least).filter(|_| least > 0) else { return false };
    let end = &text.as_bytes()[from..];
    (1..=least / TIMES).any(|piece| end[piece..] == end[..end.len() - piece])
}

/// What a model is told whose reply was stopped in a loop.
pub(super) const LOOP: &str = "Not done: the reply repeated itself without an end. Write it anew, in short.";

/// What stands behind the result of a call that was made so often.
pub(super) fn nudge(times: usize) -> String {
    format!("(This same call was made {times} times with this same result. Do something else, or answer.)")
}

/// What the user is told when a turn is ended for it.
pub(super) fn ended(call: &ToolUse, times: usize) -> String {
    format!(
        "Stopped: the model made the same call of {} {times} times with the same result, and wanted it again.",
        call.name
    )
}

/// What a model is told that answered nothing.
pub(super) const EMPTY: &str = "Your reply was empty. Do the next step, or answer.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_piece_over_and_over_is_a_loop() {
        assert!(loops(&format!("once{}", "0\\n".repeat(200)), 512));
        assert!(!loops(&"0\\n".repeat(100), 512));
        let counted: String = (0..400).map(|n| format!("line {n}\n")).collect::<Vec<_>>().concat();
        assert!(!loops(&counted, 512));
    }
}
