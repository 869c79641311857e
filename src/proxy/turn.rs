//! One turn of the model: asked upstream, read piece by piece, asked again where the channel says so.

use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::dashboard::Underway;
use super::ids::Stamp;
use super::reply::Step;
use super::upstream::{Reply, Upstream, chain, json_headers};
use crate::pipeline::Plan;
use crate::show::with_plain_schemas;
use crate::turn::{Answer, Ask as Again, Next};
use crate::wire::{
    ChatDecoder, Delta, Dialect, End, ErrorKind, EventDecoder, Fault, LONGEST_LINE, LineTooLong, Refusal, SseReader,
    StopReason, Usage, WireError,
};

/// More requests than a channel ever makes within one turn: a fault there must not run for ever.
const MOST_ASKS: usize = 12;

/// No token is longer than this, in bytes, but for a few that nobody writes.
const BYTES_A_TOKEN: usize = 32;

/// No answer is held to fewer bytes than this: a client that asks for one token asks whether anybody is there.
const LEAST_ANSWER: usize = 64 << 10;

/// So many bytes may travel for one of content: a line of Ollama holds a word or two.
const RAW_A_BYTE: usize = 100;

/// What became of a turn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    pub outcome: Outcome,
    /// What was mended in it: (kind, how often).
    pub repairs: Vec<(String, usize)>,
    /// What broke the answer off, where what was whole of it went out all the same.
    pub saved_from: Option<Fault>,
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
    /// What broke the last answer off.
    fault: Option<WireError>,
}

/// Runs a turn to its end. The pieces go to the sink; how it ended is for the caller to say. `credentials` are headers
/// that go with each request.
pub(super) async fn run(
    upstream: &Upstream,
    credentials: &HeaderMap,
    plan: &Plan,
    sink: &mut Sink<'_>,
    on_body: impl Fn(&Bytes),
) -> Done {
    let mut headers = json_headers();
    headers.extend(credentials.clone());
    let server = Server { upstream, dialect: plan.target.dialect, headers };
    let mut answer = plan.answer();
    let outcome = ask_on(&server, plan, &mut answer, sink, on_body).await;
    let saved = matches!(outcome, Outcome::Complete { .. });
    let saved_from = sink.fault.take().filter(|_| saved).map(|error| error.fault);
    Done { outcome, repairs: answer.repairs(), saved_from }
}

/// Who is asked, and how.
struct Server<'a> {
    upstream: &'a Upstream,
    dialect: Dialect,
    headers: HeaderMap,
}

