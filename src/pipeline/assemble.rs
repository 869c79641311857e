//! The stages behind trimming, in their order: head, paging, fold, rendering, and the account of it all.

use std::sync::Arc;

use serde_json::Value;

use super::heads::MadeShown;
use super::measure;
use super::plan::Plan;
use super::setup::Setup;
use super::shifted::Rendered;
use super::target::Target;
use super::trail::{Fitted, Followed, Terms};
use super::wishes;
use crate::fold::{self, FoldInput, Folded, TooLong};
use crate::report::{Details, Parts, Report, RuleHit};
use crate::rules::{ChannelKind, Pack, Profile, Schedule, ThinkingForm};
use crate::show::{
    Choice, Examples, Folder, Form, Notes, Place, ReplyContext, Shown, ShownHead, calls_in, looks_ahead, prompts_of,
};
use crate::tokens::{Budget, Counter, FamilyCounter};
use crate::trim::{Head, LeftOut, Trimmed};
use crate::wire::{Block, Dialect, Generation, Message, Request, Role, Tool, WireError, is_known};

/// The handle of the preamble where it is shortened.
const PREAMBLE: &str = "preamble";

/// A trimmed request, and what it is to be fitted into.
pub(super) struct Assembly<'a> {
    pub(super) setup: &'a Setup,
    pub(super) target: &'a Target,
    pub(super) request: &'a Arc<Request>,
    pub(super) profile: &'a Profile,
    pub(super) trimmed: Trimmed,
    /// The normalised messages, taken out of `trimmed`.
    pub(super) messages: Arc<[Message]>,
    /// What was known of them, and what is from now on.
    pub(super) followed: Followed,
    /// What tells its history again, where that is remembered.
    pub(super) terms: Option<Terms>,
    /// Tokens of the client's system text and tools.
    pub(super) before: Parts,
}

/// What fits, as it is rendered.
struct Fit {
    shown: Vec<Shown>,
    folded: Folded,
    /// Tokens of the newest message.
    newest: usize,
    /// All messages, before they were folded.
    fitted: Fitted,
    /// The calls of the worked examples that stand before typed prompts.
    examples: Vec<String>,
}

