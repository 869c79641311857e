//! What the splitting of o200k sees in a character.

use super::layout::BLOCK;

static PAGES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/classes.pages"));
static BLOCKS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/classes.blocks"));

/// The class of a character: one of the bits in [`super::layout::class`].
pub(super) fn of(c: char) -> u8 {
    let code = c as usize;
    BLOCKS[usize::from(PAGES[code / BLOCK]) * BLOCK + code % BLOCK]
}

/// The class of an ASCII character: these are the first block.
#[inline]
pub(super) fn of_ascii(byte: u8) -> u8 {
    BLOCKS[usize::from(byte)]
}
