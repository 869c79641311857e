//! Counts that are remembered by content. A miss gives the same number as a hit, only later.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::family::split_digits;
use super::{Counter, O200k, qwen};

/// Texts that are remembered: a long session has some thousand blocks, and an entry takes about a hundred bytes.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(32_768).unwrap();

/// What is remembered of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    /// Tokens in o200k.
    pub(super) o200k: usize,
    /// How many more they are when every digit is a token.
    pub(super) split_digits: usize,
    /// How many more they are in Qwen's vocabulary, beside the digits.
    pub(super) qwen: usize,
}

/// A counter in o200k with a memory, keyed by the hash of the content.
pub struct Memo {
    seen: Mutex<LruCache<u128, Measure>>,
}

impl Default for Memo {
    fn default() -> Self {
        Self { seen: Mutex::new(LruCache::new(CAPACITY)) }
    }
}

impl Memo {
    pub(super) fn measure(&self, text: &str) -> Measure {
        self.remembered(xxh3_128(text.as_bytes()), || measure(text))
    }

    fn remembered(&self, key: u128, measure: impl FnOnce() -> Measure) -> Measure {
        if let Some(known) = self.lock().get(&key) {
            return *known;
        }
        // Counted outside the lock: another thread may count the same text, and gets the same number.
        let fresh = measure();
        self.lock().put(key, fresh);
        fresh
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<u128, Measure>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter for Memo {
    fn count(&self, text: &str) -> usize {
        self.measure(text).o200k
    }

    fn count_made(&self, parts: &[&str], make: &dyn Fn() -> String) -> usize {
        self.remembered(key_of(parts), || measure(&make())).o200k
    }
}

/// Another key than that of any text: it is not the parts that are counted.
fn key_of(parts: &[&str]) -> u128 {
    let mut hasher = Xxh3::with_seed(1);
    for part in parts {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.digest128()
}

fn measure(text: &str) -> Measure {
    Measure { o200k: O200k.count(text), split_digits: split_digits(text), qwen: qwen::more(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_gives_what_the_miss_gave() {
        let memo = Memo::default();
        let text = "the same text, long enough to be remembered, twice";
        assert_eq!(memo.count(text), memo.count(text));
        assert_eq!(memo.count(text), O200k.count(text));
    }

    #[test]
    fn what_is_made_of_parts_is_counted_once_and_not_taken_for_another_text() {
        let memo = Memo::default();
        let made = || "a text that is made of its two parts".to_owned();
        let count = O200k.count(&made());
        assert_eq!(memo.count_made(&["a long enough part", "b"], &made), count);
        assert_eq!(memo.count_made(&["a long enough part", "b"], &|| unreachable!("it is known")), count);
        assert_eq!(memo.count_made(&["a long enough partb"], &String::new), 0);
        assert_eq!(memo.count("a long enough partb"), O200k.count("a long enough partb"));
    }
}
