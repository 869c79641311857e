//! One request's life, from the client's bytes to the end of the answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use tokio::sync::mpsc;
use tracing::debug;

use super::account::{Times, settle, tell_dead_rules, was_cut};
use super::ids::Stamp;
use super::passthrough::{self, Incoming};
use super::reply::{self, Opening, ReplyBody, Step};
use super::state::Proxy;
use super::turn::{self, Sink};
use crate::ledger::Outcome;
use crate::pipeline::{self, Plan, Planned, measure};
use crate::report::Report;
use crate::tokens::Counter;
use crate::wire::{Body, ClientUsage, Delta, Dialect, ErrorKind, Request, StopReason, Usage, WireError};

/// Larger bodies are read and planned on a thread of their own.
const LARGE: usize = 1 << 20;

/// Steps that may wait for a slow client.
const AHEAD: usize = 256;

/// What the user reads when the server has cut the prompt.
const CUT_NOTE: &str = "\n\n[fanlight: the model server has cut this prompt in silence; its window is smaller than \
    assumed. Start fanlight with the true one: --num-ctx]";

/// The profile under which nothing is touched.
const OFF: &str = "off";

/// Answers `POST /v1/messages`.
pub(crate) async fn messages(proxy: Arc<Proxy>, incoming: Incoming) -> Response<ReplyBody> {
    let exchange = Exchange::begin(proxy, &incoming);
    let profile = exchange.profile(&incoming.headers);
    if exchange.is_off(profile.as_deref()).await {
        return exchange.pass_through(incoming).await;
    }
    let (setup, bytes) = (exchange.proxy.setup.load_full(), incoming.body.clone());
    let body = match off_thread(bytes.len(), move || setup.read(bytes)).await {
        Ok(body) => body,
        Err(unreadable) => return exchange.not_understood(incoming, &unreadable.0).await,
    };
    exchange.proxy.metrics.requests.add(1);
    let planned = exchange.plan(&body, profile).await;
    if exchange.proxy.settings.shadow {
        return exchange.shadow(incoming, planned).await;
    }
    match planned {
        Ok(Planned::Send(plan)) => exchange.send(plan).await,
        Ok(Planned::Answer { text, report }) => exchange.answer(body.request(), text, *report).await,
        Err(error) => exchange.refuse(&error),
    }
}

/// Answers `POST /v1/messages/count_tokens`: the client's own bytes, on the scale of the usage that it is told.
pub(crate) async fn count_tokens(proxy: Arc<Proxy>, incoming: Incoming) -> Response<ReplyBody> {
    let setup = proxy.setup.load_full();
    let body = incoming.body;
    let counted = off_thread(body.len(), move || {
        Request::parse(&body).map(|request| measure::before(&request, setup.counter()).total)
    });
    match counted.await {
        Ok(tokens) => reply::json(http::StatusCode::OK, &serde_json::json!({"input_tokens": tokens.max(1)})),
        Err(unreadable) => reply::refuse(&WireError::new(ErrorKind::InvalidRequest, unreadable.0)),
    }
}

/// One request in work.
struct Exchange {
    proxy: Arc<Proxy>,
    times: Times,
    /// Under which number its bodies are kept.
    number: Option<u64>,
}

impl Exchange {
    fn begin(proxy: Arc<Proxy>, incoming: &Incoming) -> Self {
        let number = proxy.recorder.as_ref().map(|recorder| {
            let number = recorder.begin();
            recorder.keep(number, "client", &incoming.body);
            number
        });
        let mut times = Times::begin();
        times.record = number;
        Self { proxy, times, number }
    }

    fn profile(&self, headers: &HeaderMap) -> Option<String> {
        let asked = headers.get("x-fanlight-profile").and_then(|name| name.to_str().ok());
        asked.map(str::to_owned).or_else(|| self.proxy.settings.profile.clone())
    }

    /// Whether nothing is to be touched, and the server speaks the client's own protocol.
    async fn is_off(&self, profile: Option<&str>) -> bool {
        profile == Some(OFF) && self.proxy.server().await.is_ok_and(|server| server.dialect == Dialect::Anthropic)
    }

    async fn pass_through(self, incoming: Incoming) -> Response<ReplyBody> {
        let response = passthrough::send(&self.proxy, incoming).await;
        settle(&self.proxy, Report::default(), Outcome::PassedThrough, self.times);
        response
    }

    /// Sends the request as it came; its account says what would have been sent in its place.
    async fn shadow(self, incoming: Incoming, planned: Result<Planned, WireError>) -> Response<ReplyBody> {
        let response = passthrough::send(&self.proxy, incoming).await;
        let report = match planned {
            Ok(Planned::Send(plan)) => plan.report,
            Ok(Planned::Answer { report, .. }) => *report,
            Err(_) => Report::default(),
        };
        settle(&self.proxy, report, Outcome::PassedThrough, self.times);
        response
    }

    fn refuse(self, error: &WireError) -> Response<ReplyBody> {
        settle(&self.proxy, Report::default(), Outcome::Refused, self.times);
        reply::refuse(error)
    }

