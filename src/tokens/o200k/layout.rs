//! How the static data of the vocabulary is laid out. The build script writes by it what the counter reads.

use xxhash_rust::xxh3::xxh3_64;

/// Slots of the index. A third of them is taken, so that a text that is no token is known after two looks.
pub const SLOTS: usize = 1 << 19;

/// Bits of a slot that hold a rank and one; the others hold a part of the hash. An empty slot is 0.
pub const RANK_BITS: u32 = 18;

/// The hash of a token's bytes. Its low bits say where to look, its high bits stand in the slot.
pub fn hash(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// The content of a slot.
pub fn slot(rank: u32, hash: u64) -> u32 {
    (rank + 1) | tag(hash)
}

/// The part of a hash that stands in a slot.
pub fn tag(hash: u64) -> u32 {
    ((hash >> 32) as u32) >> RANK_BITS << RANK_BITS
}

/// Places of the table of pairs.
pub const PAIRS: usize = 1 << 16;

/// The place of two bytes in the table of pairs: it holds the rank and one of the token that they make, or 0.
pub fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// Characters to a block of the table of classes.
pub const BLOCK: usize = 128;

/// What the pattern of o200k tells apart, as a bit each.
pub mod class {
    /// `\p{Lu}` and `\p{Lt}`.
    pub const UPPER: u8 = 1;
    /// `\p{Ll}`.
    pub const LOWER: u8 = 2;
    /// `\p{Lm}` and `\p{Lo}`: letters that are neither.
    pub const LETTER: u8 = 4;
    /// `\p{M}`: marks.
    pub const MARK: u8 = 8;
    /// `\p{N}`.
    pub const NUMBER: u8 = 16;
    /// `\s` but for newlines.
    pub const SPACE: u8 = 32;
    /// `\r` and `\n`.
    pub const NEWLINE: u8 = 64;
    /// All else.
    pub const OTHER: u8 = 128;
}
