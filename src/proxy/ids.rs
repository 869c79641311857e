//! Ids that are unique everywhere: clients drop a call whose id they have seen before.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::wire::{Delta, Message};

/// Makes ids.
#[derive(Debug)]
pub struct Ids {
    seed: u64,
    next: AtomicU64,
}

impl Default for Ids {
    fn default() -> Self {
        Self { seed: RandomState::new().hash_one(std::process::id()), next: AtomicU64::new(0) }
    }
}

impl Ids {
    /// A new id: the prefix and 20 letters and digits.
    pub fn make(&self, prefix: &str) -> String {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut number = xxh3_128_with_seed(&count.to_le_bytes(), self.seed);
        let mut id = prefix.to_owned();
        for _ in 0..20 {
            id.push(char::from(DIGITS[(number % 62) as usize]));
            number /= 62;
        }
        id
    }
}

/// The ids that a conversation has used, and the stamp for new ones.
pub(super) struct Stamp<'a> {
    ids: &'a Ids,
    messages: &'a [Message],
    /// Those that were given since.
    given: BTreeSet<String>,
}

/// Shorter ids are not unique by chance (Ollama's have eight characters).
const LONG_ENOUGH: usize = 16;

impl<'a> Stamp<'a> {
    pub(super) fn new(ids: &'a Ids, messages: &'a [Message]) -> Self {
        Self { ids, messages, given: BTreeSet::new() }
    }

    /// Gives a call an id of its own, unless it has one.
    pub(super) fn stamp(&mut self, delta: &mut Delta) {
        let (Delta::BrokenCall { id, .. } | Delta::Call(crate::wire::ToolUse { id, .. })) = delta else { return };
        if id.len() < LONG_ENOUGH || self.is_used(id) {
            *id = self.ids.make("toolu_");
        }
        self.given.insert(id.clone());
    }

    fn is_used(&self, id: &str) -> bool {
        self.given.contains(id) || self.messages.iter().flat_map(Message::tool_uses).any(|call| call.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ToolUse;
    use serde_json::json;

    fn call(id: &str) -> Delta {
        Delta::Call(ToolUse { id: id.into(), name: "Read".into(), input: json!({}) })
    }

    fn id_of(delta: &Delta) -> &str {
        let Delta::Call(call) = delta else { panic!("a call") };
        &call.id
    }

    #[test]
    fn ids_differ() {
        let ids = Ids::default();
        let made: BTreeSet<String> = (0..1000).map(|_| ids.make("toolu_")).collect();
        assert_eq!(made.len(), 1000);
        assert!(made.iter().all(|id| id.len() == 26));
    }

    #[test]
    fn only_a_long_new_id_is_kept() {
        let ids = Ids::default();
        let mut stamp = Stamp::new(&ids, &[]);
        let mut calls = ["", "call_12345678", "toolu_0123456789abcdef", "toolu_0123456789abcdef"].map(call);
        for delta in &mut calls {
            stamp.stamp(delta);
        }
        assert_eq!(id_of(&calls[2]), "toolu_0123456789abcdef");
        let all: BTreeSet<&str> = calls.iter().map(id_of).collect();
        assert_eq!(all.len(), 4);
    }
}
