//! Calls with their results, in order; and the questions that checks ask of the past.

use std::collections::BTreeMap;

use super::{Act, Files, Roles};
use crate::wire::{Block, Message, Role, ToolResult, ToolUse};

/// A call with what came of it.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The index of the assistant message that holds it.
    pub message: usize,
    /// The index of the call among the blocks of that message.
    pub block: usize,
    pub call: &'a ToolUse,
    pub act: Act<'a>,
    /// The result, when it has come: its message, its block, and itself.
    pub result: Option<(usize, usize, &'a ToolResult)>,
}

impl Call<'_> {
    /// It was answered, and not with an error.
    pub fn ok(&self) -> bool {
        self.result.is_some_and(|result| !result.2.is_error)
    }

    /// It was answered with an error.
    pub fn failed(&self) -> bool {
        self.result.is_some_and(|result| result.2.is_error)
    }

    /// The text of the result; empty when there is none.
    pub fn result_text(&self) -> String {
        self.result.map(|result| result.2.text()).unwrap_or_default()
    }
}

/// What happened so far.
#[derive(Debug, Clone, Default)]
pub struct History<'a> {
    pub calls: Vec<Call<'a>>,
    pub files: Files,
    /// What the client put between the user's words, and in which messages.
    notes: Vec<(usize, &'a str)>,
}

impl<'a> History<'a> {
    /// Reads all of a history.
    pub fn read(messages: &'a [Message], roles: &dyn Roles) -> Self {
        let calls = calls(messages, roles);
        let mut files = Files::default();
        for call in &calls {
            files.take(call);
        }
        let notes: Vec<(usize, &str)> = notes(messages).collect();
        for (at, text) in &notes {
            files.noted(text, *at);
        }
        Self { calls, files, notes }
    }

    /// The history up to the call at `at`.
    #[must_use]
    pub fn before(&self, at: usize) -> Self {
        let calls = self.calls[..at].to_vec();
        let mut files = Files::default();
        for call in &calls {
            files.take(call);
        }
        let end = self.calls.get(at).map_or(usize::MAX, |call| call.message);
        let notes: Vec<(usize, &str)> = self.notes.iter().copied().filter(|(message, _)| *message < end).collect();
        for (message, text) in &notes {
            files.noted(text, *message);
        }
        Self { calls, files, notes }
    }

    /// The paths that were edited or written, in order of first mention.
    pub fn changed_files(&self) -> Vec<&str> {
        self.files.iter().filter(|(record, _)| record.changed()).map(|(record, _)| record.path.as_str()).collect()
    }

    /// Whether the text of this file was ever read or written.
    pub fn was_read(&self, path: &str) -> bool {
        self.files.record(path).is_some_and(super::Record::is_file)
    }
}

/// What the client put between the user's words: texts that nobody typed, and the messages in which they stand.
fn notes(messages: &[Message]) -> impl Iterator<Item = (usize, &str)> {
    let users = messages.iter().enumerate().filter(|(_, message)| message.role == Role::User);
    users.flat_map(|(at, message)| {
        message.content.iter().flat_map(move |item| match item {
            Block::Text(text) if is_tagged(text) => vec![(at, text.as_str())],
            Block::ToolResult(result) => result.content.iter().filter_map(tagged_end).map(|text| (at, text)).collect(),
            _ => Vec::new(),
        })
    })
}

/// What begins with a tag may be of the client. Where it was typed after all, a file that it names is in doubt, and no more.
fn is_tagged(text: &str) -> bool {
    let mut bytes = text.trim_start().bytes();
    bytes.next() == Some(b'<') && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
}

/// What stands in tags at the end of a result: a note of the client.
fn tagged_end(block: &Block) -> Option<&str> {
    let Block::Text(text) = block else { return None };
    let at = text.find("\n<").filter(|_| text.trim_end().ends_with('>'))?;
    Some(&text[at..])
}

/// All calls with their results, in order.
pub(crate) fn calls<'a>(messages: &'a [Message], roles: &dyn Roles) -> Vec<Call<'a>> {
    calls_from(0, messages, roles)
}

/// The calls from message number `first` on, with their results, in order.
pub(crate) fn calls_from<'a>(first: usize, messages: &'a [Message], roles: &dyn Roles) -> Vec<Call<'a>> {
    let mut calls: Vec<Call<'a>> = Vec::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for (message, content) in messages.iter().enumerate().skip(first) {
        for (block, item) in content.content.iter().enumerate() {
            match item {
                crate::wire::Block::ToolUse(call) => {
                    open.insert(&call.id, calls.len());
                    let act = Act::of(roles.role(&call.name), &call.input);
                    calls.push(Call { message, block, call, act, result: None });
                }
                crate::wire::Block::ToolResult(result) => {
                    if let Some(at) = open.remove(result.tool_use_id.as_str()) {
                        calls[at].result = Some((message, block, result));
                    }
                }
                _ => {}
            }
        }
    }
    calls
}
