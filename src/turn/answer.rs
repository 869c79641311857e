//! The reading of one answer: deltas from upstream in, deltas for the client out, and at the end what is next.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::json_answer::json_in;
use super::judge::{Ruling, judge};
use super::reply::{Heard, Reply};
use crate::review::{Case, Limits, Objection, Said, against_any_answer, loops, review};
use crate::show::ReplyContext;
use crate::show::{Shown, Speaker};
use crate::show::{has_tools, own};
use crate::wire::{Delta, End, StopReason, ToolUse, Usage, WireError};

/// What the model is asked again inside the proxy, within one turn of the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Messages that are put behind the prompt: what the model said, and what is wrong with it.
    pub messages: Vec<Shown>,
    /// A JSON Schema that binds the answer, where the server can. `None`: the one of the head.
    pub format: Option<Value>,
}

/// What comes after the end of an upstream answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// The client's message is complete.
    Finish { stop: StopReason, usage: Usage },
    /// Upstream is asked again; the client's message goes on. Where that cannot be done, [`Answer::give_up`].
    Ask(Ask),
    /// The client must be told that it failed.
    Fail(WireError),
}

/// The state of one answer. Sans-IO: the shell feeds it, and writes what comes out.
#[derive(Debug)]
pub struct Answer {
    about: Arc<ReplyContext>,
    /// The reply that is heard; between two of them there is none.
    reply: Option<Reply>,
    /// What was said and objected to in this turn.
    exchange: Vec<Shown>,
    /// How often upstream was asked again.
    asks: usize,
    hops: usize,
    /// The checks that have objected in this turn.
    objected: Vec<&'static str>,
    /// What there is against any answer in words, whatever it says: its text is held back, once.
    early: Option<Objection>,
    /// What goes to the client when upstream cannot be asked again.
    held: Vec<Delta>,
    /// Text of an answer that must be JSON: it is looked at when it is whole.
    unchecked: String,
    /// The reply is one piece over and over.
    looped: bool,
    /// The bytes of the reply up to which that was looked at.
    checked: usize,
    /// Visible text went out.
    spoke: bool,
    calls: usize,
    usage: Usage,
    repairs: BTreeMap<String, usize>,
}

/// The kind of objection to an answer that is not the JSON that the client wants.
const JSON_AGAIN: &str = "json-answer";

/// Own tools served within one turn of the client, at most.
const HOPS: usize = 4;

/// The check for which a reply is stopped while it is produced.
const LOOP: &str = "looping-reply";

/// Whether a reply loops is looked at whenever it is so many bytes longer.
const LOOK_EVERY: usize = 64;

/// A reply that loops a second time may be meant: it may be so many times longer.
const PATIENCE: usize = 8;

/// So much of a loop is shown to the model that made it, in characters.
const LOOP_SHOWN: usize = 80;

impl Answer {
    pub fn new(about: impl Into<Arc<ReplyContext>>) -> Self {
        let about = about.into();
        let reviewed = has_tools(&about.head) && !about.head.untouched;
        let early = if reviewed { against_any_answer(&about) } else { None };
        let reply = Some(Reply::new(&about).holding_text(early.is_some()));
        Self {
            about,
            reply,
            early,
            checked: 0,
            exchange: Vec::new(),
            asks: 0,
            hops: 0,
            objected: Vec::new(),
            held: Vec::new(),
            unchecked: String::new(),
            looped: false,
            spoke: false,
            calls: 0,
            usage: Usage::default(),
            repairs: BTreeMap::new(),
        }
    }

    /// What was mended so far: (kind, how often), in order of kind.
    pub fn repairs(&self) -> Vec<(String, usize)> {
        self.repairs.iter().map(|(kind, times)| (kind.clone(), *times)).collect()
    }

    /// Takes one piece from upstream; pushes what the client may have now.
    pub fn on_delta(&mut self, delta: Delta, out: &mut Vec<Delta>) {
        if self.about.head.untouched {
            return out.push(as_it_came(delta));
        }
        let before = out.len();
        let about = &self.about;
        let reply = self.reply.get_or_insert_with(|| Reply::new(about));
        reply.on_delta(delta, out);
        let length = reply.said().len();
        self.hold_json(before, out);
        self.listen(&out[before..]);
        if length >= self.checked + LOOK_EVERY {
            self.checked = length;
            self.looped = self.is_looping();
        }
    }

