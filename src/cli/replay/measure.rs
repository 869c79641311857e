//! The measures of one history in one window.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::grounding::{Grounding, Haystack, Needs, Share, with_unescaped};
use super::source::{Base, Played};
use crate::channel::{Form, Speaker};
use crate::history::{Act, Roles};
use crate::pipeline::prefix::{Piece, piece, pieces, shared};
use crate::pipeline::{Plan, Planned, Setup, Target, measure, plan};
use crate::tokens::Budget;
use crate::wire::{Block, Message, Request, Role, WireError};

/// What a replay found for one history and window.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Row {
    pub session: String,
    pub window: usize,
    pub requests: usize,
    /// Answered with "prompt is too long".
    pub refused: usize,
    /// Sent although it does not fit.
    pub fit_violations: usize,
    /// Tokens that a server with a prefix cache had to read, and the least that it could have read.
    pub read: (usize, usize),
    pub cuts: usize,
    /// Prefix breaks that are not at a cut.
    pub unplanned_breaks: usize,
    pub tokens_before: usize,
    pub tokens_after: usize,
    pub grounding: Grounding,
    pub artifacts: Share,
}

impl Row {
    /// Prefill amplification.
    pub(crate) fn amplification(&self) -> f64 {
        if self.read.1 == 0 { 1.0 } else { self.read.0 as f64 / self.read.1 as f64 }
    }
}

/// What became of one request.
pub(crate) type Outcome<'a> = Result<&'a Plan, &'a WireError>;

