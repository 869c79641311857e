//! Whether Ollama renders a prompt as we think: a small conversation in the form of the channel, what of it has to stand in
//! the prompt, and what the server's own rendering of it shows. Pure; `discover` asks.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::pipeline::{Setup, Target, measure};
use crate::show::{Envelope, Form, Notes, Shown, ShownHead, body};
use crate::tokens::{Budget, Counter};
use crate::trim::{Head, ShownTool};
use crate::wire::{Dialect, Request};

/// By how many tokens a message what the template puts around it may differ from what is counted for it.
const TOLERANCE: usize = 1;

/// A conversation to be rendered, and not answered.
pub(super) struct Probe {
    target: Target,
    head: ShownHead,
    shown: Vec<Shown>,
    /// Descriptions of tools, wherever they stand.
    tools: Vec<Arc<str>>,
    /// Tokens of it all, as a request is counted.
    counted: usize,
}

impl Probe {
    pub(super) fn new(setup: &Setup, target: &Target) -> Option<Self> {
        let request = Request::parse(conversation().to_string().as_bytes()).ok()?;
        let model = &target.profile;
        let notes = Notes::of(&request.messages.clone().into(), &setup.rules, model, None);
        let form = Form { notes, ..Form::new(target.channel(), model) };
        let head = form.head(&head(&request));
        let shown: Vec<Shown> = request.messages.iter().flat_map(|message| form.message(message)).collect();
        let counter = setup.family(model);
        let around = if head.tools.is_empty() { 0 } else { model.tool_markers };
        let counted = measure::after(&head, &shown, &counter, model.message_markers).total + around;
        let tools = request.tools.iter().map(|tool| tool.description.clone()).collect();
        Some(Self { target: target.clone(), head, shown, tools, counted })
    }

    /// The body that has it rendered, under the options of every other request: others would make Ollama load the model anew.
    pub(super) fn body(&self, window: usize) -> Value {
        let envelope = Envelope {
            model: &self.target.model,
            dialect: Dialect::Ollama,
            sampling: &self.target.profile.sampling,
            budget: Budget::of(window),
            prompt: self.counted,
            // A server that does not know what is asked of it answers; then this is all that it is to say.
            max_tokens: Some(1),
            think: None,
            as_they_are: serde_json::Map::new(),
            format: None,
            keep_alive: super::facts::KEEP_ALIVE,
        };
        let mut body = body(&envelope, &ShownHead { format: None, ..self.head.clone() }, &self.shown);
        body["stream"] = json!(false);
        body["_debug_render_only"] = json!(true);
        body
    }

    /// What is not as expected in a rendered prompt, a sentence each.
    pub(super) fn judge(&self, setup: &Setup, rendered: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        if !rendered.contains(self.system()) {
            wrong.push(said("leaves out the system text"));
        }
        if self.tools.iter().any(|tool| !rendered.contains(&**tool)) {
            wrong.push(said("leaves out tools"));
        }
        match self.frame(rendered) {
            Ok(frame) if wrong.is_empty() => wrong.extend(self.weigh(&frame, setup)),
            Ok(_) => {}
            Err(text) => wrong.push(said(&format!("leaves out or moves a message (\"{text}\")"))),
        }
        wrong
    }

    /// Templates may trim what they are given.
    fn system(&self) -> &str {
        self.head.system.trim()
    }

    /// What stands around the messages; or the text of the first that is not in its place.
    fn frame(&self, rendered: &str) -> Result<String, String> {
        let (mut frame, mut rest) = (String::new(), rendered);
        if let Some((before, behind)) = rendered.split_once(self.system()) {
            frame.push_str(before);
            rest = behind;
        }
        for text in self.shown.iter().flat_map(texts) {
            let (before, behind) = rest.split_once(&text).ok_or(text)?;
            frame.push_str(before);
            rest = behind;
        }
        frame.push_str(rest);
        Ok(frame)
    }

    /// Whether more stands around the messages than is counted for it.
    fn weigh(&self, frame: &str, setup: &Setup) -> Option<String> {
        let counter = setup.family(&self.target.profile);
        let inside: usize = self.shown.iter().flat_map(texts).map(|text| counter.count(&text)).sum();
        let counted = self.counted.saturating_sub(inside + counter.count(&self.head.system));
        // Markers are few and short: a family's factor, rounded up for each, would say more of itself than of them.
        let found = frame_tokens(frame, setup.counter());
        let most = counted + (self.shown.len() + 2) * TOLERANCE;
        (found > most).then(|| {
            let family = &self.target.profile.family;
            said(&format!(
                "puts {found} tokens around them where {counted} are counted: raise message_markers of {family}"
            ))
        })
    }
}

fn said(what: &str) -> String {
    format!("the server's template {what}")
}

/// What of a message has to stand in a prompt, in this order.
fn texts(shown: &Shown) -> Vec<String> {
    let values = shown.calls.iter().flat_map(|call| call.input.as_object().into_iter().flatten());
    let values = values.filter_map(|(_, value)| value.as_str().map(str::to_owned));
    std::iter::once(shown.text.trim().to_owned()).filter(|text| !text.is_empty()).chain(values).collect()
}

