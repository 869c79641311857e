//! The walk: cut only when the next prompt would not fit, and then deep enough that the next cut is far away.

use super::digest::{Room, digest};
use super::paths::paths;
use super::views::{Style, views};
use crate::history::{Act, Call, Files, Prompt, Roles, calls, prompts};
use crate::rules::FoldProfile;
use crate::tokens::{Budget, Counter};
use crate::wire::{Message, Role, WireError};

/// Tokens of the user message that holds the digest, beside its text.
const OVERHEAD: usize = 8;

/// What a fold is made from.
pub struct FoldInput<'a> {
    /// The normalised messages as the client has them: roles alternate, every call is answered.
    pub messages: &'a [Message],
    /// Tokens of each message, as [`super::ingest`] left it and as the model's template renders it.
    pub costs: &'a [usize],
    pub budget: &'a Budget,
    /// Tokens of the head as rendered.
    pub head_tokens: usize,
    /// Tokens of what always stands before the first prompt: environment, kept reminders.
    pub preamble_tokens: usize,
    pub profile: &'a FoldProfile,
    /// Counts in the model's family.
    pub counter: &'a dyn Counter,
    pub roles: &'a dyn Roles,
}

/// A history that fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    /// Digests, accounts of paths and views: the text of a user message after the head. Empty when nothing is folded.
    pub digest: String,
    /// The index of the first message that stays verbatim.
    pub first: usize,
    /// How often the history was cut so far.
    pub cuts: usize,
    /// Steps that are no longer verbatim.
    pub folded_steps: usize,
}

/// The head and the newest typed prompt alone do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("prompt is too long: {tokens} tokens > {maximum} maximum")]
pub struct TooLong {
    pub tokens: usize,
    pub maximum: usize,
}

impl From<TooLong> for WireError {
    fn from(error: TooLong) -> Self {
        Self::prompt_too_long(error.tokens, error.maximum)
    }
}

/// Folds a history so that it fits. Pure; for a longer history the text before the first verbatim message is the same
/// until it is cut again.
///
/// # Errors
/// [`TooLong`] when the head and the newest prompt alone exceed the budget.
pub fn fold(input: &FoldInput<'_>) -> Result<Folded, TooLong> {
    let mut walk = Walk::new(input);
    for at in 0..input.messages.len() {
        walk.used += input.costs[at];
        let asks = input.messages[at].role != Role::Assistant;
        if asks && walk.used + walk.digest_tokens > walk.limit {
            walk.cut(at);
        }
    }
    walk.finish()
}

struct Walk<'a> {
    input: &'a FoldInput<'a>,
    /// The history budget H, less the preamble.
    limit: usize,
    calls: Vec<Call<'a>>,
    prompts: Vec<Prompt<'a>>,
    /// The files as they were before `first`, and how many calls they have taken.
    files: Files,
    taken: usize,
    /// Digest blocks that are not edited again.
    blocks: Vec<String>,
    block_tokens: usize,
    first: usize,
    digest: String,
    digest_tokens: usize,
    /// Tokens of the verbatim messages so far.
    used: usize,
    cuts: usize,
}

impl<'a> Walk<'a> {
    fn new(input: &'a FoldInput<'a>) -> Self {
        Self {
            input,
            limit: input.budget.history(input.head_tokens).saturating_sub(input.preamble_tokens),
            calls: calls(input.messages, input.roles),
            prompts: prompts(input.messages, &input.profile.machine, 0, input.messages.len()),
            files: Files::default(),
            taken: 0,
            blocks: Vec::new(),
            block_tokens: 0,
            first: 0,
            digest: String::new(),
            digest_tokens: 0,
            used: 0,
            cuts: 0,
        }
    }

    fn share(&self, percent: usize) -> usize {
        self.limit * percent / 100
    }

    /// Folds what is older than the newest steps up to message `at`.
    fn cut(&mut self, at: usize) {
        let first = self.tail_start(at);
        if first <= self.first {
            return;
        }
        let tail: usize = self.input.costs[first..=at].iter().sum();
        let keep = self.share(self.input.profile.keep).max(tail + self.share(10));
        let room = keep.min(self.limit.saturating_sub(self.share(5))).saturating_sub(tail);
        self.fold_steps(self.first, first, room);
        self.first = first;
        self.used = tail;
        self.cuts += 1;
        self.compose(at, room);
    }

