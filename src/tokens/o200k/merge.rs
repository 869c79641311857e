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
    if piece.len() <= SHORT { scratch.short(piece) } else { long(piece) }
}

/// The parts of a short piece. Kept from piece to piece, so that none needs memory of its own.
pub(super) struct Scratch {
    /// Where each part starts; behind the last, where the piece ends.
    starts: [u8; SHORT + 1],
    /// The rank of what each part makes with the next.
    ranks: [u32; SHORT],
}

impl Default for Scratch {
    fn default() -> Self {
        Self { starts: [0; SHORT + 1], ranks: [NONE; SHORT] }
    }
}

impl Scratch {
    fn short(&mut self, piece: &[u8]) -> usize {
        let mut left = piece.len();
        for (at, start) in self.starts[..=left].iter_mut().enumerate() {
            *start = at as u8;
        }
        for (rank, pair) in self.ranks.iter_mut().zip(piece.windows(2)) {
            *rank = rank_of_pair(pair[0], pair[1]).unwrap_or(NONE);
        }
        self.ranks[left - 1] = NONE;
        while let Some(at) = lowest(&self.ranks[..left]) {
            self.starts.copy_within(at + 2..=left, at + 1);
            self.ranks.copy_within(at + 2..left, at + 1);
            left -= 1;
            // The part has grown, and so has what the one before makes with it.
            for at in at.saturating_sub(1)..=at {
                self.ranks[at] = self.pair(piece, at, left);
            }
        }
        left
    }

    /// The rank of what the part at this place, of so many, makes with the next.
    fn pair(&self, piece: &[u8], at: usize, left: usize) -> u32 {
        if at + 1 >= left {
            return NONE;
        }
        let (start, end) = (usize::from(self.starts[at]), usize::from(self.starts[at + 2]));
        rank(&piece[start..end]).unwrap_or(NONE)
    }
}

/// The first of the lowest ranks.
fn lowest(ranks: &[u32]) -> Option<usize> {
    let (mut place, mut low) = (0, NONE);
    for (at, rank) in ranks.iter().enumerate() {
        if *rank < low {
            (place, low) = (at, *rank);
        }
    }
    (low != NONE).then_some(place)
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
