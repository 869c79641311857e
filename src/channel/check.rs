//! A call, held against what the history knows before it goes out.

use serde_json::{Value, json};

use super::situation::Situation;
use super::{change, grounded, named, rewrite};
use crate::history::{Act, Deed, History, Swap, View};
use crate::rules::Role;
use crate::wire::ToolUse;

/// The most lines that a model is given to choose from.
const CHOICES: usize = 120;

/// What the check says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    Pass,
    /// This file must be read first.
    ReadFirst(String),
    /// The model is told this, and asked again.
    Object(Objection),
}

/// What is wrong with a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objection {
    /// How the report counts it.
    pub(super) kind: &'static str,
    /// It may be meant: what was said once in a turn is not said again.
    pub(super) once: bool,
    pub(super) words: String,
    /// The arguments that can be right, as a schema.
    pub(super) arguments: Option<Value>,
    /// The whole reply that can be right, where it is another call.
    pub(super) reply: Option<Value>,
}

/// Checks a call as the client would get it.
pub(super) fn check(about: &Situation, history: &History<'_>, call: &ToolUse) -> Verdict {
    let role = about.roles.get(&call.name);
    let profile = &about.model.check;
    let read_first = profile.read_before_edit && about.reader().is_some();
    match Act::of(role, &call.input) {
        Act::Edit { path, .. } if read_first && unread(history, path) => Verdict::ReadFirst(path.to_owned()),
        Act::Write { path, .. } if read_first && unread(history, path) && is_there(history, path) => {
            Verdict::ReadFirst(path.to_owned())
        }
        Act::Edit { path, swaps } if profile.edits => {
            let prompt = about.newest_prompt().map_or("", |(prompt, _)| prompt);
            pass_unless(history.files.view(path).and_then(|view| {
                let edit = Edit { shown: about.shown_path(path), view, role, prompt };
                swaps.iter().find_map(|swap| edit.object(*swap))
            }))
        }
        Act::Write { path, content } => pass_unless(write(about, history, path, content)),
        _ => Verdict::Pass,
    }
}

fn pass_unless(objection: Option<Objection>) -> Verdict {
    objection.map_or(Verdict::Pass, Verdict::Object)
}

fn write(about: &Situation, history: &History<'_>, path: &str, content: &str) -> Option<Objection> {
    let profile = &about.model.check;
    let shrinks = || {
        let view = history.files.view(path).filter(|_| was_shown(history, path))?;
        shrinks(about.shown_path(path), view, content)
    };
    let blind = profile.named_files.then(|| named::write_blind(about, path)).flatten();
    blind
        .or_else(|| profile.known_numbers.then(|| grounded::invented(about, content)).flatten())
        .or_else(|| profile.copies.then(|| grounded::copied(about, history, path, content)).flatten())
        .or_else(|| profile.whole_writes.then(shrinks).flatten())
}

/// The arguments of an edit of this file: one of its lines, by another text.
pub(super) fn edit_of(about: &Situation, history: &History<'_>, tool: &str, path: &str) -> Option<Value> {
    let (view, role) = (history.files.view(path)?, about.roles.get(tool));
    let edit = Edit { shown: about.shown_path(path), view, role, prompt: "" };
    edit.narrowed(&[(single_lines(view), false)])
}

/// The file was neither read nor written yet, nor looked for in vain.
fn unread(history: &History<'_>, path: &str) -> bool {
    let in_vain = || history.files.record(path).is_some_and(|record| record.last == (Deed::Read, false));
    !history.was_read(path) && !in_vain()
}

/// The history tells that there is such a file: a write of it failed, or a result named it. A client refuses to write
/// over a file that it has not read, or not; to read every new file in vain would cost each of them a reply.
fn is_there(history: &History<'_>, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let refused = || history.files.record(path).is_some_and(|record| record.failed > 0);
    refused() || history.calls.iter().any(|call| !call.failed() && call.result_text().contains(name))
}

