//! The last bodies of the histories in work: the next one is read from where it differs. It only makes it fast: a miss
//! reads the same request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::schemas::Schemas;
use crate::wire::{Body, Unreadable};

/// Bytes of bodies that are kept; a larger body is kept alone.
const MOST: usize = 16 << 20;

/// Histories that are looked through for each body.
const HISTORIES: usize = 16;

/// So many messages at the end of a body may be other ones in the next body of its history.
const UNSTABLE: usize = 6;

/// The last bodies, newest first.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    last: Mutex<VecDeque<Arc<Body>>>,
    schemas: Schemas,
}

impl Bodies {
    /// Reads a body. Where it goes on from one that is known, it takes that one's place.
    pub(super) fn read(&self, bytes: Bytes) -> Result<Arc<Body>, Unreadable> {
        let known: Vec<Arc<Body>> = self.lock().iter().cloned().collect();
        let best = known.iter().map(|body| (body.shared(&bytes), body)).max_by_key(|(shared, _)| *shared);
        let next = best.and_then(|(shared, before)| before.next_behind(shared, bytes.clone()));
        let body = match next {
            Some(next) => next,
            None => self.anew(bytes)?,
        };
        let body = Arc::new(body);
        let replaced =
            best.filter(|(shared, before)| *shared > 0 && shared + UNSTABLE >= before.request().messages.len());
        self.keep(&body, replaced.map(|(_, before)| before));
        Ok(body)
    }

    fn anew(&self, bytes: Bytes) -> Result<Body, Unreadable> {
        let mut body = Body::read(bytes)?;
        self.schemas.recognise(&mut body.request_mut().tools);
        Ok(body)
    }

    fn keep(&self, body: &Arc<Body>, replaced: Option<&Arc<Body>>) {
        if body.outside().is_none() {
            return;
        }
        let mut last = self.lock();
        last.retain(|known| replaced.is_none_or(|replaced| !Arc::ptr_eq(known, replaced)));
        last.push_front(body.clone());
        let mut bytes = 0;
        let fits = |body: &Arc<Body>| {
            bytes += body.len();
            bytes <= MOST
        };
        let fitting = last.iter().map(fits).take_while(|fits| *fits).count();
        last.truncate(fitting.clamp(1, HISTORIES));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Body>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
