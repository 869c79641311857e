//! What a token of each step is worth: by its kind, by its age, and by what of it stands newer elsewhere.

use std::collections::BTreeMap;

use crate::history::{Act, Call, Files, Prompt};
use crate::rules::{ShiftProfile, Worth};

/// A worth: of a token, in thousandths.
pub(super) type Density = u64;

/// The newest prompt is worth so many times what an old one is.
const NEWEST: u64 = 1000;

/// What is known of the history where a cut falls.
pub(super) struct Past<'p, 'a> {
    pub profile: &'p ShiftProfile,
    /// The calls up to the cut, in order.
    pub calls: &'p [Call<'a>],
    pub prompts: &'p [Prompt<'a>],
    pub files: &'p Files,
    /// How many lines of files each message showed when it came.
    pub lines: &'p BTreeMap<usize, usize>,
    /// Tokens of the history up to each message, and up to the cut.
    pub sums: &'p [usize],
    pub now: usize,
}

/// What follows from all of the past, once for a cut.
pub(super) struct Worths<'p, 'a> {
    past: &'p Past<'p, 'a>,
    /// The message that named each path last.
    named: BTreeMap<&'a str, usize>,
    /// The lines of files that stand newest in each message.
    newest: BTreeMap<usize, usize>,
    /// Where each thing was done last with success.
    done: BTreeMap<(usize, &'a str), usize>,
}

impl<'p, 'a> Worths<'p, 'a> {
    pub(super) fn of(past: &'p Past<'p, 'a>) -> Self {
        let mut worths = Self { past, named: BTreeMap::new(), newest: BTreeMap::new(), done: BTreeMap::new() };
        for call in past.calls {
            if let Some(path) = call.act.path() {
                worths.named.insert(path, call.message);
            }
            if let Some(key) = same_thing(&call.act).filter(|_| call.ok()) {
                worths.done.insert(key, call.message);
            }
        }
        for line in past.files.iter().flat_map(|(_, view)| view.lines()) {
            *worths.newest.entry(line.stamp).or_default() += 1;
        }
        worths
    }

    fn worth(&self) -> &Worth {
        &self.past.profile.worth
    }

    /// A weight, less by the age of what it is of.
    fn aged(&self, weight: usize, age: usize) -> Density {
        let half = self.past.profile.half.max(1);
        (weight * 1000 * half / (half + age)) as Density
    }

    fn age(&self, message: usize) -> usize {
        self.past.now.saturating_sub(self.past.sums[message])
    }

    /// The age of text that belongs to a file.
    fn age_of_file(&self, message: usize, path: &str) -> usize {
        let named = self.named.get(path).map_or(usize::MAX, |named| self.age(*named));
        let by_file = self.past.profile.by_file;
        (self.age(message) * (100 - by_file) + named.min(self.age(message)) * by_file) / 100
    }

    /// In percent, how much of what a call showed of a file still stands nowhere newer.
    fn current(&self, message: usize) -> usize {
        let then = self.past.lines.get(&message).copied().unwrap_or_default();
        let now = self.newest.get(&message).copied().unwrap_or_default();
        (now * 100).checked_div(then).unwrap_or(100).min(100)
    }

    /// A token of the result of this call.
    pub(super) fn result(&self, call: &Call<'_>) -> Density {
        let worth = self.worth();
        let message = call.message;
        if call.failed() {
            let cured = same_thing(&call.act).and_then(|key| self.done.get(&key)).is_some_and(|done| *done > message);
            return self.aged(if cured { worth.run / 2 } else { worth.error }, self.age(message));
        }
        match call.act {
            Act::Read { path, .. } => self.aged(self.of_text(worth.read, message), self.age_of_file(message, path)),
            Act::Edit { .. } | Act::Write { .. } => self.aged(worth.done, self.age(message)),
            Act::Run { .. } => self.aged(worth.run, self.age(message)),
            Act::Search { .. } | Act::List { .. } => self.aged(worth.search, self.age(message)),
            Act::Other => self.aged(worth.report, self.age(message)),
        }
    }

    /// A token of the call itself.
    pub(super) fn call(&self, call: &Call<'_>) -> Density {
        let (worth, message) = (self.worth(), call.message);
        match call.act {
            Act::Edit { path, .. } => self.aged(self.of_text(worth.edit, message), self.age_of_file(message, path)),
            Act::Write { path, .. } => self.aged(self.of_text(worth.write, message), self.age_of_file(message, path)),
            _ => self.aged(worth.call, self.age(message)),
        }
    }

    fn of_text(&self, weight: usize, message: usize) -> usize {
        let current = self.current(message);
        weight * (current + self.worth().superseded * (100 - current) / 100) / 100
    }

    /// A token of an answer.
    pub(super) fn answer(&self, message: usize) -> Density {
        self.aged(self.worth().answer, self.age(message))
    }

    /// A token of a text that nobody typed.
    pub(super) fn note(&self, message: usize) -> Density {
        self.aged(self.worth().report, self.age(message))
    }

    /// A token of what was typed in this message; `None` where nothing was.
    pub(super) fn prompt(&self, message: usize) -> Option<Density> {
        let at = self.past.prompts.partition_point(|prompt| prompt.message < message);
        self.past.prompts.get(at).filter(|prompt| prompt.message == message)?;
        let newest = self.past.prompts.last().is_some_and(|prompt| prompt.message == message);
        Some(self.aged(self.worth().prompt, self.age(message)) * if newest { NEWEST } else { 1 })
    }

    /// The calls of an assistant message.
    pub(super) fn calls_of(&self, message: usize) -> &'p [Call<'a>] {
        let from = self.past.calls.partition_point(|call| call.message < message);
        let to = self.past.calls.partition_point(|call| call.message <= message);
        &self.past.calls[from..to]
    }
}

/// What makes two calls the same attempt: what is done, to what.
fn same_thing<'a>(act: &Act<'a>) -> Option<(usize, &'a str)> {
    Some(match act {
        Act::Read { path, .. } => (0, path),
        Act::Edit { path, .. } | Act::Write { path, .. } => (1, path),
        Act::Run { command } => (2, program(command)),
        _ => return None,
    })
}

/// The first two words of a command.
fn program(command: &str) -> &str {
    let mut ends = command.match_indices(char::is_whitespace).map(|(end, _)| end);
    ends.nth(1).map_or(command, |end| &command[..end])
}