/// Plays a history, tells `seen` what becomes of each request, and measures.
pub(crate) fn play(
    setup: &Setup,
    target: &Target,
    base: &Base,
    played: &Played,
    mut seen: impl FnMut(usize, Outcome<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<Row> {
    let mut meter = Meter::new(setup, target, &played.name);
    for (request, history, answer) in played.requests(base) {
        let (request, number) = (Arc::new(request), meter.row.requests);
        meter.row.requests += 1;
        match plan(setup, target, &request) {
            Ok(Planned::Send(plan)) => {
                seen(number, Ok(&plan))?;
                meter.sent(&plan, &request, history, answer);
            }
            Ok(Planned::Answer { .. }) => {}
            Err(error) => {
                seen(number, Err(&error))?;
                meter.row.refused += 1;
            }
        }
    }
    Ok(meter.row)
}

struct Meter<'a> {
    setup: &'a Setup,
    target: &'a Target,
    row: Row,
    /// The last prompt with the reply that came to it, its messages, and how often it was cut.
    last: Vec<Piece>,
    last_prompt: usize,
    messages: Vec<Message>,
    cuts: usize,
    haystack: Haystack,
    /// How many messages of the history the haystack and the artifacts have.
    taken: usize,
    artifacts: BTreeSet<String>,
}

impl<'a> Meter<'a> {
    fn new(setup: &'a Setup, target: &'a Target, name: &str) -> Self {
        let row = Row { session: name.to_owned(), window: target.window.tokens, ..Row::default() };
        Self {
            setup,
            target,
            row,
            last: Vec::new(),
            last_prompt: 0,
            messages: Vec::new(),
            cuts: 0,
            haystack: Haystack::default(),
            taken: 0,
            artifacts: BTreeSet::new(),
        }
    }

    fn sent(&mut self, plan: &Plan, request: &Request, history: &[Message], answer: Option<&Message>) {
        let report = &plan.report;
        self.row.tokens_before += report.before.total;
        self.row.tokens_after += report.after.total;
        let over = report.after.total > Budget::of(self.target.window.tokens).prompt();
        self.row.fit_violations += usize::from(over);
        let goes_on = request.messages.starts_with(&self.messages);
        self.read(plan, request, goes_on);
        self.ground(plan, history, answer, goes_on);
        self.messages.clone_from(&request.messages);
    }

    /// What a server with a prefix cache has to read, and where the prefix broke.
    fn read(&mut self, plan: &Plan, request: &Request, goes_on: bool) {
        let prompt = pieces(plan);
        let counter = plan.counter();
        let total: usize = prompt.iter().map(|piece| piece.tokens).sum();
        let before = if goes_on { self.last.as_slice() } else { &[] };
        let same = shared(before, &prompt, counter);
        self.row.read.0 += total.saturating_sub(same);
        self.row.read.1 += if before.is_empty() { total } else { self.appended(plan, request) };
        let cuts = plan.report.cuts;
        let was = if goes_on { self.cuts } else { 0 };
        self.row.cuts += cuts.saturating_sub(was);
        let kept = before.iter().zip(&prompt).take(self.last_prompt).all(|(was, is)| was == is);
        self.row.unplanned_breaks += usize::from(!before.is_empty() && cuts == was && !kept);
        self.cuts = cuts;
        self.last_prompt = prompt.len();
        self.last = prompt;
    }

    /// Tokens of what is new since the last reply.
    fn appended(&self, plan: &Plan, request: &Request) -> usize {
        let markers = self.target.profile.message_markers;
        let new = plan.shown.iter().rev().take_while(|shown| shown.speaker != Speaker::Assistant);
        let new: Vec<_> = new.cloned().collect();
        if new.len() < plan.shown.len() {
            return measure::shown_tokens(&new, plan.counter(), markers);
        }
        // Digest and prompt stand in one message: only the prompt is new.
        let prompt = request.messages.last();
        prompt.map_or(0, |message| measure::message_tokens(message, plan.counter()) + markers)
    }

    /// Notes what the real answer needed, and which paths are still named; then takes the answer as the reply.
    fn ground(&mut self, plan: &Plan, history: &[Message], answer: Option<&Message>, goes_on: bool) {
        if !goes_on {
            (self.haystack, self.taken) = (Haystack::default(), 0);
            self.artifacts.clear();
        }
        for message in &history[self.taken.min(history.len())..] {
            self.haystack.push(message);
            self.note_artifacts(message);
        }
        self.taken = history.len();
        let counter = self.setup.counter();
        let full: usize = history.iter().map(|message| measure::message_tokens(message, counter)).sum();
        if full > self.target.window.tokens {
            let sent = sent_text(plan);
            let named = self.artifacts.iter().map(|path| names(&sent, path));
            let there = named.clone().filter(|named| *named).count();
            self.row.artifacts.add(Share { there, needed: named.count() });
            if let Some(answer) = answer {
                let needs = Needs::of(answer, &self.setup.rules);
                self.row.grounding.add(&needs.grounding(&mut self.haystack, &sent));
            }
        }
        if let Some(answer) = answer {
            self.last.extend(self.reply(plan, answer));
        }
    }

    fn note_artifacts(&mut self, message: &Message) {
        for call in message.tool_uses() {
            let act = Act::of(Roles::role(&self.setup.rules, &call.name), &call.input);
            if let Act::Read { path, .. } | Act::Edit { path, .. } | Act::Write { path, .. } = act {
                self.artifacts.insert(path.to_owned());
            }
        }
    }

    /// The reply as the server's cache has it.
    fn reply(&self, plan: &Plan, answer: &Message) -> Vec<Piece> {
        let content = answer.content.iter().filter(|block| !matches!(block, Block::Thinking(_))).cloned().collect();
        let answer = Message { role: Role::Assistant, content };
        let form = Form::new(self.target.channel(), &self.target.profile);
        let markers = self.target.profile.message_markers;
        form.message(&answer).iter().map(|shown| piece(shown, plan.counter(), markers)).collect()
    }
}

/// All text that is sent, with the JSON escapes of calls undone beside it.
fn sent_text(plan: &Plan) -> String {
    let mut text = plan.head.system.clone();
    for shown in &plan.shown {
        text.push('\n');
        text.push_str(&if shown.speaker == Speaker::Assistant {
            with_unescaped(&shown.text)
        } else {
            shown.text.clone()
        });
        for call in &shown.calls {
            text.push_str(&with_unescaped(&call.input.to_string()));
        }
    }
    text
}

/// Whether a path is named: in full, or in the line of its folder.
fn names(sent: &str, path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    sent.contains(path)
        || sent
            .lines()
            .any(|line| line.strip_prefix(folder).is_some_and(|rest| rest.starts_with("/: ") && rest.contains(name)))
}