    /// Where the tail begins: at a step, so that it is at most its share; the newest step always stays.
    fn tail_start(&self, at: usize) -> usize {
        let share = self.share(self.input.profile.tail);
        let mut best = None;
        let mut used = 0;
        for first in (self.first + 1..=at).rev() {
            used += self.input.costs[first];
            if self.begins_step(first) {
                if best.is_some() && used > share {
                    break;
                }
                best = Some(first);
            }
        }
        best.unwrap_or(self.first)
    }

    fn begins_step(&self, at: usize) -> bool {
        let message = &self.input.messages[at];
        message.role == Role::Assistant || message.tool_results().next().is_none()
    }

    /// Makes the digest of the messages from `from` to before `to`; joins all digests when they are too many.
    fn fold_steps(&mut self, from: usize, to: usize, room: usize) {
        let profile = self.input.profile;
        let most = self.share(profile.prompts + profile.journal).min(room * 3 / 4);
        let block = self.block(from, to, Room { prompts: most, newest: most, journal: most });
        let tokens = self.input.counter.count(&block) + 1;
        if self.block_tokens + tokens <= most {
            self.blocks.push(block);
            self.block_tokens += tokens;
            return;
        }
        let journal = self.share(profile.journal).min(most / 3);
        let prompts = self.share(profile.prompts).min(most - journal) * 3 / 4;
        let newest = (most - journal).max(prompts);
        let block = self.block(0, to, Room { prompts, newest, journal: journal / 2 });
        self.block_tokens = self.input.counter.count(&block) + 1;
        self.blocks = vec![block];
    }

    fn block(&self, from: usize, to: usize, room: Room) -> String {
        let prompts: Vec<Prompt<'_>> =
            self.prompts.iter().filter(|prompt| (from..to).contains(&prompt.message)).copied().collect();
        let start = self.calls.partition_point(|call| call.message < from);
        let end = self.calls.partition_point(|call| call.message < to);
        digest(&prompts, &self.calls[start..end], room, self.input.counter)
    }

    /// Writes the text of the digest message anew: blocks, paths, views.
    fn compose(&mut self, at: usize, room: usize) {
        while let Some(call) = self.calls.get(self.taken).filter(|call| call.message < self.first) {
            self.files.take(call);
            self.taken += 1;
        }
        let profile = self.input.profile;
        let counter = self.input.counter;
        let mut parts =
            vec!["[Earlier work, folded. Recall with a handle such as h12 gives back the original.]".to_owned()];
        parts.extend(self.blocks.iter().cloned());
        let fixed = self.block_tokens + OVERHEAD;
        let ledger = paths(&self.files, self.share(profile.paths).min(room.saturating_sub(fixed) / 2), counter);
        if !ledger.is_empty() {
            parts.push(format!("[Files so far]\n{ledger}"));
        }
        let left = room.saturating_sub(counter.count(&parts.join("\n")) + OVERHEAD);
        let style = Style { files: profile.files, line_numbers: profile.line_numbers };
        let recent = self.recent(at);
        let mut size = left.min(self.share(profile.views));
        let base = parts.join("\n");
        loop {
            let text = views(&self.files, &recent, size, style);
            let whole = if text.is_empty() { base.clone() } else { format!("{base}\n{text}") };
            self.digest_tokens = counter.count(&whole) + OVERHEAD;
            self.digest = whole;
            if text.is_empty() || self.digest_tokens <= room || self.digest_tokens + self.used <= self.share(50) {
                return;
            }
            size = size * 2 / 3;
        }
    }

    /// The files in work at message `at`, best first: changed or read last.
    fn recent(&self, at: usize) -> Vec<&'a str> {
        let end = self.calls.partition_point(|call| call.message <= at);
        let mut paths = Vec::new();
        for call in self.calls[..end].iter().rev() {
            if let Act::Read { path, .. } | Act::Edit { path, .. } | Act::Write { path, .. } = call.act
                && !paths.contains(&path)
            {
                paths.push(path);
            }
        }
        paths
    }

    fn finish(self) -> Result<Folded, TooLong> {
        let beside = self.input.head_tokens + self.input.preamble_tokens;
        let maximum = self.input.budget.prompt();
        let tokens = beside + self.used + self.digest_tokens;
        if tokens > maximum {
            return Err(TooLong { tokens, maximum });
        }
        let folded = self.input.messages[..self.first].iter();
        let folded_steps = folded.filter(|message| message.role == Role::Assistant).count();
        Ok(Folded { digest: self.digest, first: self.first, cuts: self.cuts, folded_steps })
    }
}
