//! Guards against a model that goes in circles, says nothing, or claims what it did not do.

use crate::history::{Call, History};
use crate::wire::ToolUse;

/// How often in a row, up to the call at `at`, the same call had the same result.
pub(super) fn times_so_far(history: &History<'_>, at: usize) -> usize {
    let mut times = 1;
    for earlier in history.calls[..at].iter().rev() {
        if same(earlier, &history.calls[at]) {
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
    last.filter(|at| made(&history.calls[*at])).map_or(0, |at| times_so_far(history, at))
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

/// What a model is told that answered without having looked.
pub(super) const UNSEEN: &str =
    "You have not called a tool yet. If the task needs a file or a command, call the tool now; else answer.";

/// Whether a prompt names a file, by a name with an ending or a folder in it.
pub(super) fn names_a_file(prompt: &str) -> bool {
    prompt.split(|c: char| c.is_whitespace() || "\"'`(),;:".contains(c)).any(is_file)
}

fn is_file(word: &str) -> bool {
    let word = word.trim_end_matches(['.', '?', '!']);
    if word.starts_with("//") {
        return false;
    }
    let ending = word.rsplit_once('.').filter(|(stem, ending)| {
        let letters = (1..=5).contains(&ending.len())
            && ending.bytes().all(|b| b.is_ascii_alphanumeric())
            && !ending.as_bytes()[0].is_ascii_digit();
        stem.len() > 1 && letters
    });
    ending.is_some() || word.starts_with("./") || (word.starts_with('/') && word.len() > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_names_a_file_or_not() {
        for prompt in ["Read notes.txt.", "fix `src/main.rs`", "run ./check", "what is in /etc/hosts?"] {
            assert!(names_a_file(prompt), "{prompt}");
        }
        for prompt in
            ["hello", "What does status 404 mean? e.g. in HTTP/1.1", "see https://x.org/a.html", "is 3.14 pi?"]
        {
            assert!(!names_a_file(prompt), "{prompt}");
        }
    }
}
