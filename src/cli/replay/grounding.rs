//! Grounding: does what was sent hold what the next real call needed?
//!
//! Only what stands somewhere in the full history counts; what the model made up is nobody's loss. Line numbers of
//! listings and the escapes of JSON are undone on both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::history::{Act, Roles};
use crate::wire::{Block, Message};

/// Identifiers of at least five characters: shorter ones stand everywhere.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z_][A-Za-z0-9_]{4,}").ok());

/// The number before a line of a listing.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^ *[0-9]+[→\t]").ok());

/// How many of the needed items were there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub there: usize,
    pub needed: usize,
}

/// A mean of shares: every request that needed something counts the same.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Mean {
    pub sum: f64,
    pub requests: usize,
}

/// Grounding by kind of item.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Grounding {
    /// Paths that files tools name.
    pub path: Share,
    /// Texts that an edit replaces, each as a whole.
    pub old_string: Share,
    /// All of it: paths, those texts, and every identifier in the arguments. The mean over requests.
    pub value: Mean,
}

impl Share {
    pub(crate) fn percent(self) -> Option<f64> {
        (self.needed > 0).then(|| self.there as f64 * 100.0 / self.needed as f64)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.there += other.there;
        self.needed += other.needed;
    }

    pub(crate) fn note(&mut self, there: bool) {
        self.needed += 1;
        self.there += usize::from(there);
    }
}

impl Mean {
    pub(crate) fn percent(self) -> Option<f64> {
        (self.requests > 0).then(|| self.sum * 100.0 / self.requests as f64)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.requests += other.requests;
    }

    fn note(&mut self, share: Share) {
        if share.needed > 0 {
            self.sum += share.there as f64 / share.needed as f64;
            self.requests += 1;
        }
    }
}

impl Grounding {
    pub(crate) fn add(&mut self, other: &Self) {
        self.path.add(other.path);
        self.old_string.add(other.old_string);
        self.value.add(other.value);
    }
}

/// The kind of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Path,
    Old,
    Name,
}

/// What the calls of one assistant message need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub paths: BTreeSet<String>,
    pub olds: BTreeSet<String>,
    pub names: BTreeSet<String>,
}

impl Needs {
    pub(crate) fn of(message: &Message, roles: &dyn Roles) -> Self {
        let mut needs = Self::default();
        for call in message.tool_uses() {
            let act = Act::of(roles.role(&call.name), &call.input);
            if let Act::Read { path, .. } | Act::Edit { path, .. } | Act::Write { path, .. } = &act {
                needs.paths.insert((*path).to_owned());
            }
            if let Act::Edit { swaps, .. } = &act {
                needs.olds.extend(swaps.iter().map(|swap| swap.old.trim_matches('\n').to_owned()));
                needs.olds.remove("");
            }
            collect_names(&call.input, &mut needs.names);
        }
        needs
    }

    /// The items that stand in `history`, looked up in `sent`; `missed` is told those that are not there.
    pub(crate) fn grounding(
        &self,
        history: &mut Haystack,
        sent: &str,
        mut missed: impl FnMut(Kind, &str),
    ) -> Grounding {
        let mut look = |kind: Kind, items: &BTreeSet<String>| {
            let mut share = Share::default();
            for item in items.iter().filter(|item| history.holds(item)) {
                let there = memchr::memmem::find(sent.as_bytes(), item.as_bytes()).is_some();
                share.note(there);
                if !there {
                    missed(kind, item);
                }
            }
            share
        };
        let (path, old_string) = (look(Kind::Path, &self.paths), look(Kind::Old, &self.olds));
        let mut all = look(Kind::Name, &self.names);
        all.add(path);
        all.add(old_string);
        let mut value = Mean::default();
        value.note(all);
        Grounding { path, old_string, value }
    }
}

fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let found = NAME.iter().flat_map(|name| name.find_iter(text));
            names.extend(found.map(|found| found.as_str().to_owned()));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Value::Object(fields) => fields.values().for_each(|field| collect_names(field, names)),
        _ => {}
    }
}

/// The growing text of a history, in which each item is looked for only once.
#[derive(Debug, Default)]
pub(crate) struct Haystack {
    text: String,
    /// Items that were found; or how far was looked.
    found: BTreeSet<String>,
    looked: BTreeMap<String, usize>,
}

impl Haystack {
    pub(crate) fn push(&mut self, message: &Message) {
        for block in &message.content {
            push_block(block, &mut self.text);
        }
    }

    /// How many bytes before the end `item` was last seen.
    pub(crate) fn age(&self, item: &str) -> Option<usize> {
        let at = memchr::memmem::rfind(self.text.as_bytes(), item.as_bytes())?;
        Some(self.text.len() - at)
    }

    pub(crate) fn holds(&mut self, item: &str) -> bool {
        if self.found.contains(item) {
            return true;
        }
        let mut from = self.looked.get(item).map_or(0, |end| end.saturating_sub(item.len()));
        while !self.text.is_char_boundary(from) {
            from -= 1;
        }
        let found = memchr::memmem::find(&self.text.as_bytes()[from..], item.as_bytes()).is_some();
        if found {
            self.found.insert(item.to_owned());
        } else {
            self.looked.insert(item.to_owned(), self.text.len());
        }
        found
    }
}

fn push_block(block: &Block, text: &mut String) {
    match block {
        Block::Text(more) => text.push_str(more),
        Block::ToolUse(call) => push_value(&call.input, text),
        Block::ToolResult(result) => text.push_str(&without_numbers(&result.text())),
        Block::Thinking(_) | Block::Image(_) | Block::Other(_) => {}
    }
    text.push('\n');
}

fn push_value(value: &Value, text: &mut String) {
    match value {
        Value::String(more) => {
            text.push_str(more);
            text.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| push_value(item, text)),
        Value::Object(fields) => fields.values().for_each(|field| push_value(field, text)),
        _ => {}
    }
}

/// A text without the numbers before the lines of listings.
pub(crate) fn without_numbers(text: &str) -> String {
    NUMBER.as_ref().map_or_else(|| text.to_owned(), |number| number.replace_all(text, "").into_owned())
}

/// A rendered text with what JSON escapes in it undone, behind the text itself.
pub(crate) fn with_unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    format!("{text}\n{}", unescaped(text))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('r')) => plain.push('\r'),
            ('\\', Some(other)) => plain.push(other),
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_numbers_are_undone() {
        assert_eq!(unescaped(r#"a\nb\\n \"q\" \t"#), "a\nb\\n \"q\" \t");
        assert_eq!(without_numbers("  9→x\n 10→\ty\n3 z"), "x\n\ty\n3 z");
    }

    #[test]
    fn what_nobody_could_know_is_not_needed() {
        let needs = Needs { names: ["known_name", "made_up_name"].map(str::to_owned).into(), ..Needs::default() };
        let mut history = Haystack::default();
        history.push(&Message::text(crate::wire::Role::User, "the known_name is here"));
        let mut missed = Vec::new();
        let grounding = needs.grounding(&mut history, "nothing", |_, item| missed.push(item.to_owned()));
        assert_eq!((grounding.value.percent(), missed), (Some(0.0), vec!["known_name".to_owned()]));
    }
}
