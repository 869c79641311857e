//! The body that goes upstream, for both dialects.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use super::form::{Shown, ShownHead, Speaker};
use crate::rules::Sampling;
use crate::tokens::Budget;
use crate::wire::{Dialect, ToolUse};

/// What of a body does not come from the rendered prompt.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    /// The served model's name.
    pub model: &'a str,
    pub dialect: Dialect,
    pub sampling: &'a Sampling,
    pub budget: Budget,
    /// Tokens of the prompt as rendered.
    pub prompt: usize,
    /// What the client asks for at most; `None`: whatever fits.
    pub max_tokens: Option<u64>,
    /// Ollama's `think`.
    pub think: Option<Value>,
    /// The client's own fields that a Messages API takes as they are.
    pub as_they_are: Map<String, Value>,
    /// A JSON Schema that binds the answer, in place of the head's.
    pub format: Option<&'a Value>,
    /// How long the model stays loaded, as Ollama writes it.
    pub keep_alive: &'a str,
}

/// The whole body. `messages` stand behind the head's examples.
pub fn body(envelope: &Envelope<'_>, head: &ShownHead, messages: &[Shown]) -> Value {
    // Writing into memory does not fail.
    serde_json::to_value(Body::of(envelope, head, messages)).unwrap_or_default()
}

/// The same as text: no text of a message is copied but into this one.
pub fn written(envelope: &Envelope<'_>, head: &ShownHead, messages: &[Shown]) -> String {
    serde_json::to_string(&Body::of(envelope, head, messages)).unwrap_or_default()
}

