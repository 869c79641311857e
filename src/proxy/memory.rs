//! What large bodies in flight may take up together: who finds no room waits a while, then is told to come again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::wire::{ErrorKind, Fault, WireError};

/// Bodies up to this size are not counted, in bytes.
pub(super) const SMALL: usize = 256 << 10;

/// What the others may have together, in KiB: three of the largest. A request takes up to three times its size.
const ROOM: u32 = 96 << 10;

/// So long a request waits for room.
const PATIENCE: Duration = Duration::from_secs(15);

/// When a client is to come again, in seconds.
const COME_AGAIN: &str = "5";

/// The room that large bodies share.
#[derive(Debug)]
pub(crate) struct Memory(Arc<Semaphore>);

/// Room for one body, given back when this goes.
#[derive(Debug, Default)]
pub(crate) struct Held(#[expect(dead_code, reason = "what it does is to go")] Option<OwnedSemaphorePermit>);

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM as usize)))
    }
}

impl Memory {
    /// Room for a body of so many bytes.
    ///
    /// # Errors
    /// When there is none for too long.
    pub(crate) async fn room_for(&self, bytes: usize) -> Result<Held, WireError> {
        if bytes <= SMALL {
            return Ok(Held::default());
        }
        let parts = u32::try_from(bytes.div_ceil(1024)).unwrap_or(ROOM).min(ROOM);
        match tokio::time::timeout(PATIENCE, self.0.clone().acquire_many_owned(parts)).await {
            Ok(Ok(permit)) => Ok(Held(Some(permit))),
            _ => Err(WireError::new(ErrorKind::Overloaded, "too many large requests are in work here; come again")
                .by(Fault::Busy)
                .retried_after(COME_AGAIN)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_waits_and_is_told_when_to_come_again() {
        let memory = Memory::default();
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(memory.room_for(32 << 20).await.unwrap());
        }
        assert!(memory.room_for(SMALL).await.is_ok());
        let error = memory.room_for(SMALL + 1).await.unwrap_err();
        assert_eq!((error.kind, error.retry_after.as_deref()), (ErrorKind::Overloaded, Some("5")));
        let (waited, ()) = tokio::join!(memory.room_for(32 << 20), async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            held.pop();
        });
        assert!(waited.is_ok());
    }
}
