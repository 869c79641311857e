//! The way of one request through all pure stages:
//! classify, normalise, budget, system, tools, fold, render.

pub mod measure;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::channel::{Answer, Ask, Form, Shown, ShownHead};
use crate::report::Report;
use crate::rules::{ModelProfile, RuleSet};
use crate::tokens::{Counter, Window};
use crate::trim::Head;
pub use crate::wire::Dialect;
use crate::wire::{Request, WireError};

/// What is the same for all requests of a running proxy or command.
pub struct Setup {
    pub rules: RuleSet,
    /// Counts in o200k; families correct it.
    pub counter: Arc<dyn Counter>,
}

/// The model that a request is for.
#[derive(Debug, Clone)]
pub struct Target {
    /// The served model's name, as upstream knows it.
    pub model: String,
    pub profile: ModelProfile,
    pub window: Window,
    pub dialect: Dialect,
    /// The name of a profile that was asked for; else it is chosen by the window.
    pub profile_name: Option<String>,
}

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
    pub head: Head,
    pub shown_head: ShownHead,
    pub shown: Vec<Shown>,
    pub request: Request,
    pub report: Report,
}

/// Plans one request. Pure: the same arguments give the same bytes.
///
/// # Errors
/// `prompt is too long` when the head and the newest typed prompt alone exceed the budget.
pub fn plan(_setup: &Setup, target: &Target, request: &Request) -> Result<Planned, WireError> {
    let form = Form::new(target.profile.anthropic, &target.profile);
    let head = Head { system: request.system.join("\n\n"), ..Head::default() };
    let shown_head = form.head(&head);
    let shown = request.messages.iter().flat_map(|message| form.message(message)).collect();
    Ok(Planned::Send(Box::new(Plan {
        target: target.clone(),
        head,
        shown_head,
        shown,
        request: request.clone(),
        report: Report::default(),
    })))
}

impl Plan {
    /// The body that goes upstream.
    pub fn body(&self) -> Value {
        json!({"model": self.target.model, "messages": []})
    }

    /// The body of a second request within the same turn.
    pub fn body_for(&self, _ask: &Ask) -> Value {
        self.body()
    }

    /// The reading of the answer to this request.
    pub fn answer(&self) -> Answer {
        Answer::default()
    }
}
