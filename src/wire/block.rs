//! Content blocks and messages of the Anthropic Messages API.

use serde_json::{Map, Value, json};

use super::Blocks;

/// Who speaks. `System` appears inside the message list of newer clients; normalising turns it into user text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    User,
    Assistant,
    System,
}

impl Role {
    /// The role as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }
}

/// One message: a role and its blocks. String content is read as one text block.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub role: Role,
    pub content: Blocks,
}

/// One content block.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    Text(String),
    /// Past thinking; the signature is not kept.
    Thinking(String),
    ToolUse(ToolUse),
    ToolResult(ToolResult),
    /// The whole image block as it came.
    Image(Value),
    /// A block of a type that is not known here, as it came (`tool_reference`, `document`, whatever is next).
    Other(Value),
}

/// A call of a tool by the model.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolUse {
    pub id: String,
    pub name: String,
    /// A JSON object; keys keep their order.
    pub input: Value,
}

/// What the client answers to a call.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    pub tool_use_id: String,
    pub content: Vec<Block>,
    pub is_error: bool,
}

impl ToolResult {
    /// The text of all text blocks, joined by newlines.
    pub fn text(&self) -> String {
        text_of(&self.content)
    }
}

impl Message {
    /// A message with one text block.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self { role, content: vec![Block::Text(text.into())].into() }
    }

    /// All calls in this message, in order.
    pub fn tool_uses(&self) -> impl Iterator<Item = &ToolUse> {
        self.content.iter().filter_map(|block| match block {
            Block::ToolUse(call) => Some(call),
            _ => None,
        })
    }

    /// All results in this message, in order.
    pub fn tool_results(&self) -> impl Iterator<Item = &ToolResult> {
        self.content.iter().filter_map(|block| match block {
            Block::ToolResult(result) => Some(result),
            _ => None,
        })
    }

    /// The text of all text blocks, joined by newlines.
    pub fn plain_text(&self) -> String {
        text_of(&self.content)
    }

    /// The message as the Messages API takes it.
    pub fn to_value(&self) -> Value {
        json!({"role": self.role.as_str(), "content": self.content.iter().map(Block::to_value).collect::<Vec<_>>()})
    }
}

impl Block {
    /// Reads one block. Anything that does not have the shape of a known block is kept as [`Block::Other`].
    pub fn from_value(mut value: Value) -> Self {
        // Some clients and MCP servers leave the type of a text out.
        let kind = value.get("type").map_or(Some("text"), Value::as_str);
        let known = match kind.unwrap_or_default() {
            "text" => take_text(&mut value, "text").map(Self::Text),
            "thinking" => take_text(&mut value, "thinking").map(Self::Thinking),
            "image" => return Self::Image(value),
            "tool_use" => ToolUse::take_from(&mut value).map(Self::ToolUse),
            "tool_result" => ToolResult::take_from(&mut value).map(Self::ToolResult),
            _ => None,
        };
        known.unwrap_or(Self::Other(value))
    }

    /// The block as the Messages API takes it.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => json!({"type": "text", "text": text}),
            Self::Thinking(text) => json!({"type": "thinking", "thinking": text, "signature": ""}),
            Self::ToolUse(call) => {
                json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.input})
            }
            Self::ToolResult(result) => result.to_value(),
            Self::Image(value) | Self::Other(value) => value.clone(),
        }
    }
}

impl ToolUse {
    /// Takes nothing where something is missing.
    fn take_from(value: &mut Value) -> Option<Self> {
        if !(value["id"].is_string() && value["name"].is_string()) {
            return None;
        }
        let input = value.get_mut("input").map_or_else(|| Value::Object(Map::new()), Value::take);
        Some(Self { id: take_text(value, "id")?, name: take_text(value, "name")?, input })
    }
}

impl ToolResult {
    /// Takes nothing where something is missing.
    fn take_from(value: &mut Value) -> Option<Self> {
        let content = value.get("content").unwrap_or(&Value::Null);
        if !(value["tool_use_id"].is_string() && is_content(content)) {
            return None;
        }
        Some(Self {
            content: read_content(value.get_mut("content").map(Value::take).unwrap_or_default())?,
            tool_use_id: take_text(value, "tool_use_id")?,
            is_error: value["is_error"].as_bool().unwrap_or(false),
        })
    }

    fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("type".into(), "tool_result".into());
        map.insert("tool_use_id".into(), self.tool_use_id.clone().into());
        map.insert("content".into(), self.content.iter().map(Block::to_value).collect());
        if self.is_error {
            map.insert("is_error".into(), true.into());
        }
        Value::Object(map)
    }
}

/// Reads a `content` field: a string, a block, an array of blocks, or nothing.
pub(super) fn read_content(content: Value) -> Option<Vec<Block>> {
    match content {
        Value::Null => Some(Vec::new()),
        Value::String(text) => Some(vec![Block::Text(text)]),
        Value::Array(blocks) => Some(blocks.into_iter().map(Block::from_value).collect()),
        block @ Value::Object(_) => Some(vec![Block::from_value(block)]),
        _ => None,
    }
}

fn is_content(value: &Value) -> bool {
    matches!(value, Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_))
}

fn take_text(value: &mut Value, key: &str) -> Option<String> {
    match value.get_mut(key)? {
        Value::String(text) => Some(std::mem::take(text)),
        _ => None,
    }
}

fn text_of(blocks: &[Block]) -> String {
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| match block {
            Block::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.join("\n")
}
