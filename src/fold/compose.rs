//! The text of the digest message: what was asked and done, the accounts of paths, the files in work.

use super::paths::paths;
use super::views::{Shown, Style, Views, views};
use crate::history::{Act, Call, Files};
use crate::rules::FoldProfile;
use crate::tokens::Counter;

/// Tokens of the user message that holds the digest, beside its text.
const OVERHEAD: usize = 8;

/// How often the views are fitted into their room.
const TRIES: usize = 3;

/// What a digest tells of.
pub(super) struct Past<'p, 'a> {
    /// Digests of steps, as they stand.
    pub blocks: &'p [String],
    pub block_tokens: usize,
    /// The files as they were before the tail.
    pub files: &'p Files,
    /// The calls that are folded, and those that stay verbatim.
    pub folded: &'p [Call<'a>],
    pub tail: &'p [Call<'a>],
}

/// A digest as it is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub text: String,
    pub tokens: usize,
    /// The lines of files that stand in it.
    pub shown: Shown,
}

/// The text, with its tokens. `room` is for all of it; of it, `paths` is for accounts in full and `most` for views.
pub(super) fn compose(
    past: &Past<'_, '_>,
    profile: &FoldProfile,
    counter: &dyn Counter,
    room: usize,
    paths_room: usize,
    most: usize,
) -> Told {
    let mut parts =
        vec!["[Earlier work, folded. Recall with a handle such as h12 gives back the original.]".to_owned()];
    parts.extend(past.blocks.iter().cloned());
    let left = room.saturating_sub(past.block_tokens + 20 + OVERHEAD);
    let paths_room = paths_room.min(left / 3);
    let near: Vec<&str> = past.tail.iter().filter_map(named).collect();
    let bare = paths(past.files, past.folded, (&near, &near), 0, counter);
    let for_views = left.saturating_sub(paths_room.max(counter.count(&bare))).min(most);
    let views = fitted(past, profile, counter, for_views);
    let viewed: Vec<&str> = views.shown.keys().map(String::as_str).collect();
    let paths_room = left.saturating_sub(counter.count(&views.text)).min(paths_room);
    let ledger = paths(past.files, past.folded, (&near, &viewed), paths_room, counter);
    if !ledger.is_empty() {
        parts.push(format!("[Files so far]\n{ledger}"));
    }
    parts.extend(Some(views.text).filter(|text| !text.is_empty()));
    let text = parts.join("\n");
    let tokens = counter.count(&text) + OVERHEAD;
    Told { text, tokens, shown: views.shown }
}

/// The least that can be said, where the newest step leaves room for no more.
pub(super) fn bare(first: usize, counter: &dyn Counter) -> Told {
    let text = format!("[Earlier work, folded. Recall h0 to h{} gives it back.]", first.saturating_sub(1));
    let tokens = counter.count(&text) + OVERHEAD;
    Told { text, tokens, shown: Shown::new() }
}

/// The path that a call writes out.
fn named<'a>(call: &Call<'a>) -> Option<&'a str> {
    match call.act {
        Act::Read { path, .. } | Act::Edit { path, .. } | Act::Write { path, .. } => Some(path),
        _ => None,
    }
}

/// The views that take up as much of `room` as they can by the exact count.
fn fitted(past: &Past<'_, '_>, profile: &FoldProfile, counter: &dyn Counter, room: usize) -> Views {
    let style = Style { files: profile.files, line_numbers: profile.line_numbers };
    let recent = recent(past);
    let mut best = Views::default();
    let (mut size, mut used) = (room, 0);
    for _ in 0..TRIES {
        let views = views(past.files, &recent, size, style, &Shown::new());
        let tokens = counter.count(&views.text);
        if tokens <= room && tokens > used {
            (best, used) = (views, tokens);
        }
        let enough = tokens <= room && tokens * 20 >= room * 19;
        if tokens == 0 || enough || (tokens <= room && tokens * 3 < size) {
            break;
        }
        size = size * room * 49 / (tokens * 50);
    }
    best
}

/// The files in work, best first: changed or read last.
fn recent<'a>(past: &Past<'_, 'a>) -> Vec<&'a str> {
    let mut paths = Vec::new();
    for path in past.tail.iter().rev().chain(past.folded.iter().rev()).filter_map(named) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}
