//! Messages made regular: only user and assistant, roles alternate, every call is answered, nothing is left that a
//! local model cannot take. What the client changes in its own past between two requests is gone.

use std::collections::BTreeSet;

use crate::wire::{Block, Message, Role, ToolResult};

use super::content::Content;
use super::reminders::{is_wrapped, wrapped};
use super::tally::Tally;

/// What stands for an answer of which nothing is left: only thinking, or stopped before a word.
const SILENCE: &str = "(nothing said)";

/// Makes the messages regular. Doing it twice is doing it once. Where they are not `first`, they stand behind a message of
/// the user.
pub(super) fn normalise(messages: &[Message], content: &Content, first: bool, tally: &mut Tally) -> Vec<Message> {
    let mut regular: Vec<Message> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let mut blocks = match message.role {
            Role::System => notice(message, content, tally),
            Role::User => content.of_user(&message.content, tally),
            Role::Assistant => content.of_assistant(&message.content),
        };
        let role = if message.role == Role::Assistant { Role::Assistant } else { Role::User };
        let user_follows = messages.get(at + 1).is_some_and(|next| next.role == Role::User);
        if blocks.is_empty() && role == Role::Assistant && user_follows && (!first || !regular.is_empty()) {
            // Without it the user's next words would join those before, which were sent as a whole already.
            blocks.push(Block::Text(SILENCE.into()));
        }
        push(&mut regular, role, blocks);
    }
    paired(regular, first)
}

/// A `role: "system"` message as a reminder at the user's side.
fn notice(message: &Message, content: &Content, tally: &mut Tally) -> Vec<Block> {
    let text = message.plain_text();
    if is_wrapped(&text) {
        return content.of_user(&message.content, tally);
    }
    let kept = content.reminders.inside(&text, tally);
    if kept.is_empty() { Vec::new() } else { vec![Block::Text(wrapped(&kept))] }
}

/// Adds blocks to the last message, where it has the same role.
fn push(messages: &mut Vec<Message>, role: Role, mut blocks: Vec<Block>) {
    if blocks.is_empty() {
        return;
    }
    match messages.last_mut().filter(|last| last.role == role) {
        Some(last) => last.content.append(&mut blocks),
        None => messages.push(Message { role, content: blocks.into() }),
    }
}

/// Puts each result behind its call: right after it, in the order of the calls, before any text. A call without a
/// result gets one that says so; a result without a call becomes text.
fn paired(messages: Vec<Message>, first: bool) -> Vec<Message> {
    let mut out: Vec<Message> = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for message in messages {
        let blocks = match message.role {
            Role::Assistant => {
                push(&mut out, Role::User, answers(&mut open, Vec::new()));
                let blocks = unique_calls(message.content.into(), &mut seen);
                open = calls_of(&blocks);
                blocks
            }
            _ => answers(&mut open, message.content.into()),
        };
        if first && out.is_empty() && message.role == Role::Assistant {
            push(&mut out, Role::User, vec![Block::Text("(continued)".into())]);
        }
        push(&mut out, message.role, blocks);
    }
    push(&mut out, Role::User, answers(&mut open, Vec::new()));
    out
}

fn calls_of(blocks: &[Block]) -> Vec<String> {
    let ids = blocks.iter().filter_map(|block| match block {
        Block::ToolUse(call) => Some(call.id.clone()),
        _ => None,
    });
    ids.collect()
}

/// Drops a call whose id was there before: the client does the same.
fn unique_calls(blocks: Vec<Block>, seen: &mut BTreeSet<String>) -> Vec<Block> {
    let first = |block: &Block| match block {
        Block::ToolUse(call) => seen.insert(call.id.clone()),
        _ => true,
    };
    blocks.into_iter().filter(first).collect()
}

/// The blocks of a user message: first the results of the open calls in their order, then the rest.
fn answers(open: &mut Vec<String>, blocks: Vec<Block>) -> Vec<Block> {
    let mut results: Vec<Option<ToolResult>> = vec![None; open.len()];
    let mut rest = Vec::new();
    for block in blocks {
        match block {
            Block::ToolResult(result) => match open.iter().position(|id| *id == result.tool_use_id) {
                Some(place) if results[place].is_none() => results[place] = Some(result),
                _ => rest.extend(as_text(result)),
            },
            other => rest.push(other),
        }
    }
    let answered =
        open.drain(..).zip(results).map(|(id, result)| Block::ToolResult(result.unwrap_or_else(|| missing(id))));
    answered.chain(rest).collect()
}

fn missing(id: String) -> ToolResult {
    let content = vec![Block::Text("(There is no result: the call was interrupted.)".into())];
    ToolResult { tool_use_id: id, content, is_error: false }
}

fn as_text(result: ToolResult) -> Vec<Block> {
    let mut content = result.content;
    if let Some(Block::Text(text)) = content.first_mut() {
        text.insert_str(0, "Result of an earlier call:\n");
    }
    content
}
