//! What a cut says: which steps went, what was typed in them, and the paths that nothing else names any more.

use std::collections::BTreeSet;

use super::Kept;
use crate::fold::estimate::ellipsis;
use crate::fold::paths::paths;
use crate::fold::{handle, journal};
use crate::history::{Act, Call, Files, Prompt};
use crate::rules::Keep;
use crate::tokens::Counter;

/// The longest first line of a prompt that is not said word for word, in bytes.
const FIRST_LINE: usize = 90;

/// What a text of the digest holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub text: String,
    /// The paths that it names.
    pub paths: BTreeSet<String>,
    /// The prompts that it holds, by message and block: word for word, or by line and handle.
    pub prompts: BTreeSet<(usize, usize)>,
}

/// What stands once a cut has taken its pieces, but for what the cut says.
pub(super) struct Standing<'s, 'a> {
    pub kept: &'s [Kept],
    pub calls: &'s [Call<'a>],
    pub prompts: &'s [Prompt<'a>],
    pub files: &'s Files,
    /// What earlier cuts have said, where it still stands.
    pub told: Vec<&'s Told>,
    /// The steps and the messages that go now: whole ones, and ends.
    pub steps: &'s [usize],
    pub ends: &'s [usize],
    pub counter: &'s dyn Counter,
}

/// What a text may have, in tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub calls: usize,
    pub prompts: usize,
}

/// The text of one cut.
///
/// `bare`, where there is room for no more: the handles alone.
pub(super) fn tell(standing: &Standing<'_, '_>, room: Room, bare: bool) -> Told {
    let mut told = Told::default();
    let mut lines = vec![gone(standing)];
    if bare {
        return Told { text: lines.remove(0), ..told };
    }
    lines.extend(calls(standing, room.calls));
    lines.extend(prompts(standing, room.prompts, &mut told));
    lines.extend(ledger(standing, &mut told));
    told.text = lines.join("\n");
    told
}

/// `[Taken out: h3-h8 h12; cut short: h14.0. Recall gives them back.]`
fn gone(standing: &Standing<'_, '_>) -> String {
    let mut parts = Vec::new();
    if !standing.steps.is_empty() {
        parts.push(format!("Taken out: {}", runs(standing.steps)));
    }
    if !standing.ends.is_empty() {
        let ends: Vec<String> = standing.ends.iter().map(|end| handle::of_message(*end)).collect();
        parts.push(format!("cut short: {}", ends.join(" ")));
    }
    format!("[{}; see Recall]", parts.join("; "))
}

/// Handles of steps, neighbours as a range.
fn runs(steps: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for step in steps {
        match runs.last_mut() {
            Some((_, end)) if *end + 2 == *step => *end = *step,
            _ => runs.push((*step, *step)),
        }
    }
    let run = |(from, to): (usize, usize)| {
        if from == to { handle::of_message(from) } else { format!("{}-{to}", handle::of_message(from)) }
    };
    runs.into_iter().map(run).collect::<Vec<_>>().join(" ")
}

/// A line for each call that changed something or failed or was a command; of the newest, as many as there is room for.
fn calls(standing: &Standing<'_, '_>, mut room: usize) -> Vec<String> {
    let goes = |call: &&Call<'_>| standing.steps.binary_search(&call.message).is_ok();
    let counts = |call: &&Call<'_>| call.failed() || matches!(call.act, Act::Run { .. } | Act::Other);
    let mut lines = Vec::new();
    for call in standing.calls.iter().rev().filter(goes).filter(counts) {
        let line = journal::line(call);
        let cost = standing.counter.count(&line) + 1;
        if cost > room {
            break;
        }
        room -= cost;
        lines.push(line);
    }
    lines.reverse();
    lines
}

/// The prompts that stand nowhere else: the newest word for word.
fn prompts(standing: &Standing<'_, '_>, mut room: usize, told: &mut Told) -> Vec<String> {
    let (mut lines, mut notes) = (Vec::new(), Vec::new());
    for prompt in standing.prompts.iter().rev() {
        let place = (prompt.message, prompt.block);
        if stands(standing, prompt) {
            continue;
        }
        told.prompts.insert(place);
        if prompt.kind.is_some_and(|kind| kind.keep == Keep::Handle) {
            notes.push(handle::of_block(prompt.message, prompt.block));
            continue;
        }
        let text = prompt.told();
        let cost = standing.counter.count(&text) + 3;
        let said = if cost <= room {
            room -= cost;
            // What the client wrote is told in other words than it came in.
            let handle = handle::of_block(prompt.message, prompt.block);
            if prompt.is_typed() { text.into_owned() } else { format!("{text} [in full: {handle}]") }
        } else {
            let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
            let line = ellipsis(first, FIRST_LINE);
            format!("{line} [in full: {}]", handle::of_block(prompt.message, prompt.block))
        };
        lines.push(if prompt.is_typed() { format!("User: {said}") } else { said });
    }
    lines.reverse();
    if !notes.is_empty() {
        notes.reverse();
        lines.push(format!("[notes of the client: {}]", notes.join(" ")));
    }
    lines
}

/// Whether a prompt stands somewhere: of a message that was cut short, its first text by its first line.
fn stands(standing: &Standing<'_, '_>, prompt: &Prompt<'_>) -> bool {
    let in_place = match standing.kept.get(prompt.message).copied().unwrap_or_default() {
        Kept::Whole => true,
        Kept::Beginning => prompt.block == 0,
        Kept::Out => false,
    };
    in_place || standing.told.iter().any(|told| told.prompts.contains(&(prompt.message, prompt.block)))
}

/// The paths that stand nowhere else, by their folders.
fn ledger(standing: &Standing<'_, '_>, told: &mut Told) -> Option<String> {
    let stays = |call: &&Call<'_>| standing.kept.get(call.message).is_none_or(|kept| *kept != Kept::Out);
    let mut there: BTreeSet<&str> = standing.calls.iter().filter(stays).filter_map(|call| call.act.path()).collect();
    there.extend(standing.told.iter().flat_map(|told| told.paths.iter().map(String::as_str)));
    let all: Vec<&str> = standing.files.iter().map(|(record, _)| record.path.as_str()).collect();
    let missing = all.iter().filter(|path| !there.contains(*path));
    told.paths.extend(missing.map(|path| (*path).to_owned()));
    let there: Vec<&str> = there.into_iter().collect();
    let text = paths(standing.files, &[], (&[], &there), 0, standing.counter);
    (!text.is_empty()).then_some(text)
}
