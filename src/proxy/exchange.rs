//! One request's life, from the client's bytes to the end of the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::account::{Times, settle, tell_dead_rules, was_cut};
use super::ids::Stamp;
use super::memory::Held;
use super::passthrough::{self, Head};
use super::reply::{self, Opening, ReplyBody, Step};
use super::state::Proxy;
use super::turn::{self, Sink};
use super::upload::Upload;
use crate::ledger::Outcome;
use crate::pipeline::{self, Plan, Planned, Target, measure};
use crate::report::Report;
use crate::tokens::Counter;
use crate::wire::{
    Body, ClientUsage, Delta, Dialect, ErrorKind, Fault, Request, StopReason, Usage, WireError, is_readable,
};

/// Larger bodies are read and planned on a thread of their own.
const LARGE: usize = 1 << 20;

/// Steps that may wait for a slow client.
const AHEAD: usize = 256;

/// What the user reads when the server has cut the prompt.
const CUT_NOTE: &str = "\n\n[fanlight: the model server has cut this prompt in silence; its window is smaller than \
    assumed. Start fanlight with the true one: --num-ctx]";

/// The profile under which nothing is touched.
const OFF: &str = "off";

/// A request of the client, read whole.
pub(crate) struct Incoming {
    pub(super) head: Head,
    pub(super) body: Bytes,
    /// Its room among large bodies.
    pub(super) held: Held,
}

/// Answers `POST /v1/messages`.
pub(crate) async fn messages(proxy: Arc<Proxy>, incoming: Incoming) -> Response<ReplyBody> {
    let Incoming { head, body, held } = incoming;
    let exchange = Exchange::begin(proxy, &head, &body, held).await;
    if exchange.is_off().await {
        return exchange.pass_through(head, body).await;
    }
    let (setup, bytes) = (exchange.proxy.setup.load_full(), body.clone());
    let read = move || is_readable(&bytes).and_then(|()| setup.read(bytes));
    let read = match off_thread(body.len(), read).await {
        Ok(read) => read,
        Err(unreadable) => return exchange.not_understood(head, body, &unreadable.0).await,
    };
    exchange.proxy.metrics.requests.add(1);
    if exchange.proxy.settings.shadow {
        return exchange.shadow(head, body, &read).await;
    }
    drop((head, body));
    exchange.understood(read).await
}

/// Answers `POST /v1/messages/count_tokens`: the client's own bytes, on the scale of the usage that it is told.
pub(crate) async fn count_tokens(proxy: Arc<Proxy>, incoming: Incoming) -> Response<ReplyBody> {
    let setup = proxy.setup.load_full();
    let Incoming { body, held: _held, .. } = incoming;
    let counted = off_thread(body.len(), move || {
        is_readable(&body)
            .and_then(|()| Request::parse(&body))
            .map(|request| measure::before(&request, setup.counter()).total)
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
    profile: Option<String>,
    /// What of the client's credentials goes on.
    credentials: HeaderMap,
    /// Under which number its bodies are kept, and how many went upstream.
    number: Option<u64>,
    asked: AtomicUsize,
    settled: bool,
    _held: Held,
}

/// A client that leaves takes along the future that answers it, wherever that stands.
impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.settled {
            self.settle(Report::default(), Outcome::Cancelled);
        }
    }
}

impl Exchange {
    async fn begin(proxy: Arc<Proxy>, head: &Head, body: &Bytes, held: Held) -> Self {
        let mut times = Times::begin();
        if let Some(recorder) = &proxy.recorder {
            times.record = recorder.begin(body.clone()).await;
        }
        let asked = head.headers.get("x-fanlight-profile").and_then(|name| name.to_str().ok());
        let profile = asked.map(str::to_owned).or_else(|| proxy.settings.profile.clone());
        let credentials = passthrough::credentials(&proxy, &head.headers);
        let (number, asked) = (times.record, AtomicUsize::new(0));
        Self { proxy, times, profile, credentials, number, asked, settled: false, _held: held }
    }

    fn settle(&mut self, report: Report, outcome: Outcome) {
        self.settled = true;
        settle(&self.proxy, report, outcome, self.times);
    }

    /// Whether nothing is to be touched, and the server speaks the client's own protocol.
    async fn is_off(&self) -> bool {
        let off = self.profile.as_deref() == Some(OFF);
        off && self.proxy.server().await.is_ok_and(|server| server.dialect == Dialect::Anthropic)
    }

