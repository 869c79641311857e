//! The digest of folded steps: what the user asked, and one line a call.

use std::collections::BTreeMap;

use super::estimate::ellipsis;
use super::{handle, journal};
use crate::history::{Call, Prompt};
use crate::tokens::Counter;

/// The longest first line of a prompt that is not verbatim, in bytes.
const FIRST_LINE: usize = 90;

/// What may be said, in tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Prompts verbatim.
    pub prompts: usize,
    /// The newest prompt alone.
    pub newest: usize,
    /// Lines of calls.
    pub journal: usize,
}

/// The digest of these prompts and calls, in the order in which they came.
pub(super) fn digest(prompts: &[Prompt<'_>], calls: &[Call<'_>], room: Room, counter: &dyn Counter) -> String {
    let ways = ways(prompts, room, counter);
    let (lines, skipped) = lines(calls, room.journal, counter);
    let mut entries: Vec<(usize, usize, String)> = Vec::new();
    for (at, prompt) in prompts.iter().enumerate() {
        let line = prompt_line(prompt, ways[at]);
        entries.extend(line.map(|line| (prompt.message, prompt.block, line)));
    }
    entries.extend(lines.into_iter().map(|(call, line)| (call.message, call.block, line)));
    entries.sort_by_key(|entry| (entry.0, entry.1));
    let mut out: Vec<String> = entries.into_iter().map(|entry| entry.2).collect();
    out.extend(tally(skipped));
    out.extend(handles(prompts, &ways));
    out.join("\n")
}

/// How a prompt is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Verbatim,
    FirstLine,
    Handle,
}

fn prompt_line(prompt: &Prompt<'_>, way: Way) -> Option<String> {
    match way {
        Way::Verbatim => Some(format!("User: {}", prompt.text.trim())),
        Way::FirstLine => {
            let line = ellipsis(prompt.first_line(), FIRST_LINE);
            Some(format!("User: {line} [in full: {}]", handle::of_block(prompt.message, prompt.block)))
        }
        Way::Handle => None,
    }
}

/// The newest prompts verbatim, older ones by their first lines, and where even these are too many by handle alone.
fn ways(prompts: &[Prompt<'_>], room: Room, counter: &dyn Counter) -> Vec<Way> {
    let (mut left, mut lines) = (room.prompts, room.prompts / 2 + FIRST_LINE / 2);
    let mut ways = vec![Way::Handle; prompts.len()];
    for (at, prompt) in prompts.iter().enumerate().rev() {
        let cost = counter.count(prompt.text) + 3;
        let newest = at + 1 == prompts.len();
        let line = prompt.first_line().len().min(FIRST_LINE) / 3 + 12;
        if cost <= left || (newest && cost <= room.newest) {
            ways[at] = Way::Verbatim;
            left = left.saturating_sub(cost);
        } else if newest || line <= lines {
            ways[at] = Way::FirstLine;
            lines = lines.saturating_sub(line);
        }
    }
    ways
}

/// `[earlier requests of the user: h0.0 h8.1]`.
fn handles(prompts: &[Prompt<'_>], ways: &[Way]) -> Option<String> {
    let by_handle = prompts.iter().zip(ways).filter(|(_, way)| **way == Way::Handle);
    let handles: Vec<String> = by_handle.map(|(prompt, _)| handle::of_block(prompt.message, prompt.block)).collect();
    (!handles.is_empty()).then(|| format!("[earlier requests of the user: {}]", handles.join(" ")))
}

type Lines<'c, 'a> = Vec<(&'c Call<'a>, String)>;

/// The newest lines that fit, oldest first, and the calls that have none.
fn lines<'c, 'a>(calls: &'c [Call<'a>], room: usize, counter: &dyn Counter) -> (Lines<'c, 'a>, &'c [Call<'a>]) {
    let mut left = room;
    let mut lines = Vec::new();
    for call in calls.iter().rev() {
        let line = journal::line(call);
        let cost = counter.count(&line) + 1;
        if cost > left {
            break;
        }
        left -= cost;
        lines.push((call, line));
    }
    lines.reverse();
    let skipped = calls.len() - lines.len();
    (lines, &calls[..skipped])
}

/// `and before: 12 Read, 3 Edit (h3-h40)`.
fn tally(calls: &[Call<'_>]) -> Option<String> {
    let (first, last) = (calls.first()?, calls.last()?);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        *counts.entry(&call.call.name).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let (first, last) = (handle::of_message(first.message), handle::of_message(last.message));
    Some(format!("[earlier calls: {}; {first} to {last}]", counts.join(", ")))
}
