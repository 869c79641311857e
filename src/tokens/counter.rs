//! The plain counter: OpenAI's o200k vocabulary.

use super::o200k;

/// Counts the tokens of a text.
pub trait Counter: Send + Sync {
    /// Tokens of `text` alone, without any message overhead.
    fn count(&self, text: &str) -> usize;

    /// Tokens of the text that is made of `parts`, always in the same way: where the parts were seen before, it need
    /// not be made again.
    fn count_made(&self, parts: &[&str], make: &dyn Fn() -> String) -> usize {
        let _ = parts;
        self.count(&make())
    }
}

/// The o200k vocabulary. The scale on which the client's own bytes are counted. Nothing has to be loaded first.
#[derive(Debug, Clone, Copy, Default)]
pub struct O200k;

impl Counter for O200k {
    fn count(&self, text: &str) -> usize {
        pieces(text).map(o200k::count).sum()
    }
}

/// The longest run of one kind of character that is merged in one go, in characters: a flood of one letter must not cost more than prose.
const LONGEST_RUN: usize = 512;

/// What the vocabulary's own splitting distinguishes, as far as runs are concerned.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Class {
    Letter,
    Space,
    Other,
}

/// The classes of ASCII.
const ASCII: [Class; 128] = {
    let mut classes = [Class::Other; 128];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        if c.is_ascii_alphabetic() {
            classes[byte] = Class::Letter;
        } else if c.is_ascii_whitespace() || c == 0x0b {
            classes[byte] = Class::Space;
        }
        byte += 1;
    }
    classes
};

fn class(c: char) -> Class {
    if let Some(class) = ASCII.get(c as usize) {
        *class
    } else if c.is_alphabetic() {
        Class::Letter
    } else if c.is_whitespace() {
        Class::Space
    } else {
        Class::Other
    }
}

/// The text, cut within runs that are longer than [`LONGEST_RUN`] and nowhere else.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, tail) = rest.split_at(first_cut(rest).unwrap_or(rest.len()));
        rest = tail;
        Some(piece)
    })
}

/// Where the first run of `text` gets too long, as a byte offset.
fn first_cut(text: &str) -> Option<usize> {
    if text.len() <= LONGEST_RUN {
        return None;
    }
    let (mut run, mut last) = (0, Class::Other);
    for (at, c) in text.char_indices() {
        let this = class(c);
        run = if this == last { run + 1 } else { 1 };
        last = this;
        if run > LONGEST_RUN {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_characters() {
        for c in (0..0x3000).filter_map(char::from_u32) {
            let expected = match c {
                _ if c.is_alphabetic() => Class::Letter,
                _ if c.is_whitespace() => Class::Space,
                _ => Class::Other,
            };
            assert!(class(c) == expected, "{c:?}");
        }
    }

    #[test]
    fn prose_is_one_piece() {
        assert_eq!(pieces("some words, and more.\n\n  fn main() {}").count(), 1);
    }

    #[test]
    fn a_long_run_is_cut_and_nothing_is_lost() {
        let text = format!("ä{} end", "x".repeat(3000));
        assert_eq!(pieces(&text).collect::<String>(), text);
        assert!(pieces(&text).all(|piece| piece.chars().count() <= LONGEST_RUN + 4));
    }

    #[test]
    fn a_flood_of_one_letter_costs_what_its_length_says() {
        let flood = "a".repeat(200_000);
        let tokens = O200k.count(&flood);
        assert!((10_000..=60_000).contains(&tokens), "{tokens}");
    }

    #[test]
    fn counts_are_those_of_the_vocabulary() {
        assert_eq!(O200k.count("hello world"), 2);
        assert_eq!(O200k.count(""), 0);
    }
}
