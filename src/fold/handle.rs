//! Handles: names by which the model can have back what was left out.
//!
//! A handle is a place in the normalised history: `h12` is message 12, or the step that begins there; `h12.2` is its
//! block 2; `h12.2+80` is that from line 80 on. So any replica finds the original in the client's own request.

use super::estimate::prefix;
use crate::history::strip_numbers;
use crate::tokens::image_size;
use crate::wire::{Block, Message};

/// The handle of a message.
pub(super) fn of_message(message: usize) -> String {
    format!("h{message}")
}

/// The handle of a block.
pub(super) fn of_block(message: usize, block: usize) -> String {
    format!("h{message}.{block}")
}

/// The handle of the lines of a block from `line` on.
pub(super) fn of_lines(message: usize, block: usize, line: usize) -> String {
    format!("h{message}.{block}+{line}")
}

#[derive(Debug, PartialEq, Eq)]
struct Place {
    message: usize,
    block: Option<usize>,
    line: usize,
}

fn parse(handle: &str) -> Option<Place> {
    let rest = handle.trim().strip_prefix('h')?;
    let (place, line) = rest.split_once('+').map_or((rest, Some(1)), |(place, line)| (place, line.parse().ok()));
    let (message, block) = match place.split_once('.') {
        Some((message, block)) => (message, Some(block.parse().ok()?)),
        None => (place, None),
    };
    Some(Place { message: message.parse().ok()?, block, line: line?.max(1) })
}

/// What a handle stands for, from the normalised messages before [`super::ingest`]: at most about `tokens` of it, with
/// the handle of the rest. `None` when there is no such place.
pub fn recall(messages: &[Message], handle: &str, tokens: usize) -> Option<String> {
    let place = parse(handle)?;
    let base = handle.trim().split('+').next().unwrap_or_default();
    page(&original(messages, &place)?, base, place.line, tokens)
}

/// A text whose handle is `base`, from a line on: at most about `tokens` of it, with the handle of the rest. `None` where
/// there is no such line.
pub fn page(text: &str, base: &str, line: usize, tokens: usize) -> Option<String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let rest = lines.get(line.max(1) - 1..)?.join("\n");
    let shown = prefix(&rest, tokens);
    if shown.len() == rest.len() {
        return Some(rest);
    }
    let whole = shown.rfind('\n').map_or(shown, |end| &shown[..end]);
    let next = line + whole.split('\n').count();
    Some(format!("{whole}\n[lines {line}-{} of {}; go on with {base}+{next}]", next - 1, lines.len()))
}

fn original(messages: &[Message], place: &Place) -> Option<String> {
    let message = messages.get(place.message)?;
    if let Some(block) = place.block {
        return message.content.get(block).map(block_text);
    }
    let answer = messages.get(place.message + 1).filter(|_| message.tool_uses().next().is_some());
    let results = answer.into_iter().flat_map(|message| &message.content);
    let results = results.filter(|block| matches!(block, Block::ToolResult(_)));
    Some(message.content.iter().chain(results).map(block_text).collect::<Vec<_>>().join("\n"))
}

fn block_text(block: &Block) -> String {
    match block {
        Block::Text(text) => text.clone(),
        Block::ToolResult(result) => strip_numbers(&result.text()),
        Block::ToolUse(call) => format!("{} {}", call.name, input_text(&call.input)),
        Block::Image(image) => image_text(image),
        Block::Thinking(_) | Block::Other(_) => String::new(),
    }
}

/// An image cannot be given back as text: what it was.
fn image_text(image: &serde_json::Value) -> String {
    let source = &image["source"];
    let size = source["data"].as_str().and_then(image_size);
    let size = size.map(|(wide, high)| format!(", {wide} x {high}")).unwrap_or_default();
    format!("[An image: {}{size}]", source["media_type"].as_str().unwrap_or("unknown"))
}

fn input_text(input: &serde_json::Value) -> String {
    let fields = input.as_object().into_iter().flatten();
    let lines = fields.map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}: {text}"),
        None => format!("{key}: {value}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Role;

    #[test]
    fn a_handle_leads_back_page_by_page() {
        let text: Vec<String> = (1..=100).map(|n| format!("line number {n}")).collect();
        let messages = [Message::text(Role::User, "hi"), Message::text(Role::User, text.join("\n"))];
        let mut handle = "h1.0".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = recall(&messages, &handle, 60).unwrap();
            let (lines, next) = page.split_once("\n[").map_or((page.as_str(), None), |(a, b)| (a, Some(b)));
            seen.extend(lines.split('\n').map(str::to_owned));
            let Some(next) = next else { break };
            handle = next.trim_end_matches(']').rsplit(' ').next().unwrap().to_owned();
        }
        assert_eq!(seen, text);
    }

    #[test]
    fn a_wrong_handle_is_nothing() {
        let messages = [Message::text(Role::User, "hi")];
        for handle in ["", "h", "h9", "hx", "h0.7", "h0.0+9", "h0.0+x", "12"] {
            assert_eq!(recall(&messages, handle, 100), None, "{handle}");
        }
    }
}
