//! One request, planned.

use serde_json::Value;

use super::measure;
use super::setup::{Setup, Target};
use crate::channel::{Answer, Ask, Choice, Envelope, Folder, Form, Notes, Shown, ShownHead, Situation, body};
use crate::report::Report;
use crate::tokens::{Budget, FamilyCounter};
use crate::trim::Head;
use crate::wire::{Request, WireError};

/// What is to be done with a request.
pub enum Planned {
    /// Answer it here with this text: it needs no model.
    Answer(String),
    /// Send it.
    Send(Box<Plan>),
}

/// A request, ready to be sent.
pub struct Plan {
    pub target: Target,
    pub head: ShownHead,
    pub shown: Vec<Shown>,
    pub request: Request,
    pub report: Report,
    budget: Budget,
    counter: FamilyCounter,
    situation: Situation,
}

/// Plans one request. Pure: the same arguments give the same bytes.
///
/// # Errors
/// `prompt is too long` when the head and the newest typed prompt alone exceed the budget.
pub fn plan(setup: &Setup, target: &Target, request: &Request) -> Result<Planned, WireError> {
    let folder: Option<Folder> = None;
    let choice = Choice::of(request.rest.get("tool_choice"));
    let notes = Notes::of(&request.messages, &setup.rules, &target.profile, folder.clone());
    let form = Form::new(target.channel(), &target.profile).with(notes, choice.clone());
    let head = Head { system: request.system.join("\n\n"), ..Head::default() };
    let shown_head = form.head(&head);
    let shown: Vec<Shown> = request.messages.iter().flat_map(|message| form.message(message)).collect();
    let budget = Budget::of(target.window.tokens);
    let counter = setup.family(&target.profile);
    let markers = target.profile.message_markers;
    let after = measure::after(&shown_head, &shown, &counter, markers);
    let report = Report {
        window: target.window.tokens,
        window_source: target.window.source,
        budget: budget.prompt(),
        fits: after.total <= budget.prompt(),
        before: measure::before(request, setup.counter()),
        after,
        ..Report::default()
    };
    let situation = Situation {
        kind: target.channel(),
        model: target.profile.clone(),
        head,
        tools: request.tools.clone(),
        messages: request.messages.clone(),
        roles: Situation::roles_of(&request.tools, &setup.rules),
        folder: folder.filter(|_| target.profile.show.relative_paths),
        choice,
        session: request.rest.get("metadata").map(Value::to_string).unwrap_or_default(),
    };
    Ok(Planned::Send(Box::new(Plan {
        target: target.clone(),
        head: shown_head,
        shown,
        request: request.clone(),
        report,
        budget,
        counter,
        situation,
    })))
}

/// How long Ollama keeps the model loaded after a request: a person may think for a while.
const KEEP_ALIVE: &str = "30m";

/// Tokens that a call needs at least; with less room a second request is not worth its prefill.
const SHORTEST_REPLY: usize = 128;

impl Plan {
    /// The body that goes upstream.
    pub fn body(&self) -> Value {
        self.render(&self.shown, None, self.report.after.total)
    }

    /// The body of a second request within the same turn; `None` where it would leave no room for a reply.
    pub fn body_for(&self, ask: &Ask) -> Option<Value> {
        let more = measure::shown_tokens(&ask.messages, &self.counter, self.target.profile.message_markers);
        let prompt = self.report.after.total + more;
        if prompt + SHORTEST_REPLY > self.budget.window - self.budget.margin {
            return None;
        }
        let shown: Vec<Shown> = self.shown.iter().chain(&ask.messages).cloned().collect();
        Some(self.render(&shown, ask.format.as_ref(), prompt))
    }

    /// The reading of the answer to this request.
    pub fn answer(&self) -> Answer {
        Answer::new(self.situation.clone())
    }

    /// Counts in the tokens of the model's family.
    pub fn counter(&self) -> &FamilyCounter {
        &self.counter
    }

    fn render(&self, shown: &[Shown], format: Option<&Value>, prompt: usize) -> Value {
        let envelope = Envelope {
            model: &self.target.model,
            dialect: self.target.dialect,
            sampling: &self.target.profile.sampling,
            budget: self.budget,
            prompt,
            max_tokens: self.request.max_tokens,
            stop: &self.request.stop_sequences,
            format,
            keep_alive: KEEP_ALIVE,
        };
        body(&envelope, &self.head, shown)
    }
}
