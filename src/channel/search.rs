//! A path that nothing has named was guessed from words of the prompt, or is that of a folder: what is wanted is looked
//! for in its place.

use serde_json::json;

use super::grounded::texts;
use super::named::has_one_of;
use super::objection::{Objection, any_command, run};
use super::paths;
use super::situation::Situation;
use crate::history::{Act, History};
use crate::rules::SearchProfile;

/// A read of a guessed path, where the prompt asks for what is rather searched for.
pub(super) fn in_place_of_read(about: &Situation, path: &str) -> Option<Objection> {
    let search = profile(about, true)?;
    let command = search.command.replace("{text}", guessed_from(about, about.messages.len(), path)?);
    searched(about, "read-guessed", path, &command)
}

/// An answer straight after a read in vain of a guessed path.
pub(super) fn in_place_of_answer(about: &Situation, history: &History<'_>) -> Option<Objection> {
    let last = history.calls.last().filter(|call| call.failed())?;
    let Act::Read { path, .. } = last.act else { return None };
    about.newest_prompt().filter(|(_, called)| *called)?;
    let found = || {
        let search = profile(about, true).or_else(|| profile(about, false))?;
        let command = search.command.replace("{text}", guessed_from(about, last.message, path)?);
        searched(about, "path-guessed", path, &command)
    };
    let text = last.result_text();
    let is_folder = about.model.check.folder_errors.iter().any(|error| text.contains(error));
    if is_folder {
        return looked_at(about, &format!("{} is a folder", about.shown_path(path)));
    }
    let missing = || looked_at(about, &format!("there is no {}", about.shown_path(path)));
    found().or_else(|| made_of_words(about, last.message, path).then(missing).flatten())
}

/// An answer that a command can give where a read has failed.
fn looked_at(about: &Situation, why: &str) -> Option<Objection> {
    let (name, reply) = run(about, &any_command())?;
    let words = format!("Not done: {why}. List, count, compare or search files with {name}.");
    Some(Objection::once("answer-in-vain", words, reply))
}

/// Whether a path that no message before has named is made of several words of the newest prompt.
fn made_of_words(about: &Situation, messages: usize, path: &str) -> bool {
    let Some((prompt, _)) = about.newest_prompt().filter(|_| !is_named(about, messages, path)) else { return false };
    let stem = paths::name(path).split('.').next().unwrap_or_default();
    let words: Vec<&str> = stem.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.len() > 1 && words.iter().all(|word| has_one_of(prompt, &[(*word).to_owned()]))
}

fn is_named(about: &Situation, messages: usize, path: &str) -> bool {
    let name = paths::name(path);
    texts(&about.messages[..messages]).any(|text| text.contains(name))
}

/// The first search for what the newest prompt asks for: by its words, or whatever it is.
fn profile(about: &Situation, by_words: bool) -> Option<&SearchProfile> {
    let (prompt, _) = about.newest_prompt()?;
    let fits = |search: &&SearchProfile| search.words.is_empty() != by_words;
    let asked = |search: &&SearchProfile| search.words.is_empty() || has_one_of(prompt, &search.words);
    about.model.check.searches.iter().filter(fits).find(asked)
}

/// The word of the prompt that a path is made of which neither the user nor any result of the first messages has named.
fn guessed_from<'a>(about: &Situation, messages: usize, path: &'a str) -> Option<&'a str> {
    let (prompt, _) = about.newest_prompt()?;
    let stem = stem(path).filter(|stem| prompt.contains(stem))?;
    (!is_named(about, messages, path)).then_some(stem)
}

/// The name of a file without its endings, where it is one plain word.
fn stem(path: &str) -> Option<&str> {
    let stem = paths::name(path).split('.').next()?;
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    (stem.len() > 2 && stem.chars().all(plain)).then_some(stem)
}

fn searched(about: &Situation, kind: &'static str, path: &str, command: &str) -> Option<Objection> {
    let (tool, key) = about.runner()?;
    let words = format!("Not done: {} was a guess.", about.shown_path(path));
    let instead = Some((tool.client.name.clone(), json!({key: command})));
    Some(Objection { instead, ..Objection::once(kind, words, None) })
}
