//! How the vocabulary of a model's family differs from o200k.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Counter, Memo};

/// The vocabulary that a family's tokens come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Vocabulary {
    /// o200k itself, or one that nothing better is known of.
    #[default]
    O200k,
    /// Qwen2, 2.5 and 3: each digit a token, fewer words of most scripts, contractions in two.
    Qwen,
}

/// How a family counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    pub vocabulary: Vocabulary,
    /// Every digit is a token of its own (Mistral, Gemma); o200k groups three.
    pub single_digits: bool,
    /// What is left to multiply after that.
    pub factor: f64,
}

/// Counts in a family's tokens.
#[derive(Clone)]
pub struct FamilyCounter {
    memo: Arc<Memo>,
    family: Family,
}

impl FamilyCounter {
    pub fn new(memo: Arc<Memo>, family: Family) -> Self {
        Self { memo, family }
    }
}

impl Counter for FamilyCounter {
    fn count(&self, text: &str) -> usize {
        let measure = self.memo.measure(text);
        let (digits, more) = match self.family.vocabulary {
            Vocabulary::Qwen => (true, measure.qwen),
            Vocabulary::O200k => (self.family.single_digits, 0),
        };
        let digits = if digits { measure.split_digits } else { 0 };
        scale(measure.o200k + digits + more, self.family.factor)
    }
}

/// Rounds up: a count that is one too high costs nothing, one too low may cost half a window.
fn scale(tokens: usize, factor: f64) -> usize {
    (tokens as f64 * factor).ceil() as usize
}

/// How many tokens more the digits of `text` are when each stands alone: for every run of n, n - ceil(n / 3).
pub(super) fn split_digits(text: &str) -> usize {
    let (mut extra, mut run) = (0, 0_usize);
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            run += 1;
        } else if run > 0 {
            extra += run - run.div_ceil(3);
            run = 0;
        }
    }
    extra + run - run.div_ceil(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_one_by_one() {
        assert_eq!(split_digits("a 1234567 b 12"), 4 + 1);
        assert_eq!(split_digits("none"), 0);
    }

    #[test]
    fn a_factor_rounds_up() {
        assert_eq!(scale(10, 1.01), 11);
        assert_eq!(scale(10, 1.0), 10);
    }

    #[test]
    fn a_family_is_never_under_its_digits() {
        let memo = Arc::new(Memo::default());
        let qwen = FamilyCounter::new(
            memo.clone(),
            Family { vocabulary: Vocabulary::Qwen, single_digits: false, factor: 1.0 },
        );
        let text = "port 11434 and 8123456789, isn't it";
        assert_eq!(qwen.count(text), memo.count(text) + split_digits(text) + 1);
    }
}