    fn is_looping(&self) -> bool {
        let rule = self.about.checks.on(LOOP, &self.about.model.family);
        let patience = if self.objected.contains(&LOOP) { PATIENCE } else { 1 };
        let said = self.reply.as_ref().map_or("", Reply::said);
        Limits::of(rule, !self.spoke).is_some_and(|limits| loops(said, limits.times(patience)))
    }

    /// The reply has begun to loop: nothing good will come, and upstream is to be stopped.
    pub fn has_looped(&self) -> bool {
        self.looped
    }

    /// Takes the end of the upstream answer; pushes what was held back.
    pub fn on_end(&mut self, end: End, out: &mut Vec<Delta>) -> Next {
        let (stop, usage) = match end {
            End::Complete { stop, usage } if self.about.head.untouched => return Next::Finish { stop, usage },
            End::Complete { stop, usage } => (stop, usage),
            End::Failed(error) => {
                // What was held back is not lost with the stream; a call that was begun is none.
                let heard = self.end_reply(true, out);
                self.release(out);
                return self.saved(&heard, out).unwrap_or(Next::Fail(error));
            }
        };
        self.add(usage);
        let heard = self.end_reply(stop == StopReason::MaxTokens, out);
        for kind in &heard.repairs {
            self.count(kind);
        }
        self.after(&heard, stop, out)
    }

    /// The calls that were whole before a stream broke off: the client can go on with them.
    fn saved(&mut self, heard: &Heard, out: &mut Vec<Delta>) -> Option<Next> {
        if heard.calls.is_empty() {
            return None;
        }
        match judge(&self.about, &heard.calls, &self.objected, self.calls) {
            Ruling::Send { calls, repairs } => {
                self.count("stream-broken");
                for kind in repairs {
                    self.count(kind);
                }
                self.send(calls, out);
                Some(self.finish(StopReason::ToolUse))
            }
            _ => None,
        }
    }

    fn end_reply(&mut self, cut: bool, out: &mut Vec<Delta>) -> Heard {
        let before = out.len();
        let reply = self.reply.take().unwrap_or_else(|| Reply::new(&self.about));
        let mut heard = reply.on_end(cut, out);
        self.checked = 0;
        if cut || self.early.is_none() || !heard.calls.is_empty() {
            let kept = std::mem::take(&mut heard.kept);
            out.extend((!kept.is_empty()).then_some(Delta::Text(kept)));
        }
        self.hold_json(before, out);
        self.listen(&out[before..]);
        heard
    }

    /// Keeps back the text of an answer that must be JSON.
    fn hold_json(&mut self, from: usize, out: &mut Vec<Delta>) {
        if self.about.format.is_none() {
            return;
        }
        let unchecked = &mut self.unchecked;
        let fresh = out.split_off(from).into_iter().filter_map(|delta| match delta {
            Delta::Text(text) => {
                unchecked.push_str(&text);
                None
            }
            other => Some(other),
        });
        out.extend(fresh);
    }

    /// Text that was kept back goes out before calls, and where nothing better is to be had.
    fn release(&mut self, out: &mut Vec<Delta>) {
        let text = std::mem::take(&mut self.unchecked);
        if !text.is_empty() {
            self.say(Delta::Text(text), out);
        }
    }

    /// An answer of which the client wants JSON: as it came, mended, or asked for once more.
    fn after_json(&mut self, heard: &Heard, stop: StopReason, schema: &Value, out: &mut Vec<Delta>) -> Next {
        match json_in(&self.unchecked, schema, &self.about.lexicon) {
            Some((text, repairs)) => {
                self.unchecked.clear();
                for kind in repairs {
                    self.count(kind);
                }
                self.say(Delta::Text(text), out);
                self.finish(stop)
            }
            None if stop == StopReason::MaxTokens || self.objected.contains(&JSON_AGAIN) => {
                self.release(out);
                self.finish(stop)
            }
            None => {
                self.held = vec![Delta::Text(std::mem::take(&mut self.unchecked))];
                let words = self.about.lexicon.texts.json_again.clone();
                self.ask(heard, JSON_AGAIN, &words, Some(schema.clone()), out)
            }
        }
    }