/// A body, with its messages where they lie.
struct Body<'a> {
    /// Nothing stands under `messages` here.
    fields: Value,
    messages: Messages<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Messages<'a> {
    Ollama(Vec<OllamaMessage<'a>>),
    Anthropic(Vec<AnthropicMessage<'a>>),
}

#[derive(Serialize)]
struct OllamaMessage<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Serialize)]
struct AnthropicMessage<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Block<'a> {
    Text { r#type: &'static str, text: &'a str },
    Result { r#type: &'static str, tool_use_id: &'a str, content: &'a str },
    Call { r#type: &'static str, id: &'a str, name: &'a str, input: &'a Value },
    Image(&'a Value),
}

impl<'a> Body<'a> {
    fn of(envelope: &Envelope<'_>, head: &'a ShownHead, messages: &'a [Shown]) -> Self {
        let all = head.examples.iter().chain(messages);
        match envelope.dialect {
            Dialect::Ollama => {
                let system = Some(OllamaMessage { role: "system", content: &head.system, more: Map::new() });
                let system = system.filter(|_| !head.system.is_empty());
                let messages = system.into_iter().chain(all.map(ollama_message)).collect();
                Self { fields: ollama(envelope, head), messages: Messages::Ollama(messages) }
            }
            Dialect::Anthropic => {
                Self { fields: anthropic(envelope, head), messages: Messages::Anthropic(anthropic_messages(all)) }
            }
        }
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.fields.as_object().into_iter().flatten() {
            if key == "messages" {
                map.serialize_entry(key, &self.messages)?;
            } else {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}

impl Envelope<'_> {
    /// The most that may be produced: the client's wish, and never past the window.
    pub fn room(&self) -> u64 {
        let left = self.budget.window.saturating_sub(self.prompt + self.budget.margin).max(1) as u64;
        self.max_tokens.map_or(left, |wish| wish.clamp(1, left))
    }

    fn sampler(&self) -> Map<String, Value> {
        let sampling = self.sampling;
        let wishes = [
            ("temperature", sampling.temperature.map(Value::from)),
            ("top_p", sampling.top_p.map(Value::from)),
            ("top_k", sampling.top_k.map(Value::from)),
        ];
        wishes.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

fn ollama(envelope: &Envelope<'_>, head: &ShownHead) -> Value {
    let mut body = json!({
        "model": envelope.model, "messages": null, "stream": true, "truncate": false, "shift": false,
        "keep_alive": envelope.keep_alive, "options": ollama_options(envelope),
    });
    insert(&mut body, "tools", ollama_tools(&head.tools));
    insert(&mut body, "format", envelope.format.or(head.format.as_ref()).cloned());
    insert(&mut body, "think", envelope.think.clone());
    body
}

fn ollama_options(envelope: &Envelope<'_>) -> Value {
    let mut options = json!({"num_ctx": envelope.budget.window, "num_predict": envelope.room()});
    for (key, value) in envelope.sampler() {
        insert(&mut options, &key, Some(value));
    }
    insert(&mut options, "repeat_penalty", envelope.sampling.repeat_penalty.map(Value::from));
    let stops = &envelope.sampling.stop;
    insert(&mut options, "stop", (!stops.is_empty()).then(|| json!(stops)));
    options
}

fn ollama_tools(tools: &[Value]) -> Option<Value> {
    let function = |tool: &Value| {
        json!({"type": "function", "function": {
            "name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}})
    };
    (!tools.is_empty()).then(|| tools.iter().map(function).collect())
}

fn ollama_message(shown: &Shown) -> OllamaMessage<'_> {
    let role = match shown.speaker {
        Speaker::System => "system",
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
        Speaker::Tool => "tool",
    };
    let mut more = Map::new();
    if let Some((id, name)) = &shown.answers {
        more.insert("tool_name".into(), json!(name));
        more.insert("tool_call_id".into(), json!(id));
    }
    if !shown.calls.is_empty() {
        let call = |call: &ToolUse| json!({"function": {"name": call.name, "arguments": call.input}});
        more.insert("tool_calls".into(), shown.calls.iter().map(call).collect());
    }
    let images: Vec<&Value> = shown.images.iter().filter_map(|image| image.pointer("/source/data")).collect();
    if !images.is_empty() {
        more.insert("images".into(), json!(images));
    }
    OllamaMessage { role, content: &shown.text, more }
}

/// No server is known to take a schema here: llama-server (build 11669) drops `response_format`, `json_schema`,
/// `grammar`, `output_config.format` and `output_format` on this route.
fn anthropic(envelope: &Envelope<'_>, head: &ShownHead) -> Value {
    let mut body = json!({"model": envelope.model, "max_tokens": envelope.room(), "messages": null, "stream": true});
    insert(&mut body, "system", (!head.system.is_empty()).then(|| json!(head.system)));
    insert(&mut body, "tools", (!head.tools.is_empty()).then(|| json!(head.tools)));
    for (key, value) in envelope.sampler() {
        insert(&mut body, &key, Some(value));
    }
    let stops = &envelope.sampling.stop;
    insert(&mut body, "stop_sequences", (!stops.is_empty()).then(|| json!(stops)));
    for (key, value) in &envelope.as_they_are {
        insert(&mut body, key, Some(value.clone()));
    }
    body
}

/// What one side says in a row is one message.
fn anthropic_messages<'a>(all: impl Iterator<Item = &'a Shown>) -> Vec<AnthropicMessage<'a>> {
    let mut messages: Vec<AnthropicMessage<'a>> = Vec::new();
    for shown in all {
        let role = if shown.speaker == Speaker::Assistant { "assistant" } else { "user" };
        if messages.last().is_none_or(|last| last.role != role) {
            messages.push(AnthropicMessage { role, content: Vec::new() });
        }
        if let Some(message) = messages.last_mut() {
            push_blocks(shown, &mut message.content);
        }
    }
    for message in &mut messages {
        // Results first, as the API wants them: an image of one stands behind them all.
        message.content.sort_by_key(|block| !matches!(block, Block::Result { .. }));
    }
    messages
}

fn push_blocks<'a>(shown: &'a Shown, blocks: &mut Vec<Block<'a>>) {
    let text = shown.text.as_str();
    match &shown.answers {
        Some((id, _)) => blocks.push(Block::Result { r#type: "tool_result", tool_use_id: id, content: text }),
        None if !text.is_empty() => blocks.push(Block::Text { r#type: "text", text }),
        None => {}
    }
    blocks.extend(shown.images.iter().map(Block::Image));
    let call = |ToolUse { id, name, input }: &'a ToolUse| Block::Call { r#type: "tool_use", id, name, input };
    blocks.extend(shown.calls.iter().map(call));
}

fn insert(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(map), Some(value)) = (object.as_object_mut(), value) {
        map.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(dialect: Dialect, sampling: &Sampling) -> Envelope<'_> {
        Envelope {
            model: "m",
            dialect,
            sampling,
            budget: Budget::of(4096),
            prompt: 1000,
            max_tokens: Some(32_000),
            think: None,
            as_they_are: Map::new(),
            format: None,
            keep_alive: "30m",
        }
    }

    fn step() -> Vec<Shown> {
        let call = ToolUse { id: "a".into(), name: "Look".into(), input: json!({"at": 1}) };
        let result = Shown { answers: Some(("a".into(), "Look".into())), ..Shown::text(Speaker::Tool, "seen") };
        vec![
            Shown { calls: vec![call], ..Shown::text(Speaker::Assistant, "") },
            result,
            Shown::text(Speaker::User, "go on"),
        ]
    }

    #[test]
    fn ollama_is_never_asked_for_more_than_fits_and_never_cuts() {
        let sampling = Sampling { temperature: Some(0.0), ..Sampling::default() };
        let head = ShownHead { system: "s".into(), ..ShownHead::default() };
        let body = body(&envelope(Dialect::Ollama, &sampling), &head, &[Shown::text(Speaker::User, "hi")]);
        assert_eq!(body["options"], json!({"num_ctx": 4096, "num_predict": 4096 - 1000 - 145, "temperature": 0.0}));
        assert_eq!(body["truncate"], json!(false));
        assert_eq!(body["messages"], json!([{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]));
        assert!(body.get("tools").is_none());
    }

    #[test]
    fn what_is_written_is_the_body() {
        let sampling = Sampling { temperature: Some(0.5), ..Sampling::default() };
        let head = ShownHead {
            system: "s \"quoted\"\n".into(),
            tools: vec![json!({"name": "Look", "description": "d", "input_schema": {}})],
            examples: vec![Shown::text(Speaker::User, "ä"), Shown::text(Speaker::Assistant, "")],
            ..ShownHead::default()
        };
        for dialect in [Dialect::Ollama, Dialect::Anthropic] {
            let envelope = envelope(dialect, &sampling);
            assert_eq!(written(&envelope, &head, &step()), body(&envelope, &head, &step()).to_string());
        }
    }

    #[test]
    fn a_native_step_uses_each_dialects_own_fields() {
        let (sampling, head) = (Sampling::default(), ShownHead::default());
        let ollama = body(&envelope(Dialect::Ollama, &sampling), &head, &step());
        assert_eq!(
            ollama["messages"][0]["tool_calls"],
            json!([{"function": {"name": "Look", "arguments": {"at": 1}}}])
        );
        assert_eq!(ollama["messages"][1]["tool_name"], "Look");
        let anthropic = body(&envelope(Dialect::Anthropic, &sampling), &head, &step());
        let roles: Vec<&Value> = anthropic["messages"].as_array().unwrap().iter().map(|m| &m["role"]).collect();
        assert_eq!(roles, ["assistant", "user"]);
        assert_eq!(anthropic["messages"][1]["content"][0]["tool_use_id"], "a");
        assert_eq!(anthropic["messages"][1]["content"][1]["text"], "go on");
    }
}
