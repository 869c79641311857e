//! The body of a request to the model server: bytes that are there, or what a client sends, piece by piece as it comes.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

/// Why a body ends before its end.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// So long a client may send nothing while it uploads.
const SILENCE: Duration = Duration::from_secs(60);

/// The body of a request to the model server.
pub enum Upload {
    /// Bytes that are there; taken when they are sent.
    Whole(Bytes),
    /// What the client sends, never held, and the time by which it has to send more.
    Coming(Incoming, Pin<Box<Sleep>>),
}

/// The client has sent nothing for too long.
#[derive(Debug, thiserror::Error)]
#[error("the client stopped sending its request")]
struct Slow;

impl Upload {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }

    pub(super) fn coming(body: Incoming) -> Self {
        Self::Coming(body, Box::pin(tokio::time::sleep(SILENCE)))
    }
}

/// Whether a client that stopped sending is at the bottom of an error.
pub(super) fn is_slow(error: &(dyn Error + 'static)) -> bool {
    error.is::<Slow>() || error.source().is_some_and(is_slow)
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Coming(body, silence) => {
                if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
                    silence.as_mut().reset(Instant::now() + SILENCE);
                    return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
                }
                ready!(silence.as_mut().poll(cx));
                Poll::Ready(Some(Err(Slow.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Coming(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Coming(body, _) => body.size_hint(),
        }
    }
}
