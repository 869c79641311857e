//! Calls are read back from what a model wrote: a streaming machine without input or output of its own.
//!
//! Text streams on; bytes are held back only while they can still become a call. One file a format. A format says what
//! it makes of the text from a place on; the machine here walks the places, keeps the gates, and writes deltas.
//! However the text is cut into pieces, the outcome is the same.

mod bare_json;
mod deepseek;
mod echo;
mod envelope;
mod fence;
mod flow;
mod format;
mod gate;
mod gemma;
mod glm;
mod harmony;
mod headless;
mod hermes;
mod kimi;
mod kimi_k3;
mod minimax;
mod mistral;
mod name_json;
mod name_words;
mod place;
mod python;
mod pythonic;
mod quotes;
mod react;
mod residue;
mod scan;
mod tag_words;
mod tagged;
mod tags;
mod talk;
mod think;
mod tool_block;
mod value_end;

use std::sync::Arc;

use super::json;
use crate::rules::Lexicon;
use crate::wire::{Delta, Tool};

pub use quotes::Quotes;

use flow::Flow;
use format::{Format, Look, Opening, Scope, Seen};
use gate::Verdict;
use place::Place;
use think::{Piece, Think};

/// All formats, in the order in which they are asked.
static FORMATS: [&dyn Format; 19] = [
    &fence::Fence,
    &hermes::Hermes,
    &tagged::Tagged,
    &glm::Glm,
    &mistral::Mistral,
    &harmony::Harmony,
    &kimi::Kimi,
    &kimi_k3::KimiK3,
    &deepseek::DeepSeek,
    &gemma::Gemma,
    &minimax::MiniMax,
    &echo::Echo,
    &pythonic::Pythonic,
    &bare_json::BareJson,
    &name_json::NameJson,
    &name_words::NameWords,
    &tool_block::ToolBlock,
    &react::ReAct,
    &residue::Residue,
];

/// Reads calls from the text of one answer.
///
/// Calls come out as the model wrote them, with an empty id; names and arguments are yet to be healed. A
/// [`Delta::BrokenCall`] with an empty id is a call that cannot be read, or of a tool that is not known: its
/// `arguments` are the whole text as it was written, to be shown as text when nothing better is done.
#[derive(Debug, Clone)]
pub struct Reader {
    scope: Scope,
    think: Think,
    machine: Machine,
    /// Past thinking, in which calls are looked for at the end.
    thoughts: String,
}

/// The walk over visible text.
#[derive(Debug, Clone, Default)]
struct Machine {
    /// Text that was not passed on yet, behind `passed` bytes that were.
    held: String,
    passed: usize,
    /// How long the text must be before it is worth another look: what is read anew each time must not be read too often.
    enough: usize,
    /// The bytes without which it is useless to look again, and whether one of them has come.
    until: Option<&'static [u8]>,
    ripe: bool,
    place: Place,
    flow: Flow,
    repairs: Vec<&'static str>,
}

impl Reader {
    /// A reader for an answer to a request with these tools: all of the client's, and our own.
    pub fn new(tools: &[Tool], quotes: &Quotes, lexicon: &Arc<Lexicon>) -> Self {
        let scope = Scope::new(tools, quotes, lexicon);
        Self { scope, think: Think::default(), machine: Machine::default(), thoughts: String::new() }
    }

    /// The same, for a template that has opened the thinking already.
    #[must_use]
    pub fn thinking(mut self) -> Self {
        self.think = Think::open();
        self
    }

    /// Takes visible text; pushes what the client may have now.
    pub fn on_text(&mut self, text: &str, out: &mut Vec<Delta>) {
        let mut pieces = Vec::new();
        self.think.take(text, &mut pieces);
        self.take(pieces, out);
    }

    /// Takes thinking, which is passed on as it is.
    pub fn on_thinking(&mut self, text: &str, out: &mut Vec<Delta>) {
        self.thoughts.push_str(text);
        out.push(Delta::Thinking(text.to_owned()));
    }

    /// Takes a call that came in a field of its own: marks behind it are residue.
    pub fn on_call(&mut self) {
        self.machine.place.pass_call();
        self.machine.flow.call();
    }

    /// Takes the end; pushes what was held back. `cut_by_length`: the model was stopped in the middle, so that nothing is
    /// completed.
    pub fn on_end(&mut self, cut_by_length: bool, out: &mut Vec<Delta>) {
        let mut pieces = Vec::new();
        self.think.end(&mut pieces);
        self.take(pieces, out);
        self.machine.run(&self.scope, Some(cut_by_length), out);
        self.machine.flow.end(out);
        if self.machine.flow.is_silent() && !cut_by_length {
            self.read_thoughts(out);
        }
    }

    /// What was mended in reading, by kind, since this was last asked.
    pub fn take_repairs(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.machine.repairs)
    }

    fn take(&mut self, pieces: Vec<Piece>, out: &mut Vec<Delta>) {
        for piece in pieces {
            match piece {
                Piece::Thought(text) => self.on_thinking(&text, out),
                Piece::Text(text) => self.machine.take(&text, &self.scope, out),
            }
        }
    }

    /// Calls that were only thought: they count where nothing else was said.
    fn read_thoughts(&mut self, out: &mut Vec<Delta>) {
        let mut machine = Machine::default();
        let mut found = Vec::new();
        machine.take(&self.thoughts, &self.scope, &mut found);
        machine.run(&self.scope, Some(false), &mut found);
        let calls = found.into_iter().filter(|delta| matches!(delta, Delta::Call(_)));
        let before = out.len();
        out.extend(calls);
        if out.len() > before {
            self.machine.repairs.extend(machine.repairs);
            self.machine.repairs.push("call-in-thinking");
        }
    }
}

