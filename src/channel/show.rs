//! What the model is shown: the head, and each message, in the form of the channel.

use serde_json::{Value, json};

use crate::rules::{ChannelKind, ModelProfile};
use crate::trim::Head;
use crate::wire::{Block, Message, Role, ToolUse};

/// Who speaks in a rendered message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    System,
    User,
    Assistant,
    /// The result of a call, where the dialect has a role for it.
    Tool,
}

/// One message as the model's template gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub speaker: Speaker,
    pub text: String,
    /// Calls in the dialect's own field (native only).
    pub calls: Vec<ToolUse>,
    /// The call that this message answers: (id, tool name); native only.
    pub answers: Option<(String, String)>,
    /// Image blocks for a model that sees.
    pub images: Vec<Value>,
}

/// The head in the form of the channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShownHead {
    pub system: String,
    /// Tool definitions for the dialect's own field (native only): `{name, description, input_schema}`.
    pub tools: Vec<Value>,
    /// Worked examples, as past messages.
    pub examples: Vec<Shown>,
    /// How much of `system` is the text of tools, in bytes: counted as tools.
    pub tool_text: String,
}

/// The form in which one family of models is shown tools and calls.
#[derive(Debug, Clone)]
pub struct Form<'a> {
    pub kind: ChannelKind,
    pub model: &'a ModelProfile,
}

impl Form<'_> {
    /// The head as it is sent.
    pub fn head(&self, head: &Head) -> ShownHead {
        let tools = head
            .core
            .iter()
            .map(|tool| json!({"name": tool.client.name, "description": tool.description, "input_schema": tool.schema}))
            .collect();
        ShownHead { system: head.system.clone(), tools, ..ShownHead::default() }
    }

    /// One message as it is sent: results first, then text, each in a message of its own.
    pub fn message(&self, message: &Message) -> Vec<Shown> {
        let mut shown = Vec::new();
        for result in message.tool_results() {
            shown.push(Shown {
                speaker: Speaker::Tool,
                text: result.text(),
                calls: Vec::new(),
                answers: Some((result.tool_use_id.clone(), String::new())),
                images: Vec::new(),
            });
        }
        let calls: Vec<ToolUse> = message.tool_uses().cloned().collect();
        let text = message.plain_text();
        if !text.is_empty() || !calls.is_empty() {
            let speaker = if message.role == Role::Assistant { Speaker::Assistant } else { Speaker::User };
            let images = message.content.iter().filter_map(|block| match block {
                Block::Image(value) => Some(value.clone()),
                _ => None,
            });
            shown.push(Shown { speaker, text, calls, answers: None, images: images.collect() });
        }
        shown
    }
}
