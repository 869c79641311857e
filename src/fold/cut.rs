//! The walk: cut only when the next prompt would not fit, and then deep enough that the next cut is far away.

use std::cell::OnceCell;
use std::sync::Arc;

use super::again::{Again, ShownAgain};
use super::compose::{Past, Told, bare, compose};
use super::digest::{Room, digest};
use super::input::{FoldInput, marks};
use super::shift::{self, Shifted};
use super::state::{State, Walked};
use super::views::Style;
use crate::history::{Call, Files, Prompt, calls, calls_from, prompts};
use crate::wire::{Role, WireError};

/// A cut frees at least this share of H, in percent.
const PROGRESS: usize = 10;

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
    /// What stands behind results of the tail.
    pub again: Vec<ShownAgain>,
    /// What was taken out of the messages, where the schedule is *shift* and something was.
    pub shifted: Option<Shifted>,
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
    if let Some(showing) = input.shift {
        return shift::fold(input, showing);
    }
    let mut walk = Walk::new(input);
    for at in walk.next..input.messages.len() {
        walk.used += input.costs[at];
        let asks = input.messages[at].role != Role::Assistant;
        if asks && walk.used + walk.state.digest.tokens > walk.limit {
            walk.cut(at);
        } else if asks && walk.state.cuts > 0 {
            walk.show_again(at);
        }
    }
    walk.remember();
    walk.finish()
}

struct Walk<'a> {
    input: &'a FoldInput<'a>,
    /// The history budget H, less the preamble.
    limit: usize,
    calls: OnceCell<Vec<Call<'a>>>,
    /// Those from the first verbatim message on: between two cuts the others need not be read.
    tail: OnceCell<Vec<Call<'a>>>,
    prompts: OnceCell<Vec<Prompt<'a>>>,
    marks: Vec<u128>,
    /// Where the walk goes on from, if not from a cut.
    from: Option<u128>,
    state: Arc<State>,
    /// Tokens of the verbatim messages so far, and the next message.
    used: usize,
    next: usize,
    /// The files since the last cut, and what was shown of them again.
    again: Option<Again>,
    shown_again: Vec<ShownAgain>,
}

impl<'a> Walk<'a> {
    fn new(input: &'a FoldInput<'a>) -> Self {
        let limit = input.budget.history(input.head_tokens).saturating_sub(input.preamble_tokens);
        let marks = input.memo.map(|(memo, salt)| marks(input, limit, memo, salt)).unwrap_or_default();
        let known = input.memo.and_then(|(memo, _)| memo.prefix.newest(&marks));
        let walked = input.memo.and_then(|(memo, _)| memo.walked.newest(&marks));
        let walked = walked.filter(|(at, _)| known.as_ref().is_none_or(|(cut, _)| cut <= at));
        let from = walked.as_ref().map(|(at, _)| marks[*at]);
        let (next, walked) = match (walked, known) {
            (Some((at, walked)), _) => (at + 1, Walked::clone(&walked)),
            (None, Some((at, state))) => (at + 1, Walked::from_cut(state)),
            (None, None) => (0, Walked::from_cut(Arc::default())),
        };
        let Walked { state, used, again, shown_again } = walked;
        Self {
            input,
            limit,
            calls: OnceCell::new(),
            tail: OnceCell::new(),
            prompts: OnceCell::new(),
            marks,
            from,
            state,
            used,
            next,
            again,
            shown_again,
        }
    }

    /// The next request of this history goes on from here.
    fn remember(&self) {
        let (Some((memo, _)), Some(mark)) = (self.input.memo, self.marks.last()) else { return };
        if self.again.is_some() {
            let Self { state, used, again, shown_again, .. } = self;
            let (state, again, shown_again) = (state.clone(), again.clone(), shown_again.clone());
            memo.walked.replace(self.from, *mark, Arc::new(Walked { state, used: *used, again, shown_again }));
        }
    }