/// The arguments of the call that a text is, where it can be read and yet is not a good one.
pub(crate) fn arguments_in(text: &str) -> Option<serde_json::Value> {
    let (value, _) = json::read_whole(text.trim())?;
    envelope::calls(&value)?.pop().map(|call| call.input)
}

/// Up to so many bytes, held text is looked at whenever it may have become something; more of it at intervals that grow.
const SOON: usize = 8192;

/// What one look at the held text came to.
enum Step {
    /// Something was passed on; look again.
    On,
    /// More text is needed.
    Wait,
}

impl Machine {
    fn take(&mut self, text: &str, scope: &Scope, out: &mut Vec<Delta>) {
        self.held.push_str(text);
        self.ripe |= self.until.is_none_or(|bytes| text.bytes().any(|byte| bytes.contains(&byte)));
        if self.ripe && self.rest().len() >= self.enough {
            self.run(scope, None, out);
        }
    }

    /// What was not passed on yet.
    fn rest(&self) -> &str {
        &self.held[self.passed..]
    }

    /// Looks as long as something can be passed on. `end`: nothing more comes, and whether it was cut by length.
    fn run(&mut self, scope: &Scope, end: Option<bool>, out: &mut Vec<Delta>) {
        self.until = None;
        self.ripe = false;
        while !self.rest().is_empty() {
            if let Step::Wait = self.step(scope, end, out) {
                break;
            }
        }
        self.held.drain(..self.passed);
        self.passed = 0;
        self.enough = if self.held.len() < SOON { 0 } else { self.held.len() + self.held.len() / 8 };
    }

    fn step(&mut self, scope: &Scope, end: Option<bool>, out: &mut Vec<Delta>) -> Step {
        let Some(at) = self.next_place(scope) else {
            self.pass(self.rest().len(), out);
            return Step::On;
        };
        self.pass(at, out);
        let seen = Seen { text: self.rest(), end: end.is_some(), place: &self.place, scope };
        let cut = end == Some(true);
        match gate::judge(look(&seen, cut), &seen) {
            Verdict::Wait(until) if end.is_none() => {
                self.until = until;
                return Step::Wait;
            }
            Verdict::Wait(_) | Verdict::Text(0) => self.pass(first_char(self.rest()), out),
            Verdict::Text(bytes) => self.pass(bytes, out),
            Verdict::Calls(found) => {
                self.repairs.extend(found.repairs);
                self.flow.calls(found.calls, out);
                self.drop_call(found.used);
            }
            Verdict::Broken { used, name } => {
                self.flow.broken(name, &self.held[self.passed..self.passed + used], out);
                self.drop_call(used);
            }
            Verdict::Thought { used, said } => {
                self.passed += used;
                out.push(Delta::Thinking(said));
            }
            Verdict::Residue(bytes) => {
                self.repairs.push("residue");
                self.passed += bytes;
            }
        }
        Step::On
    }

    fn drop_call(&mut self, bytes: usize) {
        self.passed += bytes;
        self.place.pass_call();
    }

    fn pass(&mut self, bytes: usize, out: &mut Vec<Delta>) {
        if bytes > 0 {
            let text = &self.held[self.passed..self.passed + bytes];
            self.place.pass(text);
            self.flow.text(text, out);
            self.passed += bytes;
        }
    }

    /// The first place in the text that is left where a format may begin.
    fn next_place(&self, scope: &Scope) -> Option<usize> {
        let text = self.rest();
        let mut place = self.place.clone();
        let mut passed = 0;
        for (at, _) in text.char_indices() {
            if !may_open(text.as_bytes()[at], text, at) {
                continue;
            }
            place.pass(&text[passed..at]);
            passed = at;
            if opens(&text[at..], &place, scope) {
                return Some(at);
            }
        }
        None
    }
}

/// A cheap test that most places fail.
fn may_open(byte: u8, text: &str, at: usize) -> bool {
    let line_start =
        || text[..at].trim_end_matches([' ', '\t']).is_empty() || text[..at].ends_with(['\n', ' ', '\t', '_']);
    matches!(byte, b'<' | b'[' | b'{' | b'`' | b']') || byte >= 0x80 || byte.is_ascii_alphanumeric() && line_start()
}

/// Whether a format may begin here.
fn opens(text: &str, place: &Place, scope: &Scope) -> bool {
    !place.in_fence()
        && FORMATS.iter().any(|format| format.openings().iter().any(|opening| begins(*opening, text, place, scope)))
}

fn begins(opening: Opening, text: &str, place: &Place, scope: &Scope) -> bool {
    let meets = |mark: &str| text.starts_with(mark) || mark.starts_with(text);
    match opening {
        Opening::Mark(mark) => meets(mark),
        Opening::Line(mark) => place.starts_line() && meets(mark),
        Opening::Name => place.starts_line() && scope.begins_name(text),
    }
}

fn look(seen: &Seen<'_>, cut: bool) -> Look {
    let first = look_at_all(seen);
    if cut { gate::uncompleted(first, seen) } else { first }
}

/// What the formats make of a text: the first that does not refuse it counts.
fn look_at_all(seen: &Seen<'_>) -> Look {
    let begins = |opening: &Opening| begins(*opening, seen.text, seen.place, seen.scope);
    let mut looks =
        FORMATS.iter().filter(|format| format.openings().iter().any(begins)).map(|format| format.read(seen));
    looks.find(|look| *look != Look::Not).unwrap_or(Look::Not)
}

fn first_char(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests;
