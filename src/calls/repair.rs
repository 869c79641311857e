//! A whole answer, read and healed without a proxy: what `fanlight repair` does to a file.

use std::sync::Arc;

use serde_json::Value;

use super::heal::heal;
use super::read::{Quotes, Reader};
use crate::rules::Lexicon;
use crate::wire::{Block, Delta, Tool, ToolUse};

/// An answer as the client would get it.
#[derive(Debug, Clone, PartialEq)]
pub struct Repaired {
    /// Thinking, text and calls, in order; neighbours of one kind are one block. Calls have the ids `call_0`, `call_1`, …
    pub content: Vec<Block>,
    /// `tool_use`, `end_turn`, or `max_tokens` for an answer that was cut.
    pub stop_reason: &'static str,
    /// Every repair by kind, in the order in which they were made.
    pub repairs: Vec<&'static str>,
}

/// Reads the pieces of one answer and heals its calls. A call that cannot be read stays the text that it was; one whose
/// arguments cannot be healed goes out as it is, for the client to refuse. `cut`: the model was stopped in the middle.
pub fn repair(tools: &[Tool], quotes: &Quotes, lexicon: &Arc<Lexicon>, pieces: &[Piece<'_>], cut: bool) -> Repaired {
    let mut reader = Reader::new(tools, quotes, lexicon);
    let mut deltas = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => reader.on_text(text, &mut deltas),
            Piece::Thinking(text) => reader.on_thinking(text, &mut deltas),
        }
    }
    reader.on_end(cut, &mut deltas);
    let mut repairs = reader.take_repairs();
    let mut content = Vec::new();
    for delta in deltas {
        add(delta, tools, lexicon, &mut content, &mut repairs);
    }
    let called = content.iter().any(|block| matches!(block, Block::ToolUse(_)));
    let stop_reason = if called {
        "tool_use"
    } else if cut {
        "max_tokens"
    } else {
        "end_turn"
    };
    Repaired { content, stop_reason, repairs }
}

/// One piece of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    Thinking(&'a str),
}

fn add(delta: Delta, tools: &[Tool], lexicon: &Lexicon, content: &mut Vec<Block>, repairs: &mut Vec<&'static str>) {
    match delta {
        Delta::Text(text) | Delta::BrokenCall { arguments: text, .. } => match content.last_mut() {
            Some(Block::Text(before)) => before.push_str(&text),
            _ => content.push(Block::Text(text)),
        },
        Delta::Thinking(text) => match content.last_mut() {
            Some(Block::Thinking(before)) => before.push_str(&text),
            _ => content.push(Block::Thinking(text)),
        },
        Delta::Call(call) => {
            let id = format!("call_{}", content.iter().filter(|block| matches!(block, Block::ToolUse(_))).count());
            let (name, input) = healed(call, tools, lexicon, repairs);
            content.push(Block::ToolUse(ToolUse { id, name, input }));
        }
        Delta::Other(value) => content.push(Block::Other(value)),
    }
}

fn healed(call: ToolUse, tools: &[Tool], lexicon: &Lexicon, repairs: &mut Vec<&'static str>) -> (String, Value) {
    if let Ok(healed) = heal(&call.name, call.input.clone(), tools, lexicon) {
        repairs.extend(healed.repairs.into_iter().map(crate::calls::heal::Repair::kind));
        (healed.name, healed.input)
    } else {
        repairs.push("not-healed");
        let name = crate::calls::heal::tool_called(&call.name, tools, lexicon).map(|(tool, _)| tool.name.clone());
        (name.unwrap_or(call.name), call.input)
    }
}
