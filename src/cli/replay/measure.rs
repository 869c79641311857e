//! The measures of one history in one window.

use std::collections::BTreeSet;

use super::grounding::{Grounding, Haystack, Kind, Needs, Share, with_unescaped, without_numbers};
use super::source::{Asked, Base, Played};
use super::told;
use crate::history::{Act, Roles};
use crate::pipeline::prefix::{Piece, moved, piece, pieces, shared};
use crate::pipeline::{Plan, Planned, Setup, Target, measure, plan};
use crate::show::{Form, Speaker};
use crate::tokens::Budget;
use crate::wire::{Block, Message, Role, WireError};

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
    /// What a server had to read that keeps the cache of text behind a hole.
    pub read_shifted: usize,
    pub cuts: usize,
    /// Prefix breaks that are not at a cut.
    pub unplanned_breaks: usize,
    pub tokens_before: usize,
    pub tokens_after: usize,
    pub grounding: Grounding,
    /// Paths that are named.
    pub artifacts: Share,
    /// Accounts of paths whose last state is right.
    pub status: Share,
    /// Typed prompts that stand verbatim, and those that stand by their first line or handle at least.
    pub prompts: (Share, Share),
    /// What the next call needed and was not there; kept only where it is asked for.
    pub missed: Vec<Missed>,
}

/// One thing that was needed and not sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Missed {
    pub request: usize,
    pub kind: Kind,
    pub tool: String,
    /// How many bytes of history back it was last seen.
    pub age: usize,
    pub item: String,
}

impl Row {
    /// Prefill amplification.
    pub(crate) fn amplification(&self) -> f64 {
        if self.read.1 == 0 { 1.0 } else { self.read.0 as f64 / self.read.1 as f64 }
    }

    /// The same for a server that keeps the cache of text behind a hole.
    pub(crate) fn shifted_amplification(&self) -> f64 {
        if self.read.1 == 0 { 1.0 } else { self.read_shifted as f64 / self.read.1 as f64 }
    }

