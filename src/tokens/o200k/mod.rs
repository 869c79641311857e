//! The o200k vocabulary of tiktoken-rs as static data, and its splitting without a pattern: nothing is loaded at the
//! start. `build.rs` writes the data.

mod class;
#[allow(dead_code, unreachable_pub, reason = "shared with the build script, which writes what is read here")]
mod layout;
mod merge;
mod split;
mod table;

use merge::Scratch;

/// How many tokens a text has. Special tokens are read as text.
pub(super) fn count(text: &str) -> usize {
    let mut scratch = Scratch::default();
    split::pieces(text).map(|piece| of_piece(piece.as_bytes(), &mut scratch)).sum()
}

fn of_piece(piece: &[u8], scratch: &mut Scratch) -> usize {
    if piece.len() == 1 || table::rank(piece).is_some() { 1 } else { merge::merged(piece, scratch) }
}

#[cfg(test)]
mod tests;
