//! What the words next to a call-like text say: that something is about to be done, or that something is explained.

/// Words of one who is about to act.
const ANNOUNCING: &[&str] = &[
    "i'll ",
    "i’ll ",
    "i will ",
    "let me ",
    "let's ",
    "let’s ",
    "i'm going to ",
    "i am going to ",
    "we will ",
    "we'll ",
    "i need to ",
    "we need to ",
    "first, ",
    "next, ",
    "now i",
    "now, ",
    "this will ",
    "calling ",
    "to do this",
    "sure",
    "i can use ",
    "i should ",
];

/// Words of one who explains.
const EXPLAINING: &[&str] = &[
    "example",
    "e.g.",
    "for instance",
    "such as",
    "looks like",
    "look like",
    "like this",
    "wrong",
    "correct form",
    "right:",
    "format",
    "would ",
    "should be",
    "must be",
    "sample",
    "printed",
    "the log",
    "schema",
    "instead of",
    "snippet",
    "reviewer",
    "documentation",
    "is written",
    "reads:",
    "never ",
    "quoted",
    "this is the ",
    "that is the ",
    "is what ",
    "is how ",
    "transcript",
    "recorded",
    "fixture",
    "test case",
    "expected",
    "stream was",
];

/// Whether the words announce an action, and explain nothing.
pub(super) fn announce(text: &str) -> bool {
    let text = text.to_lowercase();
    ANNOUNCING.iter().any(|words| text.contains(words)) && !EXPLAINING.iter().any(|words| text.contains(words))
}

/// Whether the words explain, and announce nothing.
pub(super) fn explain(text: &str) -> bool {
    let text = text.to_lowercase();
    EXPLAINING.iter().any(|words| text.contains(words)) && !ANNOUNCING.iter().any(|words| text.contains(words))
}

/// How much of a line is looked at, in bytes.
const ENOUGH: usize = 200;

/// The first line of a text, as far as it is looked at; `None` when it may still go on.
pub(super) fn first_line(text: &str, end: bool) -> Option<&str> {
    let line = text.split('\n').next().unwrap_or_default();
    if !end && line.len() == text.len() && line.len() <= ENOUGH {
        return None;
    }
    let mut cut = line.len().min(ENOUGH);
    while !line.is_char_boundary(cut) {
        cut -= 1;
    }
    Some(&line[..cut])
}

/// Whether a text goes on with words that announce nothing; `None` when that is not known yet.
pub(super) fn talk(text: &str, end: bool) -> Option<bool> {
    let words = text.trim_start();
    if words.is_empty() {
        return end.then_some(false);
    }
    if words.starts_with(['`', '<', '{', '[']) {
        return Some(false);
    }
    first_line(words, end).map(|line| !announce(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acting_and_explaining_are_told_apart() {
        assert!(announce("I'll look at the file first."));
        assert!(!announce("Example input for the reviewer:"));
        assert!(explain("A call looks like this:"));
        assert!(!explain("Let me read the example file:"));
    }
}
