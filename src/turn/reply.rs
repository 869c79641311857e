//! One upstream reply as the channel reads it: text that may go out at once, and calls that are held until the end.

use std::sync::Arc;

use serde_json::Value;

use crate::calls::ANSWER;
use crate::calls::heal::{nameless, only_taker};
use crate::calls::read::{Quotes, Reader, arguments_in};
use crate::calls::unbind::{Bound, Unbind, name_of};
use crate::rules::{ChannelKind, Lexicon};
use crate::show::ReplyContext;
use crate::show::has_tools;
use crate::wire::{Delta, Tool};

/// What was heard of a reply by its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Heard {
    /// All that the model said, as it said it.
    pub(crate) said: String,
    pub(crate) calls: Vec<HeardCall>,
    /// Text that was held back to the end.
    pub(crate) kept: String,
    /// A call was cut off, and which.
    pub(crate) cut: Option<String>,
    /// What was mended in reading.
    pub(crate) repairs: Vec<&'static str>,
}

/// A call as the model made it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeardCall {
    pub(crate) name: String,
    pub(crate) input: Value,
    /// The text of a call that cannot be read, does not fit, or is of no known tool, as it was written.
    pub(crate) written: Option<String>,
}

/// The state of one reply.
#[derive(Debug)]
pub(crate) struct Reply {
    heard: Heard,
    reader: Reader,
    bound: Option<Unbind>,
    /// What may be called.
    tools: Vec<Tool>,
    lexicon: Arc<Lexicon>,
    /// No text goes out before the end.
    holds_text: bool,
}

impl HeardCall {
    fn new(name: String, input: Value) -> Self {
        Self { name, input, written: None }
    }
}

impl Reply {
    pub(crate) fn new(about: &ReplyContext) -> Self {
        let form = about.model.call_form(about.kind);
        let quotes = Quotes::new(about.messages.clone(), about.examples.iter().cloned());
        let callable = about.callable();
        let reader = Reader::new(&callable, &quotes, &about.lexicon);
        let bound = about.kind == ChannelKind::Constrained && has_tools(&about.head);
        let bound = bound.then(|| Unbind::new(form));
        Self {
            heard: Heard::default(),
            reader,
            bound,
            tools: callable,
            lexicon: about.lexicon.clone(),
            holds_text: false,
        }
    }

    /// The same, whose text waits for the end of the reply in [`Heard::kept`].
    #[must_use]
    pub(crate) fn holding_text(self, holds_text: bool) -> Self {
        Self { holds_text, ..self }
    }

    /// All that the model has said so far.
    pub(crate) fn said(&self) -> &str {
        &self.heard.said
    }

    /// Takes one piece; pushes what may go out now.
    pub(crate) fn on_delta(&mut self, delta: Delta, out: &mut Vec<Delta>) {
        let mut read = Vec::new();
        match delta {
            Delta::Text(text) => {
                self.heard.said.push_str(&text);
                match &mut self.bound {
                    Some(unbind) => read.push(Delta::Text(unbind.on_text(&text))),
                    None => self.reader.on_text(&text, &mut read),
                }
            }
            Delta::Thinking(text) => self.reader.on_thinking(&text, &mut read),
            Delta::Call(call) => {
                self.reader.on_call();
                let taker = only_taker(&call.input, &self.tools, &self.lexicon).filter(|_| call.name.is_empty());
                self.heard.repairs.extend(taker.map(|_| "call-without-name"));
                self.heard.calls.push(HeardCall::new(taker.map_or(call.name, str::to_owned), call.input));
            }
            Delta::BrokenCall { name, arguments, .. } if name.is_empty() => self.on_lost(arguments, &mut read),
            Delta::BrokenCall { name, arguments, .. } => {
                self.heard.calls.push(HeardCall::new(name, Value::String(arguments)));
            }
            other @ Delta::Other(_) => read.push(other),
        }
        self.sort(read, out);
    }

