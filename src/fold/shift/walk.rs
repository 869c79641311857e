//! The walk of the schedule: message by message, and a cut where the next one would not fit.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::again;
use super::choose::{self, Piece, choose};
use super::tell::{Room, Standing, Told, tell};
use super::worth::{Past, Worths};
use super::{Kept, Said, Shifted, Showing};
use crate::fold::input::marks;
use crate::fold::{FoldInput, Folded, TooLong};
use crate::history::{Call, Files, Prompt, calls, prompts};
use crate::rules::ShiftProfile;
use crate::wire::Role;

/// Tokens around a text of the digest, where it is a message of its own.
const AROUND: usize = 8;
/// How often a cut looks for more, where what it says takes up what it freed.
const TRIES: usize = 4;

/// What a text of the digest is, and what it takes up.
#[derive(Debug, Clone)]
struct Spoken {
    told: Told,
    shown: Arc<str>,
    tokens: usize,
}

/// All that a cut leaves behind.
#[derive(Debug, Clone, Default)]
pub(in crate::fold) struct State {
    kept: Vec<Kept>,
    said: BTreeMap<usize, Arc<Spoken>>,
    used: usize,
    cuts: usize,
    files: Files,
    /// How many lines of files each message showed when it came.
    lines: BTreeMap<usize, usize>,
    taken: usize,
}

struct Walk<'a> {
    input: &'a FoldInput<'a>,
    showing: &'a dyn Showing,
    /// The history budget H, less the preamble.
    limit: usize,
    calls: OnceCell<Vec<Call<'a>>>,
    prompts: OnceCell<Vec<Prompt<'a>>>,
    sums: Vec<usize>,
    marks: Vec<u128>,
    state: State,
}

/// Takes out what must go, so that the history fits.
///
/// # Errors
/// [`TooLong`] when the head and the newest step alone exceed the budget.
pub(in crate::fold) fn fold(input: &FoldInput<'_>, showing: &dyn Showing) -> Result<Folded, TooLong> {
    let mut walk = Walk::new(input, showing);
    for at in walk.state.kept.len()..input.messages.len() {
        walk.state.used += input.costs[at];
        walk.state.kept.push(Kept::Whole);
        if input.messages[at].role != Role::Assistant {
            walk.answer(at);
        }
    }
    walk.finish()
}

impl<'a> Walk<'a> {
    fn new(input: &'a FoldInput<'a>, showing: &'a dyn Showing) -> Self {
        let limit = input.budget.history(input.head_tokens).saturating_sub(input.preamble_tokens);
        let marks = input.memo.map(|(memo, salt)| marks(input, limit, memo, salt)).unwrap_or_default();
        let known = input.memo.and_then(|(memo, _)| memo.shift.newest(&marks));
        let state = known.map_or_else(State::default, |(_, state)| State::clone(&state));
        let mut sum = 0;
        let sums = input.costs.iter().map(|cost| {
            sum += cost;
            sum
        });
        let sums = sums.collect();
        let (calls, prompts) = (OnceCell::new(), OnceCell::new());
        Self { input, showing, limit, calls, prompts, sums, marks, state }
    }

