//! The first line behind a call-like text: what it says of it.

use super::format::Scope;
use super::think::begins_glued;

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

/// How a line begins that is the call of a family, and not talk about one.
const CALLS: [&str; 5] = ["call:", "commentary to=", "to=functions.", "functions.", "assistantcommentary"];

/// Whether a line begins as a call.
pub(super) fn is_call(line: &str, scope: &Scope) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let (name, rest) = line.split_at(line.find(|c| !inside(c)).unwrap_or(line.len()));
    let arguments = rest.trim_start().starts_with(['(', '[', '{']) || rest.contains('=');
    CALLS.iter().any(|mark| line.starts_with(mark)) || begins_glued(line) || arguments && scope.knows(name)
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
    first_line(words, end).map(|line| !is_call(line, scope) && !scope.words().announce(line))
}
