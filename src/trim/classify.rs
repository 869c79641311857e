//! What a request is for.

use crate::rules::{Pack, SideAction, SideRule};
use crate::wire::{Message, Request, Role};

use super::Kind;
use super::words::first_words;

/// Finds the first side rule that knows the request; else it is the conversation itself.
pub(super) fn classify(request: &Request, pack: &Pack) -> Kind {
    let prompt = newest_prompt(&request.messages);
    let Some(rule) = pack.sides.iter().find(|rule| knows(rule, request, &prompt)) else { return without_rule(request) };
    let name = rule.id.clone();
    match rule.action {
        SideAction::Compaction => Kind::Compaction { form: rule.answer.clone().unwrap_or_else(|| "{digest}".into()) },
        SideAction::Subagent => Kind::Subagent,
        SideAction::Through => Kind::Aside { name },
        SideAction::Answer => Kind::Side { name, answer: answer(rule, &prompt) },
    }
}

/// A question of which the client wants the answer as data is not the conversation: what it says of it is not trimmed.
fn without_rule(request: &Request) -> Kind {
    let asks_for_data = request.tools.is_empty() && request.generation().format.is_some();
    if asks_for_data { Kind::Aside { name: "structured".into() } } else { Kind::Main }
}

fn knows(rule: &SideRule, request: &Request, prompt: &str) -> bool {
    let begins = |known: &String| request.system.iter().any(|text| text.trim_start().starts_with(known.as_str()));
    let in_system = rule.system.iter().any(begins);
    let marked = |known: &String| request.system.iter().any(|text| text.contains(known.as_str()));
    let asked = rule.prompt.iter().any(|known| prompt.contains(known.as_str()))
        || rule.whole.iter().any(|known| prompt.trim() == known);
    let any_prompt = rule.prompt.is_empty() && rule.whole.is_empty();
    let in_mark = rule.marks.iter().any(marked);
    in_mark || in_system && (any_prompt || asked) || rule.system.is_empty() && asked
}

/// The last text of the last user message, or of the one before it where a prefill follows.
fn newest_prompt(messages: &[Message]) -> String {
    let user = messages.iter().rev().find(|message| message.role == Role::User);
    user.and_then(|message| {
        message.content.iter().rev().find_map(|block| match block {
            crate::wire::Block::Text(text) => Some(text.clone()),
            _ => None,
        })
    })
    .unwrap_or_default()
}

fn answer(rule: &SideRule, prompt: &str) -> String {
    let answer = rule.answer.clone().unwrap_or_default();
    let asked = match &rule.after {
        Some(mark) => prompt.rsplit_once(mark.as_str()).map_or(prompt, |(_, rest)| rest),
        None => prompt,
    };
    let asked = rule.before.as_ref().and_then(|mark| asked.split_once(mark.as_str())).map_or(asked, |(asked, _)| asked);
    if answer.contains("{command}") {
        let command = asked.trim();
        return if is_plain(command) {
            answer.replace("{command}", command)
        } else {
            rule.otherwise.clone().unwrap_or_default()
        };
    }
    answer.replace("{words}", &in_json(&first_words(asked.trim(), 7)))
}

/// One command on one line, with nothing in it that a shell gives a meaning to.
fn is_plain(command: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./=:@ -".contains(&byte);
    !command.is_empty() && command.bytes().all(plain)
}

/// The text as the inside of a JSON string.
fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_command_is_answered_with_itself() {
        assert!(is_plain("git status") && is_plain("npm run test:unit --silent"));
        for command in ["git log; rm x", "a && b", "echo $(x)", "a\nb", "cat 'x'", "ls | wc", "a > b", ""] {
            assert!(!is_plain(command), "{command}");
        }
    }
}
