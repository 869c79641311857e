//! The answer to the client's own request for a summary: what a small model would lose, said without a model.

use super::digest::{Room, digest};
use super::paths::paths;
use super::views::{Shown, Style, views};
use crate::history::{Act, History, Roles, prompts};
use crate::rules::{FoldProfile, MessageKinds};
use crate::tokens::Counter;
use crate::wire::Message;

/// Typed prompts, one line a call, the accounts of paths and the present text of the files in work, in about `tokens`.
pub fn summary(
    messages: &[Message],
    roles: &dyn Roles,
    kinds: &MessageKinds,
    profile: &FoldProfile,
    counter: &dyn Counter,
    tokens: usize,
) -> String {
    let history = History::read(messages, roles);
    let prompts = prompts(messages, kinds);
    let room = Room { prompts: tokens / 3, newest: tokens / 3, journal: tokens / 5 };
    let mut parts = vec![digest(&prompts, &history.calls, room, counter)];
    let ledger = paths(&history.files, &history.calls, (&[], &[]), tokens / 8, counter);
    if !ledger.is_empty() {
        parts.push(format!("Files so far:\n{ledger}"));
    }
    let mut recent: Vec<&str> = Vec::new();
    for path in history.calls.iter().rev().filter(|call| !matches!(call.act, Act::Search { .. } | Act::List { .. })) {
        recent.extend(path.act.path().filter(|path| !recent.contains(path)).as_ref());
    }
    let left = tokens.saturating_sub(counter.count(&parts.join("\n")));
    let style = Style { files: profile.files, line_numbers: profile.line_numbers };
    let views = views(&history.files, &recent, left, style, &Shown::new()).text;
    if !views.is_empty() {
        parts.push(views);
    }
    parts.join("\n\n")
}
