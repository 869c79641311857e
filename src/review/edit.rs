//! An edit, held against what is known of its file; and what of that file an edit can name.

use serde_json::{Value, json};

use super::objection::Objection;
use crate::history::{Line, Swap, View};
use crate::rules::Role;
use crate::show::bind::any_of;

/// The most lines that a model is given to choose from.
pub(crate) const CHOICES: usize = 120;

/// An edit of one file, and what is known of that file.
pub(crate) struct Edit<'a> {
    pub(crate) shown: &'a str,
    pub(crate) view: &'a View,
    pub(crate) role: Option<&'a Role>,
}

impl Edit<'_> {
    /// What is wrong with one of its replacements.
    pub(crate) fn object(&self, swap: Swap<'_>) -> Option<Objection> {
        let times = if swap.old.is_empty() { 0 } else { self.view.occurrences(swap.old) };
        let known = self.view.whole && !self.view.stale();
        match times {
            0 if swap.old.is_empty() || known => Some(self.absent(swap)),
            _ if swap.old == swap.new => Some(self.unchanged(swap)),
            2.. if !swap.all => Some(self.several(swap, times)),
            _ => None,
        }
    }

    fn absent(&self, swap: Swap<'_>) -> Objection {
        let near = alike(self.view, swap.old);
        self.text_absent(if near.is_empty() { single_lines(self.view) } else { near })
    }

    fn text_absent(&self, lines: Vec<String>) -> Objection {
        Objection {
            kind: "edit-text-absent",
            words: format!("Not done: that text is not in {}. Take the exact text from the file.", self.shown),
            arguments: self.narrowed(&[(lines, false)]),
            ..Objection::default()
        }
    }

    fn unchanged(&self, swap: Swap<'_>) -> Objection {
        let mut others = single_lines(self.view);
        others.retain(|line| line != swap.old);
        Objection {
            kind: "edit-changes-nothing",
            words: format!("Not done: the old and the new text are the same, {} would not change.", self.shown),
            arguments: self.narrowed(&[(others, false)]),
            ..Objection::default()
        }
    }

    fn several(&self, swap: Swap<'_>, times: usize) -> Objection {
        let mut around = single_lines(self.view);
        around.retain(|line| line.contains(swap.old));
        Objection {
            kind: "edit-text-several",
            words: format!(
                "Not done: that text stands {times} times in {}. Replace all of them, or give a whole line.",
                self.shown
            ),
            arguments: self.narrowed(&[(vec![swap.old.to_owned()], true), (around, false)]),
            ..Objection::default()
        }
    }

    /// The arguments that can be right: this path, one of these texts, and whether all of its places are meant.
    fn narrowed(&self, choices: &[(Vec<String>, bool)]) -> Option<Value> {
        let Some(Role::Edit { path, old, new, all }) = self.role else { return None };
        let kinds: Vec<Value> = choices
            .iter()
            .filter(|(texts, every)| !texts.is_empty() && (!every || all.is_some()))
            .map(|(texts, every)| {
                let mut properties =
                    json!({path: {"enum": [self.shown]}, old: {"enum": texts}, new: {"type": "string"}});
                let mut required = vec![path, old, new];
                if let (true, Some(all)) = (*every, all) {
                    properties[all] = json!({"enum": [true]});
                    required.push(all);
                }
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
            })
            .collect();
        any_of(kinds)
    }
}

/// The lines that stand once in what is known.
fn single_lines(view: &View) -> Vec<String> {
    let lines = view.lines().map(|line| &line.text);
    lines.filter(|line| !line.trim().is_empty() && view.occurrences(line) == 1).take(CHOICES).cloned().collect()
}

/// A line without the space around it, with one kind of quotes.
fn plain(line: &str) -> String {
    line.trim().replace('\'', "\"")
}

/// The places that are as `old` but for the space around their lines and the kind of their quotes.
fn alike(view: &View, old: &str) -> Vec<String> {
    let wanted: Vec<String> = old.trim().lines().map(plain).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for segment in &view.segments {
        let same = |lines: &&[Line]| lines.iter().zip(&wanted).all(|(line, want)| plain(&line.text) == *want);
        let texts = |lines: &[Line]| lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
        found.extend(segment.lines.windows(wanted.len()).filter(same).map(texts));
    }
    found.retain(|text| view.occurrences(text) == 1);
    found
}
