//! The session that comes with the program: requests of a client, and what the model said to each.

use serde_json::{Value, json};

use crate::wire::{Block, Message, ToolUse};

const HEAD: &str = include_str!("../../../fixtures/requests/classic/hello.json");
const SESSION: &str = include_str!("../../../fixtures/sessions/demo.json");
const LEAK: &str = include_str!("../../../fixtures/sessions/leak.json");

/// One request, and the answer that the model gave to it.
pub(super) struct Step {
    /// The turn of the user that it belongs to, from 1.
    pub(super) turn: usize,
    pub(super) body: Value,
    pub(super) reply: Reply,
}

/// What the model says: a text, or a call with a few words before it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) call: Option<ToolUse>,
    /// The text is what the model writes, whatever form it was asked for.
    pub(super) verbatim: bool,
}

/// A call that a model writes as text, with a wrong parameter name; and what it is about.
#[derive(Debug, Clone, serde::Deserialize)]
pub(super) struct Leak {
    pub(super) prompt: String,
    pub(super) folder: String,
    pub(super) file: String,
    pub(super) content: String,
    pub(super) said: String,
    pub(super) answer: String,
}

/// The requests of the bundled session, in order.
///
/// # Errors
/// When a bundled file is broken; a test keeps them whole.
pub(super) fn steps() -> anyhow::Result<Vec<Step>> {
    let head: Value = serde_json::from_str(HEAD)?;
    let session: Value = serde_json::from_str(SESSION)?;
    let messages = session["messages"].as_array().cloned().unwrap_or_default();
    let mut turn = 0;
    let mut steps = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        turn += usize::from(is_typed(message));
        if message["role"] == "assistant" {
            steps.push(Step { turn, body: with_messages(&head, &messages[..at]), reply: Reply::of(message) });
        }
    }
    Ok(steps)
}

/// The bundled leaked call.
///
/// # Errors
/// When the bundled file is broken; a test keeps it whole.
pub(super) fn leak() -> anyhow::Result<Leak> {
    Ok(serde_json::from_str(LEAK)?)
}

/// A request with the bundled head and these messages.
///
/// # Errors
/// When the bundled file is broken; a test keeps it whole.
pub(super) fn request(messages: &[Value]) -> anyhow::Result<Value> {
    Ok(with_messages(&serde_json::from_str(HEAD)?, messages))
}

/// A message of the user with one text.
pub(super) fn typed(text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "text", "text": text}]})
}

fn with_messages(head: &Value, messages: &[Value]) -> Value {
    let mut body = head.clone();
    body["messages"] = messages.into();
    body
}

fn is_typed(message: &Value) -> bool {
    message["role"] == "user" && message["content"][0]["type"] == "text"
}

impl Reply {
    fn of(message: &Value) -> Self {
        let mut reply = Self::default();
        for block in message["content"].as_array().into_iter().flatten() {
            reply.take(Block::from_value(block.clone()));
        }
        reply
    }

    /// The answer that a client read.
    pub(super) fn from_message(message: &Message) -> Self {
        let mut reply = Self::default();
        message.content.iter().cloned().for_each(|block| reply.take(block));
        reply
    }

    fn take(&mut self, block: Block) {
        match block {
            Block::Text(text) => self.text += &text,
            Block::ToolUse(call) => self.call = Some(call),
            _ => {}
        }
    }

    /// Whether the client got the call that the model meant, or else its text. Ids are the proxy's own.
    pub(super) fn arrived_as(&self, got: &Self) -> bool {
        match (&self.call, &got.call) {
            (Some(meant), Some(got)) => meant.name == got.name && meant.input == got.input,
            (None, None) => self.text == got.text,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_session_has_at_least_twelve_turns() {
        let steps = steps().unwrap();
        assert!(steps.last().unwrap().turn >= 12);
        assert!(steps.iter().all(|step| step.body["messages"].as_array().unwrap().last().unwrap()["role"] == "user"));
        assert!(steps.iter().all(|step| step.reply != Reply::default()));
    }

    #[test]
    fn the_bundled_leak_has_a_place_for_the_file() {
        let leak = leak().unwrap();
        assert!(leak.said.contains("FILE") && leak.prompt.contains(&leak.file));
    }
}
