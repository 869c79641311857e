//! What the model is shown: the head, and each message, in the form of the channel.

use serde_json::{Value, json};

use super::bind::Bind;
use super::call_text;
use super::choice::Choice;
use super::own;
use super::results::{Notes, strip_tags};
use super::safe_schema;
use super::tool_text;
use crate::fold::ShownAgain;
use crate::rules::{CallForm, ChannelKind, ModelProfile};
use crate::tokens::image_size;
use crate::trim::{Head, ShownTool};
use crate::wire::{Block, Message, Role, ToolResult, ToolUse};

/// Who speaks in a rendered message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    System,
    User,
    Assistant,
    /// The result of a call, where the dialect has a role for it.
    Tool,
}

/// One message as the model's template gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub speaker: Speaker,
    pub text: String,
    /// Calls in the dialect's own field (native only).
    pub calls: Vec<ToolUse>,
    /// The call that this message answers: (id, tool name); native only.
    pub answers: Option<(String, String)>,
    /// Image blocks for a model that sees.
    pub images: Vec<Value>,
    /// Tokens of these.
    pub image_tokens: usize,
}

/// The head in the form of the channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShownHead {
    pub system: String,
    /// Tool definitions for the dialect's own field (native only): `{name, description, input_schema}`.
    pub tools: Vec<Value>,
    /// Worked examples, as past messages.
    pub examples: Vec<Shown>,
    /// The part of `system` that is the text of tools: counted as tools.
    pub tool_text: String,
    /// The JSON Schema that binds a reply (constrained only).
    pub format: Option<Value>,
}

/// The form in which one family of models is shown tools and calls.
#[derive(Debug, Clone)]
pub struct Form<'a> {
    pub kind: ChannelKind,
    pub model: &'a ModelProfile,
    /// How the results of this history are told.
    pub notes: Notes,
    pub choice: Choice,
}

impl Shown {
    /// A message of text alone.
    pub fn text(speaker: Speaker, text: impl Into<String>) -> Self {
        Self { speaker, text: text.into(), calls: Vec::new(), answers: None, images: Vec::new(), image_tokens: 0 }
    }
}

impl<'a> Form<'a> {
    pub fn new(kind: ChannelKind, model: &'a ModelProfile) -> Self {
        Self { kind, model, notes: Notes::default(), choice: Choice::Auto }
    }

    /// The form for one request: its history, and what the client demands of the reply.
    #[must_use]
    pub fn with(self, notes: Notes, choice: Choice) -> Self {
        Self { notes, choice, ..self }
    }

    /// The same with what is shown again behind results.
    #[must_use]
    pub fn showing_again(&self, again: &[ShownAgain]) -> Self {
        let mut form = self.clone();
        form.notes.show_again(again);
        form
    }

    fn call_form(&self) -> CallForm {
        self.model.call_form(self.kind)
    }

    /// The head as it is sent, without worked examples.
    pub fn head(&self, head: &Head) -> ShownHead {
        let own = own::beside(head);
        if self.kind == ChannelKind::Native {
            return native_head(head, &own);
        }
        let beside: &[ShownTool] = if self.model.show.own_tools { &own } else { &[] };
        let shown: Vec<&ShownTool> = head.core.iter().chain(beside).collect();
        let tool_text = tool_text::all(&self.model.show, self.call_form(), &shown, &head.index);
        let system = join(&[&head.system, &tool_text]);
        let bind = Bind::of(self.kind, self.model).filter(|_| has_tools(head));
        let format = bind.map(|bind| bind.reply(head, &own::bound(head), &self.choice, |name| self.is_open(name)));
        ShownHead { system, tool_text, format, ..ShownHead::default() }
    }

    /// Whether a parked tool may be called at once.
    fn is_open(&self, name: &str) -> bool {
        !self.model.show.parked_by_help || own::was_opened(self.notes.messages(), self.notes.kinds(), name)
    }

    /// One message as it is sent.
    pub fn message(&self, message: &Message) -> Vec<Shown> {
        match (self.kind, message.role) {
            (ChannelKind::Native, _) => self.native(message),
            (_, Role::Assistant) => vec![Shown::text(Speaker::Assistant, self.assistant_text(message))],
            _ => vec![self.user(message)],
        }
    }

