//! The body of a request, read whole: within a limit, in good time, and only where there is room for it.

use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::memory::{Held, Memory, SMALL};
use crate::wire::{ErrorKind, Fault, WireError};

/// The largest body that is read, in bytes.
const LARGEST: usize = 32 << 20;

/// What is thrown away of a larger one, so that the client has sent it all and reads why it was refused.
const DRAINED: usize = 1 << 30;

/// So long a client may take for a body, and longer only as far as it sends at least so much a second.
const PATIENCE: Duration = Duration::from_secs(30);
const LEAST_A_SECOND: usize = 32 << 10;

/// Reads a body whole.
///
/// # Errors
/// When it is too large, breaks off, comes too slowly, or finds no room.
pub(super) async fn read(mut body: Incoming, memory: &Memory) -> Result<(Bytes, Held), WireError> {
    let announced = body.size_hint().exact().map(|length| length as usize);
    if announced.is_some_and(|length| length > LARGEST) {
        return Err(drain(body).await);
    }
    let mut held = memory.room_for(announced.unwrap_or_default()).await?;
    let began = Instant::now();
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
    while let Some(data) = next(&mut body, began, bytes.len()).await? {
        if bytes.len() + data.remaining() > LARGEST {
            drop((bytes, held));
            return Err(drain(body).await);
        }
        // Nobody has said how much it will be: then it may be all there can be.
        if announced.is_none() && bytes.len() <= SMALL && bytes.len() + data.remaining() > SMALL {
            held = memory.room_for(LARGEST).await?;
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes.into(), held))
}

/// The next piece of a body of which `seen` bytes have come since it began.
async fn next(body: &mut Incoming, began: Instant, seen: usize) -> Result<Option<Bytes>, WireError> {
    let until = began + PATIENCE + Duration::from_secs((seen / LEAST_A_SECOND) as u64);
    loop {
        let frame = timeout_at(until, body.frame()).await.map_err(|_| too_slow())?;
        let Some(frame) = frame else { return Ok(None) };
        let frame = frame.map_err(|error| {
            let broke_off = WireError::new(ErrorKind::InvalidRequest, "the request broke off");
            broke_off.by(Fault::SlowClient).caused(super::upstream::chain(&error))
        })?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

async fn drain(mut body: Incoming) -> WireError {
    let (began, mut seen) = (Instant::now(), 0);
    while seen <= DRAINED {
        match next(&mut body, began, seen).await {
            Ok(Some(data)) => seen += data.remaining(),
            Ok(None) => break,
            Err(error) => return error,
        }
    }
    WireError::new(ErrorKind::RequestTooLarge, format!("the body is over {} MiB", LARGEST >> 20))
}

fn too_slow() -> WireError {
    WireError::new(ErrorKind::Timeout, "the body of the request came too slowly").by(Fault::SlowClient)
}
