//! Server-sent events: `report` when an exchange is over, `now` when a request comes, goes, or goes on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::mpsc;

use super::super::reply::ReplyBody;
use super::super::state::Proxy;
use super::report;

/// While something is under way, its times are said this often.
const TICK: Duration = Duration::from_secs(1);

/// A comment this often shows a silent connection to be alive, and ends one whose reader has gone.
const SILENCE: Duration = Duration::from_secs(15);

/// Events that may wait for a slow reader; then it is waited for.
const AHEAD: usize = 4;

/// An answer that goes on until its reader leaves or the proxy ends.
pub(super) fn stream(proxy: Arc<Proxy>) -> Response<ReplyBody> {
    let (events, coming) = mpsc::channel(AHEAD);
    tokio::spawn(tell(proxy, events));
    let mut response = Response::new(Events(coming).map_err(|never| match never {}).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

async fn tell(proxy: Arc<Proxy>, events: mpsc::Sender<Bytes>) {
    let dashboard = &proxy.dashboard;
    let mut settled = dashboard.settled.subscribe();
    let mut closing = dashboard.closing.subscribe();
    let mut changes = dashboard.underway.changes();
    let mut next = vec![event("report", &report(&proxy)), event("now", &dashboard.underway.shown())];
    loop {
        for bytes in next.drain(..) {
            if events.send(bytes).await.is_err() {
                return;
            }
        }
        let pause = if dashboard.underway.is_empty() { SILENCE } else { TICK };
        tokio::select! {
            changed = settled.changed() => match changed {
                Ok(()) => next.push(event("report", &report(&proxy))),
                Err(_) => return,
            },
            _ = changes.changed() => next.push(event("now", &dashboard.underway.shown())),
            () = tokio::time::sleep(pause) => next.push(match pause {
                TICK => event("now", &dashboard.underway.shown()),
                _ => Bytes::from_static(b": still here\n\n"),
            }),
            _ = closing.wait_for(|closing| *closing) => return,
            () = events.closed() => return,
        }
    }
}

fn event(name: &str, data: &Value) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// A body of what comes through a channel.
struct Events(mpsc::Receiver<Bytes>);

impl Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
