//! A step of very many calls at once: the first of them are shown with their results, the rest stands under the handle of
//! the step, as the lines of a long result do.

use std::collections::BTreeSet;

use super::estimate::estimate;
use super::handle;
use crate::wire::{Block, Message, ToolUse};

/// What a call takes beside its input, and a result beside its text, in tokens.
const FRAME: usize = 24;
const RESULT_FRAME: usize = 10;

/// The least that a result is shown with, in tokens.
pub(super) const LEAST_RESULT: usize = 40;

/// The calls of one message that are not shown.
#[derive(Debug, Default)]
pub(super) struct LeftOut<'a> {
    ids: BTreeSet<&'a str>,
    /// What the calls that are shown take beyond the share of calls, in tokens.
    pub(super) excess: usize,
    /// The message.
    at: usize,
}

impl<'a> LeftOut<'a> {
    /// Which calls of message `at` are too many for `calls` and `results` tokens together; at least one is shown.
    pub(super) fn of(at: usize, message: &'a Message, calls: usize, results: usize) -> Self {
        let (mut used, mut shown) = (0, 0);
        let mut ids = BTreeSet::new();
        for call in message.tool_uses() {
            let cost = cost(call);
            let reserved = used + cost + (shown + 1) * (LEAST_RESULT + RESULT_FRAME);
            if shown > 0 && (!ids.is_empty() || reserved > calls + results) {
                ids.insert(call.id.as_str());
            } else {
                used += cost.min(calls);
                shown += 1;
            }
        }
        Self { ids, excess: used.saturating_sub(calls), at }
    }

    /// Whether a block is one of these calls, or the result of one.
    pub(super) fn has(&self, block: &Block) -> bool {
        match block {
            Block::ToolUse(call) => self.ids.contains(call.id.as_str()),
            Block::ToolResult(result) => self.ids.contains(result.tool_use_id.as_str()),
            _ => false,
        }
    }

    /// Says behind the last result that is shown how to have the others.
    pub(super) fn note(&self, content: &mut [Block]) {
        let last = content.iter_mut().rev().find_map(|block| match block {
            Block::ToolResult(result) => Some(result),
            _ => None,
        });
        if let Some(result) = last.filter(|_| !self.ids.is_empty()) {
            let (left, step) = (self.ids.len(), handle::of_message(self.at));
            let note = format!("[{left} further calls and their results are left out; in full: Recall {step}]");
            result.content.push(Block::Text(note));
        }
    }
}

fn cost(call: &ToolUse) -> usize {
    estimate(&call.input.to_string()) + FRAME
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Role, ToolResult};
    use serde_json::json;

    fn calls(count: usize) -> Message {
        let call =
            |n: usize| Block::ToolUse(ToolUse { id: format!("t{n}"), name: "Read".into(), input: json!({"a": n}) });
        Message { role: Role::Assistant, content: (0..count).map(call).collect() }
    }

    fn result(n: usize) -> Block {
        let content = vec![Block::Text("x".into())];
        Block::ToolResult(ToolResult { tool_use_id: format!("t{n}"), content, is_error: false })
    }

    #[test]
    fn a_few_calls_are_all_shown() {
        let message = calls(5);
        let left = LeftOut::of(3, &message, 300, 600);
        assert!(left.ids.is_empty() && left.excess == 0);
        let mut content = vec![result(0)];
        left.note(&mut content);
        assert_eq!(content, [result(0)]);
    }

    #[test]
    fn of_very_many_the_first_are_shown_and_the_handle_of_the_step_is_said() {
        let message = calls(100);
        let left = LeftOut::of(3, &message, 300, 600);
        let shown = message.content.iter().filter(|block| !left.has(block)).count();
        assert!((5..20).contains(&shown), "{shown}");
        assert!(message.content[..shown].iter().all(|block| !left.has(block)), "the first");
        assert_eq!((0..100).filter(|n| !left.has(&result(*n))).count(), shown);
        let mut content = vec![result(0), result(1)];
        left.note(&mut content);
        let Block::ToolResult(last) = &content[1] else { panic!("a result") };
        assert!(
            last.text().ends_with(&format!(
                "[{} further calls and their results are left out; in full: Recall h3]",
                100 - shown
            ))
        );
    }

    #[test]
    fn one_call_is_always_shown_however_long() {
        let input = json!({"content": "word ".repeat(5000)});
        let call = Block::ToolUse(ToolUse { id: "t0".into(), name: "Write".into(), input });
        let message = Message { role: Role::Assistant, content: vec![call].into() };
        assert!(!LeftOut::of(0, &message, 100, 100).has(&message.content[0]));
    }
}
