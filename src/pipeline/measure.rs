//! Tokens by part, before and after.

use serde_json::Value;

use crate::report::Parts;
use crate::show::{Shown, ShownHead};
use crate::tokens::{Counter, ImageTokens, image_size};
use crate::trim::tool_tokens;
use crate::wire::{Block, Message, Request, ToolUse};

/// How the client's own models see: a token is about 750 pixels.
const CLIENT_IMAGE: ImageTokens = ImageTokens { patch: 27, least: 1, most: 1600 };

/// What the client sent: its texts, and each tool as the JSON that it is.
pub fn before(request: &Request, counter: &dyn Counter) -> Parts {
    before_with(request, messages_tokens(&request.messages, counter), counter)
}

/// The same, where its messages are counted already.
pub(super) fn before_with(request: &Request, messages: usize, counter: &dyn Counter) -> Parts {
    let system: usize = request.system.iter().map(|text| counter.count(text)).sum();
    let tools = request.tools.iter().map(|tool| tool_tokens(tool, counter)).sum();
    Parts::of(system, tools, messages)
}

/// Tokens of messages of the client, as they came.
pub(super) fn messages_tokens(messages: &[Message], counter: &dyn Counter) -> usize {
    messages.iter().map(|message| message_tokens(message, counter)).sum()
}

/// Tokens of one message of the client, as it came.
pub fn message_tokens(message: &Message, counter: &dyn Counter) -> usize {
    message.content.iter().map(|block| block_tokens(block, counter)).sum()
}

fn block_tokens(block: &Block, counter: &dyn Counter) -> usize {
    match block {
        Block::Text(text) | Block::Thinking(text) => counter.count(text),
        Block::ToolUse(call) => counter.count(&call.name) + counter.count(&call.input.to_string()),
        Block::ToolResult(result) => result.content.iter().map(|part| block_tokens(part, counter)).sum(),
        Block::Image(value) => CLIENT_IMAGE.of(value["source"]["data"].as_str().and_then(image_size)),
        Block::Other(value) => other_tokens(value, counter),
    }
}

/// A block of an unknown type counts by its texts; what is not text (base64 data) is not read by a text model.
fn other_tokens(value: &Value, counter: &dyn Counter) -> usize {
    match value {
        Value::String(text) => counter.count(text),
        Value::Array(items) => items.iter().map(|item| other_tokens(item, counter)).sum(),
        Value::Object(fields) => {
            fields.iter().filter(|(key, _)| *key != "data").map(|(_, item)| other_tokens(item, counter)).sum()
        }
        _ => 0,
    }
}

/// What is rendered for the model. `markers` is what the template puts around each message.
pub fn after(head: &ShownHead, shown: &[Shown], counter: &dyn Counter, markers: usize) -> Parts {
    let before = of_head(head, counter, markers);
    Parts::of(before.system, before.tools, shown_tokens(shown, counter, markers))
}

/// What is rendered before the messages.
pub fn of_head(head: &ShownHead, counter: &dyn Counter, markers: usize) -> Parts {
    let tool_text = counter.count(&head.tool_text);
    let own_field: usize = head.tools.iter().map(|tool| counter.count(&tool.to_string())).sum();
    let examples = shown_tokens(&head.examples, counter, markers);
    // The template opens the reply with the markers of one more message.
    let system = counter.count(&head.system).saturating_sub(tool_text) + 2 * markers;
    Parts::of(system, tool_text + own_field + examples, 0)
}

/// Tokens of rendered messages, with what the template puts around each.
pub fn shown_tokens(shown: &[Shown], counter: &dyn Counter, markers: usize) -> usize {
    shown.iter().map(|message| markers + text_and_calls(message, counter)).sum()
}

fn text_and_calls(message: &Shown, counter: &dyn Counter) -> usize {
    // Templates write a call as an object with name and arguments between tags.
    let calls = message.calls.iter().map(|call| counter.count(&written(call)) + 12);
    let answer = if message.answers.is_some() { 8 } else { 0 };
    counter.count(&message.text) + calls.sum::<usize>() + answer + message.image_tokens
}

fn written(call: &ToolUse) -> String {
    format!(r#"{{"name":{},"arguments":{}}}"#, Value::from(call.name.as_str()), call.input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::O200k;

    #[test]
    fn parts_add_up() {
        let body = br#"{"model":"m","system":"You help.","tools":[{"name":"T","description":"does","input_schema":{}}],
            "messages":[{"role":"user","content":"hello"},{"role":"assistant","content":[
            {"type":"tool_use","id":"a","name":"T","input":{"x":1}}]}]}"#;
        let parts = before(&Request::parse(body).unwrap(), &O200k);
        assert_eq!(parts.total, parts.system + parts.tools + parts.messages);
        assert!(parts.system >= 3 && parts.tools > 10 && parts.messages > 3, "{parts:?}");
    }
}
