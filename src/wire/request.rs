//! The body of `POST /v1/messages`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::block::read_content;
use super::{Message, Role, Unreadable, parse_lossy};

/// A request of the client, read but not changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub model: String,
    /// The text blocks of the system prompt, in order.
    pub system: Vec<String>,
    pub tools: Vec<Tool>,
    pub messages: Vec<Message>,
    pub max_tokens: Option<u64>,
    pub stream: bool,
    pub stop_sequences: Vec<String>,
    /// Every other top-level field, as it came and in its order.
    pub rest: Map<String, Value>,
}

/// A tool that the client offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    pub name: String,
    pub description: String,
    /// JSON Schema of the input; an empty object for a server tool. Shared: a tool is copied more often than read.
    pub input_schema: Arc<Value>,
    /// The client holds the schema back until it is asked for.
    pub defer_loading: bool,
    /// The `type` of a server tool (`web_search_…`); `None` for the client's own.
    pub server_type: Option<String>,
}

impl Request {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is not JSON, or a known field has a wrong type. Such a body is not ours to judge: it is passed through.
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        let Value::Object(mut fields) = parse_lossy(body)? else {
            return Err(Unreadable("the body is not an object".into()));
        };
        Ok(Self {
            model: take_string(&mut fields, "model")?,
            system: read_system(fields.shift_remove("system"))?,
            tools: read_array(fields.shift_remove("tools"), "tools", Tool::from_value)?,
            messages: read_array(fields.shift_remove("messages"), "messages", read_message)?,
            max_tokens: fields.shift_remove("max_tokens").as_ref().and_then(Value::as_u64),
            stream: fields.shift_remove("stream").and_then(|flag| flag.as_bool()).unwrap_or(false),
            stop_sequences: read_strings(fields.shift_remove("stop_sequences")),
            rest: fields,
        })
    }
}

impl Tool {
    /// A tool of which only the name is known: any object may be its input.
    pub fn of_unknown_schema(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: String::new(),
            input_schema: Arc::new(json!({"type": "object"})),
            defer_loading: true,
            server_type: None,
        }
    }

    fn from_value(value: Value) -> Option<Self> {
        let Value::Object(mut fields) = value else { return None };
        let text = |value: Option<Value>| value.and_then(|v| v.as_str().map(str::to_owned));
        Some(Self {
            name: text(fields.shift_remove("name"))?,
            description: text(fields.shift_remove("description")).unwrap_or_default(),
            input_schema: Arc::new(fields.shift_remove("input_schema").unwrap_or_else(|| Value::Object(Map::new()))),
            defer_loading: fields.shift_remove("defer_loading").and_then(|flag| flag.as_bool()).unwrap_or(false),
            server_type: text(fields.shift_remove("type")).filter(|kind| kind != "custom"),
        })
    }
}

fn read_message(value: Value) -> Option<Message> {
    let Value::Object(mut fields) = value else { return None };
    let role = match fields.get("role")?.as_str()? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return None,
    };
    Some(Message { role, content: read_content(fields.shift_remove("content")?)? })
}

fn read_system(value: Option<Value>) -> Result<Vec<String>, Unreadable> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(blocks)) => {
            Ok(blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str).map(str::to_owned)).collect())
        }
        Some(_) => Err(Unreadable("`system` is neither text nor a list of blocks".into())),
    }
}

fn read_array<T>(value: Option<Value>, field: &str, read: impl Fn(Value) -> Option<T>) -> Result<Vec<T>, Unreadable> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .into_iter()
            .enumerate()
            .map(|(at, item)| read(item).ok_or_else(|| Unreadable(format!("`{field}[{at}]` has an unknown shape"))))
            .collect(),
        Some(_) => Err(Unreadable(format!("`{field}` is not a list"))),
    }
}

fn read_strings(value: Option<Value>) -> Vec<String> {
    let items = value.and_then(|v| v.as_array().cloned()).unwrap_or_default();
    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn take_string(fields: &mut Map<String, Value>, key: &str) -> Result<String, Unreadable> {
    match fields.shift_remove(key) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Unreadable(format!("`{key}` is not text"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Block;

    #[test]
    fn string_content_is_one_text_block() {
        let request = Request::parse(br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#).unwrap();
        assert_eq!(request.messages[0].content, vec![Block::Text("hi".into())]);
    }

    #[test]
    fn unknown_fields_are_kept_in_their_order() {
        let request = Request::parse(br#"{"model":"m","zeta":1,"messages":[],"alpha":2}"#).unwrap();
        assert_eq!(request.rest.keys().collect::<Vec<_>>(), ["zeta", "alpha"]);
    }

    #[test]
    fn a_wrong_type_says_where() {
        let error = Request::parse(br#"{"model":"m","messages":[{"role":"user"}]}"#).unwrap_err();
        assert!(error.0.contains("messages[0]"), "{error}");
    }
}
