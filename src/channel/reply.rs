//! One upstream reply as the channel reads it: text that may go out at once, and calls that are held until the end.

use serde_json::Value;

use super::ANSWER;
use super::situation::Situation;
use super::unbind::{Bound, Unbind};
use crate::rules::ChannelKind;
use crate::wire::Delta;

/// What was heard of a reply by its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Heard {
    /// All that the model said, as it said it.
    pub(super) said: String,
    /// Text that was held back and now goes out.
    pub(super) texts: Vec<String>,
    pub(super) calls: Vec<HeardCall>,
    /// A call was cut off, and which.
    pub(super) cut: Option<String>,
}

/// A call as the model made it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HeardCall {
    pub(super) name: String,
    pub(super) input: Value,
}

/// The state of one reply.
#[derive(Debug)]
pub(super) struct Reply {
    said: String,
    calls: Vec<HeardCall>,
    bound: Option<Unbind>,
}

impl Reply {
    pub(super) fn new(about: &Situation) -> Self {
        let bound = (about.kind == ChannelKind::Constrained).then(Unbind::default);
        Self { said: String::new(), calls: Vec::new(), bound }
    }

    /// Takes one piece; gives what may go out now.
    pub(super) fn on_delta(&mut self, delta: Delta) -> Option<Delta> {
        match delta {
            Delta::Text(text) => {
                self.said.push_str(&text);
                let out = self.bound.as_mut().map_or(text.clone(), |unbind| unbind.on_text(&text));
                (!out.is_empty()).then_some(Delta::Text(out))
            }
            Delta::Call(call) => {
                self.calls.push(HeardCall { name: call.name, input: call.input });
                None
            }
            Delta::BrokenCall { name, arguments, .. } => {
                self.calls.push(HeardCall { name, input: Value::String(arguments) });
                None
            }
            other => Some(other),
        }
    }

    pub(super) fn on_end(self) -> Heard {
        let mut heard = Heard { said: self.said, calls: self.calls, ..Heard::default() };
        match self.bound.map(Unbind::on_end) {
            Some(Bound::Call(name, input)) if name == ANSWER => heard.texts.push(answer_text(&input)),
            Some(Bound::Call(name, input)) => heard.calls.push(HeardCall { name, input }),
            Some(Bound::Cut(name)) => heard.cut = Some(name.unwrap_or_default()),
            Some(Bound::Unbound(text)) => heard.texts.push(text),
            Some(Bound::Answer { .. }) | None => {}
        }
        heard
    }
}

/// An answer that was not written in the order of its schema.
fn answer_text(input: &Value) -> String {
    input["text"].as_str().map_or_else(|| input.to_string(), str::to_owned)
}