/// Tokens of what a template writes by itself; its markers, such as `<|im_start|>` and `[INST]`, are one each.
fn frame_tokens(frame: &str, counter: &dyn Counter) -> usize {
    let (mut markers, mut plain, mut rest) = (0, 0, frame);
    while let Some(at) = rest.find(['<', '[']) {
        plain += counter.count(&rest[..at]);
        let length = marker(&rest[at..]);
        markers += usize::from(length > 0);
        rest = &rest[at + length.max(1)..];
        plain += usize::from(length == 0);
    }
    markers + plain + counter.count(rest)
}

/// The length of the marker that a text begins with; 0 where it begins with none.
fn marker(text: &str) -> usize {
    let end = if text.starts_with('<') { '>' } else { ']' };
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "|_/".contains(c));
    match text.find(end) {
        Some(at) if at > 1 && is_name(&text[1..at]) => at + 1,
        _ => 0,
    }
}

fn head(request: &Request) -> Head {
    let shown = |tool: &crate::wire::Tool| ShownTool {
        description: tool.description.to_string(),
        schema: (*tool.input_schema).clone(),
        client: tool.clone(),
    };
    Head { system: request.system.join("\n"), core: request.tools.iter().map(shown).collect(), ..Head::default() }
}

/// Every kind of message that there is.
fn conversation() -> Value {
    json!({"model": "any", "max_tokens": 1, "system": "This is the place of the system text.",
        "tools": [{"name": "Lamp", "description": "tells which lamp stands at a place", "input_schema":
            {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}}],
        "messages": [
            {"role": "user", "content": "This is the first prompt."},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": "Lamp", "input": {"place": "doorway"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "A green one stands there."}]},
            {"role": "assistant", "content": "It is green."},
            {"role": "user", "content": "This is the second prompt."}]})
}

/// The rendered prompt in an answer of Ollama; `None` from a server that does not know the question.
pub(super) fn rendered(answer: &Value) -> Option<&str> {
    answer.pointer("/_debug_info/rendered_template")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use crate::tokens::{Window, WindowSource};

    fn probe(model: &str) -> (Setup, Probe) {
        let setup = Setup::new(RuleSet::builtin());
        let window = Window { tokens: 4096, source: WindowSource::Setting };
        let target = setup.target(model, window, Dialect::Ollama).unwrap();
        let probe = Probe::new(&setup, &target).unwrap();
        (setup, probe)
    }

    fn chat(body: &Value) -> String {
        let messages = body["messages"].as_array().unwrap();
        let one = |message: &Value| {
            format!(
                "<|im_start|>{}\n{}<|im_end|>\n",
                message["role"].as_str().unwrap(),
                message["content"].as_str().unwrap()
            )
        };
        messages.iter().map(one).collect::<String>() + "<|im_start|>assistant\n"
    }

    fn judged(model: &str, change: impl Fn(String) -> String) -> Vec<String> {
        let (setup, probe) = probe(model);
        probe.judge(&setup, &change(chat(&probe.body(4096))))
    }

    #[test]
    fn a_template_that_shows_all_in_its_order_is_as_expected() {
        assert_eq!(judged("qwen2.5-coder:7b", |prompt| prompt), Vec::<String>::new());
    }

    #[test]
    fn what_a_template_leaves_out_or_moves_is_said() {
        let system = judged("qwen2.5-coder:7b", |prompt| prompt.replace("the system text", ""));
        assert!(system[0].contains("system text"), "{system:?}");
        let tools = judged("qwen2.5-coder:7b", |prompt| prompt.replace("which lamp", ""));
        assert!(tools.iter().any(|line| line.contains("tools")), "{tools:?}");
        let moved = judged("qwen2.5-coder:7b", |prompt| {
            prompt
                .replace("first prompt", "x")
                .replace("second prompt", "first prompt")
                .replace("the x", "the second prompt")
        });
        assert!(moved[0].contains("moves a message"), "{moved:?}");
    }

    #[test]
    fn markers_beyond_those_that_are_counted_are_said() {
        let wide = judged("qwen2.5-coder:7b", |prompt| {
            prompt.replace("<|im_end|>", " that was all of this message <|im_end|>")
        });
        assert!(wide[0].contains("message_markers"), "{wide:?}");
    }

    #[test]
    fn a_probe_makes_the_server_render_and_not_load_anew() {
        let (_, probe) = probe("qwen2.5-coder:7b");
        let body = probe.body(8192);
        assert_eq!((&body["options"]["num_ctx"], &body["options"]["num_predict"]), (&json!(8192), &json!(1)));
        assert_eq!(
            (&body["_debug_render_only"], &body["stream"], &body["shift"]),
            (&json!(true), &json!(false), &json!(false))
        );
        assert!(body.get("format").is_none());
    }

    #[test]
    fn markers_are_one_token_each() {
        let words = frame_tokens("user\n", &crate::tokens::O200k);
        assert_eq!(frame_tokens("<|im_start|>user\n<|im_end|>[INST]", &crate::tokens::O200k), words + 3);
        assert_eq!(marker("<no marker>"), 0);
        assert_eq!(marker("</s> and on"), 4);
    }
}
