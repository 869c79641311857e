//! Walking over a text that may end anywhere.

use serde_json::Value;

use super::format::{Found, Look, Raw, Seen};
use crate::calls::json::{self, Fix, Reading};

/// Bytes that can end a value.
pub(super) const CLOSERS: &[u8] = b"}])>`\n";

/// Why a walk ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The text ended before something was known.
    Short,
    /// The text ended inside of a value, which only certain bytes can end.
    Inside,
    /// This is something else.
    Not,
}

pub(super) type Step<T> = Result<T, Stop>;

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) seen: Seen<'a>,
    pub(super) at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(seen: Seen<'a>) -> Self {
        Self { seen, at: 0 }
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a str {
        &self.seen.text[self.at..]
    }

    /// What is left, as something to look at.
    pub(super) fn ahead(&self) -> Seen<'a> {
        Seen { text: self.rest(), ..self.seen }
    }

    /// Whether nothing is left, and nothing will come.
    pub(super) fn over(&self) -> bool {
        self.rest().is_empty() && self.seen.end
    }

    /// Skips white space.
    pub(super) fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// The next character; `None` at the end.
    pub(super) fn next(&self) -> Step<Option<char>> {
        match self.rest().chars().next() {
            None if !self.seen.end => Err(Stop::Short),
            next => Ok(next),
        }
    }

    /// Takes `mark` if it is next.
    pub(super) fn eat(&mut self, mark: &str) -> Step<bool> {
        let begins = self.ahead().begins(mark).ok_or(Stop::Short)?;
        self.at += if begins { mark.len() } else { 0 };
        Ok(begins)
    }

    /// Takes one of the marks.
    pub(super) fn eat_any<'m>(&mut self, marks: &[&'m str]) -> Step<Option<&'m str>> {
        let found = self.ahead().begins_any(marks).map_err(|_| Stop::Short)?;
        self.at += found.map_or(0, str::len);
        Ok(found)
    }

    /// Takes `mark`, which must be next.
    pub(super) fn need(&mut self, mark: &str) -> Step<()> {
        if self.eat(mark)? { Ok(()) } else { Err(Stop::Not) }
    }

    /// Takes white space and then `mark`, or nothing.
    pub(super) fn eat_spaced(&mut self, mark: &str) -> Step<bool> {
        let before = self.at;
        self.space();
        let found = self.eat(mark)?;
        if !found {
            self.at = before;
        }
        Ok(found)
    }

    /// Takes the characters for which `inside` holds.
    pub(super) fn word(&mut self, inside: impl Fn(char) -> bool) -> Step<&'a str> {
        let rest = self.rest();
        let open = self.seen.end.then_some(rest.len());
        let length = rest.find(|c| !inside(c)).or(open).ok_or(Stop::Short)?;
        self.at += length;
        Ok(&rest[..length])
    }

    /// Takes a name of a tool as it stands: no space, no bracket.
    pub(super) fn name(&mut self) -> Step<&'a str> {
        let name = self.word(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/'))?;
        if name.is_empty() || name.len() > 200 { Err(Stop::Not) } else { Ok(name) }
    }

    /// Whether what is left begins with a list or the name of a tool, or may yet do so.
    pub(super) fn may_open_a_call(&self) -> bool {
        let rest = self.rest();
        rest.starts_with('[') || self.seen.scope.begins_name(rest)
    }

    /// Takes all up to `mark`, and `mark`.
    pub(super) fn upto(&mut self, mark: &str) -> Step<&'a str> {
        let rest = self.rest();
        let Some(length) = rest.find(mark) else {
            return Err(if self.seen.end { Stop::Not } else { Stop::Inside });
        };
        self.at += length + mark.len();
        Ok(&rest[..length])
    }

    /// Takes one JSON object or list.
    pub(super) fn json(&mut self, repairs: &mut Vec<&'static str>) -> Step<Value> {
        match self.next()? {
            Some('{' | '[') => self.taken(json::read(self.rest(), self.seen.end), repairs),
            _ => Err(Stop::Not),
        }
    }

    /// Takes one value as Python or JavaScript would write it.
    pub(super) fn literal(&mut self, repairs: &mut Vec<&'static str>) -> Step<Value> {
        self.taken(json::read_literal(self.rest(), self.seen.end), repairs)
    }

    fn taken(&mut self, reading: Reading, repairs: &mut Vec<&'static str>) -> Step<Value> {
        match reading {
            Reading::More => Err(Stop::Inside),
            Reading::Bad => Err(Stop::Not),
            Reading::Whole { value, used, fixes } => {
                self.at += used;
                repairs.extend(fixes.into_iter().map(Fix::kind));
                Ok(value)
            }
        }
    }

    /// Takes an object of arguments.
    pub(super) fn arguments(&mut self, repairs: &mut Vec<&'static str>) -> Step<Value> {
        let value = self.json(repairs)?;
        super::envelope::object(&value).ok_or(Stop::Not)
    }
}

impl From<Stop> for Look {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Short => Self::More,
            Stop::Inside => Self::Until(CLOSERS),
            Stop::Not => Self::Not,
        }
    }
}

/// What a walk came to; a marked call of a known tool that could not be walked through is broken, up to `close`.
pub(super) fn look(seen: &Seen<'_>, walked: Step<Found>, name: Option<&str>, close: &str) -> Look {
    match walked {
        Ok(found) if found.calls.is_empty() => Look::Not,
        Ok(found) => Look::Calls(found),
        Err(Stop::Not) => name.map_or(Look::Not, |name| broken(seen, name, close)),
        Err(stop) if seen.end => name.map_or(stop.into(), |name| broken(seen, name, close)),
        Err(stop) => stop.into(),
    }
}

fn broken(seen: &Seen<'_>, name: &str, close: &str) -> Look {
    if !seen.scope.knows(name) {
        return Look::Not;
    }
    match seen.text.find(close) {
        Some(end) => Look::Broken { used: end + close.len(), name: name.to_owned() },
        None if seen.end => Look::Broken { used: seen.text.len(), name: name.to_owned() },
        None => Look::Until(CLOSERS),
    }
}

impl Found {
    /// Calls behind a mark, yet to be gathered.
    pub(super) fn marked() -> Self {
        Self { used: 0, calls: Vec::new(), marked: true, open: false, repairs: Vec::new() }
    }

    /// Calls without a mark, yet to be gathered.
    pub(super) fn unmarked() -> Self {
        Self { marked: false, ..Self::marked() }
    }

    /// One more call.
    pub(super) fn add(&mut self, name: &str, input: Value) {
        self.calls.push(Raw { name: name.to_owned(), input });
    }
}
