//! The digest of folded steps: what the user asked, and one line a call.

use std::collections::BTreeMap;

use super::estimate::ellipsis;
use super::{handle, journal, page};
use crate::history::{Call, Prompt};
use crate::rules::Keep;
use crate::tokens::Counter;

/// The longest first line of a prompt that is not verbatim, in bytes.
const FIRST_LINE: usize = 90;

/// The longest line for what the client wrote, in bytes.
const LINE: usize = 240;

/// A text is not told by its ends in less than so many tokens.
const SHORTEST_EXCERPT: usize = 60;

/// More handles than these are told by the first and the last.
const MOST_HANDLES: usize = 6;

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

/// How a text at the user's side is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Verbatim,
    /// Its two ends, of about so many tokens.
    Excerpt(usize),
    FirstLine,
    Handle,
}

fn prompt_line(prompt: &Prompt<'_>, way: Way) -> Option<String> {
    let told = prompt.told();
    let handle = handle::of_block(prompt.message, prompt.block);
    let said = match way {
        Way::Verbatim if prompt.is_typed() => told.into_owned(),
        Way::Verbatim => format!("{told} [in full: {handle}]"),
        Way::Excerpt(tokens) => {
            let gap = |from: usize, to: usize| format!("[lines {from}-{to} left out]");
            format!("{}\n[in full: {handle}]", page::both_ends(&told, tokens, gap))
        }
        Way::FirstLine if prompt.is_typed() => {
            format!("{} [in full: {handle}]", ellipsis(prompt.first_line(), FIRST_LINE))
        }
        Way::FirstLine => {
            let line = told.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{} [in full: {handle}]", ellipsis(&line, LINE))
        }
        Way::Handle => return None,
    };
    Some(if prompt.is_typed() { format!("User: {said}") } else { said })
}

/// What is left to say texts with, in tokens.
struct Purse {
    whole: usize,
    lines: usize,
}

/// What was typed goes first, newest first: verbatim, older texts by their first lines, and where even these are too many
/// by handle alone. Then what the client wrote, by its kind. A summary of earlier work has a share of its own.
fn ways(prompts: &[Prompt<'_>], room: Room, counter: &dyn Counter) -> Vec<Way> {
    let cost = |prompt: &Prompt<'_>| counter.count(&prompt.told()) + 3;
    let keep = |at: usize| prompts[at].kind.map(|kind| kind.keep);
    let of = |wanted: Option<Keep>| (0..prompts.len()).rev().filter(move |at| keep(*at) == wanted);
    let mut ways = vec![Way::Handle; prompts.len()];
    let summary = of(Some(Keep::Verbatim)).next().map_or(0, |at| cost(&prompts[at]).min(room.prompts / 2));
    let mut purse = Purse { whole: room.prompts - summary, lines: room.prompts / 2 + FIRST_LINE / 2 };
    for (nth, at) in of(None).enumerate() {
        ways[at] = purse.pay(&prompts[at], cost(&prompts[at]), nth == 0, room.newest - summary.min(room.newest));
    }
    purse.whole += summary;
    for (nth, at) in of(Some(Keep::Verbatim)).enumerate() {
        ways[at] = purse.pay(&prompts[at], cost(&prompts[at]), nth == 0, 0);
    }
    for at in of(Some(Keep::Line)) {
        ways[at] = purse.pay(&prompts[at], cost(&prompts[at]), false, 0);
    }
    let mut told: Vec<&str> = Vec::new();
    for at in of(Some(Keep::Last)) {
        let id = prompts[at].kind.map_or("", |kind| kind.id.as_str());
        if room.prompts > 0 && !told.contains(&id) {
            told.push(id);
            ways[at] = Way::FirstLine;
        }
    }
    ways
}

impl Purse {
    /// Pays for one text; the newest of its kind is never left to its handle, and may cost up to `least` in any case.
    fn pay(&mut self, prompt: &Prompt<'_>, cost: usize, newest: bool, least: usize) -> Way {
        let most = if prompt.is_typed() { FIRST_LINE.min(prompt.first_line().len()) } else { LINE };
        let line = most / 3 + 12;
        if cost <= self.whole || (newest && cost <= least) {
            self.whole = self.whole.saturating_sub(cost);
            Way::Verbatim
        } else if newest && self.whole >= SHORTEST_EXCERPT {
            let tokens = std::mem::take(&mut self.whole);
            Way::Excerpt(tokens - SHORTEST_EXCERPT / 3)
        } else if newest || line <= self.lines {
            self.lines = self.lines.saturating_sub(line);
            Way::FirstLine
        } else {
            Way::Handle
        }
    }
}

/// `[earlier requests of the user: h0.0 h8.1]`, and the same for what the client wrote.
fn handles(prompts: &[Prompt<'_>], ways: &[Way]) -> Vec<String> {
    let by_handle = |typed: bool| {
        let left =
            prompts.iter().zip(ways).filter(move |(prompt, way)| **way == Way::Handle && prompt.is_typed() == typed);
        left.map(|(prompt, _)| handle::of_block(prompt.message, prompt.block)).collect::<Vec<_>>()
    };
    let (typed, others) = (by_handle(true), by_handle(false));
    let mut lines = Vec::new();
    if !typed.is_empty() {
        lines.push(format!("[earlier requests of the user: {}]", typed.join(" ")));
    }
    match others.as_slice() {
        [] => {}
        [first, .., last] if others.len() > MOST_HANDLES => {
            lines.push(format!("[earlier notes of the client: {}, {first} to {last}]", others.len()));
        }
        _ => lines.push(format!("[earlier notes of the client: {}]", others.join(" "))),
    }
    lines
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
