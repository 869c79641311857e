//! The tokens of o200k, looked up in static data.

use super::layout::{RANK_BITS, SLOTS, hash, pair, tag};

static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/o200k.bytes"));
static ENDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/o200k.ends"));
static INDEX: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/o200k.slots"));

static PAIR_RANKS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/o200k.pairs"));

/// The rank of the token that two bytes make.
#[inline]
pub(super) fn rank_of_pair(first: u8, second: u8) -> Option<u32> {
    number(PAIR_RANKS, pair(first, second)).checked_sub(1)
}

/// The rank of the token with these bytes: the lower, the sooner it is merged.
pub(super) fn rank(bytes: &[u8]) -> Option<u32> {
    let hash = hash(bytes);
    let mut at = hash as usize % SLOTS;
    loop {
        let slot = number(INDEX, at);
        let rank = (slot & ((1 << RANK_BITS) - 1)).checked_sub(1)?;
        if slot >> RANK_BITS << RANK_BITS == tag(hash) && same(token(rank), bytes) {
            return Some(rank);
        }
        at = (at + 1) % SLOTS;
    }
}

/// Whether both are the same few bytes: a call of the library would take longer than to look at them.
#[inline]
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one == other)
}

/// The bytes of a token.
fn token(rank: u32) -> &'static [u8] {
    let rank = rank as usize;
    let start = rank.checked_sub(1).map_or(0, |before| number(ENDS, before));
    &BYTES[start as usize..number(ENDS, rank) as usize]
}

/// The number at this place of a list of little-endian ones.
#[inline]
fn number(list: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(list.as_chunks::<4>().0[at])
}
