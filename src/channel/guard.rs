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