impl Assembly<'_> {
    /// Fits the request, renders it, and accounts for it.
    pub(super) fn plan(mut self) -> Result<Plan, WireError> {
        let choice = Choice::of(self.request.rest.get("tool_choice"));
        let (known, notes) = self.notes();
        let form = self.form(notes, &choice);
        let generation = wishes::asked(self.request, self.pack());
        let made = self.head(&form, &generation);
        let (head, before) = (made.head.clone(), made.tokens);
        let Fit { shown, folded, newest, fitted, examples } =
            self.fit(&form, before.total + self.around_tools(&head))?;
        self.keep(known, fitted, folded.first);
        let examples = calls_in(&head.examples, self.target.channel()).into_iter().chain(examples).collect();
        let mut report = self.report(Parts::of(before.system, before.tools, self.tokens(&shown)));
        report.details.after_o200k = made.o200k + measure::shown_tokens(&shown, self.setup.counter(), 0);
        report.cuts = folded.cuts;
        report.details.folded_steps = folded.folded_steps;
        Ok(Plan {
            target: self.target.clone(),
            kind: self.trimmed.kind.clone(),
            head,
            shown,
            request: self.request.clone(),
            report,
            folded,
            newest,
            sampling: wishes::sampling(&self.target.profile.sampling, &generation),
            budget: self.budget(),
            counter: self.counter(),
            situation: Arc::new(self.into_situation(choice, examples, generation.format.clone())),
            generation,
        })
    }

    fn form(&self, notes: Notes, choice: &Choice) -> Form<'_> {
        let model = &self.target.profile;
        Form::new(self.target.channel(), model).with(notes, choice.clone())
    }

    /// The pack that knew the client; nothing of it counts where nothing is to be touched.
    fn pack(&self) -> Option<&Pack> {
        let known = self.setup.rules.packs.iter().find(|pack| pack.client == self.trimmed.pack);
        known.filter(|_| !self.profile.head.off)
    }

    /// Asks for the form of answer that the client wants: by a schema that binds the reply where it can be no call and the
    /// server keeps to it; and in words where it cannot be bound, or nothing says yet what keys it has.
    fn ask_for_form(&self, generation: &Generation, head: &mut ShownHead) {
        let Some(schema) = &generation.format else { return };
        let ollama = self.target.dialect == Dialect::Ollama;
        if ollama && self.request.tools.is_empty() {
            head.format = Some(schema.clone());
        }
        let bound = head.format.is_some() && self.target.profile.thinking != ThinkingForm::Levels;
        let says = bound && self.says_keys(schema);
        if !self.profile.head.off && !says {
            let words = self.setup.rules.lexicon.texts.json_answer.replace("{schema}", &schema.to_string());
            let system = [head.system.trim_end(), words.as_str()].join("\n\n");
            system.trim().clone_into(&mut head.system);
        }
    }

    /// Whether the client's own words name every key of a schema.
    fn says_keys(&self, schema: &Value) -> bool {
        let newest = self.request.messages.iter().rev().find(|message| message.role == Role::User);
        let newest = newest.map(Message::plain_text).unwrap_or_default();
        let said = |key: &String| newest.contains(key) || self.request.system.iter().any(|text| text.contains(key));
        schema["properties"].as_object().is_some_and(|properties| properties.keys().all(said))
    }

    /// How the results of the messages that are known from now on are told; and those of all.
    fn notes(&self) -> (Notes, Notes) {
        let (messages, rules, model) = (&self.messages, &self.setup.rules, &self.target.profile);
        let known = &self.followed.known;
        let known = if known.is_empty() {
            Notes::new(&self.setup.rules.messages, model, self.folder())
        } else {
            known.notes.clone()
        };
        let known = known.go_on(messages, self.followed.grown(), rules, model);
        let all = known.clone().go_on(messages, messages.len(), rules, model).beside(self.left_out());
        (known, all)
    }

    fn folder(&self) -> Option<Folder> {
        self.trimmed.folder.as_deref().and_then(Folder::new)
    }

    fn budget(&self) -> Budget {
        Budget::of(self.target.window.tokens)
    }

    /// Pages and crushes, folds, and renders what is left.
    fn fit(&self, form: &Form<'_>, head_tokens: usize) -> Result<Fit, WireError> {
        if self.profile.head.off {
            return self.whole(form, head_tokens);
        }
        let (rules, profile) = (&self.setup.rules, &self.profile.fold);
        let counter = self.counter();
        let fitted = self.fitted(form, head_tokens);
        let (preamble, shift) = (self.preamble(), self.target.schedule == Schedule::Shift);
        let all: Vec<Vec<Shown>> =
            if shift { (0..self.messages.len()).map(|at| fitted.shown(at, form)).collect() } else { Vec::new() };
        let examples = |at: usize| fitted.examples(at);
        let showing = Rendered {
            form,
            messages: &fitted.messages,
            shown: &all,
            examples: &examples,
            preamble: &preamble,
            beginning: profile.shift.beginning,
            counter: &counter,
            markers: self.target.profile.message_markers,
        };
        let folded = fold::fold(&FoldInput {
            messages: &self.messages,
            costs: &fitted.costs,
            budget: &self.budget(),
            head_tokens,
            preamble_tokens: self.preamble_tokens(),
            profile,
            counter: &counter,
            roles: rules,
            kinds: &rules.messages,
            memo: Some(self.setup.folds(&self.target.profile)),
            shift: shift.then_some(&showing),
        })?;
        let last = fitted.messages.len().saturating_sub(1);
        let with_examples = fitted.costs.last().copied().unwrap_or_default();
        let newest = with_examples.saturating_sub(self.tokens(fitted.examples(last)));
        let shown =
            if shift { showing.left(folded.shifted.as_ref()) } else { self.after_digest(form, &fitted, &folded) };
        let stand = fitted.examples.iter().filter(|(at, _)| *at >= folded.first).flat_map(|(_, stand)| &stand.shown);
        let examples = calls_in(stand, self.target.channel());
        Ok(Fit { shown, folded, newest, fitted, examples })
    }

    /// The digest and what stands verbatim behind it.
    fn after_digest(&self, form: &Form<'_>, fitted: &Fitted, folded: &Folded) -> Vec<Shown> {
        let messages = &fitted.messages;
        let mut left: Vec<Vec<Shown>> = (folded.first..messages.len()).map(|at| fitted.shown(at, form)).collect();
        if !folded.again.is_empty() {
            let form = form.showing_again(&folded.again);
            for message in folded.again.iter().map(|shown| shown.message) {
                left[message - folded.first] = form.message(&messages[message]);
            }
        }
        let mut digest = None;
        match (messages.get(folded.first), self.before(folded)) {
            (_, before) if before.is_empty() => {}
            (Some(first), mut before) if first.role == Role::User => {
                before.extend_from_slice(&first.content);
                left[0] = form.message(&Message { role: Role::User, content: before.into() });
            }
            (_, before) => digest = Some(form.message(&Message { role: Role::User, content: before.into() })),
        }
        let stand = left.into_iter().zip(folded.first..);
        let stand = stand.flat_map(|(shown, at)| fitted.examples(at).iter().cloned().chain(shown));
        digest.into_iter().flatten().chain(stand).collect()
    }

    fn examples(&self) -> Examples<'_> {
        let model = &self.target.profile;
        Examples { kind: self.target.channel(), model, head: &self.trimmed.head, rules: &self.setup.rules }
    }

    /// Puts worked examples before the typed prompts from message `from` on. A prompt has none where it and they would take
    /// half of what there is for the history: nothing is to be folded, and nothing refused, for their sake.
    fn teach(&self, fitted: &mut Fitted, from: usize, head_tokens: usize) {
        let profile = &self.target.profile.examples;
        if profile.each == 0 {
            return;
        }
        let half = self.budget().history(head_tokens).saturating_sub(self.preamble_tokens()) / 2;
        for (message, prompt) in prompts_of(&self.messages, &self.setup.rules.messages, from) {
            let tokens = half.saturating_sub(fitted.costs[message]).min(profile.tokens);
            let place = Place { prompt, tokens };
            let cost = |shown: &[Shown]| self.tokens(shown);
            if let Some(stand) = self.examples().before(self.setup.nearest(), place, &fitted.examples, cost) {
                fitted.costs[message] += stand.tokens;
                fitted.examples.push((message, stand.into()));
            }
        }
    }

    /// Renders all of it, if it fits.
    fn whole(&self, form: &Form<'_>, head_tokens: usize) -> Result<Fit, WireError> {
        let shown: Vec<Shown> = self.messages.iter().flat_map(|message| form.message(message)).collect();
        let (tokens, maximum) = (head_tokens + self.tokens(&shown), self.budget().prompt());
        if tokens > maximum {
            return Err(TooLong { tokens, maximum }.into());
        }
        let newest = self.messages.last().map(|message| self.tokens(&form.message(message))).unwrap_or_default();
        Ok(Fit { shown, folded: Folded::default(), newest, fitted: Fitted::default(), examples: Vec::new() })
    }

    /// What is known of messages that are fitted to this window.
    fn known(&self, window: usize) -> Option<&Fitted> {
        Some(&self.followed.known.fitted).filter(|known| known.window == window)
    }

    /// Each message as it is first shown, with its tokens.
    fn fitted(&self, form: &Form<'_>, head_tokens: usize) -> Fitted {
        let window = self.budget().for_messages(head_tokens);
        let mut fitted = self.known(window).cloned().unwrap_or_else(|| Fitted { window, ..Fitted::default() });
        let from = fitted.messages.len();
        let (rules, profile) = (&self.setup.rules, &self.profile.fold);
        let fresh = fold::ingest_from(from, &self.messages[from..], rules, &rules.messages, profile, window);
        for message in fresh {
            let shown = form.message(&message);
            fitted.costs.push(self.tokens(&shown));
            fitted.rendered.push(Some(shown.into()));
            fitted.messages.push(message);
        }
        self.teach(&mut fitted, from, head_tokens);
        fitted
    }

    /// Keeps what is known from now on.
    fn keep(&mut self, notes: Notes, mut fitted: Fitted, first: usize) {
        let known = self.known(fitted.window).map_or(0, |known| known.messages.len());
        let ahead = |at: &usize| looks_ahead(&self.messages[*at], *at);
        let grown = self.followed.grown();
        let grown = (known..grown).find(ahead).unwrap_or(grown);
        fitted.messages.truncate(grown);
        fitted.costs.truncate(grown);
        fitted.rendered.truncate(grown);
        fitted.examples.retain(|(message, _)| *message < grown);
        fitted.rendered.iter_mut().take(first).for_each(|shown| *shown = None);
        let known = self.followed.known.clone();
        self.setup.trails.keep(self.followed.trail(notes, fitted), &known);
    }

    fn counter(&self) -> FamilyCounter {
        self.setup.family(&self.target.profile)
    }

    /// Tokens of rendered messages.
    fn tokens(&self, shown: &[Shown]) -> usize {
        measure::shown_tokens(shown, &self.counter(), self.target.profile.message_markers)
    }

    /// The head as it is shown. Where what was said or called before has a part in it, it is made anew for each request.
    fn head(&self, form: &Form<'_>, generation: &Generation) -> Arc<MadeShown> {
        let make = || {
            let mut head = form.head(&self.trimmed.head);
            head.examples = self.examples().in_head();
            self.ask_for_form(generation, &mut head);
            let tokens = measure::of_head(&head, &self.counter(), self.target.profile.message_markers);
            MadeShown { tokens, o200k: measure::of_head(&head, self.setup.counter(), 0).total, head }
        };
        let of_messages = self.target.profile.show.parked_by_help || generation.format.is_some();
        match self.terms.as_ref().filter(|_| !of_messages) {
            Some(terms) => self.setup.heads.shown(terms, make),
            None => make().into(),
        }
    }

    /// What a template puts around a list of tools in a field of its own.
    fn around_tools(&self, head: &ShownHead) -> usize {
        let native = self.target.channel() == ChannelKind::Native && !head.tools.is_empty();
        if native { self.target.profile.tool_markers } else { 0 }
    }

    /// What stands before the messages that stay: preamble and digest.
    fn before(&self, folded: &Folded) -> Vec<Block> {
        let texts = [self.preamble(), folded.digest.clone()];
        texts.into_iter().filter(|text| !text.is_empty()).map(Block::Text).collect()
    }

    /// What stands before the first prompt, within its share.
    fn preamble(&self) -> String {
        fold::shorten_preamble(&self.trimmed.preamble, PREAMBLE, &self.profile.fold, self.target.window.tokens)
    }

    fn preamble_tokens(&self) -> usize {
        self.counter().count(&self.preamble())
    }

    /// What the head leaves out, and the preamble in full under its handle.
    fn left_out(&self) -> Vec<LeftOut> {
        let preamble = LeftOut { handle: PREAMBLE.to_owned(), text: self.trimmed.preamble.clone() };
        self.trimmed.head.left_out.iter().cloned().chain([preamble]).collect()
    }

    fn into_situation(self, choice: Choice, examples: Vec<String>, format: Option<Value>) -> ReplyContext {
        ReplyContext {
            kind: self.target.channel(),
            model: self.target.profile.clone(),
            examples,
            tools: self.callable(),
            roles: ReplyContext::roles_of(&self.request.tools, &self.setup.rules),
            folder: self.folder().filter(|_| self.target.profile.show.relative_paths),
            choice,
            format,
            lexicon: self.setup.rules.lexicon.clone(),
            checks: self.setup.rules.checks.clone(),
            kinds: self.setup.rules.messages.clone(),
            session: self.request.rest.get("metadata").map(ToString::to_string).unwrap_or_default(),
            head: Head { left_out: self.left_out(), ..self.trimmed.head },
            messages: self.messages,
        }
    }

    /// All tools that the client runs: those that it offers, and those that it names but holds back.
    fn callable(&self) -> Vec<Tool> {
        let mut tools = self.request.tools.clone();
        for name in &self.trimmed.withheld {
            if !tools.iter().any(|tool| tool.name == *name) {
                tools.push(Tool::of_unknown_schema(name));
            }
        }
        tools
    }

    /// The account of what was made of the request.
    pub(super) fn report(&self, after: Parts) -> Report {
        let (trimmed, target) = (&self.trimmed, self.target);
        let rules =
            trimmed.hits.iter().map(|hit| RuleHit { id: hit.id.clone(), matched: hit.matched, saved: hit.saved });
        Report {
            window: target.window.tokens,
            window_source: target.window.source,
            budget: self.budget().prompt(),
            fits: true,
            profile: self.profile.name.clone(),
            pack: trimmed.pack.clone(),
            dead: trimmed.dead.clone(),
            unknown: trimmed.unknown.iter().cloned().chain(self.undecided()).collect(),
            before: Parts::of(self.before.system, self.before.tools, self.followed.before),
            after,
            rules: rules.collect(),
            parked: trimmed.head.parked.iter().map(|tool| tool.client.name.clone()).collect(),
            cuts: 0,
            details: self.details(),
        }
    }

    /// Fields of the request that nobody decided on: they go no further, and are said.
    fn undecided(&self) -> impl Iterator<Item = String> {
        self.request.rest.keys().filter(|key| !is_known(key)).map(|key| format!("field {key}"))
    }

    fn details(&self) -> Details {
        Details {
            kind: self.trimmed.kind.name().to_owned(),
            version: self.trimmed.version.map(|version| version.to_string()).unwrap_or_default(),
            model: self.target.model.clone(),
            family: self.target.profile.family.clone(),
            channel: self.target.channel().as_str().to_owned(),
            schedule: self.target.schedule.as_str().to_owned(),
            ..Details::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Planned, plan};
    use crate::rules::RuleSet;
    use crate::tokens::{Window, WindowSource};

    fn planned(body: &serde_json::Value) -> Box<Plan> {
        let setup = Setup::new(RuleSet::builtin());
        let window = Window { tokens: 8192, source: WindowSource::Setting };
        let target = setup.target("some-model", window, Dialect::Anthropic).unwrap();
        let request = Request::parse(body.to_string().as_bytes()).unwrap().into();
        match plan(&setup, &target, &request).unwrap() {
            Planned::Send(plan) => plan,
            Planned::Answer { .. } => panic!("this needs a model"),
        }
    }

    #[test]
    fn a_tool_that_the_client_names_but_holds_back_can_be_called() {
        let body = serde_json::json!({
            "model": "m", "max_tokens": 100, "system": "You are Claude Code.",
            "tools": [{"name": "Read", "input_schema": {"type": "object"}}],
            "messages": [
                {"role": "user", "content": "go"},
                {"role": "system", "content":
                    "The following deferred tools are now available via ToolSearch. More:\nmcp__a__list\nWebFetch"},
            ],
        });
        let names: Vec<String> = planned(&body).situation.tools.iter().map(|tool| tool.name.clone()).collect();
        assert_eq!(names, ["Read", "mcp__a__list", "WebFetch"]);
    }

    #[test]
    fn an_answer_of_thinking_alone_does_not_join_what_the_user_said_around_it() {
        let body = |messages: serde_json::Value| serde_json::json!({"model": "m", "messages": messages});
        let thinking = serde_json::json!([{"type": "thinking", "thinking": "hm"}]);
        let first = planned(&body(serde_json::json!([{"role": "user", "content": "one"}])));
        let second = planned(&body(serde_json::json!([{"role": "user", "content": "one"},
            {"role": "assistant", "content": thinking}, {"role": "user", "content": "two"}])));
        assert_eq!(second.shown[..first.shown.len()], first.shown[..]);
        assert_eq!(second.shown.len(), 3);
    }

    #[test]
    fn what_is_reported_is_what_is_rendered() {
        let body = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": "hello there"}]});
        let plan = planned(&body);
        assert!(plan.report.fits && plan.report.after.total <= plan.report.budget);
        assert_eq!(plan.body()["messages"][0]["content"][0]["text"], "hello there");
    }
}
