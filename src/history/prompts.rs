//! What the user typed, told from what the client put in between.

use crate::wire::{Block, Message, Role};

/// Texts that come with results and are longer than this, in bytes, were not typed: skills and files of the client.
const TYPED_BESIDE_RESULTS: usize = 1600;

/// A typed prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prompt<'a> {
    pub message: usize,
    pub block: usize,
    pub text: &'a str,
}

impl Prompt<'_> {
    /// The first line that says something.
    pub fn first_line(&self) -> &str {
        self.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
    }
}

/// The typed prompts among the messages `from..to`, in order. `machine` are beginnings of texts that the client writes
/// in the user's name, as the rules list them.
pub fn prompts<'a>(messages: &'a [Message], machine: &[String], from: usize, to: usize) -> Vec<Prompt<'a>> {
    let range = messages.iter().enumerate().take(to).skip(from).filter(|(_, message)| message.role == Role::User);
    range.flat_map(|(at, message)| typed(at, message, machine)).collect()
}

fn typed<'a>(at: usize, message: &'a Message, machine: &[String]) -> Vec<Prompt<'a>> {
    let beside = message.tool_results().next().is_some();
    let mut command = false;
    let mut found = Vec::new();
    for (block, item) in message.content.iter().enumerate() {
        let Block::Text(text) = item else { continue };
        let start = text.trim_start();
        command |= is_tagged(start) && !is_closed_reminder(start);
        let long = beside && text.len() > TYPED_BESIDE_RESULTS;
        if !command && !long && !is_tagged(start) && !is_note(start) && !machine.iter().any(|m| start.starts_with(m)) {
            found.push(Prompt { message: at, block, text });
        }
    }
    found
}

/// `<word …`: clients wrap what they add in tags.
fn is_tagged(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next() == Some(b'<') && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
}

/// A text that is one tag from its first byte to its last: a reminder; what follows it may be typed.
fn is_closed_reminder(text: &str) -> bool {
    let name: String = text[1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    !name.starts_with("command") && text.trim_end().ends_with(&format!("</{name}>"))
}

/// `[Request …]`: one bracketed line.
fn is_note(text: &str) -> bool {
    text.is_empty() || (text.starts_with('[') && text.trim_end().ends_with(']') && !text.trim().contains('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(texts: &[&str]) -> Message {
        Message { role: Role::User, content: texts.iter().map(|text| Block::Text((*text).into())).collect() }
    }

    #[test]
    fn reminders_and_command_texts_are_not_typed() {
        let messages = [
            user(&["<note>\nx\n</note>", "fix the bug"]),
            user(&["<command-name>/x</command-name>", "the body of a command"]),
            user(&["[interrupted]", "go on"]),
            user(&["Carried over: much was done"]),
        ];
        let found = prompts(&messages, &["Carried over".into()], 0, 4);
        assert_eq!(found.iter().map(|prompt| prompt.text).collect::<Vec<_>>(), ["fix the bug", "go on"]);
    }
}