    async fn pass_through(mut self, head: Head, body: Bytes) -> Response<ReplyBody> {
        let response = passthrough::send(&self.proxy, head, Upload::whole(body)).await;
        self.settle(Report::default(), Outcome::PassedThrough);
        response
    }

    /// Sends the request as it came; its account says what would have been sent in its place.
    async fn shadow(mut self, head: Head, bytes: Bytes, body: &Arc<Body>) -> Response<ReplyBody> {
        let target = self.target(body.request().clone()).await;
        let planned = self.plan(target, body).await;
        let response = passthrough::send(&self.proxy, head, Upload::whole(bytes)).await;
        let report = match planned {
            Ok(Planned::Send(plan)) => plan.report,
            Ok(Planned::Answer { report, .. }) => *report,
            Err(_) => Report::default(),
        };
        self.settle(report, Outcome::PassedThrough);
        response
    }

    fn refuse(mut self, error: WireError) -> Response<ReplyBody> {
        self.settle(Report::default(), Outcome::Refused);
        reply::refuse(&self.proxy.tell(error))
    }

    /// A body that is not ours to judge goes through byte for byte, if it surely fits.
    async fn not_understood(self, head: Head, body: Bytes, why: &str) -> Response<ReplyBody> {
        let window = match self.proxy.model("").await {
            Ok(facts) => facts.window.tokens,
            Err(error) => return self.refuse(error.into()),
        };
        if body.len() / 3 <= window {
            debug!(why, "not understood; passed through");
            return self.pass_through(head, body).await;
        }
        let message = format!("the body cannot be read ({why}), and is too large to be passed on as it is");
        self.refuse(WireError::new(ErrorKind::InvalidRequest, message))
    }

    /// Plans and answers. Where it takes long to learn what the server is, the client gets signs of life meanwhile.
    async fn understood(self, body: Arc<Body>) -> Response<ReplyBody> {
        let request = body.request().clone();
        let grace = if request.stream { reply::STREAM_GRACE } else { reply::WHOLE_GRACE };
        let mut target = Box::pin(self.target(request.clone()));
        match tokio::time::timeout(grace, &mut target).await {
            Err(_) => self.late(body, target).await,
            Ok(target) => match self.plan(target, &body).await {
                Ok(Planned::Send(plan)) => self.send(plan).await,
                Ok(Planned::Answer { text, report }) => self.answer(&request, text, *report).await,
                Err(error) => self.refuse(error),
            },
        }
    }