    /// Adds what can be added.
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.refused += other.refused;
        self.fit_violations += other.fit_violations;
        self.cuts += other.cuts;
        self.unplanned_breaks += other.unplanned_breaks;
        self.tokens_before += other.tokens_before;
        self.tokens_after += other.tokens_after;
        self.grounding.add(&other.grounding);
        self.artifacts.add(other.artifacts);
        self.status.add(other.status);
        self.prompts.0.add(other.prompts.0);
        self.prompts.1.add(other.prompts.1);
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
    keep_missed: bool,
    mut seen: impl FnMut(usize, Outcome<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<Row> {
    let mut meter = Meter::new(setup, target, &played.name, keep_missed);
    for asked in played.requests(base) {
        let number = meter.row.requests;
        meter.row.requests += 1;
        match plan(setup, target, &asked.request) {
            Ok(Planned::Send(plan)) => {
                seen(number, Ok(&plan))?;
                meter.sent(&plan, &asked);
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
    keep_missed: bool,
    row: Row,
    /// The last prompt with the reply that came to it, how much of it is the prompt, and how often it was cut.
    last: Vec<Piece>,
    last_prompt: usize,
    cuts: usize,
    haystack: Haystack,
    /// Tokens of the history, and how many of its messages have been taken.
    full: usize,
    taken: usize,
    artifacts: BTreeSet<String>,
}

impl<'a> Meter<'a> {
    fn new(setup: &'a Setup, target: &'a Target, name: &str, keep_missed: bool) -> Self {
        let row = Row { session: name.to_owned(), window: target.window.tokens, ..Row::default() };
        Self {
            setup,
            target,
            keep_missed,
            row,
            last: Vec::new(),
            last_prompt: 0,
            cuts: 0,
            haystack: Haystack::default(),
            full: 0,
            taken: 0,
            artifacts: BTreeSet::new(),
        }
    }

    fn sent(&mut self, plan: &Plan, asked: &Asked<'_>) {
        let report = &plan.report;
        self.row.tokens_before += report.before.total;
        self.row.tokens_after += report.after.total;
        let over = report.after.total > Budget::of(self.target.window.tokens).prompt();
        self.row.fit_violations += usize::from(over);
        self.read(plan, asked.goes_on);
        self.take(asked);
        if self.full > self.target.window.tokens {
            self.look(plan, asked.answer);
        }
        if let Some(answer) = asked.answer {
            self.last.extend(self.reply(plan, answer));
        }
    }

    /// What a server with a prefix cache has to read, and where the prefix broke.
    fn read(&mut self, plan: &Plan, goes_on: bool) {
        let prompt = pieces(plan);
        let total: usize = prompt.iter().map(|piece| piece.tokens).sum();
        let before = if goes_on { self.last.as_slice() } else { &[] };
        self.row.read.0 += total.saturating_sub(shared(before, &prompt, plan.counter()));
        self.row.read_shifted += total.saturating_sub(moved(before, &prompt, plan.counter()));
        self.row.read.1 += if before.is_empty() { total } else { plan.newest };
        let cuts = plan.report.cuts;
        let was = if goes_on { self.cuts } else { 0 };
        self.row.cuts += cuts.saturating_sub(was);
        let kept = before.iter().zip(&prompt).take(self.last_prompt).all(|(was, is)| was == is);
        self.row.unplanned_breaks += usize::from(!before.is_empty() && cuts == was && !kept);
        self.cuts = cuts;
        self.last_prompt = prompt.len();
        self.last = prompt;
    }

    /// Takes the messages that are new.
    fn take(&mut self, asked: &Asked<'_>) {
        if !asked.goes_on {
            (self.haystack, self.taken, self.full) = (Haystack::default(), 0, 0);
            self.artifacts.clear();
        }
        for message in &asked.history[self.taken.min(asked.history.len())..] {
            self.haystack.push(message);
            self.full += measure::message_tokens(message, self.setup.counter());
            self.note_artifacts(message);
        }
        self.taken = asked.history.len();
    }

    fn note_artifacts(&mut self, message: &Message) {
        for call in message.tool_uses() {
            let act = Act::of(Roles::role(&self.setup.rules, &call.name), &call.input);
            if let Act::Read { path, .. } | Act::Edit { path, .. } | Act::Write { path, .. } = act {
                self.artifacts.insert(path.to_owned());
            }
        }
    }

    /// Looks for what the past and the next call need in what is sent.
    fn look(&mut self, plan: &Plan, answer: Option<&Message>) {
        let sent = sent_text(plan);
        for path in &self.artifacts {
            self.row.artifacts.note(told::names(&sent, path));
        }
        told::prompts_told(plan, &self.setup.rules.messages, &sent, &mut self.row.prompts);
        told::states_told(plan, &self.setup.rules, &mut self.row.status);
        if let Some(answer) = answer {
            self.ground(&sent, answer);
        }
    }

    fn ground(&mut self, sent: &str, answer: &Message) {
        let needs = Needs::of(answer, &self.setup.rules);
        let mut missed = Vec::new();
        let grounding = needs.grounding(&mut self.haystack, sent, |kind, item| missed.push((kind, item.to_owned())));
        self.row.grounding.add(&grounding);
        if self.keep_missed {
            let tools: Vec<&str> = answer.tool_uses().map(|call| call.name.as_str()).collect();
            let (request, tool) = (self.row.requests - 1, tools.join("+"));
            self.row.missed.extend(missed.into_iter().map(|(kind, item)| Missed {
                request,
                kind,
                tool: tool.clone(),
                age: self.haystack.age(&item).unwrap_or_default(),
                item,
            }));
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
        text.push_str(&match shown.speaker {
            Speaker::Assistant => with_unescaped(&shown.text),
            _ => without_numbers(&shown.text),
        });
        for call in &shown.calls {
            text.push_str(&with_unescaped(&call.input.to_string()));
        }
    }
    text
}