    fn calls(&self) -> &[Call<'a>] {
        self.calls.get_or_init(|| calls(self.input.messages, self.input.roles))
    }

    fn tail_calls(&self) -> &[Call<'a>] {
        self.tail.get_or_init(|| calls_from(self.state.first, self.input.messages, self.input.roles))
    }

    fn prompts(&self) -> &[Prompt<'a>] {
        self.prompts.get_or_init(|| prompts(self.input.messages, self.input.kinds))
    }

    fn share(&self, percent: usize) -> usize {
        self.limit * percent / 100
    }

    /// Folds what is older than the newest steps up to message `at`.
    fn cut(&mut self, at: usize) {
        let first = self.tail_start(at);
        if first <= self.state.first {
            return self.forget_again(at);
        }
        let tail: usize = self.input.costs[first..=at].iter().sum();
        let room = self.room(tail);
        let mut state = State::clone(&self.state);
        self.fold_steps(&mut state, first, room);
        (state.first, state.tail, state.cuts) = (first, tail, state.cuts + 1);
        self.tell(&mut state, at, room);
        self.go_on_from(state, at);
    }

    /// Where no step can be folded, what was shown again goes.
    fn forget_again(&mut self, at: usize) {
        if self.shown_again.is_empty() {
            return;
        }
        let mut state = State::clone(&self.state);
        (state.tail, state.cuts) = (self.input.costs[state.first..=at].iter().sum(), state.cuts + 1);
        self.go_on_from(state, at);
    }

    fn go_on_from(&mut self, state: State, at: usize) {
        self.used = state.tail;
        self.state = Arc::new(state);
        (self.again, self.shown_again, self.tail) = (None, Vec::new(), OnceCell::new());
        if let Some((memo, _)) = self.input.memo {
            memo.prefix.put(self.marks[at], self.state.clone());
        }
    }

    /// Shows the files that were edited behind the results in message `at`, as far as there is room.
    fn show_again(&mut self, at: usize) {
        let profile = self.input.profile;
        if profile.again == 0 {
            return;
        }
        let style = Style { files: 1, line_numbers: profile.line_numbers };
        let after = || Again::after(&self.state.files, &self.state.digest.shown, self.state.taken);
        let mut again = self.again.take().unwrap_or_else(after);
        let before = self.state.taken;
        let until = before + self.tail_calls().partition_point(|call| call.message < at);
        for taken in again.taken..until {
            let call = self.tail_calls()[taken - before].clone();
            again.take(&call);
            let left = self.limit.saturating_sub(self.used + self.state.digest.tokens);
            let here = call.result.is_some_and(|result| result.0 == at);
            let edited = here.then(|| again.edited(&call, left.min(self.share(profile.again)), style)).flatten();
            let Some((text, shown)) = edited else { continue };
            let tokens = self.input.counter.count(&text) + 2;
            if tokens <= left {
                self.used += tokens;
                again.note(shown);
                self.shown_again.push(ShownAgain { message: at, id: call.call.id.clone(), text });
            }
        }
        self.again = Some(again);
    }

    /// What a digest may have beside a tail: the rest of what stands after a cut, and not too little where the tail is
    /// long; but never so much that the next cut would follow at once.
    fn room(&self, tail: usize) -> usize {
        let profile = self.input.profile;
        let kept = self.share(profile.keep).saturating_sub(tail).max(self.share(profile.least));
        kept.min(self.limit.saturating_sub(tail + self.share(PROGRESS)))
    }

    /// Where the tail begins: at a step, so that it is at most its share; the newest step always stays.
    fn tail_start(&self, at: usize) -> usize {
        let share = self.share(self.input.profile.tail);
        let mut best = None;
        let mut used = 0;
        for first in (self.state.first + 1..=at).rev() {
            used += self.input.costs[first];
            if self.begins_step(first) {
                if best.is_some() && used > share {
                    break;
                }
                best = Some(first);
            }
        }
        best.unwrap_or(self.state.first)
    }