    /// A body that is not ours to judge goes through byte for byte, if it surely fits.
    async fn not_understood(self, incoming: Incoming, why: &str) -> Response<ReplyBody> {
        let window = match self.proxy.model("").await {
            Ok(facts) => facts.window.tokens,
            Err(error) => return self.refuse(&error.into()),
        };
        if incoming.body.len() / 3 <= window {
            debug!(why, "not understood; passed through");
            return self.pass_through(incoming).await;
        }
        let message = format!("the body cannot be read ({why}), and is too large to be passed on as it is");
        self.refuse(&WireError::new(ErrorKind::InvalidRequest, message))
    }

    async fn plan(&self, body: &Arc<Body>, profile: Option<String>) -> Result<Planned, WireError> {
        let setup = self.proxy.setup.load_full();
        let target = self.proxy.target(&setup, &body.request().model, profile).await?;
        let (size, body) = (body.len(), body.clone());
        off_thread(size, move || pipeline::plan_body(&setup, &target, &body)).await
    }

    /// Answers without the model.
    async fn answer(self, request: &Request, text: String, report: Report) -> Response<ReplyBody> {
        let setup = self.proxy.setup.load_full();
        let opening = self.opening(request, report.before.total);
        let usage =
            ClientUsage { input: opening.input, cached: None, output: at_least_one(setup.counter().count(&text)) };
        let (steps, coming) = mpsc::channel(2);
        // There is room for both: nobody has to read them yet.
        let _ = steps.send(Step::Delta(Delta::Text(text))).await;
        let _ = steps.send(Step::Finish { stop: StopReason::EndTurn, usage }).await;
        settle(&self.proxy, report, Outcome::Local, self.times);
        reply::reply(opening, coming).await
    }

    /// Asks the model, and answers with what comes.
    async fn send(self, mut plan: Box<Plan>) -> Response<ReplyBody> {
        tell_dead_rules(&self.proxy, &plan.report);
        plan.report.details.predicted_cached = Some(self.proxy.prompts.predict(&plan));
        let opening = self.opening(&plan.request, plan.report.before.total);
        let (before, after) = (plan.report.before.total, plan.report.after.total);
        let (steps, coming) = mpsc::channel(AHEAD);
        tokio::spawn(self.run(plan, steps));
        let mut response = reply::reply(opening, coming).await;
        response.headers_mut().insert("x-fanlight-tokens-in", HeaderValue::from(before));
        response.headers_mut().insert("x-fanlight-tokens-out", HeaderValue::from(after));
        response
    }

    /// Runs the turn, and settles its account whatever comes.
    async fn run(mut self, plan: Box<Plan>, steps: mpsc::Sender<Step>) {
        let stamp = Stamp::new(&self.proxy.ids, &plan.request.messages);
        let underway = self.proxy.dashboard.begin(&plan.report);
        let mut sink = Sink { steps: &steps, stamp, first: None, said: String::new(), underway };
        let turn::Done { outcome, repairs } =
            turn::run(&self.proxy.upstream, &plan, &mut sink, |body| self.keep(body)).await;
        self.times.first = sink.first;
        let said = std::mem::take(&mut sink.said);
        let mut report = plan.report;
        report.details.repairs = repairs.into_iter().collect();
        let outcome = match outcome {
            turn::Outcome::Complete { stop, usage } => {
                report.details.upstream = usage;
                if was_cut(&report) && stop != StopReason::ToolUse {
                    let _ = steps.send(Step::Delta(Delta::Text(CUT_NOTE.into()))).await;
                }
                let usage = usage_for_client(&report, usage, &said, self.proxy.setup.load().counter());
                let _ = steps.send(Step::Finish { stop, usage }).await;
                Outcome::Answered
            }
            turn::Outcome::Failed(error) => {
                let _ = steps.send(Step::Fail(error)).await;
                Outcome::Failed
            }
            turn::Outcome::Cancelled => Outcome::Cancelled,
        };
        settle(&self.proxy, report, outcome, self.times);
    }

    fn keep(&self, body: &Bytes) {
        if let (Some(recorder), Some(number)) = (&self.proxy.recorder, self.number) {
            recorder.keep(number, "upstream", body);
        }
    }

    fn opening(&self, request: &Request, input: usize) -> Opening {
        let (id, model) = (self.proxy.ids.make("msg_"), request.model.clone());
        Opening { id, model, input: at_least_one(input), stream: request.stream }
    }
}

/// Runs work of the processor where it keeps nobody waiting.
async fn off_thread<T: Send + 'static>(size: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if size <= LARGE {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// What the client is told, all on the scale of its own bytes: so its meter shows what it sent, not what was left.
fn usage_for_client(report: &Report, usage: Usage, said: &str, counter: &dyn Counter) -> ClientUsage {
    let input = at_least_one(report.before.total);
    let cached = match (usage.cached, usage.prompt) {
        (Some(cached), Some(prompt)) if prompt > 0 => Some(input * cached.min(prompt) / prompt),
        _ => None,
    };
    ClientUsage { input, cached, output: at_least_one(counter.count(said)) }
}

/// A client that is told 0 believes that nothing was counted.
fn at_least_one(tokens: usize) -> u64 {
    tokens.max(1) as u64
}
