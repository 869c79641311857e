//! An edit, held against what is known of its file; and what of that file an edit can name.

use serde_json::{Value, json};

use super::bind::any_of;
use super::change;
use super::objection::Objection;
use super::situation::Situation;
use crate::history::{History, Line, Swap, View};
use crate::rules::Role;

/// The most lines that a model is given to choose from.
pub(super) const CHOICES: usize = 120;

/// An edit of one file, and what is known of that file.
pub(super) struct Edit<'a> {
    pub(super) shown: &'a str,
    pub(super) view: &'a View,
    pub(super) role: Option<&'a Role>,
    /// The newest typed prompt.
    pub(super) prompt: &'a str,
    /// Words with which the way through a program ends.
    pub(super) final_words: &'a [String],
}

/// The arguments of an edit of this file: one of its lines, by another text.
pub(super) fn edit_of(about: &Situation, history: &History<'_>, tool: &str, path: &str) -> Option<Value> {
    let (view, role) = (history.files.view(path)?, about.roles.get(tool));
    let edit = Edit { shown: about.shown_path(path), view, role, prompt: "", final_words: &[] };
    edit.narrowed(&[(single_lines(view), false)])
}

impl Edit<'_> {
    /// What is wrong with one of its replacements.
    pub(super) fn object(&self, swap: Swap<'_>) -> Option<Objection> {
        let times = if swap.old.is_empty() { 0 } else { self.view.occurrences(swap.old) };
        let known = self.view.whole && !self.view.stale();
        match times {
            0 if swap.old.is_empty() || known => Some(self.absent(swap)),
            _ if swap.old == swap.new => Some(self.unchanged(swap)),
            2.. if !swap.all => Some(self.several(swap, times)),
            1 if change::only_repeats(self.view, swap) => Some(self.repeating()),
            1 if !swap.all
                && let Some(lines) = change::repeats_next(self.view, swap) =>
            {
                Some(self.repeating_next(swap, lines))
            }
            1 => {
                let dead = || Some(self.unreachable(change::unreachable(self.view, swap, self.final_words)?));
                change::stands_elsewhere(self.view, swap).map(|word| self.elsewhere(swap, word)).or_else(dead)
            }
            _ => None,
        }
    }

    fn absent(&self, swap: Swap<'_>) -> Objection {
        if let Some(word) = change::renames(self.view, swap).filter(|word| change::has_word(self.prompt, word)) {
            return Objection {
                words: format!("Not done: that text is not in {}. Replace {word} in all its places.", self.shown),
                arguments: self.narrowed(&[(vec![word.to_owned()], true)]),
                ..self.text_absent(Vec::new())
            };
        }
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

    fn repeating(&self) -> Objection {
        Objection {
            kind: "edit-repeats-lines",
            once: true,
            words: format!("Not done: the new text only repeats lines that stand in {} already.", self.shown),
            arguments: self.narrowed(&[(single_lines(self.view), false)]),
            ..Objection::default()
        }
    }

    fn repeating_next(&self, swap: Swap<'_>, lines: &str) -> Objection {
        Objection {
            kind: "edit-repeats-next",
            once: true,
            words: format!(
                "Not done: the new text ends with what follows that place in {} already. Leave this out of it:\n{lines}",
                self.shown
            ),
            arguments: self.narrowed(&[(vec![swap.old.to_owned()], false)]),
            ..Objection::default()
        }
    }

    /// The line behind would never be reached: it is the one to replace.
    fn unreachable(&self, line: String) -> Objection {
        Objection {
            kind: "edit-unreachable",
            once: true,
            words: format!("Not done: this line of {} would stay behind the new one:\n{line}\nReplace it.", self.shown),
            arguments: self.narrowed(&[(vec![line], false)]),
            ..Objection::default()
        }
    }

    /// Where the prompt itself names the word, all of its places are meant.
    fn elsewhere(&self, swap: Swap<'_>, word: &str) -> Objection {
        let all = (vec![word.to_owned()], true);
        let (words, choices) = if change::has_word(self.prompt, word) {
            ("Replace all of them.", vec![all])
        } else {
            ("Replace all of them, or this one only.", vec![all, (vec![swap.old.to_owned()], false)])
        };
        Objection {
            kind: "edit-word-elsewhere",
            once: true,
            words: format!("Not done: {word} stands in other places of {} too. {words}", self.shown),
            arguments: self.narrowed(&choices),
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
        (!kinds.is_empty()).then(|| any_of(kinds))
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
