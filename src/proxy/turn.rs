//! One turn of the model: asked upstream, read piece by piece, asked again where the channel says so.

use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::mpsc;

use super::dashboard::Underway;
use super::ids::Stamp;
use super::reply::Step;
use super::upstream::{Ask, Reply, Upstream, json_headers};
use crate::pipeline::Plan;
use crate::show::with_plain_schemas;
use crate::turn::{Answer, Ask as Again, Next};
use crate::wire::{
    ChatDecoder, Delta, Dialect, End, ErrorKind, EventDecoder, Refusal, SseReader, StopReason, Usage, WireError,
};

/// More requests than a channel ever makes within one turn: a fault there must not run for ever.
const MOST_ASKS: usize = 12;

/// What became of a turn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    pub outcome: Outcome,
    /// What was mended in it: (kind, how often).
    pub repairs: Vec<(String, usize)>,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Complete {
        stop: StopReason,
        usage: Usage,
    },
    Failed(WireError),
    /// The client has hung up.
    Cancelled,
}

/// Where the pieces of a turn go.
pub(super) struct Sink<'a> {
    pub steps: &'a mpsc::Sender<Step>,
    pub stamp: Stamp<'a>,
    /// When the first piece came.
    pub(crate) first: Option<Instant>,
    /// Everything that was said, for counting.
    pub said: String,
    /// Where the page sees how far it is.
    pub underway: Underway,
}

/// Runs a turn to its end. The pieces go to the sink; how it ended is for the caller to say.
pub(super) async fn run(upstream: &Upstream, plan: &Plan, sink: &mut Sink<'_>, on_body: impl Fn(&Bytes)) -> Done {
    let mut answer = plan.answer();
    let outcome = ask_on(upstream, plan, &mut answer, sink, on_body).await;
    Done { outcome, repairs: answer.repairs() }
}

/// Asks upstream, and again for as long as the channel wants to.
async fn ask_on(
    upstream: &Upstream,
    plan: &Plan,
    answer: &mut Answer,
    sink: &mut Sink<'_>,
    on_body: impl Fn(&Bytes),
) -> Outcome {
    let mut body = Bytes::from(plan.written());
    let mut asked: Option<Again> = None;
    let steps = sink.steps;
    for _ in 0..MOST_ASKS {
        let plain = upstream.plain_schemas.load(Ordering::Relaxed);
        let bytes = if plain { in_plain(&body) } else { body.clone() };
        on_body(&bytes);
        let next = tokio::select! {
            next = ask(upstream, plan.target.dialect, bytes, answer, sink) => next,
            () = steps.closed() => return Outcome::Cancelled,
        };
        let ended = match next {
            Next::Fail(error) if error.names_a_grammar() && !upstream.plain_schemas.swap(true, Ordering::Relaxed) => {
                tracing::warn!("the model server cannot use a schema; it gets plainer ones from now on");
                continue;
            }
            Next::Fail(error) if error.kind == ErrorKind::InvalidRequest && asked.is_some() => {
                // No schema of a client ends a turn: what is refused when it binds the reply is asked without that.
                let unbound = asked.take().filter(|ask| ask.format.is_some()).map(|ask| Again { format: None, ..ask });
                if let Some(more) = unbound.as_ref().and_then(|ask| plan.written_unbound(ask)) {
                    (body, asked) = (more.into(), unbound);
                    continue;
                }
                give_up(answer, sink).await
            }
            Next::Ask(ask) => {
                if let Some(more) = plan.written_for(&ask) {
                    (body, asked) = (more.into(), Some(ask));
                    continue;
                }
                // No room to ask again: the best of what was said is the answer.
                give_up(answer, sink).await
            }
            ended => ended,
        };
        return match ended {
            Next::Finish { stop, usage } => Outcome::Complete { stop, usage },
            Next::Fail(error) => Outcome::Failed(error),
            Next::Ask(_) => asked_too_often(),
        };
    }
    asked_too_often()
}

/// The body with the plainest schemas.
fn in_plain(body: &Bytes) -> Bytes {
    serde_json::from_slice(body).map_or_else(|_| body.clone(), |body| with_plain_schemas(body).to_string().into())
}

fn asked_too_often() -> Outcome {
    Outcome::Failed(WireError::new(ErrorKind::Api, "the model was asked again too often within one turn"))
}

async fn give_up(answer: &mut Answer, sink: &mut Sink<'_>) -> Next {
    let mut said = Vec::new();
    let next = answer.give_up(&mut said);
    sink.give(&mut said).await;
    next
}