    fn begins_step(&self, at: usize) -> bool {
        let message = &self.input.messages[at];
        message.role == Role::Assistant || message.tool_results().next().is_none()
    }

    /// Makes the digest of the messages up to `to`; joins all digests when they are too many.
    fn fold_steps(&self, state: &mut State, to: usize, room: usize) {
        let profile = self.input.profile;
        let most = self.share(profile.prompts + profile.journal).min(room / 2);
        let journal = self.share(profile.journal).min(most / 2);
        let block = self.block(state.first, to, Room { prompts: most, newest: most, journal: journal / 2 });
        let tokens = self.input.counter.count(&block) + 1;
        if state.block_tokens + tokens <= most {
            state.blocks.push(block);
            state.block_tokens += tokens;
            return;
        }
        let prompts = (most - journal) * 9 / 10;
        let block = self.block(0, to, Room { prompts, newest: most - journal, journal: journal / 2 });
        state.block_tokens = self.input.counter.count(&block) + 1;
        state.blocks = vec![block];
    }

    fn block(&self, from: usize, to: usize, room: Room) -> String {
        let prompts: Vec<Prompt<'_>> =
            self.prompts().iter().filter(|prompt| (from..to).contains(&prompt.message)).copied().collect();
        let start = self.calls().partition_point(|call| call.message < from);
        let end = self.calls().partition_point(|call| call.message < to);
        digest(&prompts, &self.calls()[start..end], room, self.input.counter)
    }

    /// Writes the text of the digest message anew: blocks, paths, views.
    fn tell(&self, state: &mut State, at: usize, room: usize) {
        let calls = self.calls();
        let folded = calls.partition_point(|call| call.message < state.first);
        calls[state.taken..folded].iter().for_each(|call| state.files.take(call));
        state.taken = folded;
        let until = calls.partition_point(|call| call.message <= at);
        let profile = self.input.profile;
        let past = Past {
            blocks: &state.blocks,
            block_tokens: state.block_tokens,
            files: &state.files,
            folded: &calls[..folded],
            tail: &calls[folded..until],
        };
        let paths = self.share(profile.paths);
        let views = self.share(profile.views);
        let counter = self.input.counter;
        let told = compose(&past, profile, counter, room, paths, views);
        let fits = |told: &Told| self.beside() + state.tail + told.tokens <= self.input.budget.prompt();
        let told = Some(told).filter(fits).or_else(|| self.spare(&past, state.first).into_iter().find(fits));
        state.digest = told.unwrap_or_else(|| bare(state.first, counter));
    }

    /// Ever less to say, where the newest step leaves no room for a digest: the handles of all prompts, and the paths by
    /// their folders.
    fn spare(&self, past: &Past<'_, '_>, to: usize) -> [Told; 2] {
        let counter = self.input.counter;
        let blocks = [self.block(0, to, Room { prompts: 0, newest: 0, journal: 0 })];
        let past = Past { blocks: &blocks, block_tokens: counter.count(&blocks[0]) + 1, ..*past };
        let without = Past { files: &Files::default(), ..past };
        [past, without].map(|past| compose(&past, self.input.profile, counter, 0, 0, 0))
    }

    /// What always stands beside the history.
    fn beside(&self) -> usize {
        self.input.head_tokens + self.input.preamble_tokens
    }

    fn finish(self) -> Result<Folded, TooLong> {
        let maximum = self.input.budget.prompt();
        let tokens = self.beside() + self.used + self.state.digest.tokens;
        if tokens > maximum {
            return Err(TooLong { tokens, maximum });
        }
        let State { first, cuts, .. } = *self.state;
        let folded = self.input.messages[..first].iter();
        let folded_steps = folded.filter(|message| message.role == Role::Assistant).count();
        Ok(Folded {
            digest: self.state.digest.text.clone(),
            first,
            cuts,
            folded_steps,
            again: self.shown_again,
            shifted: None,
        })
    }
}
