//! What is remembered of folds, so that the next request of a history goes on where the last one was cut. It only makes
//! it fast: a miss gives the same bytes.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

use super::shift;
use super::state::{State, Walked};
use crate::wire::{Block, BlocksId, Message, Role};

/// Histories that are remembered: each may hold the text of many files.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// So many messages at the end of a history may be other ones in its next request.
const REPLACED: usize = 6;

/// The states after a cut, by schedule.
#[derive(Default)]
pub struct FoldMemo {
    pub(super) prefix: Known<State>,
    /// Where the walks through the last histories ended, between two cuts.
    pub(super) walked: Known<Walked>,
    pub(super) shift: Known<shift::State>,
    /// The hashes of the messages of the last histories.
    hashes: Mutex<VecDeque<Hashes>>,
}

/// The messages of a history, each with its hash.
pub(super) type Hashes = Arc<Vec<(Role, BlocksId, u128)>>;

/// States, keyed by all that decides them.
pub(super) struct Known<S> {
    seen: Mutex<LruCache<u128, Arc<S>>>,
}

impl<S> Default for Known<S> {
    fn default() -> Self {
        Self { seen: Mutex::new(LruCache::new(CAPACITY)) }
    }
}

impl<S> Known<S> {
    /// The newest state that is known of these beginnings, and at which of them.
    pub(super) fn newest(&self, marks: &[u128]) -> Option<(usize, Arc<S>)> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        marks.iter().enumerate().rev().find_map(|(at, mark)| Some((at, seen.get(mark)?.clone())))
    }

    pub(super) fn put(&self, mark: u128, state: Arc<S>) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).put(mark, state);
    }

    /// The same, in the place of an earlier state of this history.
    pub(super) fn replace(&self, earlier: Option<u128>, mark: u128, state: Arc<S>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = earlier {
            seen.pop(&earlier);
        }
        seen.put(mark, state);
    }
}

impl FoldMemo {
    /// The hash of each message. One that is the very one of the last time is not hashed again.
    pub(super) fn hashes(&self, messages: &[Message]) -> Hashes {
        let mut last = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &Hashes| {
            let same = |(role, id, _): &(Role, BlocksId, u128), message: &Message| {
                *role == message.role && id.is_of(&message.content)
            };
            known.iter().zip(messages).take_while(|(known, message)| same(known, message)).count()
        };
        let best = last.iter().map(same).enumerate().max_by_key(|(_, same)| *same).filter(|(_, same)| *same > 0);
        let (known, same) = match best {
            Some((at, same)) if same + REPLACED >= last[at].len() => (last.remove(at).unwrap_or_default(), same),
            Some((at, same)) => (last[at].clone(), same),
            None => (Hashes::default(), 0),
        };
        let mut hashes = known;
        let list = Arc::make_mut(&mut hashes);
        list.truncate(same);
        list.extend(messages[same..].iter().map(|message| (message.role, message.content.id(), hash_of(message))));
        last.push_front(hashes.clone());
        last.truncate(CAPACITY.get());
        hashes
    }
}

fn hash_of(message: &Message) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(message.role.as_str().as_bytes());
    message.content.iter().for_each(|block| hash_block(block, &mut hash));
    hash.digest128()
}

/// Each part with its length before it, so that no two contents give the same bytes.
fn hash_block(block: &Block, hash: &mut Xxh3) {
    match block {
        Block::Text(text) => hash_text(b't', text, hash),
        Block::Thinking(text) => hash_text(b'k', text, hash),
        Block::ToolUse(call) => {
            hash_text(b'u', &call.id, hash);
            hash_text(b'n', &call.name, hash);
            hash_value(&call.input, hash);
        }
        Block::ToolResult(result) => {
            hash_text(if result.is_error { b'e' } else { b'r' }, &result.tool_use_id, hash);
            hash.update(&result.content.len().to_le_bytes());
            result.content.iter().for_each(|block| hash_block(block, hash));
        }
        Block::Image(value) | Block::Other(value) => hash_value(value, hash),
    }
}

fn hash_text(kind: u8, text: &str, hash: &mut Xxh3) {
    hash.update(&[kind]);
    hash.update(&text.len().to_le_bytes());
    hash.update(text.as_bytes());
}

fn hash_value(value: &Value, hash: &mut Xxh3) {
    match value {
        Value::String(text) => hash_text(b's', text, hash),
        Value::Array(items) => {
            hash_text(b'[', &items.len().to_string(), hash);
            for item in items {
                hash_value(item, hash);
            }
        }
        Value::Object(fields) => {
            hash_text(b'{', &fields.len().to_string(), hash);
            for (key, field) in fields {
                hash_text(b'f', key, hash);
                hash_value(field, hash);
            }
        }
        other => hash_text(b'v', &other.to_string(), hash),
    }
}
