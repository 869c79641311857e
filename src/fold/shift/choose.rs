//! What is taken out at a cut: the least worth for its tokens, until enough is free.

use super::worth::{Density, Worths};
use super::{Kept, Showing};

/// About what a line of the digest takes up, in tokens, where a whole step goes.
const LINE: usize = 14;

/// One thing that can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// The end of a message.
    End(usize),
    /// An assistant message and what follows it.
    Step(usize),
}

#[derive(Debug, Clone, Copy)]
struct Op {
    piece: Piece,
    frees: usize,
    /// Worth of all its tokens.
    value: u64,
}

impl Op {
    fn density(&self) -> Density {
        self.value / self.frees.max(1) as u64
    }
}

/// The messages as they stand.
pub(super) struct Standing<'s> {
    pub kept: &'s [Kept],
    /// Tokens of each, without what is said at its head, and of what is said.
    pub tokens: &'s dyn Fn(usize) -> usize,
    pub said: &'s dyn Fn(usize) -> usize,
    pub showing: &'s dyn Showing,
}

/// The pieces before message `until` that go, so that at least `goal` tokens are free if that is possible.
pub(super) fn choose(standing: &Standing<'_>, worths: &Worths<'_, '_>, until: usize, goal: usize) -> Vec<Piece> {
    let mut all: Vec<Op> = first_message(standing, worths).into_iter().collect();
    for step in (1..until.saturating_sub(1)).step_by(2).filter(|step| standing.kept[*step] != Kept::Out) {
        all.extend(of_step(standing, worths, step));
    }
    all.sort_by_key(Op::density);
    let mut freed = 0;
    let enough = |op: &Op| {
        let more = freed < goal;
        freed += op.frees;
        more
    };
    all.into_iter().take_while(enough).map(|op| op.piece).collect()
}

/// The first message can only lose its end.
fn first_message(standing: &Standing<'_>, worths: &Worths<'_, '_>) -> Option<Op> {
    let frees = end_of(standing, 0)?;
    let density = worths.prompt(0).unwrap_or_else(|| worths.note(0));
    Some(Op { piece: Piece::End(0), frees, value: density * frees as u64 })
}

fn end_of(standing: &Standing<'_>, message: usize) -> Option<usize> {
    if standing.kept[message] != Kept::Whole {
        return None;
    }
    let rest = standing.showing.beginning(message)?;
    Some((standing.tokens)(message).saturating_sub(rest)).filter(|frees| *frees > 0)
}

/// What of a step can go, in the order in which it must: ends first, then the rest. What is worth less than what must go
/// before it goes with it.
fn of_step(standing: &Standing<'_>, worths: &Worths<'_, '_>, step: usize) -> Vec<Op> {
    let calls = worths.calls_of(step);
    let prompt = worths.prompt(step + 1);
    let mut ops = Vec::new();
    let mut rest = ((standing.tokens)(step), (standing.tokens)(step + 1));
    let last = calls.last().map(|call| worths.result(call));
    if let Some(frees) = end_of(standing, step + 1).filter(|_| prompt.is_none()) {
        let density = last.unwrap_or_else(|| worths.note(step + 1));
        ops.push(Op { piece: Piece::End(step + 1), frees, value: density * frees as u64 });
        rest.1 -= frees;
    }
    if let Some(frees) = end_of(standing, step).filter(|_| calls.is_empty()) {
        ops.push(Op { piece: Piece::End(step), frees, value: worths.answer(step) * frees as u64 });
        rest.0 -= frees;
    }
    let of_calls = mean(calls.iter().map(|call| worths.call(call))).unwrap_or_else(|| worths.answer(step));
    let of_results = prompt.or_else(|| mean(calls.iter().map(|call| worths.result(call))));
    let of_results = of_results.unwrap_or_else(|| worths.note(step + 1));
    let value = of_calls * rest.0 as u64 + of_results * rest.1 as u64;
    let frees = (rest.0 + rest.1 + (standing.said)(step + 1)).saturating_sub(LINE).max(1);
    ops.push(Op { piece: Piece::Step(step), frees, value });
    joined(ops)
}

fn mean(values: impl ExactSizeIterator<Item = Density>) -> Option<Density> {
    let count = values.len() as u64;
    (count > 0).then(|| values.sum::<u64>() / count)
}

fn joined(mut ops: Vec<Op>) -> Vec<Op> {
    ops[..].sort_by_key(|op| (matches!(op.piece, Piece::Step(_)), op.density()));
    while let [.., before, last] = ops[..]
        && last.density() < before.density()
    {
        ops.truncate(ops.len() - 2);
        ops.push(Op { piece: last.piece, frees: before.frees + last.frees, value: before.value + last.value });
    }
    ops
}
