//! Calls with their results, in order; and the questions that checks ask of the past.

use std::collections::BTreeMap;

use super::{Act, Files, Roles};
use crate::wire::{Message, ToolResult, ToolUse};

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
}

impl<'a> History<'a> {
    /// Reads all of a history.
    pub fn read(messages: &'a [Message], roles: &dyn Roles) -> Self {
        let calls = calls(messages, roles);
        let mut files = Files::default();
        for call in &calls {
            files.take(call);
        }
        Self { calls, files }
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