/// Asks upstream, and again for as long as the channel wants to.
async fn ask_on(
    server: &Server<'_>,
    plan: &Plan,
    answer: &mut Answer,
    sink: &mut Sink<'_>,
    on_body: impl Fn(&Bytes),
) -> Outcome {
    let mut body = Bytes::from(plan.written());
    let mut asked: Option<Again> = None;
    let steps = sink.steps;
    for _ in 0..MOST_ASKS {
        let plain_schemas = &server.upstream.plain_schemas;
        let plain = plain_schemas.load(Ordering::Relaxed);
        let bytes = if plain { in_plain(&body) } else { body.clone() };
        on_body(&bytes);
        let next = tokio::select! {
            next = ask(server, bytes, most_of(plan), answer, sink) => next,
            () = steps.closed() => return Outcome::Cancelled,
        };
        let ended = match next {
            Next::Fail(error) if error.names_a_grammar() && !plain_schemas.swap(true, Ordering::Relaxed) => {
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
    let message = "the model was asked again too often within one turn";
    Outcome::Failed(WireError::new(ErrorKind::Api, message).by(Fault::Own))
}

async fn give_up(answer: &mut Answer, sink: &mut Sink<'_>) -> Next {
    let mut said = Vec::new();
    let next = answer.give_up(&mut said);
    sink.give(&mut said).await;
    next
}

impl<'a> Sink<'a> {
    pub(super) fn new(steps: &'a mpsc::Sender<Step>, stamp: Stamp<'a>, underway: Underway) -> Self {
        Self { steps, stamp, first: None, said: String::new(), underway, fault: None }
    }

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

/// The most that is taken in of one answer, in bytes: what the client asked for at the most that a token ever has, and
/// never more than a line may have.
fn most_of(plan: &Plan) -> usize {
    let asked = plan.request.max_tokens.map_or(LONGEST_LINE, |tokens| (tokens as usize).saturating_mul(BYTES_A_TOKEN));
    asked.clamp(LEAST_ANSWER, LONGEST_LINE)
}

/// One request upstream, from its body to what is next.
async fn ask(server: &Server<'_>, body: Bytes, most: usize, answer: &mut Answer, sink: &mut Sink<'_>) -> Next {
    let path = match server.dialect {
        Dialect::Ollama => "/api/chat",
        Dialect::Anthropic => "/v1/messages",
    };
    let mut heard = Vec::new();
    let end = match server.upstream.post(path, &server.headers, &body).await {
        Err(error) => End::Failed(error.into()),
        Ok(reply) if !reply.status.is_success() => refused(reply, &mut heard).await,
        Ok(reply) => read(reply, server.dialect, most, answer, sink, &mut heard).await,
    };
    if let End::Failed(error) = &end {
        if sink.first.is_some() {
            let cause = error.cause.as_deref();
            warn!(fault = error.fault.as_str(), cause, "the model server's answer ended in the middle");
        }
        sink.fault = Some(error.clone());
    }
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

/// Reads an answer to its end, or to as much as is taken in. What was heard last stays in `heard`.
async fn read(
    mut reply: Reply,
    dialect: Dialect,
    most: usize,
    answer: &mut Answer,
    sink: &mut Sink<'_>,
    heard: &mut Vec<Delta>,
) -> End {
    let whole = reply.is_whole_json() && dialect == Dialect::Anthropic;
    let mut decoder = if whole { Decoder::Whole(Vec::new()) } else { Decoder::of(dialect) };
    let (mut held, mut raw) = (0, 0);
    loop {
        let bytes = match reply.body.frame().await {
            None => return decoder.close(heard),
            Some(Err(error)) => return broken(decoder.close(heard), &*error),
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        if let Some(end) = decoder.feed(&bytes, heard) {
            return end;
        }
        held += heard.iter().map(size_of).sum::<usize>();
        raw += bytes.len();
        let mut said = Vec::new();
        pass(answer, heard, &mut said);
        sink.give(&mut said).await;
        if answer.has_looped() {
            return End::Complete { stop: StopReason::EndTurn, usage: Usage::default() };
        }
        if held > most || raw > most.saturating_mul(RAW_A_BYTE) {
            debug!(held, raw, "the answer is longer than what was asked for: it ends here");
            return End::Complete { stop: StopReason::MaxTokens, usage: Usage::default() };
        }
    }
}

/// What is left of an answer whose connection failed: nothing, unless it had said that it was whole.
fn broken(end: End, error: &(dyn std::error::Error + Send + Sync + 'static)) -> End {
    match end {
        End::Failed(failed) => End::Failed(failed.caused(chain(error))),
        complete @ End::Complete { .. } => complete,
    }
}

/// What a piece takes up, in bytes.
fn size_of(delta: &Delta) -> usize {
    match delta {
        Delta::Text(text) | Delta::Thinking(text) => text.len(),
        Delta::BrokenCall { arguments, .. } => arguments.len(),
        Delta::Call(call) => call.input.to_string().len(),
        Delta::Other(events) => events.to_string().len(),
    }
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
                (so_far.len() > LONGEST_LINE).then(|| too_long(LineTooLong))
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
                // Half a frame at the end is an answer that broke off, not one that is damaged.
                frames.retain(|frame| serde_json::from_str::<serde::de::IgnoredAny>(&frame.data).is_ok());
                let end = frames.iter().find_map(|frame| events.on_frame(frame, out));
                end.unwrap_or_else(|| events.on_close(out))
            }
        }
    }
}

fn whole(bytes: &[u8], out: &mut Vec<Delta>) -> End {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(message) if message["type"] == "message" => EventDecoder::default().on_message(&message, out),
        Ok(other) if other.get("error").is_some_and(|error| !error.is_null()) => {
            Refusal::from_value(500, &other).end(Usage::default(), out)
        }
        Err(error) if error.is_eof() => End::Failed(WireError::broken_off()),
        _ => End::Failed(
            WireError::new(ErrorKind::Api, "the model server answered with something that is no message")
                .by(Fault::Damaged),
        ),
    }
}

fn too_long(error: LineTooLong) -> End {
    End::Failed(WireError::new(ErrorKind::Api, error.to_string()).by(Fault::TooLong))
}
