//! A number that stands in no text so far: a model is told so, and how to find it out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::named;
use super::objection::{Objection, any_command, run};
use super::situation::Situation;
use crate::history::Swap;
use crate::rules::ChannelKind;
use crate::wire::{Block, Message};

/// Numbers of fewer digits stand everywhere, and small models count so far.
const DIGITS: usize = 2;

/// How the report counts an answer with a number that stands nowhere.
pub(super) const ANSWER_NUMBER: &str = "answer-number";

/// The numbers that an answer may name; `None` where it may name any: before a first call it is no report of what was found.
pub(super) fn watched(about: &Situation) -> Option<Numbers> {
    let checked = about.model.check.known_numbers && about.kind == ChannelKind::Constrained;
    let called = || about.newest_prompt().is_some_and(|(_, called)| called);
    (checked && called() && about.runner().is_some()).then(|| Numbers::of(about))
}

/// A file that is to hold numbers alone: what was to be computed from them and was not; or one that was not found.
pub(super) fn invented(about: &Situation, content: &str) -> Option<Objection> {
    let bare = content.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || "+-*/.,=".contains(c));
    let mut all = numbers(content).filter(|_| bare).map(|(_, number)| number);
    let first = all.next()?;
    if all.next().is_some() && named::asks_for(about, &about.model.check.compute_words) {
        let (name, reply) = run(about, &computing(about))?;
        let words = format!("Not done: nothing was computed yet. Compute it with {name}.");
        return Some(Objection::once("write-uncomputed", words, reply));
    }
    let (_, number) = watched(about)?.first_unknown(&first)?;
    uncomputed(about, "write-number", &number)
}

/// An edit that puts one bare number in place of another, where the prompt asks to compute one and nothing was computed.
pub(super) fn number_replaced(about: &Situation, swaps: &[Swap<'_>]) -> Option<Objection> {
    let bare = |text: &str| !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit());
    let replaces = swaps.iter().any(|swap| bare(swap.old) && bare(swap.new));
    if !replaces || !named::asks_for(about, &about.model.check.compute_words) {
        return None;
    }
    let (name, reply) = run(about, &computing(about))?;
    let words = format!("Not done: nothing was computed yet. Compute it with {name}.");
    Some(Objection::once("edit-uncomputed", words, reply))
}

/// What a model is told whose answer names a number that it cannot know.
pub(super) fn uncomputed(about: &Situation, kind: &'static str, number: &str) -> Option<Objection> {
    let (name, reply) = run(about, &computing(about))?;
    let words = format!("Not done: {number} stands nowhere so far. Find the number out with {name}.");
    Some(Objection::once(kind, words, reply))
}

/// The commands that compute, where the prompt asks for that and the profile says how they look.
fn computing(about: &Situation) -> Value {
    let check = &about.model.check;
    let asked = about.newest_prompt().is_some_and(|(prompt, _)| named::has_one_of(prompt, &check.compute_words));
    match &check.compute_pattern {
        pattern if asked && !pattern.is_empty() => json!({"type": "string", "pattern": pattern}),
        _ => any_command(),
    }
}

/// The numbers that a session has named, in whatever text.
#[derive(Debug, Default)]
pub(super) struct Numbers(BTreeSet<String>);

impl Numbers {
    pub(super) fn of(about: &Situation) -> Self {
        let mut known = Self::default();
        for text in texts(&about.messages) {
            known.0.extend(numbers(&text).map(|(_, number)| number));
        }
        known
    }

    fn contains(&self, number: &str) -> bool {
        self.0.contains(number)
    }

    /// The first number of `text` that is not known, and where it begins.
    pub(super) fn first_unknown(&self, text: &str) -> Option<(usize, String)> {
        numbers(text).find(|(_, number)| number.len() >= DIGITS && !self.contains(number))
    }
}

/// The bytes of a text that goes on, up to which its numbers are whole.
pub(super) fn settled(text: &str) -> usize {
    text.trim_end_matches(|c: char| c.is_ascii_digit() || c == ',').len()
}

/// Runs of digits, and where they begin; `1,234` is one.
fn numbers(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(|c: char| c.is_ascii_digit())?;
        at = start;
        let mut number = String::new();
        loop {
            let digits = run_of_digits(&text[at..]);
            number.push_str(digits);
            at += digits.len();
            let thousands = text[at..].strip_prefix(',').is_some_and(|rest| run_of_digits(rest).len() == 3);
            if !thousands {
                return Some((start, number));
            }
            at += 1;
        }
    })
}

fn run_of_digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

/// All that was said, called and returned.
pub(super) fn texts(messages: &[Message]) -> impl Iterator<Item = String> {
    messages.iter().flat_map(|message| &message.content).filter_map(|block| match block {
        Block::Text(text) => Some(text.clone()),
        Block::ToolUse(call) => Some(call.input.to_string()),
        Block::ToolResult(result) => Some(result.text()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(words: &[&str]) -> Numbers {
        Numbers(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn a_number_that_stands_nowhere_is_found() {
        let numbers = known(&["404", "1234"]);
        assert_eq!(numbers.first_unknown("404 means: 1,234 of 3 were lost"), None);
        assert_eq!(numbers.first_unknown("It is 731."), Some((6, "731".into())));
        assert_eq!(numbers.first_unknown("404, 17,5"), Some((5, "17".into())));
    }

    #[test]
    fn a_number_at_the_end_may_go_on() {
        assert_eq!(settled("It is 73"), 6);
        assert_eq!(settled("It is 1,2"), 6);
        assert_eq!(settled("It is 73."), 9);
    }
}
