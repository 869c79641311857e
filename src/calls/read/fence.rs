//! Calls in a fenced block: the block holds nothing else. At the beginning of the answer, or behind words that announce
//! an action; never when the user asked to be shown a call.

use super::format::{Asked, Format, Found, Look, Opening, Seen};
use super::place::Place;
use super::{look_at_all, talk};

/// A fenced block.
pub(super) struct Fence;

const FENCE: &str = "```";

/// What a fence may call its content.
const LANGUAGES: [&str; 12] = [
    "",
    "json",
    "jsonc",
    "json5",
    "tool_call",
    "tool_calls",
    "tool_code",
    "tool",
    "xml",
    "python",
    "text",
    "plaintext",
];

impl Format for Fence {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Line(FENCE)]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let announced = || seen.scope.words().announce(seen.place.said_before());
        if seen.scope.asked != Asked::Nothing || !seen.place.leads() && !announced() {
            return Look::Not;
        }
        let Some(head) = seen.text.strip_prefix(FENCE) else { return Look::More };
        let language = head.split('\n').next().unwrap_or_default().trim();
        if !LANGUAGES.iter().any(|known| known.starts_with(language)) {
            return Look::Not;
        }
        match head.find('\n') {
            Some(end) if LANGUAGES.contains(&language) => block(seen, FENCE.len() + end + 1),
            Some(_) => Look::Not,
            None => Look::More,
        }
    }
}

/// Reads a block whose content begins at `start`.
fn block(seen: &Seen<'_>, start: usize) -> Look {
    let inside = Place::in_block();
    let mut found = Found::unmarked();
    let mut at = start;
    loop {
        at += seen.skip(at).space();
        let rest = seen.skip(at);
        if rest.text.starts_with(FENCE) || rest.text.is_empty() && rest.end && !found.calls.is_empty() {
            break;
        }
        if FENCE.starts_with(rest.text) {
            return Look::More;
        }
        match look_at_all(&Seen { place: &inside, ..rest }) {
            Look::Calls(inner) if seen.scope.quotes.contain(&rest.text[..inner.used]) => return Look::Not,
            Look::Calls(inner) => {
                at += inner.used;
                found.calls.extend(inner.calls);
                found.repairs.extend(inner.repairs);
                found.open = inner.open;
            }
            wait @ (Look::More | Look::Until(_)) => return wait,
            _ => return Look::Not,
        }
    }
    found.used = (at + FENCE.len()).min(seen.text.len());
    if found.calls.is_empty() {
        return Look::Not;
    }
    match talk::goes_on(&seen.text[found.used..], seen.end, seen.scope) {
        None => Look::More,
        Some(true) if seen.place.leads() => Look::Text(found.used),
        Some(_) => Look::Calls(found),
    }
}
