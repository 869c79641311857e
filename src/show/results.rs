//! How past calls and results are told to this model: short where nothing is lost, by the whole history as the client
//! sent it, so that each later request tells them in the same words.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;
use serde_json::Value;

use super::change;
use super::folder::{self, Folder};
use super::own;
use crate::fold::ShownAgain;
use crate::history::{Act, Call, Files, Roles, Swap, View, calls_from, numbered_lines, times_so_far, typed_prompts};
use crate::rules::{CheckRule, MessageKinds, ModelProfile, Role, RuleSet, ShowProfile, filled};
use crate::trim::LeftOut;
use crate::wire::{Message, ToolResult, ToolUse};

/// The check that has a word behind results.
const REPEATED: &str = "repeated-call";

/// What is known of each result, by the id of its call. A copy costs little, however long the history is.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    results: RedBlackTreeMapSync<Arc<str>, Arc<Note>>,
    roles: Arc<BTreeMap<String, Role>>,
    folder: Option<Folder>,
    /// The whole history, for what was recalled from it.
    messages: Arc<[Message]>,
    /// What the client writes in the user's name.
    kinds: Arc<MessageKinds>,
    /// What the head leaves out, for the same.
    sections: Arc<[LeftOut]>,
    /// How many messages were read, and what they leave behind.
    read: usize,
    changed: Vec<String>,
    files: Files,
}

#[derive(Debug, Clone)]
struct Note {
    tool: String,
    /// It shows a file: its text is the file's own.
    reading: bool,
    /// It is a list, a line an item.
    listing: bool,
    /// All that is said of it, where that is short.
    instead: Option<String>,
    /// What is said behind it.
    nudge: Option<String>,
    /// The file that it has changed, shown again.
    again: Option<String>,
}

impl Notes {
    /// Reads a whole history.
    pub fn of(messages: &Arc<[Message]>, rules: &RuleSet, model: &ModelProfile, folder: Option<Folder>) -> Self {
        Self::new(&rules.messages, model, folder).go_on(messages, messages.len(), rules, model)
    }

    /// Of a history of which nothing was read.
    pub fn new(kinds: &Arc<MessageKinds>, model: &ModelProfile, folder: Option<Folder>) -> Self {
        Self { kinds: kinds.clone(), folder: folder.filter(|_| model.show.relative_paths), ..Self::default() }
    }

    /// Reads a history on, up to message number `to`. It begins with the messages that were read already, and every result
    /// from the next one on is one of a call from there on.
    #[must_use]
    pub fn go_on(mut self, messages: &Arc<[Message]>, to: usize, rules: &RuleSet, model: &ModelProfile) -> Self {
        let roles: &dyn Roles = rules;
        let repeated = rules.checks.on(REPEATED, &model.family).filter(|_| !model.unreviewed);
        let from = std::mem::replace(&mut self.read, to);
        let near = if from == to { from } else { last_success(messages, from) };
        let calls = calls_from(near, &messages[..to], roles);
        let views = model.show.left_over || model.show.now_reads;
        let (mut changed, mut files) = (std::mem::take(&mut self.changed), std::mem::take(&mut self.files));
        let typed = typed_prompts(&messages[near..to], &self.kinds);
        let prompts: Vec<usize> = typed.iter().map(|prompt| near + prompt.message).collect();
        let begins = |call: &Call<'_>| prompts.partition_point(|prompt| *prompt < call.message);
        for (at, call) in calls.iter().enumerate().filter(|(_, call)| call.message >= from) {
            if let Some(role) = roles.role(&call.call.name)
                && self.roles.get(&call.call.name) != Some(role)
            {
                Arc::make_mut(&mut self.roles).insert(call.call.name.clone(), role.clone());
            }
            if views {
                files.take(call);
            }
            let instead = self.done(call, &model.show, &files, &mut changed);
            let turn = calls[..at].partition_point(|earlier| begins(earlier) < begins(call));
            let nudge = repeated.and_then(|rule| nudge(&calls[turn..=at], rule));
            let reading = matches!(call.act, Act::Read { .. });
            let listing = matches!(call.act, Act::List { .. }) && call.ok();
            let note = Note { tool: call.call.name.clone(), reading, listing, instead, nudge, again: None };
            if !self.results.contains_key(call.call.id.as_str()) {
                self.results.insert_mut(call.call.id.as_str().into(), note.into());
            }
        }
        Self { messages: messages.clone(), changed, files, ..self }
    }

    /// The same, for a head that leaves out these sections.
    #[must_use]
    pub fn beside(self, sections: Vec<LeftOut>) -> Self {
        Self { sections: sections.into(), ..self }
    }