    /// Ends the turn where upstream cannot be asked again.
    pub fn give_up(&mut self, out: &mut Vec<Delta>) -> Next {
        for held in std::mem::take(&mut self.held) {
            self.calls += usize::from(matches!(held, Delta::Call(_)));
            self.say(held, out);
        }
        if self.calls == 0 && !self.spoke {
            self.say_line("The model gave no answer that could be used.", out);
        }
        self.finish(StopReason::EndTurn)
    }

    fn after(&mut self, heard: &Heard, stop: StopReason, out: &mut Vec<Delta>) -> Next {
        if let Some(schema) =
            self.about.clone().format.as_ref().filter(|_| heard.calls.is_empty() && heard.cut.is_none())
        {
            return self.after_json(heard, stop, schema, out);
        }
        self.release(out);
        if let Some(name) = heard.cut.as_ref().filter(|_| stop == StopReason::MaxTokens) {
            self.count("call-cut");
            self.say_line(&format!("[The call of {name} was cut off: the reply became too long.]"), out);
            return self.finish(StopReason::MaxTokens);
        }
        if std::mem::take(&mut self.looped) && heard.calls.is_empty() {
            return self.after_loop(heard, out);
        }
        if heard.calls.is_empty() {
            return self.after_text(heard, stop, out);
        }
        match judge(&self.about, &heard.calls, &self.objected, self.calls) {
            Ruling::Send { calls, repairs } => {
                for kind in repairs {
                    self.count(kind);
                }
                self.send(calls, out);
                self.finish(StopReason::ToolUse)
            }
            Ruling::Served(served) => self.hop(heard, served, out),
            Ruling::Object { objection, held } => {
                self.held = held;
                self.object(heard, objection, out)
            }
        }
    }

    /// What follows from an objection: the end of the turn, or another question.
    fn object(&mut self, heard: &Heard, objection: Objection, out: &mut Vec<Delta>) -> Next {
        if objection.id.is_empty() {
            return self.give_up(out);
        }
        if objection.ends {
            self.count(objection.id);
            self.say_line(&objection.note.unwrap_or_default(), out);
            return self.finish(StopReason::EndTurn);
        }
        let allow = self.about.bind().and_then(|bind| bind.one_of(&objection.allow));
        self.ask(heard, objection.id, &objection.words, allow, out)
    }

    /// What there is against a reply that is no call.
    fn against(&self, said: Said<'_>) -> Option<Objection> {
        let history = self.about.history();
        review(&Case::new(said, &history, &self.about), &self.objected)
    }

    /// A loop in a call is asked for anew, as another call; one in visible text has been read, and ends there.
    fn after_loop(&mut self, heard: &Heard, out: &mut Vec<Delta>) -> Next {
        let Some(objection) = self.against(Said::Loop).filter(|_| !self.spoke) else {
            let note = self.about.checks.rule(LOOP).and_then(|rule| rule.note.clone());
            self.count(LOOP);
            self.say_line(&note.unwrap_or_default(), out);
            return self.finish(StopReason::EndTurn);
        };
        let begin = heard.said.chars().take(LOOP_SHOWN).collect::<String>();
        let format = heard.cut.as_deref().and_then(|name| self.without(name));
        let heard = Heard { said: format!("{begin} …"), ..Heard::default() };
        self.ask(&heard, objection.id, &objection.words, format, out)
    }

    /// The schema of a reply that does not call this tool.
    fn without(&self, name: &str) -> Option<Value> {
        let about = &self.about;
        let head = about.head_without(name);
        let open = |other: &str| other != name && own::was_opened(&about.messages, &about.kinds, other);
        let bind = about.bind().filter(|_| !about.choice.is(name))?;
        Some(bind.reply(&head, &own::bound(&head), &about.choice, open))
    }