    /// A call that the server threw away, of which it tells the text: a call in a form that is read; or arguments without
    /// a name, which count where they fit but one tool.
    fn on_lost(&mut self, written: String, read: &mut Vec<Delta>) {
        self.heard.said.push_str(&written);
        let (mut reader, mut found) = (self.reader.clone(), Vec::new());
        reader.on_text(&written, &mut found);
        reader.on_end(false, &mut found);
        if found.iter().any(|delta| matches!(delta, Delta::Call(_) | Delta::BrokenCall { .. })) {
            self.heard.repairs.extend(reader.take_repairs());
            read.append(&mut found);
        } else if let Some((name, input)) = nameless(&written, &self.tools, &self.lexicon) {
            self.heard.repairs.push("call-without-name");
            self.heard.calls.push(HeardCall::new(name.to_owned(), input));
        } else {
            self.heard.calls.push(HeardCall { name: String::new(), input: Value::Null, written: Some(written) });
        }
    }

    /// The end; pushes what was held back.
    pub(crate) fn on_end(mut self, cut_by_length: bool, out: &mut Vec<Delta>) -> Heard {
        let mut read = Vec::new();
        match self.bound.take().map(Unbind::on_end) {
            Some(Bound::Call(name, input)) if name == ANSWER => read.push(Delta::Text(answer_text(&input))),
            Some(Bound::Call(name, input)) => self.heard.calls.push(HeardCall::new(name, input)),
            Some(Bound::Cut(name)) => self.heard.cut = Some(name.unwrap_or_default()),
            Some(Bound::Unbound(text)) => self.reader.on_text(&text, &mut read),
            Some(Bound::Answer { .. }) | None => {}
        }
        self.reader.on_end(cut_by_length, &mut read);
        if cut_by_length {
            self.find_cut_call(&mut read);
        }
        self.sort(read, out);
        self.heard.repairs.extend(self.reader.take_repairs());
        self.heard
    }

    /// What was held back to the end of a reply that was cut, and names a tool as a call does, was to be a call.
    fn find_cut_call(&mut self, read: &mut Vec<Delta>) {
        if let Some(Delta::BrokenCall { name, .. }) = read.last() {
            self.heard.cut = Some(name.clone());
            read.pop();
            return;
        }
        let is_text = |delta: &Delta| matches!(delta, Delta::Text(_));
        let from = read.iter().rposition(|delta| !is_text(delta)).map_or(0, |at| at + 1);
        let held: String =
            read[from..].iter().map(|delta| if let Delta::Text(text) = delta { text } else { "" }).collect();
        let name = name_of(&held).filter(|name| self.tools.iter().any(|tool| tool.name == *name));
        if held.trim_start().starts_with(['{', '[', '<', '`']) && name.is_some() {
            self.heard.cut = name;
            read.truncate(from);
        }
    }

    /// Text goes out, calls are kept.
    fn sort(&mut self, read: Vec<Delta>, out: &mut Vec<Delta>) {
        for delta in read {
            match delta {
                Delta::Call(call) if call.name == ANSWER && self.holds_text => {
                    self.heard.kept.push_str(&answer_text(&call.input));
                }
                Delta::Call(call) if call.name == ANSWER => out.push(Delta::Text(answer_text(&call.input))),
                Delta::Call(call) => self.heard.calls.push(HeardCall::new(call.name, call.input)),
                Delta::BrokenCall { name, arguments, .. } => {
                    self.heard.calls.push(HeardCall {
                        name,
                        input: arguments_in(&arguments).unwrap_or_default(),
                        written: Some(arguments),
                    });
                }
                Delta::Text(text) if text.is_empty() => {}
                Delta::Text(text) if self.holds_text => self.heard.kept.push_str(&text),
                other => out.push(other),
            }
        }
    }
}

/// The text of an answer that came as a call.
fn answer_text(input: &Value) -> String {
    input["text"].as_str().map_or_else(|| input.to_string(), str::to_owned)
}
