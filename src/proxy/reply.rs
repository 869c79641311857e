//! What the client gets: a stream of events or one JSON document, kept alive while the model reads the prompt.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use crate::wire::{ClientUsage, Delta, ErrorKind, EventEncoder, Fault, Gatherer, StopReason, WireError};

/// A body of any kind.
pub(super) type ReplyBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// So long an early refusal of the server can still become the status of the reply.
pub(super) const STREAM_GRACE: Duration = Duration::from_secs(1);

/// A reply that is not streamed has nothing to show meanwhile; clients wait 300 s for its head.
pub(super) const WHOLE_GRACE: Duration = Duration::from_secs(30);

/// Clients take 300 s of silence for a dead connection.
const SILENCE: Duration = Duration::from_secs(10);

/// One piece of the reply.
#[derive(Debug)]
pub(super) enum Step {
    /// What the client's prompt counts; before all else.
    Counted(u64),
    Delta(Delta),
    Finish {
        stop: StopReason,
        usage: ClientUsage,
    },
    Fail(WireError),
}

impl Step {
    fn is_last(&self) -> bool {
        !matches!(self, Self::Delta(_) | Self::Counted(_))
    }
}

/// What is known of the reply before it begins.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    /// The id of the message.
    pub id: String,
    /// The model's name, as the client wrote it.
    pub model: String,
    /// What the client's prompt counts; 1 where that is not known yet.
    pub input: u64,
    pub stream: bool,
}

/// The reply made of the steps that come. A failure that comes at once is the status of the reply.
pub(super) async fn reply(opening: Opening, steps: mpsc::Receiver<Step>) -> Response<ReplyBody> {
    let grace = if opening.stream { STREAM_GRACE } else { WHOLE_GRACE };
    reply_within(grace, opening, steps).await
}

/// As [`reply`], where a part of the grace is used up.
pub(super) async fn reply_within(
    grace: Duration,
    opening: Opening,
    mut steps: mpsc::Receiver<Step>,
) -> Response<ReplyBody> {
    let early = early(&mut steps, opening.stream, grace).await;
    if let Some(Step::Fail(error)) = early.last() {
        return refuse(error);
    }
    let writer: Box<dyn Writer> = if opening.stream {
        Box::new(EventWriter { encoder: EventEncoder::default(), opening: Some(opening) })
    } else {
        Box::new(WholeWriter { gatherer: Gatherer::default(), opening })
    };
    let kind = writer.content_type();
    let body = Growing {
        steps,
        late: !early.iter().any(|step| !matches!(step, Step::Counted(_))),
        early: early.into(),
        writer,
        silence: Box::pin(tokio::time::sleep(SILENCE)),
        ended: false,
    };
    let mut response = Response::new(body.boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// What comes within the grace: of a stream the first step, else all of them.
async fn early(steps: &mut mpsc::Receiver<Step>, stream: bool, grace: Duration) -> Vec<Step> {
    let mut early: Vec<Step> = Vec::new();
    let gather = async {
        let begun = |step: &Step| !matches!(step, Step::Counted(_)) && (stream || step.is_last());
        while !early.last().is_some_and(begun) {
            early.push(steps.recv().await.unwrap_or_else(|| Step::Fail(vanished())));
        }
    };
    // What is late comes later.
    let _ = tokio::time::timeout(grace, gather).await;
    early
}

/// An error as a whole response.
pub(super) fn refuse(error: &WireError) -> Response<ReplyBody> {
    let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, &error.to_value());
    let after = error.retry_after.as_ref().and_then(|after| HeaderValue::from_str(after).ok());
    response.headers_mut().extend(after.map(|after| (RETRY_AFTER, after)));
    response
}

/// A JSON document as a whole response.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<ReplyBody> {
    text(status, "application/json", value.to_string())
}