    /// An answer without a call.
    fn after_text(&mut self, heard: &Heard, stop: StopReason, out: &mut Vec<Delta>) -> Next {
        let silent = !self.spoke && heard.kept.trim().is_empty() && stop != StopReason::MaxTokens;
        if let Some(objection) = self.early.take().filter(|_| !heard.kept.trim().is_empty()) {
            self.held = vec![Delta::Text(heard.kept.clone())];
            return self.object(heard, objection, out);
        }
        match silent.then(|| self.against(Said::Empty)).flatten() {
            Some(objection) => self.object(heard, objection, out),
            None => self.finish(stop),
        }
    }

    /// Asks again, unless this turn has asked often enough.
    fn ask(
        &mut self,
        heard: &Heard,
        kind: &'static str,
        words: &str,
        format: Option<Value>,
        out: &mut Vec<Delta>,
    ) -> Next {
        self.count(kind);
        if self.asks >= self.about.checks.asks() {
            return self.give_up(out);
        }
        self.asks += 1;
        self.objected.push(kind);
        self.go_on(heard, words, format)
    }

    fn hop(&mut self, heard: &Heard, served: super::serve::Served, out: &mut Vec<Delta>) -> Next {
        if self.hops >= HOPS {
            return self.give_up(out);
        }
        self.hops += 1;
        self.say_line(&served.line, out);
        let format = served.opens.and_then(|name| self.opened(&name));
        self.go_on(heard, &served.result, format)
    }

    /// The schema of a reply that may call this parked tool too.
    fn opened(&self, name: &str) -> Option<Value> {
        let about = &self.about;
        let bind = about.bind().filter(|_| about.model.show.parked_by_help)?;
        let open = |other: &str| other == name || own::was_opened(&about.messages, &about.kinds, other);
        Some(bind.reply(&about.head, &own::bound(&about.head), &about.choice, open))
    }

    fn go_on(&mut self, heard: &Heard, words: &str, format: Option<Value>) -> Next {
        let said = if heard.said.trim().is_empty() { "(nothing)" } else { &heard.said };
        self.exchange.push(Shown::text(Speaker::Assistant, said));
        let words = self.about.model.show.result.replace("{tool}", "").replace("{text}", words);
        self.exchange.push(Shown::text(Speaker::User, words));
        Next::Ask(Ask { messages: self.exchange.clone(), format })
    }

    fn send(&mut self, calls: Vec<ToolUse>, out: &mut Vec<Delta>) {
        self.calls += calls.len();
        out.extend(calls.into_iter().map(Delta::Call));
    }

    fn say(&mut self, delta: Delta, out: &mut Vec<Delta>) {
        self.listen(std::slice::from_ref(&delta));
        out.push(delta);
    }

    fn listen(&mut self, said: &[Delta]) {
        self.spoke |= said.iter().any(|delta| matches!(delta, Delta::Text(text) if !text.trim().is_empty()));
    }

    /// A line of ours among the model's text.
    fn say_line(&mut self, line: &str, out: &mut Vec<Delta>) {
        let gap = if self.spoke { "\n" } else { "" };
        self.say(Delta::Text(format!("{gap}{line}\n")), out);
    }

    fn finish(&mut self, stop: StopReason) -> Next {
        let stop = match stop {
            _ if self.calls > 0 => StopReason::ToolUse,
            StopReason::ToolUse => StopReason::EndTurn,
            other => other,
        };
        Next::Finish { stop, usage: self.usage }
    }

    fn count(&mut self, kind: &str) {
        *self.repairs.entry(kind.to_owned()).or_default() += 1;
    }

    /// The prompt of the first answer, which is the one that was counted, and what all of them produced.
    fn add(&mut self, usage: Usage) {
        let output = self.usage.output.unwrap_or(0) + usage.output.unwrap_or(0);
        let first = if self.usage.prompt.is_some() { self.usage } else { usage };
        self.usage = Usage { output: usage.output.map(|_| output).or(self.usage.output), ..first };
    }
}

/// A piece that nobody looks into. A call that the server threw away is the text that it was.
fn as_it_came(delta: Delta) -> Delta {
    match delta {
        Delta::BrokenCall { name, arguments, .. } if name.is_empty() => Delta::Text(arguments),
        other => other,
    }
}

#[cfg(test)]
mod tests;
