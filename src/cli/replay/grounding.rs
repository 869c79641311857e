//! Grounding: does what was sent hold what the next real call needed?
//!
//! Names of files, lines of the texts that an edit replaces, identifiers in commands and patterns, each pooled over all
//! requests. Only what stands somewhere in the full history counts; what the model made up is nobody's loss. Line numbers of
//! listings and the escapes of JSON are undone on both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::history::{Act, Roles};
use crate::wire::{Block, Message};

/// Words of at least four characters; of them, what looks like an identifier counts.
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z_$][A-Za-z0-9_$]{3,}").ok());

/// Paths, and names of files with a usual ending.
static PATH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)(?:[A-Za-z]:)?[\w.@~+\-\[\]()]*(?:/[\w.@+\-\[\]()]+)+
        |\b[\w\-]+\.(?:go|tsx|ts|jsx|json|js|py|rs|md|ya?ml|toml|sh|sql|swift|css|html|txt|cue|cs|php|rb|cpp|c|h|lock|mod)\b",
    )
    .ok()
});

/// Of one call, so many values at most.
const VALUES: usize = 12;

/// The number before a line of a listing.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^ *[0-9]+[→\t]").ok());

/// How many of the needed items were there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub there: usize,
    pub needed: usize,
}

/// Grounding by kind of item.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Grounding {
    /// Names of the files that calls name.
    pub path: Share,
    /// Lines of the texts that an edit replaces.
    pub old_string: Share,
    /// Identifiers and names of files in commands, patterns and queries.
    pub value: Share,
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
            needs.paths.extend(act.path().map(base).filter(|name| name.len() >= 3).map(str::to_owned));
            if let Act::Edit { swaps, .. } = &act {
                let lines = swaps.iter().flat_map(|swap| swap.old.split('\n'));
                needs.olds.extend(lines.filter(|line| line.trim().len() > 3).map(|line| line.trim_end().to_owned()));
            }
            needs.names.extend(values(&call.input));
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
        Grounding {
            path: look(Kind::Path, &self.paths),
            old_string: look(Kind::Old, &self.olds),
            value: look(Kind::Name, &self.names),
        }
    }
}

/// What a command, a pattern or a query names: at most [`VALUES`].
fn values(input: &Value) -> Vec<String> {
    let fields = ["command", "pattern", "query", "url", "glob"].map(|key| input[key].as_str().unwrap_or_default());
    let text = fields.join(" ");
    let words = WORD.iter().flat_map(|word| word.find_iter(&text)).map(|found| found.as_str());
    let paths = PATH.iter().flat_map(|path| path.find_iter(&text)).map(|found| base(found.as_str()));
    let all: BTreeSet<&str> =
        words.filter(|word| is_identifier(word)).chain(paths.filter(|name| name.len() >= 3)).collect();
    all.into_iter().take(VALUES).map(str::to_owned).collect()
}

/// It has an underscore inside, a capital behind a small letter, or a digit beside letters.
fn is_identifier(word: &str) -> bool {
    let pairs = || word.as_bytes().windows(2);
    let humps =
        pairs().any(|pair| (pair[0].is_ascii_lowercase() || pair[0].is_ascii_digit()) && pair[1].is_ascii_uppercase());
    let letters = word.as_bytes().windows(3).any(|three| three.iter().all(u8::is_ascii_alphabetic));
    let numbered = word.len() > 5 && letters && word.bytes().any(|byte| byte.is_ascii_digit());
    word.trim_matches('_').contains('_') || humps || numbered
}

/// The last part of a path.
fn base(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    path.rsplit(['/', '\\']).next().unwrap_or(path)
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