/// A text as a whole response.
pub(super) fn text(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Response<ReplyBody> {
    let mut response = Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn vanished() -> WireError {
    WireError::new(ErrorKind::Api, "fanlight lost the answer; this is a fault of its own").by(Fault::Own)
}

/// How steps become bytes.
trait Writer: Send {
    fn content_type(&self) -> &'static str;
    /// What the client's prompt counts.
    fn counted(&mut self, input: u64);
    /// A sign of life.
    fn alive(&mut self, out: &mut Vec<u8>);
    fn delta(&mut self, delta: Delta, out: &mut Vec<u8>);
    fn finish(&mut self, stop: &StopReason, usage: ClientUsage, out: &mut Vec<u8>);
    fn fail(&mut self, error: &WireError, out: &mut Vec<u8>);
}

struct EventWriter {
    encoder: EventEncoder,
    /// Until the message has begun.
    opening: Option<Opening>,
}

impl EventWriter {
    fn begin(&mut self, cached: Option<u64>, out: &mut Vec<u8>) {
        if let Some(opening) = self.opening.take() {
            let usage = ClientUsage { input: opening.input, cached, output: 1 };
            self.encoder.start(&opening.id, &opening.model, usage, out);
        }
    }
}

impl Writer for EventWriter {
    fn content_type(&self) -> &'static str {
        "text/event-stream"
    }

    fn counted(&mut self, input: u64) {
        if let Some(opening) = &mut self.opening {
            opening.input = input;
        }
    }

    fn alive(&mut self, out: &mut Vec<u8>) {
        EventEncoder::ping(out);
    }

    fn delta(&mut self, delta: Delta, out: &mut Vec<u8>) {
        self.begin(None, out);
        self.encoder.delta(&delta, out);
    }

    fn finish(&mut self, stop: &StopReason, usage: ClientUsage, out: &mut Vec<u8>) {
        self.begin(usage.cached, out);
        self.encoder.finish(stop, usage, out);
    }

    fn fail(&mut self, error: &WireError, out: &mut Vec<u8>) {
        self.encoder.fail(error, out);
    }
}

struct WholeWriter {
    gatherer: Gatherer,
    opening: Opening,
}

impl Writer for WholeWriter {
    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn counted(&mut self, input: u64) {
        self.opening.input = input;
    }

    /// White space before a document means nothing to a parser.
    fn alive(&mut self, out: &mut Vec<u8>) {
        out.push(b' ');
    }

    fn delta(&mut self, delta: Delta, _out: &mut Vec<u8>) {
        self.gatherer.delta(&delta);
    }

    fn finish(&mut self, stop: &StopReason, usage: ClientUsage, out: &mut Vec<u8>) {
        let message = std::mem::take(&mut self.gatherer).finish(&self.opening.id, &self.opening.model, stop, usage);
        out.extend_from_slice(message.to_string().as_bytes());
    }

    fn fail(&mut self, error: &WireError, out: &mut Vec<u8>) {
        out.extend_from_slice(error.to_value().to_string().as_bytes());
    }
}

/// A body that grows with the steps. To drop it is to hang up.
struct Growing {
    steps: mpsc::Receiver<Step>,
    early: VecDeque<Step>,
    /// Nothing has come within the grace: begin with a sign of life.
    late: bool,
    writer: Box<dyn Writer>,
    silence: Pin<Box<Sleep>>,
    ended: bool,
}

impl Growing {
    fn write(&mut self, step: Option<Step>, out: &mut Vec<u8>) {
        match step {
            Some(Step::Counted(input)) => self.writer.counted(input),
            Some(Step::Delta(delta)) => self.writer.delta(delta, out),
            Some(Step::Finish { stop, usage }) => {
                self.writer.finish(&stop, usage, out);
                self.ended = true;
            }
            Some(Step::Fail(error)) => self.fail(&error, out),
            None => self.fail(&vanished(), out),
        }
    }

    fn fail(&mut self, error: &WireError, out: &mut Vec<u8>) {
        self.writer.fail(error, out);
        self.ended = true;
    }

    /// Everything that is there already.
    fn write_ready(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) {
        while let Some(step) = self.early.pop_front() {
            self.write(Some(step), out);
        }
        while !self.ended {
            let Poll::Ready(step) = self.steps.poll_recv(cx) else { break };
            self.write(step, out);
        }
    }
}

impl Body for Growing {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let mut out = Vec::new();
        if std::mem::take(&mut self.late) {
            self.writer.alive(&mut out);
        }
        self.write_ready(cx, &mut out);
        if out.is_empty() {
            ready!(self.silence.as_mut().poll(cx));
            self.writer.alive(&mut out);
        }
        self.silence.as_mut().reset(Instant::now() + SILENCE);
        Poll::Ready(Some(Ok(Frame::data(out.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(stream: bool) -> Opening {
        Opening { id: "msg_1".into(), model: "m".into(), input: 5, stream }
    }

    fn usage() -> ClientUsage {
        ClientUsage { input: 5, cached: None, output: 1 }
    }

    /// A model that says one word after `seconds`, by a clock that runs by itself.
    async fn slow(stream: bool, seconds: u64, last: Step) -> (StatusCode, String) {
        let (steps, coming) = mpsc::channel(8);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            steps.send(Step::Delta(Delta::Text("word".into()))).await.unwrap();
            steps.send(last).await.unwrap();
        });
        let response = reply(opening(stream), coming).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn finish() -> Step {
        Step::Finish { stop: StopReason::EndTurn, usage: usage() }
    }

    fn fail() -> Step {
        Step::Fail(WireError::new(ErrorKind::Overloaded, "busy"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_kept_alive_every_ten_seconds() {
        let (_, text) = slow(true, 420, finish()).await;
        let (before, after) = text.split_once("event: message_start").unwrap();
        assert_eq!(before.matches("event: ping").count(), 42);
        assert!(!after.contains("ping") && after.contains("message_stop"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_is_kept_alive_by_white_space() {
        let (_, text) = slow(false, 420, finish()).await;
        assert_eq!(text.len() - text.trim_start().len(), 40);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["content"][0]["text"], "word");
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_that_fails_within_the_grace_has_its_status() {
        assert_eq!(slow(false, 20, fail()).await.0, 529);
        let (status, text) = slow(false, 60, fail()).await;
        assert_eq!(status, 200);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["error"]["type"], "overloaded_error");
    }

    #[tokio::test(start_paused = true)]
    async fn steps_that_stop_coming_are_a_failure() {
        let (steps, coming) = mpsc::channel(1);
        drop(steps);
        assert_eq!(reply(opening(true), coming).await.status(), 500);
    }
}