    fn user(&self, message: &Message) -> Shown {
        let mut parts: Vec<String> = message
            .tool_results()
            .map(|result| self.result_text(self.notes.tool(result), &self.told(result)))
            .collect();
        let text = self.user_text(message);
        if !text.is_empty() {
            parts.push(text);
        }
        let results = message.tool_results().flat_map(|result| &result.content);
        self.seeing(results.chain(&message.content), Shown::text(Speaker::User, parts.join("\n\n")))
    }

    fn assistant_text(&self, message: &Message) -> String {
        let calls: Vec<String> = message
            .tool_uses()
            .map(|call| call_text::call(self.call_form(), &call.name, &self.notes.input(call)))
            .collect();
        let text = self.notes.remembered(&message.plain_text());
        if calls.is_empty() { self.answer_text(&text) } else { join(&[&text, &calls.join("\n")]) }
    }

    /// A final answer, in the form in which the channel has it produced.
    fn answer_text(&self, text: &str) -> String {
        match self.kind {
            ChannelKind::Constrained => call_text::answer(self.call_form(), text),
            _ => text.to_owned(),
        }
    }

    /// Results first, then text, each in a message of its own.
    fn native(&self, message: &Message) -> Vec<Shown> {
        let mut shown: Vec<Shown> = message
            .tool_results()
            .map(|result| {
                let answers = Some((result.tool_use_id.clone(), self.notes.tool(result).to_owned()));
                self.seeing(&result.content, Shown { answers, ..Shown::text(Speaker::Tool, self.told(result)) })
            })
            .collect();
        let called = |call: &ToolUse| ToolUse { input: self.notes.input(call), ..call.clone() };
        let calls: Vec<ToolUse> = message.tool_uses().map(called).collect();
        let (speaker, text) = match message.role {
            Role::Assistant => (Speaker::Assistant, self.notes.remembered(&message.plain_text())),
            _ => (Speaker::User, self.user_text(message)),
        };
        let said = self.seeing(&message.content, Shown { calls, ..Shown::text(speaker, text) });
        if !said.text.is_empty() || !said.calls.is_empty() || !said.images.is_empty() {
            shown.push(said);
        }
        shown
    }

    /// The message with the images among these blocks.
    fn seeing<'b>(&self, blocks: impl IntoIterator<Item = &'b Block>, shown: Shown) -> Shown {
        let images = blocks.into_iter().filter_map(|block| match block {
            Block::Image(value) => Some(value.clone()),
            _ => None,
        });
        let images: Vec<Value> = images.collect();
        let size = |image: &Value| image["source"]["data"].as_str().and_then(image_size);
        let image_tokens = images.iter().map(|image| self.model.image_tokens.of(size(image))).sum();
        Shown { images, image_tokens, ..shown }
    }

    fn told(&self, result: &ToolResult) -> String {
        self.notes.result(result, &self.model.show)
    }

    /// What the user said, without what the profile takes out.
    fn user_text(&self, message: &Message) -> String {
        let text = strip_tags(&message.plain_text(), &self.model.show.strip_tags);
        self.notes.text(text.trim_start_matches('\n'))
    }

    fn result_text(&self, tool: &str, text: &str) -> String {
        self.model.show.result.replace("{tool}", tool).replace("{text}", text)
    }
}

fn native_head(head: &Head, own: &[ShownTool]) -> ShownHead {
    let definition = |tool: &ShownTool| {
        let schema = if head.untouched { tool.schema.clone() } else { safe_schema::single_keyed(&tool.schema) };
        json!({"name": tool.client.name, "description": tool.description, "input_schema": schema})
    };
    ShownHead {
        system: join(&[&head.system, &head.index]),
        tools: head.core.iter().chain(own).map(definition).collect(),
        tool_text: head.index.clone(),
        ..ShownHead::default()
    }
}

/// Whether there is anything to call.
pub(crate) fn has_tools(head: &Head) -> bool {
    !head.core.is_empty() || !head.parked.is_empty()
}

/// The parts that are not empty, with an empty line between them.
fn join(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}
