//! The same call with the same result, again and again.

use super::Call;
use crate::wire::ToolUse;

/// How often in a row, up to the call at `at`, the same call had the same result.
pub fn times_so_far(calls: &[Call<'_>], at: usize) -> usize {
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
pub fn times_made(calls: &[Call<'_>], call: &ToolUse) -> usize {
    let made = |earlier: &Call<'_>| earlier.call.name == call.name && earlier.call.input == call.input;
    let last = calls.iter().rposition(|earlier| made(earlier) || earlier.ok());
    last.filter(|at| made(&calls[*at])).map_or(0, |at| times_so_far(calls, at))
}

fn same(a: &Call<'_>, b: &Call<'_>) -> bool {
    a.call.name == b.call.name
        && a.call.input == b.call.input
        && a.result.is_some()
        && a.failed() == b.failed()
        && a.result_text() == b.result_text()
}
