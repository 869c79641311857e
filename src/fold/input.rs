//! What a fold is made from, and the hashes by which its beginnings are known again.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::memo::FoldMemo;
use super::shift::Showing;
use crate::history::Roles;
use crate::rules::{FoldProfile, MessageKinds};
use crate::tokens::{Budget, Counter};
use crate::wire::{BlocksId, Message, Role};

/// What a fold is made from.
pub struct FoldInput<'a> {
    /// The normalised messages as the client has them: roles alternate, every call is answered.
    pub messages: &'a [Message],
    /// Tokens of each message, as [`super::ingest`] left it and as the model's template renders it.
    pub costs: &'a [usize],
    pub budget: &'a Budget,
    /// Tokens of the head as rendered.
    pub head_tokens: usize,
    /// Tokens of what always stands before the first prompt: environment, kept reminders.
    pub preamble_tokens: usize,
    pub profile: &'a FoldProfile,
    /// Counts in the model's family.
    pub counter: &'a dyn Counter,
    pub roles: &'a dyn Roles,
    /// What the client writes in the user's name.
    pub kinds: &'a MessageKinds,
    /// Folds of this history that are known, with a number that tells families of counters apart.
    pub memo: Option<(&'a FoldMemo, u64)>,
    /// Set where the server keeps the cache of text behind a hole: how the messages look.
    pub shift: Option<&'a dyn Showing>,
}

/// For every beginning of the messages, the hash of all that decides the fold of it.
pub(super) fn marks(input: &FoldInput<'_>, limit: usize, memo: &FoldMemo, salt: u64) -> Vec<u128> {
    let mut hash = Xxh3::with_seed(salt);
    hash.update(&limit.to_le_bytes());
    hash.update(format!("{:?}", input.profile).as_bytes());
    let mut mark = hash.digest128();
    let hashes = memo.hashes(input.messages);
    let messages = hashes.iter().zip(input.costs);
    let next = |((.., hash), cost): (&(Role, BlocksId, u128), &usize)| {
        let mut parts = [0; 40];
        parts[..16].copy_from_slice(&mark.to_le_bytes());
        parts[16..32].copy_from_slice(&hash.to_le_bytes());
        parts[32..].copy_from_slice(&(*cost as u64).to_le_bytes());
        mark = xxh3_128(&parts);
        mark
    };
    messages.map(next).collect()
}
