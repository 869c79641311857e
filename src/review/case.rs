//! What a check may look at.

use serde_json::{Value, json};

use super::{Check, Objection};
use crate::calls::heal::{Invalid, heal};
use crate::history::{Act, Call, History, View};
use crate::rules::{CheckRule, Role, filled};
use crate::show::{self, ReplyContext};
use crate::wire::{Role as Speaker, ToolUse};

/// What a reply says, as far as checks may know.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said<'a> {
    /// A call that fits its schema, as the client would get it.
    Call(&'a ToolUse),
    /// A call that does not fit, why not, and the schema in words.
    Unfit { tool: &'a str, why: &'a str, schema: &'a str },
    /// A call of a tool that there is not, and the names that are most like it.
    Unknown { tool: &'a str, nearest: &'a str },
    /// A call without arguments that could be read.
    Unreadable,
    /// A call whose arguments only say that there are none.
    Nothing { tool: &'a str },
    /// An answer in words, whichever.
    Answer,
    /// Neither a word nor a call.
    Empty,
    /// A reply that was stopped in a loop.
    Loop,
}

/// A reply and the evidence about it. The prompt is not part of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) said: Said<'a>,
    pub(crate) history: &'a History<'a>,
    /// The index of the first call since the newest typed prompt.
    since: usize,
    about: &'a ReplyContext,
}

impl<'a> Case<'a> {
    pub(crate) fn new(said: Said<'a>, history: &'a History<'a>, about: &'a ReplyContext) -> Self {
        let prompt = about.newest_prompt();
        let since = history.calls.iter().position(|call| Some(call.message) > prompt).unwrap_or(history.calls.len());
        Self { said, history, since, about }
    }

    /// Whether the check of this id is on for the model.
    pub(super) fn is_on(&self, id: &str) -> bool {
        !self.about.model.unreviewed && self.about.checks.on(id, &self.about.model.family).is_some()
    }

    /// Whether a call of this turn that went out is one to which this check had to object: then it did.
    pub(super) fn was_made(&self, check: &dyn Check) -> bool {
        (self.since..self.history.calls.len()).any(|at| {
            let (call, before) = (self.history.calls[at].call, self.history.before(at));
            let said = match heal(&call.name, call.input.clone(), &self.about.tools, &self.about.lexicon) {
                Ok(_) => Said::Call(call),
                Err(Invalid::UnknownTool { .. }) => Said::Unknown { tool: &call.name, nearest: "" },
                Err(Invalid::Arguments { .. }) => Said::Unfit { tool: &call.name, why: "", schema: "" },
            };
            check.object(&Case { said, history: &before, ..*self }).is_some()
        })
    }

    /// The call, what it asks for.
    pub(super) fn act(&self) -> Option<(&'a ToolUse, Act<'a>)> {
        match self.said {
            Said::Call(call) => Some((call, Act::of(self.role(&call.name), &call.input))),
            _ => None,
        }
    }

    /// The last call of this turn, where the reply comes straight after its result.
    pub(super) fn last(&self) -> Option<(usize, &'a Call<'a>)> {
        let (at, last) = self.history.calls.iter().enumerate().next_back()?;
        let said_since =
            self.about.messages[last.message + 1..].iter().any(|message| message.role == Speaker::Assistant);
        (at >= self.since && last.result.is_some() && !said_since).then_some((at, last))
    }

    /// The calls of this turn.
    pub(super) fn calls(&self) -> &'a [Call<'a>] {
        &self.history.calls[self.since.min(self.history.calls.len())..]
    }

    pub(super) fn role(&self, tool: &str) -> Option<&'a Role> {
        self.about.roles.get(tool)
    }

    /// What is known of a file.
    pub(super) fn view(&self, path: &str) -> Option<&'a View> {
        self.history.files.view(path)
    }

    /// A path as the model is shown it.
    pub(super) fn shown(&self, path: &'a str) -> &'a str {
        self.about.shown_path(path)
    }

    /// The first tool that shows a file, and the name of its path.
    pub(super) fn reader(&self) -> Option<(&'a str, &'a str)> {
        self.about.reader()
    }

    /// The first shown tool that writes files, and a schema of its arguments for this path alone.
    pub(super) fn writer(&self, path: &'a str) -> Option<(String, Value)> {
        let (tool, key) = self.about.head.core.iter().find_map(|tool| match self.role(&tool.client.name) {
            Some(role @ Role::Write { .. }) => Some((tool, show::parameter(role)?)),
            _ => None,
        })?;
        let mut arguments = tool.schema.clone();
        arguments["properties"][key] = json!({"enum": [self.shown(path)]});
        Some((tool.client.name.clone(), arguments))
    }

    /// The client's own schema of a tool.
    pub(super) fn schema(&self, tool: &str) -> Option<Value> {
        self.about.tool(tool).map(|tool| (*tool.input_schema).clone())
    }

    /// A threshold of a check.
    pub(super) fn limit(&self, id: &str, name: &str) -> usize {
        self.about.checks.rule(id).map_or(0, |rule| rule.limit(name))
    }

    /// An objection in the words of the rules.
    pub(super) fn objection(&self, id: &'static str, values: &[(&str, &str)]) -> Objection {
        let rule: Option<&CheckRule> = self.about.checks.rule(id);
        let text = |text: Option<&String>| text.map(|text| filled(text, values));
        Objection {
            id,
            words: text(rule.and_then(|rule| rule.says.as_ref())).unwrap_or_default(),
            note: text(rule.and_then(|rule| rule.note.as_ref())),
            ..Objection::default()
        }
    }
}
