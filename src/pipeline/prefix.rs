//! What two prompts share: the part that a server's key-value cache can give back.

use xxhash_rust::xxh3::xxh3_128;

use super::plan::Plan;
use crate::show::Shown;
use crate::tokens::Counter;

/// One part of a rendered prompt, in the order in which the model reads them.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Who speaks, the text, and the calls: two pieces with the same key are read as the same tokens.
    pub key: String,
    hash: u128,
    /// Tokens, with what the template puts around them.
    pub tokens: usize,
}

impl Piece {
    fn new(key: String, tokens: usize) -> Self {
        Self { hash: xxh3_128(key.as_bytes()), key, tokens }
    }
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        (self.hash, self.tokens) == (other.hash, other.tokens)
    }
}

/// The whole rendered prompt of a plan: system text, tools, examples, messages.
pub fn pieces(plan: &Plan) -> Vec<Piece> {
    let markers = plan.target.profile.message_markers;
    let counter = plan.counter();
    let system = Piece::new(plan.head.system.clone(), counter.count(&plan.head.system) + markers);
    let tools = plan.head.tools.iter().map(|tool| {
        let key = tool.to_string();
        let tokens = counter.count(&key);
        Piece::new(key, tokens)
    });
    let messages = plan.head.examples.iter().chain(&plan.shown).map(|shown| piece(shown, counter, markers));
    std::iter::once(system).chain(tools).chain(messages).collect()
}

/// One message of a prompt. `markers` is what the template puts around each.
pub fn piece(shown: &Shown, counter: &dyn Counter, markers: usize) -> Piece {
    let calls = shown.calls.iter().map(|call| format!("\u{1}{}\u{1}{}", call.name, call.input));
    let key = format!("{:?}\u{1}{}{}", shown.speaker, shown.text, calls.collect::<String>());
    let tokens = super::measure::shown_tokens(std::slice::from_ref(shown), counter, markers);
    Piece::new(key, tokens)
}

/// Tokens at the beginning of `after` that `before` has too. A piece that only begins alike counts by its common text.
pub fn shared(before: &[Piece], after: &[Piece], counter: &dyn Counter) -> usize {
    let (alike, _) = likeness(before, after);
    let whole: usize = after[..alike].iter().map(|piece| piece.tokens).sum();
    let part = match (before.get(alike), after.get(alike)) {
        (Some(was), Some(is)) => counter.count(common_prefix(&was.key, &is.key)),
        _ => 0,
    };
    whole + part
}

/// Tokens of `after` that a server need not read which keeps the cache of text behind a hole: the beginning that both
/// share, then every piece that stands further on in `before`, whole or with its end; up to the first that does not.
pub fn moved(before: &[Piece], after: &[Piece], counter: &dyn Counter) -> usize {
    let mut from = 0;
    let mut known = 0;
    for (at, piece) in after.iter().enumerate() {
        let Some(found) = before[from..].iter().position(|was| was.key.starts_with(&piece.key)) else {
            let next = before.get(at).filter(|_| from == at);
            return known + next.map_or(0, |was| counter.count(common_prefix(&was.key, &piece.key)));
        };
        (from, known) = (from + found + 1, known + piece.tokens);
    }
    known
}

/// How many pieces two prompts share, and how many bytes of the next one.
pub fn likeness(before: &[Piece], after: &[Piece]) -> (usize, usize) {
    let alike = before.iter().zip(after).take_while(|(was, is)| was == is).count();
    let part = match (before.get(alike), after.get(alike)) {
        (Some(was), Some(is)) => was.key.bytes().zip(is.key.bytes()).take_while(|(was, is)| was == is).count(),
        _ => 0,
    };
    (alike, part)
}

fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let alike = one.char_indices().zip(other.chars()).take_while(|((_, a), b)| a == b).last();
    alike.map_or("", |((at, c), _)| &one[..at + c.len_utf8()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::O200k;

    fn short(key: &str) -> Piece {
        Piece::new(key.into(), 10)
    }

    #[test]
    fn whole_pieces_count_whole_and_the_first_that_differs_in_part() {
        let before = [short("a"), short("one two three"), short("c")];
        let after = [short("a"), short("one two four"), short("c")];
        assert_eq!(shared(&before, &after, &O200k), 10 + O200k.count("one two "));
    }

    #[test]
    fn text_behind_a_hole_is_known_and_text_behind_new_text_is_not() {
        let before = [short("a"), short("one two"), short("c"), short("d")];
        assert_eq!(moved(&before, &[short("a"), short("c"), short("d"), short("new")], &O200k), 30);
        assert_eq!(moved(&before, &[short("a"), short("one"), short("d"), short("new")], &O200k), 30);
        assert_eq!(moved(&before, &[short("a"), short("new"), short("c"), short("d")], &O200k), 10);
    }

    #[test]
    fn a_longer_prompt_shares_all_of_a_shorter_one() {
        assert_eq!(shared(&[short("a")], &[short("a"), short("b")], &O200k), 10);
    }

    #[test]
    fn common_prefixes_end_between_characters() {
        assert_eq!(common_prefix("aäx", "aäy"), "aä");
        assert_eq!(common_prefix("", "y"), "");
    }
}