    fn profile(&self) -> &'a ShiftProfile {
        &self.input.profile.shift
    }

    fn share(&self, percent: usize) -> usize {
        self.limit * percent / 100
    }

    fn calls(&self) -> &[Call<'a>] {
        self.calls.get_or_init(|| calls(self.input.messages, self.input.roles))
    }

    fn prompts(&self) -> &[Prompt<'a>] {
        self.prompts.get_or_init(|| prompts(self.input.messages, self.input.kinds))
    }

    /// The user side speaks: what was edited is shown again where it is gone, and what does not fit makes others go.
    fn answer(&mut self, at: usize) {
        let mut state = std::mem::take(&mut self.state);
        let shows = state.cuts > 0 && self.profile().again > 0;
        if shows {
            self.take_calls(&mut state, at);
            if let Some(view) = self.again(&state, at) {
                state.used += view.tokens;
                state.said.insert(at, Arc::new(view));
            }
        }
        self.state = state;
        if self.state.used > self.limit {
            self.cut(at);
        }
    }

    /// The present text of the files that were edited last, as far as it does not stand any more.
    fn again(&self, state: &State, at: usize) -> Option<Spoken> {
        let profile = self.input.profile;
        let standing = again::Standing {
            kept: &state.kept,
            calls: &self.calls()[..state.taken],
            files: &state.files,
            told: state.said.values().map(|said| &*said.told.text).collect(),
            showing: self.showing,
        };
        let limits = again::Limits {
            room: self.share(profile.shift.again),
            dense: profile.shift.dense,
            line_numbers: profile.line_numbers,
        };
        let text = again::again(&standing, at, limits)?;
        // Its first line names a path; the others are the file's own.
        let (head, lines) = text.split_once('\n').unwrap_or((&text, ""));
        let shown: Arc<str> = format!("{}\n{lines}", self.showing.told(head)).into();
        let tokens = self.input.counter.count(&shown) + AROUND;
        Some(Spoken { told: Told { text, ..Told::default() }, shown, tokens })
    }

    /// Takes out pieces before the newest step, and says so at the head of message `at`.
    fn cut(&mut self, at: usize) {
        let mut state = std::mem::take(&mut self.state);
        self.take_calls(&mut state, at);
        let before = (state.kept.clone(), state.said.clone(), state.used);
        let mut more = self.share(self.profile().free);
        for attempt in 0..TRIES {
            (state.kept, state.said, state.used) = before.clone();
            let goal = (state.used + more).saturating_sub(self.limit);
            let gone = self.take_out(&mut state, at, goal);
            if gone.0.is_empty() && gone.1.is_empty() {
                break;
            }
            self.say(&mut state, at, &gone, attempt + 1 == TRIES);
            if state.used <= self.limit {
                break;
            }
            more += state.used - self.limit;
        }
        state.cuts += 1;
        self.state = state;
        if let Some((memo, _)) = self.input.memo {
            memo.shift.put(self.marks[at], Arc::new(self.state.clone()));
        }
    }

    /// The files as they are up to message `at`.
    fn take_calls(&self, state: &mut State, at: usize) {
        let until = self.calls().partition_point(|call| call.message < at);
        for call in &self.calls()[state.taken..until] {
            state.files.take(call);
            if let Some(view) = call.act.path().and_then(|path| state.files.view(path)) {
                let lines = view.lines().filter(|line| line.stamp == call.message).count();
                *state.lines.entry(call.message).or_default() += lines;
            }
        }
        state.taken = until;
    }

    fn take_out(&self, state: &mut State, at: usize, goal: usize) -> (Vec<usize>, Vec<usize>) {
        let until = self.calls().partition_point(|call| call.message <= at);
        let prompts = self.prompts().partition_point(|prompt| prompt.message <= at);
        let past = Past {
            profile: self.profile(),
            calls: &self.calls()[..until],
            prompts: &self.prompts()[..prompts],
            files: &state.files,
            lines: &state.lines,
            sums: &self.sums,
            now: self.sums[at],
        };
        let worths = Worths::of(&past);
        let pieces = {
            let tokens = |message: usize| self.tokens(state, message);
            let said = |message: usize| state.said.get(&message).map_or(0, |said| said.tokens);
            let standing = choose::Standing { kept: &state.kept, tokens: &tokens, said: &said, showing: self.showing };
            choose(&standing, &worths, at, goal)
        };
        let before = state.kept.clone();
        for piece in pieces {
            match piece {
                Piece::End(message) => self.drop_end(state, message),
                Piece::Step(step) => self.drop_step(state, step),
            }
        }
        while let Some(step) = self.short_run(state, &before) {
            self.drop_step(state, step);
        }
        let (now, before) = (&state.kept, &before);
        let went = |kept: Kept| (0..at).filter(move |message| now[*message] == kept && before[*message] != kept);
        let steps = went(Kept::Out).filter(|message| self.input.messages[*message].role == Role::Assistant);
        (steps.collect(), went(Kept::Beginning).collect())
    }

    /// A step between two new holes that are nearer to each other than the server's smallest chunk: what stands behind it
    /// would be read again.
    fn short_run(&self, state: &State, before: &[Kept]) -> Option<usize> {
        let (mut run, mut first, mut holes) = (0, None, 0);
        for (message, was) in before.iter().enumerate() {
            let said = state.said.get(&message).map_or(0, |said| said.tokens);
            let tokens = self.tokens(state, message) + said;
            if tokens > 0 {
                (run, first) = (run + tokens, first.or(Some(message)));
            }
            if state.kept[message] != *was {
                if holes > 0 && (1..self.profile().chunk).contains(&run) {
                    return first.map(|first| first - (first + 1) % 2);
                }
                (run, first, holes) = (0, None, holes + 1);
            }
        }
        None
    }

    /// Tokens of a message as it stands, without what is said at its head.
    fn tokens(&self, state: &State, message: usize) -> usize {
        match state.kept[message] {
            Kept::Whole => self.input.costs[message],
            Kept::Beginning => self.showing.beginning(message).unwrap_or(self.input.costs[message]),
            Kept::Out => 0,
        }
    }

    fn drop_end(&self, state: &mut State, message: usize) {
        let was = self.tokens(state, message);
        state.kept[message] = Kept::Beginning;
        state.used = (state.used + self.tokens(state, message)).saturating_sub(was);
    }

    fn drop_step(&self, state: &mut State, step: usize) {
        for message in [step, step + 1] {
            let said = state.said.remove(&message).map_or(0, |said| said.tokens);
            state.used = state.used.saturating_sub(self.tokens(state, message) + said);
            state.kept[message] = Kept::Out;
        }
    }

    fn say(&self, state: &mut State, at: usize, (steps, ends): &(Vec<usize>, Vec<usize>), bare: bool) {
        let until = self.calls().partition_point(|call| call.message <= at);
        let prompts = self.prompts().partition_point(|prompt| prompt.message <= at);
        let standing = Standing {
            kept: &state.kept,
            calls: &self.calls()[..until],
            prompts: &self.prompts()[..prompts],
            files: &state.files,
            told: state.said.values().map(|said| &said.told).collect(),
            steps,
            ends,
            counter: self.input.counter,
        };
        let room = Room { calls: self.share(self.profile().said), prompts: self.share(self.profile().prompts) };
        let mut told = tell(&standing, room, bare);
        let mut shown = self.showing.told(&told.text);
        if let Some(view) = state.said.remove(&at) {
            state.used -= view.tokens;
            if !bare {
                told.text = format!("{}\n{}", told.text, view.told.text);
                shown = format!("{shown}\n{}", view.shown);
            }
        }
        let tokens = self.input.counter.count(&shown) + AROUND;
        state.used += tokens;
        state.said.insert(at, Arc::new(Spoken { told, shown: shown.into(), tokens }));
    }

    fn finish(self) -> Result<Folded, TooLong> {
        let maximum = self.input.budget.prompt();
        let tokens = self.input.head_tokens + self.input.preamble_tokens + self.state.used;
        if tokens > maximum {
            return Err(TooLong { tokens, maximum });
        }
        let state = self.state;
        let roles = self.input.messages.iter().map(|message| message.role);
        let folded_steps =
            state.kept.iter().zip(roles).filter(|(kept, role)| **kept == Kept::Out && *role == Role::Assistant).count();
        let said = state.said.into_iter().map(|(message, said)| Said { message, text: said.shown.clone() });
        let shifted = (state.cuts > 0).then(|| Shifted { said: said.collect(), kept: state.kept });
        Ok(Folded { cuts: state.cuts, folded_steps, shifted, ..Folded::default() })
    }
}
