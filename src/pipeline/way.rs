//! The way of one request: what kind it is decides whether it needs the model at all.

use std::sync::Arc;

use super::assemble::Assembly;
use super::heads::MadeHead;
use super::measure;
use super::plan::Plan;
use super::setup::Setup;
use super::target::Target;
use super::trail::{Maker, Terms};
use crate::fold;
use crate::report::{Parts, Report};
use crate::rules::Profile;
use crate::tokens::Budget;
use crate::trim::{Kind, Trim};
use crate::wire::{Body, Message, Request, WireError};

/// What is to be done with a request.
#[allow(clippy::large_enum_variant, reason = "there is one a request, and it is taken apart at once")]
pub enum Planned {
    /// Answer it here with this text: it needs no model.
    Answer { text: String, report: Box<Report> },
    /// Send it.
    Send(Box<Plan>),
}

/// Plans one request. Pure: the same arguments give the same bytes.
///
/// # Errors
/// `prompt is too long` when the head and the newest typed prompt alone exceed the budget.
pub fn plan(setup: &Setup, target: &Target, request: &Arc<Request>) -> Result<Planned, WireError> {
    planned_from(setup, target, request, None)
}

/// Plans the request of a body that [`Setup::read`] has read: the same, and where its history is known, only what is new.
///
/// # Errors
/// As [`plan`].
pub fn plan_body(setup: &Setup, target: &Target, body: &Body) -> Result<Planned, WireError> {
    planned_from(setup, target, body.request(), body.outside())
}

/// `outside` tells requests apart in all but their messages; without it nothing is remembered.
fn planned_from(
    setup: &Setup,
    target: &Target,
    request: &Arc<Request>,
    outside: Option<u128>,
) -> Result<Planned, WireError> {
    let profile = setup.profile(target);
    if profile.head.off {
        return planned(&target.untouched(), setup, profile, request, None);
    }
    if request.tools.is_empty() {
        return planned(&target.without_tools(), setup, profile, request, None);
    }
    planned(target, setup, profile, request, outside)
}

fn planned(
    target: &Target,
    setup: &Setup,
    profile: &Profile,
    request: &Arc<Request>,
    outside: Option<u128>,
) -> Result<Planned, WireError> {
    let counter = setup.counter();
    let trim = Trim::new(request, &setup.rules, profile, &target.profile, counter);
    let heal = !profile.head.off;
    let maker = Maker { trim: &trim, request, lexicon: &setup.rules.lexicon, counter, heal };
    let terms = outside.map(|outside| {
        let loaded = trim.loaded().into_iter().map(str::to_owned).collect();
        Terms { outside, target: target.clone(), kind: trim.kind().clone(), loaded }
    });
    let mut followed = match &terms {
        Some(terms) => maker.follow(setup.trails.find(terms, &request.messages), terms.clone()),
        None => maker.anew(),
    };
    let make = || MadeHead { trimmed: trim.head(), before: measure::before_with(request, 0, counter) };
    let made = terms.as_ref().map_or_else(|| make().into(), |terms| setup.heads.made(terms, make));
    let head = made.trimmed.clone();
    let mut trimmed = trim.whole(head, std::mem::take(&mut followed.trimmed));
    let messages = std::mem::take(&mut trimmed.messages).into();
    let assembly =
        Assembly { setup, target, request, profile, trimmed, messages, followed, terms, before: made.before };
    match &assembly.trimmed.kind {
        Kind::Side { answer, .. } => Ok(answered(&assembly, answer.clone())),
        Kind::Compaction { form } => {
            let text = form.replace("{digest}", &summary(&assembly));
            Ok(answered(&assembly, text))
        }
        Kind::Main | Kind::Subagent | Kind::Aside { .. } => Ok(Planned::Send(Box::new(assembly.plan()?))),
    }
}

fn answered(assembly: &Assembly<'_>, text: String) -> Planned {
    Planned::Answer { text, report: Box::new(assembly.report(Parts::default())) }
}

/// The history in a digest: what the client will go on with. A small model's own summary would replace it for good.
fn summary(assembly: &Assembly<'_>) -> String {
    let Assembly { setup, target, messages, profile, .. } = assembly;
    let room = Budget::of(target.window.tokens).prompt() / 4;
    fold::summary(
        &without_the_request(messages),
        &setup.rules,
        &setup.rules.messages,
        &profile.fold,
        &setup.family(&target.profile),
        room,
    )
}

/// The messages without the text that asks for the summary.
fn without_the_request(messages: &[Message]) -> Vec<Message> {
    let mut messages = messages.to_vec();
    if let Some(last) = messages.last_mut() {
        last.content.pop();
    }
    messages.retain(|message| !message.content.is_empty());
    messages
}
