//! Content blocks and messages of the Anthropic Messages API.

use serde_json::{Map, Value, json};

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
    pub content: Vec<Block>,
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
        Self { role, content: vec![Block::Text(text.into())] }
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
    pub fn from_value(value: Value) -> Self {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "text" => string_field(&value, "text").map_or(Self::Other(value), Self::Text),
            "thinking" => string_field(&value, "thinking").map_or(Self::Other(value), Self::Thinking),
            "image" => Self::Image(value),
            "tool_use" => ToolUse::from_value(&value).map_or(Self::Other(value), Self::ToolUse),
            "tool_result" => ToolResult::from_value(&value).map_or(Self::Other(value), Self::ToolResult),
            _ => Self::Other(value),
        }
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
    fn from_value(value: &Value) -> Option<Self> {
        let input = value.get("input").cloned().unwrap_or_else(|| Value::Object(Map::new()));
        Some(Self { id: string_field(value, "id")?, name: string_field(value, "name")?, input })
    }
}

impl ToolResult {
    fn from_value(value: &Value) -> Option<Self> {
        Some(Self {
            tool_use_id: string_field(value, "tool_use_id")?,
            content: read_content(value.get("content").cloned().unwrap_or(Value::Null))?,
            is_error: value.get("is_error").and_then(Value::as_bool).unwrap_or(false),
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

/// Reads a `content` field: a string, an array of blocks, or nothing.
pub(super) fn read_content(content: Value) -> Option<Vec<Block>> {
    match content {
        Value::Null => Some(Vec::new()),
        Value::String(text) => Some(vec![Block::Text(text)]),
        Value::Array(blocks) => Some(blocks.into_iter().map(Block::from_value).collect()),
        _ => None,
    }
}

fn string_field(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
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
