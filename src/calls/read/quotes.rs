//! What stands in the request already: a call that is found there word for word is a quotation.

use std::borrow::Cow;
use std::sync::Arc;

use crate::wire::{Block, Message, Role};

/// The texts of a request that a model may quote: what the user typed, what tools returned, worked examples.
#[derive(Debug, Clone, Default)]
pub struct Quotes {
    messages: Arc<[Message]>,
    /// Calls of worked examples. They are good calls: often the right one is the same.
    examples: Arc<[String]>,
    /// The newest typed prompt.
    prompt: Arc<str>,
}

impl Quotes {
    /// The quotable texts of these messages, and of further ones (worked examples).
    pub fn new(messages: impl Into<Arc<[Message]>>, examples: impl IntoIterator<Item = String>) -> Self {
        let messages = messages.into();
        let prompt = newest_prompt(&messages).unwrap_or_default().into();
        Self { examples: examples.into_iter().collect(), messages, prompt }
    }

    /// What the user asked last.
    pub(super) fn prompt(&self) -> &str {
        &self.prompt
    }

    /// Whether `call` stands in one of the texts: white space, escapes and line numbers aside.
    pub fn contain(&self, call: &str) -> bool {
        let Some(finder) = finder(call) else { return false };
        let is_in = |block: &Block, role| finder.find(squeezed(&quotable(role, block)).as_bytes()).is_some();
        self.messages.iter().any(|message| message.content.iter().any(|block| is_in(block, message.role)))
    }

    /// Whether `call` stands in a worked example. It is quoted only where no call is awaited.
    pub fn contain_as_example(&self, call: &str) -> bool {
        let Some(finder) = finder(call) else { return false };
        self.examples.iter().any(|text| finder.find(squeezed(text).as_bytes()).is_some())
    }
}

/// Finds a call in squeezed texts; `None` where there is nothing to find.
fn finder(call: &str) -> Option<memchr::memmem::Finder<'static>> {
    let wanted = squeezed(call);
    (!wanted.is_empty()).then(|| memchr::memmem::Finder::new(wanted.as_bytes()).into_owned())
}

fn quotable(role: Role, block: &Block) -> Cow<'_, str> {
    match block {
        Block::Text(text) if role != Role::Assistant => text.into(),
        Block::ToolResult(result) => result.text().into(),
        _ => "".into(),
    }
}

fn newest_prompt(messages: &[Message]) -> Option<String> {
    let typed = messages.iter().rev().find(|message| message.role == Role::User && !message.plain_text().is_empty())?;
    Some(typed.plain_text())
}

/// The text without white space, backslashes and the line numbers that a file reader puts before each line.
fn squeezed(text: &str) -> String {
    let lines = text.lines().map(without_line_number);
    lines.flat_map(str::chars).filter(|c| !c.is_whitespace() && *c != '\\').collect()
}

fn without_line_number(line: &str) -> &str {
    let digits = line.trim_start_matches(' ').trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = line.trim_start_matches(' ').starts_with(|c: char| c.is_ascii_digit());
    digits.strip_prefix('→').or_else(|| digits.strip_prefix('\t')).filter(|_| numbered).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotes(text: &str) -> Quotes {
        Quotes::new([Message::text(Role::User, text)], [])
    }

    #[test]
    fn a_call_in_a_numbered_file_is_found() {
        let file = "     1→{\n     2→  \"name\": \"Read\",\n     3→  \"arguments\": {}\n     4→}";
        assert!(quotes(file).contain(r#"{"name": "Read", "arguments": {}}"#));
    }

    #[test]
    fn an_escaped_call_is_found() {
        assert!(quotes(r#"{"text":"{\"name\":\"Read\"}"}"#).contain(r#"{"name":"Read"}"#));
    }

    #[test]
    fn another_call_is_not() {
        assert!(!quotes(r#"{"name":"Read","a":1}"#).contain(r#"{"name":"Read","a":2}"#));
    }
}
