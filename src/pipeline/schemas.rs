//! The schemas that clients send again with every request, kept as they were read.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use xxhash_rust::xxh3::xxh3_128;

use crate::wire::{InputSchema, Tool};

/// Some sessions at once, with many tools each.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// Schemas by the hash of their text. One that is forgotten is read anew, and is the same.
#[derive(Debug)]
pub(super) struct Schemas {
    seen: Mutex<LruCache<u128, InputSchema>>,
}

impl Default for Schemas {
    fn default() -> Self {
        Self { seen: Mutex::new(LruCache::new(CAPACITY)) }
    }
}

impl Schemas {
    pub(super) fn recognise(&self, tools: &mut [Tool]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for tool in tools {
            let key = xxh3_128(tool.input_schema.text().as_bytes());
            tool.input_schema = seen.get_or_insert(key, || tool.input_schema.clone()).clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Request;

    #[test]
    fn a_schema_that_comes_again_is_the_one_that_was_read() {
        let schemas = Schemas::default();
        let tools = || {
            let body = br#"{"messages":[],"tools":[{"name":"A","input_schema":{"type":"object"}},{"name":"B","input_schema":{}}]}"#;
            let mut tools = Request::parse(body).unwrap().tools;
            schemas.recognise(&mut tools);
            tools
        };
        let (first, second) = (tools(), tools());
        assert_eq!(first, second);
        assert!(std::ptr::eq(first[0].input_schema.text(), second[0].input_schema.text()));
        assert!(!std::ptr::eq(first[0].input_schema.text(), second[1].input_schema.text()));
    }
}
