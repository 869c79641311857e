//! The first line behind a call-like text: what it says of it.

use super::format::Scope;

/// How much of a line is looked at, in bytes.
const ENOUGH: usize = 200;

/// The first line of a text, as far as it is looked at; `None` when it may still go on.
pub(super) fn first_line(text: &str, end: bool) -> Option<&str> {
    let line = text.split('\n').next().unwrap_or_default();
    if !end && line.len() == text.len() && line.len() <= ENOUGH {
        return None;
    }
    let mut cut = line.len().min(ENOUGH);
    while !line.is_char_boundary(cut) {
        cut -= 1;
    }
    Some(&line[..cut])
}

/// Whether a text goes on with words that announce nothing; `None` when that is not known yet.
pub(super) fn goes_on(text: &str, end: bool, scope: &Scope) -> Option<bool> {
    let words = text.trim_start();
    if words.is_empty() {
        return end.then_some(false);
    }
    if words.starts_with(['`', '<', '{', '[']) {
        return Some(false);
    }
    first_line(words, end).map(|line| !scope.words().announce(line))
}
