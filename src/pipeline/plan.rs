//! A request, ready to be sent: its bodies, and the reading of what comes back.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::measure;
use super::target::Target;
use super::wishes;
use crate::fold::Folded;
use crate::report::Report;
use crate::rules::{ChannelKind, Sampling};
use crate::show::{Envelope, ReplyContext, Shown, ShownHead, body, written};
use crate::tokens::{Budget, FamilyCounter};
use crate::trim::Kind;
use crate::turn::{Answer, Ask};
use crate::wire::{Dialect, Generation, Message, Request};

/// A request, ready to be sent.
pub struct Plan {
    pub target: Target,
    pub kind: Kind,
    pub head: ShownHead,
    /// The messages behind the head and its examples.
    pub shown: Vec<Shown>,
    pub request: Arc<Request>,
    pub report: Report,
    /// What became of the history.
    pub folded: Folded,
    /// Tokens of the newest message alone, as it is shown.
    pub newest: usize,
    /// What the client asks of the generation, and the sampler that comes of it.
    pub generation: Generation,
    pub(super) sampling: Sampling,
    pub(super) budget: Budget,
    pub(super) counter: FamilyCounter,
    pub(super) situation: Arc<ReplyContext>,
}

/// How long Ollama keeps the model loaded after a request: a person may think for a while.
const KEEP_ALIVE: &str = "30m";

/// Tokens that a call needs at least; with less room a second request is not worth its prefill.
const SHORTEST_REPLY: usize = 128;

impl Plan {
    /// The body that goes upstream.
    pub fn body(&self) -> Value {
        let envelope = self.envelope(self.head.format.as_ref(), self.report.after.total);
        body(&envelope, &self.head, &self.shown)
    }

    /// The bytes of that body.
    pub fn written(&self) -> String {
        let envelope = self.envelope(self.head.format.as_ref(), self.report.after.total);
        written(&envelope, &self.head, &self.shown)
    }

    /// The bytes of a second request within the same turn; `None` where it would leave no room for a reply.
    pub fn written_for(&self, ask: &Ask) -> Option<String> {
        self.written_bound_to(ask, ask.format.as_ref().or(self.head.format.as_ref()))
    }

    /// The same, with nothing that binds the reply.
    pub fn written_unbound(&self, ask: &Ask) -> Option<String> {
        self.written_bound_to(ask, None)
    }

    fn written_bound_to(&self, ask: &Ask, format: Option<&Value>) -> Option<String> {
        let more = measure::shown_tokens(&ask.messages, &self.counter, self.target.profile.message_markers);
        let prompt = self.report.after.total + more;
        if prompt + SHORTEST_REPLY > self.budget.window - self.budget.margin {
            return None;
        }
        let shown: Vec<Shown> = self.shown.iter().chain(&ask.messages).cloned().collect();
        Some(written(&self.envelope(format, prompt), &self.head, &shown))
    }

    /// The reading of the answer to this request.
    pub fn answer(&self) -> Answer {
        Answer::new(self.situation.clone())
    }

    /// The history as the client sent it, made regular: what handles point into.
    pub fn history(&self) -> &[Message] {
        &self.situation.messages
    }

    /// Counts in the tokens of the model's family.
    pub fn counter(&self) -> &FamilyCounter {
        &self.counter
    }

    fn envelope<'a>(&'a self, format: Option<&'a Value>, prompt: usize) -> Envelope<'a> {
        let mut envelope = Envelope {
            model: &self.target.model,
            dialect: self.target.dialect,
            sampling: &self.sampling,
            budget: self.budget,
            prompt,
            max_tokens: self.request.max_tokens,
            think: wishes::think(&self.target.profile, &self.generation, format.is_some()),
            as_they_are: Map::new(),
            format,
            keep_alive: KEEP_ALIVE,
        };
        if self.target.dialect == Dialect::Anthropic {
            let open = self.target.channel() == ChannelKind::Native || self.request.tools.is_empty();
            envelope.as_they_are = wishes::for_messages(&self.request, envelope.room(), open);
        }
        envelope
    }
}