    /// Answers a request whose target comes late, if it comes.
    async fn late(
        mut self,
        body: Arc<Body>,
        target: impl Future<Output = Result<Target, WireError>> + Send + 'static,
    ) -> Response<ReplyBody> {
        let opening = self.opening(body.request(), 1);
        let (steps, coming) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            let target = tokio::select! {
                target = target => target,
                () = steps.closed() => return,
            };
            match self.plan(target, &body).await {
                Ok(Planned::Send(plan)) => self.run(plan, steps).await,
                Ok(Planned::Answer { text, report }) => self.say(&steps, text, *report).await,
                Err(error) => {
                    let _ = steps.send(Step::Fail(self.proxy.tell(error))).await;
                    self.settle(Report::default(), Outcome::Refused);
                }
            }
        });
        reply::reply_within(Duration::ZERO, opening, coming).await
    }

    /// The model for a request, as soon as the server says what it is.
    fn target(&self, request: Arc<Request>) -> impl Future<Output = Result<Target, WireError>> + Send + 'static {
        let (proxy, profile) = (self.proxy.clone(), self.profile.clone());
        async move { proxy.target(&proxy.setup.load_full(), &request.model, profile).await }
    }

    async fn plan(&self, target: Result<Target, WireError>, body: &Arc<Body>) -> Result<Planned, WireError> {
        let (setup, target, body) = (self.proxy.setup.load_full(), target?, body.clone());
        off_thread(body.len(), move || pipeline::plan_body(&setup, &target, &body)).await
    }

    /// Answers without the model.
    async fn answer(self, request: &Request, text: String, report: Report) -> Response<ReplyBody> {
        let opening = self.opening(request, report.before.total);
        // There is room for all that is said: nobody has to read it yet.
        let (steps, coming) = mpsc::channel(AHEAD);
        self.say(&steps, text, report).await;
        reply::reply(opening, coming).await
    }

    async fn say(mut self, steps: &mpsc::Sender<Step>, text: String, report: Report) {
        let output = at_least_one(self.proxy.setup.load().counter().count(&text));
        let usage = ClientUsage { input: at_least_one(report.before.total), cached: None, output };
        let said = [
            Step::Counted(usage.input),
            Step::Delta(Delta::Text(text)),
            Step::Finish { stop: StopReason::EndTurn, usage },
        ];
        for step in said {
            let _ = steps.send(step).await;
        }
        self.settle(report, Outcome::Local);
    }

    /// Asks the model, and answers with what comes.
    async fn send(self, plan: Box<Plan>) -> Response<ReplyBody> {
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
    async fn run(mut self, mut plan: Box<Plan>, steps: mpsc::Sender<Step>) {
        let (ids, request) = (self.proxy.clone(), plan.request.clone());
        let underway = self.proxy.dashboard.begin(&plan.report);
        let mut sink = Sink::new(&steps, Stamp::new(&ids.ids, &request.messages), underway);
        let _ = steps.send(Step::Counted(at_least_one(plan.report.before.total))).await;
        let mut done = self.turn(&mut plan, &mut sink).await;
        if let turn::Outcome::Failed(error) = &done.outcome
            && sink.first.is_none()
            && let Some(other) = self.planned_anew(&plan, error).await
        {
            plan = other;
            done = self.turn(&mut plan, &mut sink).await;
        }
        self.times.first = sink.first;
        let said = std::mem::take(&mut sink.said);
        let mut report = plan.report;
        report.details.repairs = done.repairs.into_iter().collect();
        let outcome = match done.outcome {
            turn::Outcome::Complete { stop, usage } => {
                report.details.upstream = usage;
                if was_cut(&report) {
                    self.proxy.forget();
                }
                if was_cut(&report) && stop != StopReason::ToolUse {
                    let _ = steps.send(Step::Delta(Delta::Text(CUT_NOTE.into()))).await;
                }
                let usage = usage_for_client(&report, usage, &said, self.proxy.setup.load().counter());
                let _ = steps.send(Step::Finish { stop, usage }).await;
                Outcome::Answered
            }
            turn::Outcome::Failed(error) => {
                if leaves_doubts(&error) {
                    self.proxy.forget();
                }
                let _ = steps.send(Step::Fail(self.proxy.tell(error))).await;
                Outcome::Failed
            }
            turn::Outcome::Cancelled => Outcome::Cancelled,
        };
        self.settle(report, outcome);
    }

    async fn turn(&self, plan: &mut Plan, sink: &mut Sink<'_>) -> turn::Done {
        tell_dead_rules(&self.proxy, &plan.report);
        plan.report.details.predicted_cached = Some(self.proxy.prompts.predict(plan));
        let done = turn::run(&self.proxy.upstream, &self.credentials, plan, sink, |body| self.keep(body)).await;
        // What broke an answer off is not heard of otherwise where the answer could be saved.
        if let Some(fault) = done.saved_from {
            self.proxy.metrics.fault(fault);
        }
        done
    }

    /// Another plan for a request that the server refused because it is not what we took it for any more.
    async fn planned_anew(&self, plan: &Plan, error: &WireError) -> Option<Box<Plan>> {
        let another =
            error.fault == Fault::Overflow || error.fault == Fault::Refused && error.kind == ErrorKind::NotFound;
        if !another {
            return None;
        }
        self.proxy.forget();
        let target = self.target(plan.request.clone()).await.ok()?;
        let changed = target.window != plan.target.window || target.model != plan.target.model;
        if !changed {
            return None;
        }
        info!(window = target.window.tokens, "the server is another one than before: planned anew");
        let (setup, request) = (self.proxy.setup.load_full(), plan.request.clone());
        match off_thread(LARGE + 1, move || pipeline::plan(&setup, &target, &request)).await {
            Ok(Planned::Send(plan)) => Some(plan),
            _ => None,
        }
    }

    fn keep(&self, body: &Bytes) {
        if let (Some(recorder), Some(number)) = (&self.proxy.recorder, self.number) {
            let name = match self.asked.fetch_add(1, Ordering::Relaxed) {
                0 => "upstream".to_owned(),
                before => format!("upstream-{}", before + 1),
            };
            recorder.keep(number, name, body.clone());
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

/// Whether what is known of the server may be true no more after such an end.
fn leaves_doubts(error: &WireError) -> bool {
    matches!(error.fault, Fault::Unreachable | Fault::BrokenOff | Fault::Silent | Fault::Overflow | Fault::Redirected)
        || error.fault == Fault::Refused && error.kind == ErrorKind::NotFound
}

/// A client that is told 0 believes that nothing was counted.
fn at_least_one(tokens: usize) -> u64 {
    tokens.max(1) as u64
}
