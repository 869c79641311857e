//! Byte pairs merged into tokens: always the pair of the lowest rank, the leftmost of equals.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::table::{rank, rank_of_pair};

/// Pieces longer than this are merged with a heap: looking through all pairs for each merge is quadratic.
const SHORT: usize = 100;

/// No token.
const NONE: u32 = u32::MAX;

/// How many tokens a piece is merged into.
pub(super) fn merged(piece: &[u8], scratch: &mut Scratch) -> usize {
    if piece.len() <= SHORT { short(piece, &mut scratch.parts) } else { long(piece) }
}

/// Kept from piece to piece, so that none needs an allocation of its own.
#[derive(Default)]
pub(super) struct Scratch {
    parts: Vec<(usize, u32)>,
}

/// `parts` are where each part starts, and the rank of what it makes with the next.
fn short(piece: &[u8], parts: &mut Vec<(usize, u32)>) -> usize {
    parts.clear();
    parts.extend(piece.windows(2).enumerate().map(|(at, pair)| (at, rank_of_pair(pair[0], pair[1]).unwrap_or(NONE))));
    parts.push((piece.len() - 1, NONE));
    parts.push((piece.len(), NONE));
    while let Some(at) = lowest(parts) {
        parts.remove(at + 1);
        // The part has grown, and so has what the one before makes with it.
        for at in at.saturating_sub(1)..=at {
            parts[at].1 = match parts.get(at + 2) {
                Some(&(end, _)) => rank(&piece[parts[at].0..end]).unwrap_or(NONE),
                None => NONE,
            };
        }
    }
    parts.len() - 1
}

/// The first part of those whose pair has the lowest rank.
fn lowest(parts: &[(usize, u32)]) -> Option<usize> {
    let pairs = parts.iter().enumerate();
    let (at, (_, rank)) = pairs.min_by_key(|(_, (_, rank))| *rank)?;
    (*rank != NONE).then_some(at)
}

/// A part of a long piece, by where it starts.
#[derive(Clone, Copy)]
struct Part {
    before: usize,
    end: usize,
    /// The rank of what it makes with the next part; `NONE` too where it is a part no more.
    pair: u32,
}

fn long(piece: &[u8]) -> usize {
    let mut parts: Vec<Part> =
        (0..piece.len()).map(|at| Part { before: at.wrapping_sub(1), end: at + 1, pair: NONE }).collect();
    let mut heap = BinaryHeap::new();
    for at in 0..piece.len() {
        pair(piece, &mut parts, at, &mut heap);
    }
    let mut left = piece.len();
    while let Some(Reverse((rank, at))) = heap.pop() {
        // What has changed since is in the heap anew.
        if parts[at].pair != rank {
            continue;
        }
        let next = parts[at].end;
        let end = parts[next].end;
        parts[next].pair = NONE;
        parts[at].end = end;
        left -= 1;
        if let Some(after) = parts.get_mut(end) {
            after.before = at;
        }
        pair(piece, &mut parts, at, &mut heap);
        let before = parts[at].before;
        if before < at {
            pair(piece, &mut parts, before, &mut heap);
        }
    }
    left
}

/// Notes the rank of what a part makes with the next one.
fn pair(piece: &[u8], parts: &mut [Part], at: usize, heap: &mut BinaryHeap<Reverse<(u32, usize)>>) {
    let end = parts.get(parts[at].end).map(|next| next.end);
    let found = end.and_then(|end| rank(&piece[at..end]));
    parts[at].pair = found.unwrap_or(NONE);
    heap.extend(found.map(|rank| Reverse((rank, at))));
}