/// The file was read: what is known of it is not only what the model wrote itself.
fn was_shown(history: &History<'_>, path: &str) -> bool {
    history.files.record(path).is_some_and(|record| record.done[Deed::Read as usize] > 0)
}

/// Lines that are known would be left out.
fn shrinks(shown: &str, view: &View, content: &str) -> Option<Objection> {
    let lost = rewrite::left_out(view, content);
    (!lost.is_empty()).then(|| Objection {
        kind: "write-loses-lines",
        once: true,
        words: format!(
            "Not done: this would remove lines of {shown}:\n{}\nIf they are to stay, write the whole text with them.",
            lost[..lost.len().min(CHOICES)].join("\n")
        ),
        arguments: None,
        reply: None,
    })
}

/// An edit of one file, and what is known of that file.
struct Edit<'a> {
    shown: &'a str,
    view: &'a View,
    role: Option<&'a Role>,
    /// The newest typed prompt.
    prompt: &'a str,
}

impl Edit<'_> {
    fn object(&self, swap: Swap<'_>) -> Option<Objection> {
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
            1 => change::stands_elsewhere(self.view, swap).map(|word| self.elsewhere(swap, word)),
            _ => None,
        }
    }

    fn absent(&self, swap: Swap<'_>) -> Objection {
        let near = alike(self.view, swap.old);
        let lines = if near.is_empty() { single_lines(self.view) } else { near };
        Objection {
            kind: "edit-text-absent",
            once: false,
            words: format!("Not done: that text is not in {}. Take the exact text from the file.", self.shown),
            reply: None,
            arguments: self.narrowed(&[(lines, false)]),
        }
    }

    fn unchanged(&self, swap: Swap<'_>) -> Objection {
        let mut others = single_lines(self.view);
        others.retain(|line| line != swap.old);
        Objection {
            kind: "edit-changes-nothing",
            once: false,
            words: format!("Not done: the old and the new text are the same, {} would not change.", self.shown),
            reply: None,
            arguments: self.narrowed(&[(others, false)]),
        }
    }

    fn several(&self, swap: Swap<'_>, times: usize) -> Objection {
        let mut around = single_lines(self.view);
        around.retain(|line| line.contains(swap.old));
        Objection {
            kind: "edit-text-several",
            once: false,
            words: format!(
                "Not done: that text stands {times} times in {}. Replace all of them, or give a whole line.",
                self.shown
            ),
            reply: None,
            arguments: self.narrowed(&[(vec![swap.old.to_owned()], true), (around, false)]),
        }
    }

    fn repeating(&self) -> Objection {
        Objection {
            kind: "edit-repeats-lines",
            once: true,
            words: format!("Not done: the new text only repeats lines that stand in {} already.", self.shown),
            reply: None,
            arguments: self.narrowed(&[(single_lines(self.view), false)]),
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
            reply: None,
            arguments: self.narrowed(&[(vec![swap.old.to_owned()], false)]),
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
            reply: None,
            arguments: self.narrowed(&choices),
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
        (!kinds.is_empty()).then(|| super::bind::any_of(kinds))
    }
}

/// The lines that stand once in what is known.
fn single_lines(view: &View) -> Vec<String> {
    let lines = view.lines().map(|line| &line.text);
    lines.filter(|line| !line.trim().is_empty() && view.occurrences(line) == 1).take(CHOICES).cloned().collect()
}

/// The places that are as `old` but for the space around their lines.
fn alike(view: &View, old: &str) -> Vec<String> {
    let wanted: Vec<&str> = old.trim().lines().map(str::trim).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for segment in &view.segments {
        let same =
            |lines: &&[crate::history::Line]| lines.iter().zip(&wanted).all(|(line, want)| line.text.trim() == *want);
        let texts =
            |lines: &[crate::history::Line]| lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
        found.extend(segment.lines.windows(wanted.len()).filter(same).map(texts));
    }
    found.retain(|text| view.occurrences(text) == 1);
    found
}
