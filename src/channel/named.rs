//! What a prompt names: its files, and the words by which it asks for something.

use serde_json::json;

use super::objection::Objection;
use super::paths;
use super::situation::Situation;
use crate::rules::Role;
use crate::wire::{Message, ToolUse};

/// The files that the newest prompt names and no call has named.
pub(super) fn untouched(about: &Situation) -> Vec<String> {
    let Some(prompt) = about.prompt() else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for file in files_in(prompt.text) {
        let name = paths::name(file);
        let mut calls = about.messages.iter().flat_map(Message::tool_uses);
        let touched = calls.any(|call| call.input.to_string().contains(name));
        if !touched && !found.iter().any(|known| known == file) {
            found.push(file.to_owned());
        }
    }
    found
}

/// The newest prompt has one of these words, by which it asks to run something, and no command was run since.
pub(super) fn asks_for(about: &Situation, words: &[String]) -> bool {
    let Some(prompt) = about.prompt() else { return false };
    let runs = |call: &ToolUse| matches!(about.roles.get(&call.name), Some(Role::Run { .. }));
    has_one_of(prompt.text, words) && !about.messages[prompt.message..].iter().flat_map(Message::tool_uses).any(runs)
}

/// The files that a prompt names which asks to move one, as long as no command was run for it.
pub(super) fn asked_to_move(about: &Situation) -> Vec<String> {
    let asked = about.prompt().filter(|_| asks_for(about, &about.model.check.move_words));
    asked.map_or_else(Vec::new, |prompt| files_in(prompt.text).map(str::to_owned).collect())
}

/// Whether a prompt has one of these words.
pub(super) fn has_one_of(prompt: &str, words: &[String]) -> bool {
    let mut all = prompt.split(|c: char| !c.is_alphanumeric());
    all.any(|word| words.iter().any(|wanted| wanted.eq_ignore_ascii_case(word)))
}

/// A first call that writes a file while other files that the prompt names have not been seen.
pub(super) fn write_blind(about: &Situation, path: &str) -> Option<Objection> {
    let (_, called) = about.newest_prompt()?;
    let shown = about.shown_path(path);
    let mut others = untouched(about);
    others.retain(|file| !shown.ends_with(file.trim_start_matches("./")));
    if called || others.is_empty() {
        return None;
    }
    let (name, key) = about.reader()?;
    let words = format!("Not done: you have not seen {} yet.", others.join(", "));
    let instead = Some((name.to_owned(), json!({key: others[0]})));
    Some(Objection { instead, ..Objection::once("write-blind", words, None) })
}

/// The names of files in a text: with an ending, or with a folder before them.
fn files_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`(),;:".contains(c));
    words.map(|word| word.trim_end_matches(['.', '?', '!'])).filter(|word| is_file(word))
}

fn is_file(word: &str) -> bool {
    if word.starts_with("//") {
        return false;
    }
    let ending = word.rsplit_once('.').filter(|(stem, ending)| {
        let letters = (1..=5).contains(&ending.len())
            && ending.bytes().all(|b| b.is_ascii_alphanumeric())
            && !ending.as_bytes()[0].is_ascii_digit();
        !stem.is_empty() && (stem.len() > 1 || ending.len() > 1) && letters
    });
    ending.is_some() || word.starts_with("./") || (word.starts_with('/') && word.len() > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_names_a_file_or_not() {
        for prompt in ["Read notes.txt.", "fix `src/main.rs`", "run ./check", "what is in /etc/hosts?"] {
            assert!(files_in(prompt).next().is_some(), "{prompt}");
        }
        for prompt in [
            "hello",
            "all that end in .log",
            "What does status 404 mean? e.g. in HTTP/1.1",
            "see https://x.org/a.html",
            "is 3.14 pi?",
        ] {
            assert!(files_in(prompt).next().is_none(), "{prompt}");
        }
    }
}