    /// `Done: F changed.`, for a change that succeeded, and what else is to be known of it.
    fn done(&self, call: &Call<'_>, show: &ShowProfile, files: &Files, changed: &mut Vec<String>) -> Option<String> {
        let (Act::Edit { path, .. } | Act::Write { path, .. }) = call.act else { return None };
        if !call.ok() {
            return None;
        }
        let shown = self.shown_path(path);
        if !changed.contains(&shown) {
            changed.push(shown.clone());
        }
        let mut said = format!("Done: {shown} changed.");
        if show.changed_files && changed.len() > 1 {
            let _ = write!(said, " Changed so far: {}.", changed.join(", "));
        }
        if let (Act::Edit { swaps, .. }, Some(view)) = (&call.act, files.view(path)) {
            for swap in swaps {
                facts(&mut said, show, view, *swap);
            }
        }
        show.short_results.then_some(said)
    }

    /// What is shown again behind results.
    pub(crate) fn show_again(&mut self, again: &[ShownAgain]) {
        for shown in again {
            if let Some(note) = self.results.get(shown.id.as_str()) {
                let again = Note { again: Some(shown.text.clone()), ..Note::clone(note) };
                self.results.insert_mut(shown.id.as_str().into(), again.into());
            }
        }
    }

    /// What the client writes in the user's name.
    pub(super) fn kinds(&self) -> &MessageKinds {
        &self.kinds
    }

    /// The whole history, as the client sent it.
    pub(crate) fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The name of the tool that a result answers; empty when its call is not there.
    pub(crate) fn tool(&self, result: &ToolResult) -> &str {
        self.results.get(result.tool_use_id.as_str()).map_or("", |note| &note.tool)
    }

    /// A result as this model is told it.
    pub(crate) fn result(&self, result: &ToolResult, show: &ShowProfile) -> String {
        let note = self.results.get(result.tool_use_id.as_str());
        let told = match note.and_then(|note| note.instead.clone()) {
            Some(short) => short,
            None => self.retold(result, note.is_some_and(|note| note.reading), show),
        };
        let told = match note {
            Some(note) if note.listing && show.count_lines > 0 => counted(told, show.count_lines),
            _ => told,
        };
        let again = note.and_then(|note| note.again.as_deref()).map(|again| self.headed(again));
        let nudge = note.and_then(|note| note.nudge.clone());
        [Some(told), again, nudge].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// A view: its head names a path as this model is shown it, its lines are the file's own.
    fn headed(&self, view: &str) -> String {
        let (head, lines) = view.split_once('\n').unwrap_or((view, ""));
        format!("{}\n{lines}", self.text(head))
    }

    fn retold(&self, result: &ToolResult, reading: bool, show: &ShowProfile) -> String {
        let text = strip_tags(&result.text(), &show.strip_tags);
        let text = match (reading, show.strip_line_numbers) {
            (true, true) => unnumbered(&text),
            (true, false) => text,
            (false, _) => self.text(&text),
        };
        if result.is_error { error(&text) } else { text }
    }

    /// A text of the assistant, with what it recalled.
    pub(crate) fn remembered(&self, text: &str) -> String {
        own::expand(text, &self.sections, &self.messages)
    }

    /// A text in which paths may stand.
    pub(crate) fn text(&self, text: &str) -> String {
        self.folder.as_ref().map_or_else(|| text.to_owned(), |folder| folder.relative_in(text))
    }

    /// The input of a past call, as this model is shown it.
    pub(crate) fn input(&self, call: &ToolUse) -> Value {
        let role = self.roles.get(&call.name);
        let mut input = folder::map_path(&call.input, role, |path| self.shown_path(path));
        if let Some(Role::Run { command }) = role
            && let Some(Value::String(command)) = input.get_mut(command)
        {
            *command = self.text(command);
        }
        input
    }

    fn shown_path(&self, path: &str) -> String {
        self.folder.as_ref().map_or(path, |folder| folder.relative(path)).to_owned()
    }
}

/// The message from which on a history must be seen to tell how often a call behind message `to` was made in a row: two
/// successful calls that are not the same stand between, or its beginning.
fn last_success(messages: &[Message], to: usize) -> usize {
    let mut last: Option<&ToolUse> = None;
    for at in (0..to.saturating_sub(1)).rev() {
        let ok = |call: &ToolUse| {
            let mut answers = messages[at + 1].tool_results().filter(|result| result.tool_use_id == call.id);
            answers.next().is_some_and(|result| !result.is_error)
        };
        for call in messages[at].tool_uses().filter(|call| ok(call)) {
            match last {
                None => last = Some(call),
                Some(last) if last.name == call.name && last.input == call.input => {}
                Some(_) => return at,
            }
        }
    }
    0
}

/// What an edit left, and how its place now reads.
fn facts(said: &mut String, show: &ShowProfile, view: &View, swap: Swap<'_>) {
    if show.left_over
        && let Some((word, lines)) = change::left_over(view, swap)
    {
        let _ = write!(said, "\n{word} still stands in:\n{}", lines.join("\n"));
    } else if show.now_reads
        && let Some(lines) = change::now_reads(view, swap)
    {
        let _ = write!(said, "\nIt now reads:\n{lines}");
    }
}

/// What stands behind the last result of a part of a turn, where its call was made so often with this same result.
fn nudge(turn: &[Call<'_>], rule: &CheckRule) -> Option<String> {
    let last = turn.len().checked_sub(1)?;
    let (times, least) = (times_so_far(turn, last), rule.limit("hint"));
    let hint = rule.hint.as_ref().filter(|_| least > 0 && times >= least)?;
    Some(filled(hint, &[("times", &times.to_string()), ("tool", &turn[last].call.name)]))
}

/// A listing of so many lines or more says how many: small models cannot count.
fn counted(text: String, least: usize) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('(')).count();
    if lines < least { text } else { format!("{text}\n({lines} lines)") }
}

