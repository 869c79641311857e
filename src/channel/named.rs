//! What a prompt names: a model that answers, or writes, before it has touched the files, or has run what was to be run,
//! is told so.

use serde_json::json;

use super::check::{Objection, edit_of};
use super::situation::Situation;
use super::{bind, grounded};
use crate::history::{Act, Call, History, prompts};
use crate::rules::{ChannelKind, Role};
use crate::wire::{Message, ToolUse};

/// The files that the newest prompt names and no call has named.
fn untouched(about: &Situation) -> Vec<String> {
    let Some(prompt) = prompts(&about.messages, &[], 0, about.messages.len()).pop() else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for file in files_in(prompt.text) {
        let name = file.rsplit('/').next().unwrap_or(file);
        let mut calls = about.messages.iter().flat_map(Message::tool_uses);
        let touched = calls.any(|call| call.input.to_string().contains(name));
        if !touched && !found.iter().any(|known| known == file) {
            found.push(file.to_owned());
        }
    }
    found
}

/// What an answer now would leave undone: files that were not touched, a command that was not run.
pub(super) fn undone(about: &Situation) -> Option<Objection> {
    let check = &about.model.check;
    let files = if check.named_files { untouched(about) } else { Vec::new() };
    if !files.is_empty() {
        return Some(answer_early(about, &files));
    }
    let unrun = asks_for(about, &check.run_words).then(|| not_run(about)).flatten();
    unrun.or_else(|| in_vain(about))
}

/// The newest prompt has one of these words, by which it asks to run something, and no command was run since.
pub(super) fn asks_for(about: &Situation, words: &[String]) -> bool {
    let Some(prompt) = prompts(&about.messages, &[], 0, about.messages.len()).pop() else { return false };
    let runs = |call: &ToolUse| matches!(about.roles.get(&call.name), Some(Role::Run { .. }));
    has_one_of(prompt.text, words) && !about.messages[prompt.message..].iter().flat_map(Message::tool_uses).any(runs)
}

/// Whether a prompt has one of these words.
pub(super) fn has_one_of(prompt: &str, words: &[String]) -> bool {
    let mut all = prompt.split(|c: char| !c.is_alphanumeric());
    all.any(|word| words.iter().any(|wanted| wanted.eq_ignore_ascii_case(word)))
}

/// What the last calls tried in vain: an edit that failed, a read of a file that was guessed.
fn in_vain(about: &Situation) -> Option<Objection> {
    let check = &about.model.check;
    if !check.failed_edits && check.search_command.is_empty() {
        return None;
    }
    let history = about.history();
    let unchanged = check.failed_edits.then(|| unchanged(about, &history)).flatten();
    unchanged.or_else(|| (!check.search_command.is_empty()).then(|| grounded::guessed(about, &history)).flatten())
}

/// A file whose edit failed since the prompt, and that no later call has changed.
fn unchanged(about: &Situation, history: &History<'_>) -> Option<Objection> {
    let prompt = prompts(&about.messages, &[], 0, about.messages.len()).pop()?.message;
    let changes = |call: &&Call<'_>| matches!(call.act, Act::Edit { .. } | Act::Write { .. }) && call.message > prompt;
    let last = |path| history.calls.iter().filter(changes).rfind(|call| call.act.path() == path);
    let failed = history.calls.iter().filter(changes).find(|call| last(call.act.path()).is_some_and(Call::failed))?;
    let (path, tool) = (failed.act.path()?, &failed.call.name);
    let reply = || Some(bind::call(tool, &edit_of(about, history, tool, path)?));
    let shown = about.shown_path(path);
    Some(Objection {
        kind: "answer-unchanged",
        once: true,
        words: format!("Not done: {shown} is not changed, that call failed. Make it again, with a line of the file."),
        arguments: None,
        reply: if about.kind == ChannelKind::Constrained { reply() } else { None },
    })
}

fn not_run(about: &Situation) -> Option<Objection> {
    let runs = |name: &str| matches!(about.roles.get(name), Some(Role::Run { .. }));
    let tool = about.head.core.iter().find(|tool| runs(&tool.client.name))?;
    let name = &tool.client.name;
    Some(Objection {
        kind: "answer-unrun",
        once: true,
        words: format!("Not done: nothing was run yet. Run it with {name} now."),
        arguments: None,
        reply: (about.kind == ChannelKind::Constrained).then(|| bind::call(name, &tool.schema)),
    })
}

/// What a model is told that answers before it has touched these files, and the calls that it may make.
fn answer_early(about: &Situation, files: &[String]) -> Objection {
    Objection {
        kind: "answer-early",
        once: true,
        words: format!("Not done: no call has touched {} yet. Do that part of the task now.", files.join(", ")),
        arguments: None,
        reply: (about.kind == ChannelKind::Constrained).then(|| bind::some_call(&about.head)),
    }
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
    let names = others.join(", ");
    Some(Objection {
        kind: "write-blind",
        once: true,
        words: format!("Not done: you have not seen {names} yet. Look at it first."),
        arguments: None,
        reply: read_one_of(about, &others),
    })
}

/// A reply that reads one of these files.
fn read_one_of(about: &Situation, files: &[String]) -> Option<serde_json::Value> {
    let (name, key) = about.reader().filter(|_| about.kind == ChannelKind::Constrained)?;
    let arguments = json!({"type": "object", "properties": {key: {"enum": files}}, "required": [key], "additionalProperties": false});
    Some(bind::call(name, &arguments))
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
