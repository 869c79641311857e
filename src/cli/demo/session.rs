//! The session that comes with the program: requests of a client, and what the model said to each.

use serde_json::{Value, json};

use crate::wire::{Block, Message, ToolUse};

const HEAD: &str = include_str!("../../../fixtures/requests/classic/hello.json");
const SESSION: &str = include_str!("../../../fixtures/sessions/demo.json");
const LEAK: &str = include_str!("../../../fixtures/sessions/leak.json");

/// The bundled session.
pub(in crate::cli) struct Session {
    head: Value,
    /// Its messages, from the first prompt to the last answer.
    pub(super) messages: Vec<Value>,
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

impl Session {
    /// The bundled session.
    ///
    /// # Errors
    /// When a bundled file is broken; a test keeps them whole.
    pub(in crate::cli) fn load() -> anyhow::Result<Self> {
        let session: Value = serde_json::from_str(SESSION)?;
        let messages = session["messages"].as_array().cloned().unwrap_or_default();
        Ok(Self { head: serde_json::from_str(HEAD)?, messages })
    }

    /// How often the user typed something.
    pub(super) fn turns(&self) -> usize {
        self.messages.iter().filter(|message| typed_text(message).is_some()).count()
    }

    /// A request with the bundled head and these messages.
    pub(in crate::cli) fn request(&self, messages: &[Value]) -> Value {
        let mut body = self.head.clone();
        body["messages"] = messages.into();
        body
    }
}

/// The bundled leaked call.
///
/// # Errors
/// When the bundled file is broken; a test keeps it whole.
pub(super) fn leak() -> anyhow::Result<Leak> {
    Ok(serde_json::from_str(LEAK)?)
}

/// A message of the user with one text.
pub(in crate::cli) fn typed(text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "text", "text": text}]})
}

/// What the user typed; `None` for a message that holds results, or one of the model.
pub(super) fn typed_text(message: &Value) -> Option<&str> {
    (message["role"] == "user").then(|| message["content"][0]["text"].as_str()).flatten()
}

/// A call and its result, as the client keeps them.
pub(super) fn called(call: &ToolUse, result: &str, is_error: bool) -> [Value; 2] {
    [
        json!({"role": "assistant", "content": [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}]}),
        json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call.id, "content": result, "is_error": is_error}]}),
    ]
}

impl Reply {
    /// The answer that a message of the session holds.
    pub(super) fn of(message: &Value) -> Self {
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
        let session = Session::load().unwrap();
        assert!(session.turns() >= 12);
        let replies = session.messages.iter().filter(|message| message["role"] == "assistant").map(Reply::of);
        assert!(replies.into_iter().all(|reply| reply != Reply::default()));
    }

    #[test]
    fn the_bundled_leak_has_a_place_for_the_file() {
        let leak = leak().unwrap();
        assert!(leak.said.contains("FILE") && leak.prompt.contains(&leak.file));
    }
}
