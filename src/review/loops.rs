//! Guards against a model that goes in circles, or says nothing.

use crate::wire::ToolUse;

/// A piece must come so often in a row to be a loop.
const TIMES: usize = 12;

/// Whether the last `least` bytes are one short piece over and over: a model that is left alone then goes on until its
/// window is full.
pub(crate) fn loops(text: &str, least: usize) -> bool {
    let Some(from) = text.len().checked_sub(least).filter(|_| least > 0) else { return false };
    let end = &text.as_bytes()[from..];
    (1..=least / TIMES).any(|piece| end[piece..] == end[..end.len() - piece])
}

/// What a model is told whose reply was stopped in a loop.
pub(crate) const LOOP: &str = "Not done: the reply repeated itself without an end. Write it anew, in short.";

/// What the user is told when a turn is ended for it.
pub(crate) fn ended(call: &ToolUse, times: usize) -> String {
    format!(
        "Stopped: the model made the same call of {} {times} times with the same result, and wanted it again.",
        call.name
    )
}

/// What a model is told that answered nothing.
pub(crate) const EMPTY: &str = "Your reply was empty. Do the next step, or answer.";

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