impl Sink<'_> {
    async fn give(&mut self, deltas: &mut Vec<Delta>) {
        for mut delta in deltas.drain(..) {
            self.first.get_or_insert_with(Instant::now);
            self.stamp.stamp(&mut delta);
            self.hear(&delta);
            // A client that has gone is noticed elsewhere.
            let _ = self.steps.send(Step::Delta(delta)).await;
        }
    }

    fn hear(&mut self, delta: &Delta) {
        let before = self.said.len();
        match delta {
            Delta::Text(text) | Delta::Thinking(text) => self.said.push_str(text),
            Delta::Call(call) => self.said.push_str(&call.input.to_string()),
            Delta::BrokenCall { arguments, .. } => self.said.push_str(arguments),
            Delta::Other(_) => {}
        }
        self.underway.said(self.said.len() - before);
    }
}

/// One request upstream, from its body to what is next.
async fn ask(upstream: &Upstream, dialect: Dialect, body: Bytes, answer: &mut Answer, sink: &mut Sink<'_>) -> Next {
    let path = match dialect {
        Dialect::Ollama => "/api/chat",
        Dialect::Anthropic => "/v1/messages",
    };
    let request = Ask { method: Method::POST, path: path.into(), headers: json_headers(), body };
    let mut heard = Vec::new();
    let end = match upstream.send(request).await {
        Err(error) => End::Failed(error.into()),
        Ok(reply) if !reply.status.is_success() => refused(reply, &mut heard).await,
        Ok(reply) => read(reply, dialect, answer, sink, &mut heard).await,
    };
    let mut said = Vec::new();
    pass(answer, &mut heard, &mut said);
    let next = answer.on_end(end, &mut said);
    sink.give(&mut said).await;
    next
}

fn pass(answer: &mut Answer, heard: &mut Vec<Delta>, said: &mut Vec<Delta>) {
    for delta in heard.drain(..) {
        answer.on_delta(delta, said);
    }
}

/// A refusal; a call that the server threw away is an answer all the same.
async fn refused(reply: Reply, heard: &mut Vec<Delta>) -> End {
    reply.refusal().await.end(Usage::default(), heard)
}

/// Reads an answer to its end. What was heard last stays in `heard`.
async fn read(
    mut reply: Reply,
    dialect: Dialect,
    answer: &mut Answer,
    sink: &mut Sink<'_>,
    heard: &mut Vec<Delta>,
) -> End {
    let whole = reply.is_whole_json() && dialect == Dialect::Anthropic;
    let mut decoder = if whole { Decoder::Whole(Vec::new()) } else { Decoder::of(dialect) };
    while let Some(Ok(frame)) = reply.body.frame().await {
        let Ok(bytes) = frame.into_data() else { continue };
        if let Some(end) = decoder.feed(&bytes, heard) {
            return end;
        }
        let mut said = Vec::new();
        pass(answer, heard, &mut said);
        sink.give(&mut said).await;
        if answer.has_looped() {
            return End::Complete { stop: StopReason::EndTurn, usage: Usage::default() };
        }
    }
    decoder.close(heard)
}

/// What reads the bytes of an answer.
enum Decoder {
    Chat(ChatDecoder),
    Events(SseReader, EventDecoder),
    /// A server that does not stream though it was asked to.
    Whole(Vec<u8>),
}

impl Decoder {
    fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Ollama => Self::Chat(ChatDecoder::default()),
            Dialect::Anthropic => Self::Events(SseReader::default(), EventDecoder::default()),
        }
    }

    fn feed(&mut self, bytes: &Bytes, out: &mut Vec<Delta>) -> Option<End> {
        match self {
            Self::Chat(chat) => chat.feed(bytes, out).unwrap_or_else(|error| Some(too_long(error))),
            Self::Whole(so_far) => {
                so_far.extend_from_slice(bytes);
                None
            }
            Self::Events(reader, events) => {
                let mut frames = Vec::new();
                let fed = reader.feed(bytes, &mut frames);
                let end = frames.iter().find_map(|frame| events.on_frame(frame, out));
                end.or_else(|| fed.err().map(too_long))
            }
        }
    }

    fn close(self, out: &mut Vec<Delta>) -> End {
        match self {
            Self::Chat(mut chat) => chat.on_close(out),
            Self::Whole(bytes) => whole(&bytes, out),
            Self::Events(mut reader, mut events) => {
                let mut frames = Vec::new();
                reader.finish(&mut frames);
                let end = frames.iter().find_map(|frame| events.on_frame(frame, out));
                end.unwrap_or_else(|| events.on_close(out))
            }
        }
    }
}

fn whole(bytes: &[u8], out: &mut Vec<Delta>) -> End {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(message) if message["type"] == "message" => EventDecoder::default().on_message(&message, out),
        Ok(other) if other.get("error").is_some() => Refusal::from_value(500, &other).end(Usage::default(), out),
        _ => End::Failed(WireError::new(ErrorKind::Api, "the model server answered with something that is no message")),
    }
}

fn too_long(error: crate::wire::LineTooLong) -> End {
    End::Failed(WireError::new(ErrorKind::Api, error.to_string()))
}
