//! A message without its end: what stays of a result, or of an answer, when the rest is taken out.

use crate::fold::estimate::{estimate, prefix};
use crate::wire::{Block, Message, ToolResult};

/// Less than this, in tokens, is not worth a hole.
const LEAST: usize = 16;

/// The message with about `tokens` of its last result, or where it holds none, of its first text and nothing else. `None`
/// where that would hardly be shorter.
pub fn beginning(message: &Message, tokens: usize) -> Option<Message> {
    let (last, before) = match message.tool_results().next() {
        Some(_) => message.content.split_last()?,
        None => (message.content.first()?, &message.content[..0]),
    };
    let short = match last {
        Block::Text(text) if before.is_empty() => {
            let more = message.content.len() > 1;
            Block::Text(cut(text, tokens).or_else(|| more.then(|| text.clone()))?)
        }
        Block::ToolResult(result) => {
            let content = vec![Block::Text(cut(&result.text(), tokens)?)];
            Block::ToolResult(ToolResult { content, ..result.clone() })
        }
        _ => return None,
    };
    Some(Message { role: message.role, content: before.iter().cloned().chain([short]).collect() })
}

/// The first lines, or where these are short the first words.
fn cut(text: &str, tokens: usize) -> Option<String> {
    let short = prefix(text, tokens);
    if estimate(text) < tokens + LEAST {
        return None;
    }
    let long_enough = |end: &usize| estimate(&short[..*end]) * 4 >= tokens * 3;
    let at = |mark: char| short.rfind(mark).filter(long_enough);
    let end = at('\n').or_else(|| at(' ')).unwrap_or(short.len());
    Some(short[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Role;

    #[test]
    fn whole_lines_stay_and_a_short_text_stays_whole() {
        let text = "one line\nanother line\n".repeat(20);
        let short = beginning(&Message::text(Role::User, text.clone()), 10).unwrap().plain_text();
        assert!(text.starts_with(&short) && short.ends_with("line"), "{short}");
        assert_eq!(beginning(&Message::text(Role::User, "one line"), 10), None);
    }

    #[test]
    fn of_texts_only_the_first_keeps_its_beginning() {
        let long = "word ".repeat(200);
        let message =
            Message { role: Role::User, content: vec![Block::Text(long.clone()), Block::Text(long.clone())].into() };
        let short = beginning(&message, 10).unwrap();
        assert!(short.content.len() == 1 && long.starts_with(&short.plain_text()));
    }
}
