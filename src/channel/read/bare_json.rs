//! Calls as bare JSON: `{"name": …, "arguments": {…}}`, several of them, or a list; also with `parameters`, and in the
//! envelope of OpenAI. At the start of a line, with nothing else on their last line.

use super::envelope;
use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::CLOSERS;
use crate::channel::json::{self, Fix, Reading};

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
            Reading::Bad => Look::Not,
            Reading::Whole { value, used, fixes } => match envelope::calls(&value) {
                None => Look::Text(used),
                Some(calls) => match alone(&seen.skip(used)) {
                    Alone::Unknown => Look::More,
                    Alone::No => Look::Text(used),
                    Alone::Yes(tail) => {
                        let repairs = fixes.into_iter().map(Fix::kind).collect();
                        Look::Calls(Found { used: used + tail, calls, marked: false, repairs })
                    }
                },
            },
        }
    }
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
