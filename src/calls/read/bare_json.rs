//! Calls as bare JSON: `{"name": …, "arguments": {…}}`, several of them, or a list; also with `parameters`, and in the
//! envelope of OpenAI. At the start of a line, with nothing else on their last line.

use super::envelope;
use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::CLOSERS;
use crate::calls::json::{self, Fix, Reading};

/// JSON without any mark.
pub(super) struct BareJson;

impl Format for BareJson {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Line("{"), Opening::Line("[")]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        if !envelope::may_be_call(seen.text, seen.scope, seen.place.leads()) {
            return Look::Not;
        }
        match json::read(seen.text, seen.end) {
            Reading::More => Look::Until(CLOSERS),
            Reading::Bad => unreadable(seen),
            Reading::Whole { value, used, fixes } => match envelope::calls(&value) {
                None => Look::Text(used),
                Some(calls) => match alone(&seen.skip(used)) {
                    Alone::Unknown => Look::More,
                    Alone::No => Look::Text(used),
                    Alone::Yes(tail) => {
                        let repairs = fixes.into_iter().map(Fix::kind).collect();
                        Look::Calls(Found { used: used + tail, calls, repairs, ..Found::unmarked() })
                    }
                },
            },
        }
    }
}

/// An answer that begins as the call of a known tool and is no JSON further on: quotes that were not escaped, mostly.
/// Where such a call ends is not known, so that all of it is one.
fn unreadable(seen: &Seen<'_>) -> Look {
    let damaged = seen.place.leads().then(|| damaged_call(seen.text)).flatten();
    match damaged.filter(|name| seen.scope.knows(name)) {
        Some(name) if seen.end => Look::Broken { used: seen.text.len(), name: name.to_owned() },
        Some(_) => Look::Until(b""),
        None => Look::Not,
    }
}

/// The name in `{"name": "NAME", "arguments": {"KEY":`.
fn damaged_call(text: &str) -> Option<&str> {
    let quoted = |text| {
        let text: &str = str::trim_start(text);
        text.strip_prefix('"')?.split_once('"')
    };
    let (key, rest) = quoted(text.trim_start().strip_prefix('{')?)?;
    let (name, rest) = quoted(rest.trim_start().strip_prefix(':')?).filter(|_| key == "name")?;
    let (key, rest) = quoted(rest.trim_start().strip_prefix(',')?)?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('{')?;
    let (_, rest) = quoted(rest).filter(|_| matches!(key, "arguments" | "parameters"))?;
    rest.trim_start().starts_with(':').then_some(name)
}

/// Whether anything else stands on the line behind a value.
pub(super) enum Alone {
    /// Nothing but so many bytes of separators, and closers too many.
    Yes(usize),
    No,
    Unknown,
}

pub(super) fn alone(rest: &Seen<'_>) -> Alone {
    let tail = rest.text.trim_start_matches([' ', '\t', '}', ']', ';', ',']);
    let used = rest.text.len() - tail.len();
    match tail.chars().next() {
        None if rest.end => Alone::Yes(used),
        None => Alone::Unknown,
        Some('\n' | '\r' | '{' | '[' | '<') => Alone::Yes(used),
        Some('`') if rest.place.in_fence() => Alone::Yes(used),
        Some(_) => Alone::No,
    }
}
