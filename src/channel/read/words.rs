//! What the words next to a call-like text say: that something is about to be done, or that something is explained.

/// Words of one who is about to act.
const ANNOUNCING: [&str; 22] = [
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
const EXPLAINING: [&str; 26] = [
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
