//! The splitting of o200k, by hand: the words, numbers, signs and spaces within which its tokens lie.
//!
//! The same as its pattern, whose alternatives are tried in this order:
//! ```text
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! \p{N}{1,3}
//!  ?[^\s\p{L}\p{N}]+[\r\n/]*
//! \s*[\r\n]+
//! \s+(?!\S)
//! \s+
//! ```

use super::class;
use super::layout::class::{LETTER, LOWER, MARK, NEWLINE, NUMBER, OTHER, SPACE, UPPER};

/// What the first part of a word is made of, and what the second.
const HIGH: u8 = UPPER | LETTER | MARK;
const LOW: u8 = LOWER | LETTER | MARK;
const LETTERS: u8 = UPPER | LOWER | LETTER;
/// What may stand once before a word.
const BEFORE: u8 = SPACE | MARK | OTHER;
const SIGNS: u8 = MARK | OTHER;
const WHITE: u8 = SPACE | NEWLINE;

/// The pieces of a text, in order; together they are the text.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, tail) = rest.split_at(first(rest)?);
        rest = tail;
        Some(piece)
    })
}

/// Where the first piece of a text ends; `None` where there is none.
fn first(text: &str) -> Option<usize> {
    let (class, length) = at(text, 0)?;
    if class & LETTERS != 0 {
        let word = word(text, 0);
        return word.lowered.or(word.raised);
    }
    if class == NUMBER {
        return Some(run(text, 0, NUMBER, 3));
    }
    (class & BEFORE != 0)
        .then(|| behind(text, length, class))
        .flatten()
        .or_else(|| signs(text))
        .or_else(|| Some(white(text)))
}

/// A word behind a character that is no letter. A mark may stand before the word or belong to it, and is tried both ways.
fn behind(text: &str, length: usize, class: u8) -> Option<usize> {
    let after = word(text, length);
    let with = if class == MARK { word(text, 0) } else { Word::default() };
    after.lowered.or(with.lowered).or(after.raised).or(with.raised)
}

/// Where a word ends by the first alternative of the pattern, and by the second.
#[derive(Default)]
struct Word {
    lowered: Option<usize>,
    raised: Option<usize>,
}

fn word(text: &str, from: usize) -> Word {
    let (mut end, mut last_low) = (from, None);
    while let Some((class, length)) = at(text, end) {
        if class & HIGH == 0 {
            if class & LOW != 0 {
                let lowered = run(text, end, LOW, usize::MAX);
                return Word { lowered: Some(contracted(text, lowered)), raised: None };
            }
            break;
        }
        end += length;
        if class & LOW != 0 {
            last_low = Some(end);
        }
    }
    let raised = (end > from).then_some(end);
    Word { lowered: last_low.map(|end| contracted(text, end)), raised: raised.map(|end| contracted(text, end)) }
}

/// Where a contraction behind a word ends, else the word itself. The long s is an s to a pattern without case.
fn contracted(text: &str, end: usize) -> usize {
    let Some(rest) = text[end..].strip_prefix('\'') else { return end };
    let mut letters = rest.chars().map(|c| if c == 'ſ' { 's' } else { c.to_ascii_lowercase() });
    let ending = match (letters.next(), letters.next()) {
        (Some('s' | 't' | 'm' | 'd'), _) => rest.chars().next().map_or(0, char::len_utf8),
        (Some('r' | 'v'), Some('e')) | (Some('l'), Some('l')) => 2,
        _ => return end,
    };
    end + 1 + ending
}

/// Signs with a space before them, and the ends of lines and slashes behind them.
fn signs(text: &str) -> Option<usize> {
    let start = usize::from(text.starts_with(' '));
    let end = run(text, start, SIGNS, usize::MAX);
    let more = || text[end..].bytes().take_while(|byte| matches!(byte, b'\r' | b'\n' | b'/')).count();
    (end > start).then(|| end + more())
}

/// Space up to its last newline; else all of it but for the one that goes with what follows.
fn white(text: &str) -> usize {
    let (mut end, mut last, mut newline) = (0, 0, None);
    while let Some((class, length)) = at(text, end).filter(|(class, _)| class & WHITE != 0) {
        last = end;
        end += length;
        if class == NEWLINE {
            newline = Some(end);
        }
    }
    newline.unwrap_or(if end == text.len() || last == 0 { end } else { last })
}

/// Where a run of at most so many characters of some classes ends.
#[inline]
fn run(text: &str, from: usize, classes: u8, most: usize) -> usize {
    let mut end = from;
    for _ in 0..most {
        match at(text, end) {
            Some((class, length)) if class & classes != 0 => end += length,
            _ => break,
        }
    }
    end
}

/// The class and the length of the character at this byte.
#[inline]
fn at(text: &str, byte: usize) -> Option<(u8, usize)> {
    let first = *text.as_bytes().get(byte)?;
    if first.is_ascii() {
        return Some((class::of_ascii(first), 1));
    }
    let c = text[byte..].chars().next()?;
    Some((class::of(c), c.len_utf8()))
}
