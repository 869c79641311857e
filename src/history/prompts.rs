//! What stands at the user's side beside plain results: what was typed, and what the client wrote in the user's name.

use std::borrow::Cow;

use crate::rules::{MessageKinds, MessageRule};
use crate::wire::{Block, Message, Role};

/// A typed text beside results, or behind a command of the client, that is longer than this, in bytes, may be the text of a
/// skill or a command: it is paged where it is long.
const SURELY_TYPED: usize = 1600;

/// What stands for an image among the texts: the words say that there was one, its handle what it was.
const AN_IMAGE: &str = "[An image]";

/// A text at the user's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prompt<'a> {
    pub message: usize,
    pub block: usize,
    pub text: &'a str,
    /// The text without what the client wraps it in.
    body: &'a str,
    /// What the client wrote it for; `None`: it was typed.
    pub kind: Option<&'a MessageRule>,
    /// The user wrote it here and now, and it is never shortened while it stands.
    pub whole: bool,
}

impl<'a> Prompt<'a> {
    pub fn is_typed(&self) -> bool {
        self.kind.is_none()
    }

    /// What is told of it.
    pub fn told(&self) -> Cow<'a, str> {
        self.kind.map_or(Cow::Borrowed(self.text.trim()), |kind| kind.told(self.body))
    }

    /// The first line that says something.
    pub fn first_line(&self) -> &'a str {
        self.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
    }
}

/// All texts at the user's side, in order; of results only those that hold words of the user.
pub fn prompts<'a>(messages: &'a [Message], kinds: &'a MessageKinds) -> Vec<Prompt<'a>> {
    let users = messages.iter().enumerate().filter(|(_, message)| message.role == Role::User);
    users.flat_map(|(at, message)| texts(at, message, kinds)).collect()
}

/// What was typed.
pub fn typed_prompts<'a>(messages: &'a [Message], kinds: &'a MessageKinds) -> Vec<Prompt<'a>> {
    prompts(messages, kinds).into_iter().filter(Prompt::is_typed).collect()
}

fn texts<'a>(at: usize, message: &'a Message, kinds: &'a MessageKinds) -> Vec<Prompt<'a>> {
    let mut beside = message.tool_results().next().is_some();
    let mut found = Vec::new();
    for (block, item) in message.content.iter().enumerate() {
        let (text, body, kind) = match item {
            Block::Text(text) => match kinds.of_text(text) {
                Some((kind, body)) => (text.as_str(), body, Some(kind)),
                None => (text.as_str(), text.as_str(), None),
            },
            Block::ToolResult(result) => {
                let Some(Block::Text(text)) = result.content.first() else { continue };
                let Some(kind) = kinds.of_result(text) else { continue };
                (text.as_str(), text.as_str(), Some(kind))
            }
            Block::Image(_) => (AN_IMAGE, AN_IMAGE, None),
            _ => continue,
        };
        if text.trim().is_empty() {
            continue;
        }
        let whole = kind.is_none() && !(beside && text.len() > SURELY_TYPED);
        // What stands behind a command may be its text.
        beside |= kind.is_some_and(|kind| !kind.wrapper);
        found.push(Prompt { message: at, block, text, body, kind, whole });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Keep;
    use crate::wire::ToolResult;

    fn user(texts: &[&str]) -> Message {
        Message { role: Role::User, content: texts.iter().map(|text| Block::Text((*text).into())).collect() }
    }

    fn rule(id: &str, tag: &str) -> MessageRule {
        MessageRule { id: id.into(), tags: vec![tag.into()], keep: Keep::Line, ..MessageRule::default() }
    }

    #[test]
    fn all_but_known_kinds_is_typed() {
        let kinds = MessageKinds::new(vec![rule("note", "note"), rule("command", "name")]);
        let messages = [
            user(&["<note>\nx\n</note>", "fix the bug"]),
            user(&["<name>/x</name>", "the body of a command"]),
            user(&["[use metres]", "<b>this</b> is wrong"]),
        ];
        let typed: Vec<&str> = typed_prompts(&messages, &kinds).iter().map(|prompt| prompt.text).collect();
        assert_eq!(typed, ["fix the bug", "the body of a command", "[use metres]", "<b>this</b> is wrong"]);
    }

    #[test]
    fn a_result_counts_where_it_holds_words_of_the_user() {
        let plan = MessageRule { starts: vec!["Approved".into()], result: true, ..rule("plan", "plan") };
        let kinds = MessageKinds::new(vec![plan]);
        let result = |text: &str| {
            let content = vec![Block::Text(text.into())];
            Block::ToolResult(ToolResult { tool_use_id: "a".into(), content, is_error: false })
        };
        let message = Message { role: Role::User, content: vec![result("42 lines"), result("Approved: go")].into() };
        let messages = [message];
        let found = prompts(&messages, &kinds);
        assert_eq!(found.iter().map(|prompt| prompt.block).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_long_text_beside_a_command_may_be_its_own() {
        let long = "word ".repeat(SURELY_TYPED);
        let kinds = MessageKinds::new(vec![rule("command", "name")]);
        let messages = [user(&["<name>/x</name>", &long]), user(&[&long])];
        let whole: Vec<bool> = typed_prompts(&messages, &kinds).iter().map(|prompt| prompt.whole).collect();
        assert_eq!(whole, [false, true]);
    }
}
