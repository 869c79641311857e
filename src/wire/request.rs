//! The body of `POST /v1/messages`.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::block::read_content;
use super::json::replace_lone_surrogates;
use super::weight::{READ, carried};
use super::{InputSchema, Message, Role, Unreadable, parse_lossy};

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
    /// Shared, as the schema is: a tool is copied more often than read.
    pub description: Arc<str>,
    /// An empty object for a server tool.
    pub input_schema: InputSchema,
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
        outer(body).map(|(request, _)| request)
    }

    /// All of it but the messages.
    pub(super) fn without_messages(&self) -> Self {
        let Self { model, system, tools, messages: _, max_tokens, stream, stop_sequences, rest } = self;
        Self {
            model: model.clone(),
            system: system.clone(),
            tools: tools.clone(),
            messages: Vec::new(),
            max_tokens: *max_tokens,
            stream: *stream,
            stop_sequences: stop_sequences.clone(),
            rest: rest.clone(),
        }
    }

    fn of(outer: Outer<'_>) -> Result<Self, Unreadable> {
        let Outer { mut fields, tools, messages, .. } = outer;
        let read = |(at, raw): (usize, &&RawValue)| {
            read_message(raw).ok_or_else(|| Unreadable(format!("`messages[{at}]` has an unknown shape")))
        };
        Ok(Self {
            model: take_string(&mut fields, "model")?,
            system: read_system(fields.shift_remove("system"))?,
            tools,
            messages: messages.iter().enumerate().map(read).collect::<Result<_, _>>()?,
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
            description: "".into(),
            input_schema: json!({"type": "object"}).into(),
            defer_loading: true,
            server_type: None,
        }
    }
}

/// Where the messages of one list begin and end.
pub(super) struct Places {
    pub(super) start: Option<usize>,
    pub(super) ends: Vec<usize>,
}

/// Reads a body, and says where its messages are, unless they stand in more lists than one.
pub(super) fn outer(body: &[u8]) -> Result<(Request, Option<Places>), Unreadable> {
    match serde_json::from_slice(body) {
        Ok(outer) => with_places(outer, body),
        Err(error) => {
            let mended = replace_lone_surrogates(body).ok_or_else(|| Unreadable(error.to_string()))?;
            with_places(serde_json::from_slice(&mended).map_err(|_| Unreadable(error.to_string()))?, &mended)
        }
    }
}

fn with_places(outer: Outer<'_>, body: &[u8]) -> Result<(Request, Option<Places>), Unreadable> {
    let offset = |raw: &&RawValue| raw.get().as_ptr() as usize - body.as_ptr() as usize;
    let ends = outer.messages.iter().map(|raw| offset(raw) + raw.get().len()).collect();
    let places = (outer.lists == 1).then(|| Places { start: outer.messages.first().map(offset), ends });
    Ok((Request::of(outer)?, places))
}

/// A body before its fields are looked at; only the tools are, whose schemas stay unread.
struct Outer<'a> {
    fields: Map<String, Value>,
    tools: Vec<Tool>,
    messages: Vec<&'a RawValue>,
    /// How often the field of the messages is there. The last counts.
    lists: usize,
}

impl<'de> Deserialize<'de> for Outer<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Outer<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object as the body")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outer<'de>, A::Error> {
        let mut body = Outer { fields: Map::new(), tools: Vec::new(), messages: Vec::new(), lists: 0 };
        while let Some(key) = map.next_key::<String>()? {
            if key == "tools" {
                body.tools = map.next_value::<Option<Vec<Tool>>>()?.unwrap_or_default();
            } else if key == "messages" {
                body.messages = map.next_value::<Option<Vec<&RawValue>>>()?.unwrap_or_default();
                body.lists += 1;
            } else if READ.contains(&key.as_str()) {
                body.fields.insert(key, map.next_value()?);
            } else {
                let raw = map.next_value::<Box<RawValue>>()?;
                body.fields.insert(key, carried(&raw).map_err(A::Error::custom)?);
            }
        }
        Ok(body)
    }
}

impl<'de> Deserialize<'de> for Tool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ToolVisitor)
    }
}

struct ToolVisitor;

impl<'de> Visitor<'de> for ToolVisitor {
    type Value = Tool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object as a tool")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tool, A::Error> {
        let mut fields = Map::new();
        let mut input_schema = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "input_schema" => input_schema = Some(map.next_value()?),
                "name" | "description" | "defer_loading" | "type" => _ = fields.insert(key, map.next_value()?),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        Ok(Tool {
            name: text("name").ok_or_else(|| A::Error::custom("a tool has no name"))?.to_owned(),
            description: text("description").unwrap_or_default().into(),
            input_schema: input_schema.unwrap_or_else(|| json!({}).into()),
            defer_loading: fields.get("defer_loading").and_then(Value::as_bool).unwrap_or(false),
            server_type: text("type").filter(|kind| *kind != "custom").map(str::to_owned),
        })
    }
}

/// One message, by its own bytes alone.
pub(super) fn read_message(raw: &RawValue) -> Option<Message> {
    let Value::Object(mut fields) = parse_lossy(raw.get().as_bytes()).ok()? else { return None };
    let role = match fields.get("role")?.as_str()? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return None,
    };
    Some(Message { role, content: read_content(fields.shift_remove("content")?)?.into() })
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
    fn a_tool_without_a_name_is_not_ours_to_judge() {
        for tools in [r#"[{"description":"d"}]"#, r#"[{"name":1}]"#, r#"["Read"]"#, r#"{"name":"Read"}"#, "1"] {
            let body = format!(r#"{{"model":"m","messages":[],"tools":{tools}}}"#);
            assert!(Request::parse(body.as_bytes()).is_err(), "{tools}");
        }
        assert_eq!(Request::parse(br#"{"model":"m","messages":[],"tools":null}"#).unwrap().tools, []);
    }

    #[test]
    fn a_tool_is_read_whatever_else_it_says() {
        let body = br#"{"messages":[],"tools":[{"type":"custom","cache_control":{"a":1},"name":"A","description":null,
            "input_schema":{"b":2},"defer_loading":true},{"type":"web_search_1","name":"B"}]}"#;
        let [one, two] = Request::parse(body).unwrap().tools.try_into().unwrap();
        let expected = (&*one.name, &*one.description, one.input_schema.text(), one.defer_loading, one.server_type);
        assert_eq!(expected, ("A", "", r#"{"b":2}"#, true, None));
        assert_eq!((two.server_type.as_deref(), two.input_schema.text()), (Some("web_search_1"), "{}"));
    }

    #[test]
    fn a_wrong_type_says_where() {
        let error = Request::parse(br#"{"model":"m","messages":[{"role":"user"}]}"#).unwrap_err();
        assert!(error.0.contains("messages[0]"), "{error}");
    }
}