/// An error says so: servers drop the field.
fn error(text: &str) -> String {
    let text = strip_outer_tag(text.trim());
    if text.to_ascii_lowercase().starts_with("error") { text.to_owned() } else { format!("Error: {text}") }
}

/// The inside of a text that is one element.
fn strip_outer_tag(text: &str) -> &str {
    let inside = || {
        let (name, rest) = text.strip_prefix('<')?.split_once('>')?;
        rest.strip_suffix(&format!("</{name}>"))
    };
    inside().unwrap_or(text).trim()
}

/// The text without the elements of these names.
pub(crate) fn strip_tags(text: &str, tags: &[String]) -> String {
    let mut text = text.to_owned();
    for tag in tags {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        while let Some(start) = text.find(&open)
            && let Some(length) = text[start..].find(&close)
        {
            let before = text[..start].trim_end_matches('\n').len();
            text.replace_range(before..start + length + close.len(), "");
        }
    }
    text
}

/// A numbered listing without its numbers; what stands behind it stays.
fn unnumbered(text: &str) -> String {
    let lines = numbered_lines(text);
    if lines.is_empty() {
        return text.to_owned();
    }
    let blank = text.split('\n').take_while(|line| line.trim().is_empty()).count();
    let rest = text.split('\n').skip(blank + lines.len()).collect::<Vec<_>>().join("\n");
    let listed = lines.iter().map(|line| line.1).collect::<Vec<_>>().join("\n");
    // The number behind the last line end stands before no line.
    [listed.trim_end_matches('\n'), rest.trim()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use crate::wire::{Block, Role as Speaker};
    use serde_json::json;

    fn step(id: &str, name: &str, input: Value, result: &str, is_error: bool) -> [Message; 2] {
        let call = ToolUse { id: id.into(), name: name.into(), input };
        let result = ToolResult { tool_use_id: id.into(), content: vec![Block::Text(result.into())], is_error };
        [
            Message { role: Speaker::Assistant, content: vec![Block::ToolUse(call)].into() },
            Message { role: Speaker::User, content: vec![Block::ToolResult(result)].into() },
        ]
    }

    fn told(steps: &[[Message; 2]]) -> Vec<String> {
        let rules = RuleSet::builtin();
        let model = rules.model("qwen2.5-coder:1.5b").unwrap();
        let messages: Arc<[Message]> = steps.concat().into();
        let notes = Notes::of(&messages, &rules, model, Folder::new("/w"));
        let results = messages.iter().flat_map(Message::tool_results);
        results.map(|result| notes.result(result, &model.show)).collect()
    }

    #[test]
    fn changes_are_told_in_one_line_with_what_was_changed_so_far() {
        let edit = |id, path: &str| {
            let input = json!({"file_path": path, "old_string": "a", "new_string": "b"});
            step(id, "Edit", input, "The file was updated. Here are its lines: 1\tb", false)
        };
        assert_eq!(
            told(&[edit("1", "/w/a.py"), edit("2", "/w/b.py")]),
            ["Done: a.py changed.", "Done: b.py changed. Changed so far: a.py, b.py."]
        );
    }

    #[test]
    fn a_reading_is_the_files_own_text_and_what_the_client_adds_stays() {
        let result = "1\tsee /w/x\n2\tend\n3\t\n\n<system-reminder>\nabout the file\n</system-reminder>";
        assert_eq!(
            told(&[step("1", "Read", json!({"file_path": "/w/a"}), result, false)]),
            ["see /w/x\nend\n\n<system-reminder>\nabout the file\n</system-reminder>"]
        );
    }

    #[test]
    fn an_error_says_so_and_paths_are_short() {
        let result = "<tool_use_error>/w/a is not there</tool_use_error>";
        assert_eq!(told(&[step("1", "Bash", json!({"command": "ls"}), result, true)]), ["Error: a is not there"]);
    }

    #[test]
    fn the_third_same_result_says_so() {
        let look = |id| step(id, "Bash", json!({"command": "ls"}), "a.txt", false);
        let told = told(&[look("1"), look("2"), look("3")]);
        assert_eq!(told[1], "a.txt");
        assert!(told[2].starts_with("a.txt\n") && told[2].contains("3 times"), "{}", told[2]);
    }
}
