//! Grounding: does what was sent hold what the next real call needed?
//!
//! Only what stands somewhere in the full history counts; what the model made up is nobody's loss.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::history::{Act, Roles};
use crate::wire::{Block, Message};

/// Identifiers and paths of at least four characters.
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z_/.~][A-Za-z0-9_/.-]{3,}").ok());

/// How many of the needed items were there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub there: usize,
    pub needed: usize,
}

/// Grounding by kind of item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Grounding {
    /// Paths that files tools name.
    pub path: Share,
    /// Lines of the text that an edit replaces.
    pub old_string: Share,
    /// All of it: paths, those lines, and every identifier in the arguments.
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

    fn note(&mut self, there: bool) {
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

/// What the calls of one assistant message need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub paths: BTreeSet<String>,
    pub old_lines: BTreeSet<String>,
    pub words: BTreeSet<String>,
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
                let lines = swaps.iter().flat_map(|swap| swap.old.lines()).map(str::trim);
                needs.old_lines.extend(lines.filter(|line| line.len() > 3).map(str::to_owned));
            }
            collect_words(&call.input, &mut needs.words);
        }
        needs
    }

    /// The items that stand in `history`, looked up in `sent`.
    pub(crate) fn grounding(&self, history: &mut Haystack, sent: &str) -> Grounding {
        let mut grounding = Grounding::default();
        let mut look = |items: &BTreeSet<String>, share: &mut Share| {
            for item in items.iter().filter(|item| history.holds(item)) {
                share.note(memchr::memmem::find(sent.as_bytes(), item.as_bytes()).is_some());
            }
        };
        look(&self.paths, &mut grounding.path);
        look(&self.old_lines, &mut grounding.old_string);
        look(&self.words, &mut grounding.value);
        grounding.value.add(grounding.path);
        grounding.value.add(grounding.old_string);
        grounding
    }
}

fn collect_words(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let found = WORD.iter().flat_map(|word| word.find_iter(text));
            words.extend(found.map(|found| found.as_str().trim_end_matches('.').to_owned()));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_words(item, words)),
        Value::Object(fields) => fields.values().for_each(|field| collect_words(field, words)),
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

    pub(crate) fn holds(&mut self, item: &str) -> bool {
        if self.found.contains(item) {
            return true;
        }
        let from = self.looked.get(item).map_or(0, |end| end.saturating_sub(item.len()));
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
        Block::ToolResult(result) => result.content.iter().for_each(|block| push_block(block, text)),
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

/// A rendered text with what JSON escapes in it undone, behind the text itself.
pub(crate) fn with_unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let plain = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\"", "\"").replace("\\\\", "\\");
    format!("{text}\n{plain}")
}
