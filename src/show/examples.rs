//! Worked examples, told with the tools that this client has and in the form in which its model is told everything else.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::form::{Form, Shown, Speaker};
use super::nearest::Nearest;
use super::results::Notes;
use crate::history::typed_prompts;
use crate::rules::{ChannelKind, Example, ExampleProfile, ExampleStep, MessageKinds, ModelProfile, Role, RuleSet};
use crate::trim::{Head, ShownTool};
use crate::wire::{Block, Message, Role as Side, ToolResult, ToolUse};

/// What tells the examples of one request.
pub struct Examples<'a> {
    pub kind: ChannelKind,
    pub model: &'a ModelProfile,
    /// The tools that the model is shown.
    pub head: &'a Head,
    pub rules: &'a RuleSet,
}

/// A prompt before which examples may stand: its text, and the most tokens for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub prompt: &'a str,
    pub tokens: usize,
}

/// Examples that stand before a prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    pub shown: Vec<Shown>,
    pub tokens: usize,
    /// Which they are, in the list of the rules.
    which: Vec<usize>,
}

impl Examples<'_> {
    fn profile(&self) -> &ExampleProfile {
        &self.model.examples
    }

    /// Those that stand in every head.
    pub fn in_head(&self) -> Vec<Shown> {
        let most = self.head.examples.unwrap_or(usize::MAX);
        let known = |id: &String| self.rules.examples.iter().find(|example| example.id == *id);
        self.profile()
            .head
            .iter()
            .filter_map(known)
            .filter_map(|example| self.told(example))
            .take(most)
            .flatten()
            .collect()
    }

    /// What stands before a prompt: the nearest examples, as far as they are near enough, fit, and do not stand in the head
    /// or before an earlier prompt (`earlier`). It depends on nothing behind the prompt.
    pub fn before(
        &self,
        nearest: &Nearest,
        place: Place<'_>,
        earlier: &[(usize, Arc<Standing>)],
        cost: impl Fn(&[Shown]) -> usize,
    ) -> Option<Standing> {
        let profile = self.profile();
        let known = |at: usize| {
            profile.head.contains(&self.rules.examples[at].id)
                || earlier.iter().any(|(_, other)| other.which.contains(&at))
        };
        let near = nearest.rank(place.prompt).into_iter().take_while(|(_, near)| near * 100.0 >= profile.near as f64);
        let told = near.filter_map(|(at, _)| Some((at, self.told(&self.rules.examples[at])?)));
        let mut standing = Standing::default();
        for (at, mut told) in told.take(profile.each) {
            let tokens = cost(&told);
            if standing.tokens + tokens <= place.tokens && !known(at) {
                // The nearest stands next to the prompt.
                told.append(&mut standing.shown);
                standing.shown = told;
                standing.tokens += tokens;
                standing.which.push(at);
            }
        }
        (standing.tokens > 0).then_some(standing)
    }

    /// One example as past messages; `None` where the client has no tool for one of its steps.
    fn told(&self, example: &Example) -> Option<Vec<Shown>> {
        let mut messages = vec![Message::text(Side::User, &example.prompt)];
        for (at, step) in example.steps.iter().enumerate() {
            let (tool, input) = self.head.core.iter().find_map(|tool| Some((tool, self.call(tool, step)?)))?;
            let id = format!("{}_{at}", example.id);
            let (text, is_error) = self.result(step);
            let result = ToolResult { tool_use_id: id.clone(), content: vec![Block::Text(text)], is_error };
            let call = ToolUse { id, name: tool.client.name.clone(), input };
            messages.push(Message { role: Side::Assistant, content: vec![Block::ToolUse(call)].into() });
            messages.push(Message { role: Side::User, content: vec![Block::ToolResult(result)].into() });
        }
        messages.push(Message::text(Side::Assistant, &example.answer));
        let messages: Arc<[Message]> = messages.into();
        let notes = Notes::of(&messages, self.rules, self.model, None);
        let form = Form { notes, ..Form::new(self.kind, self.model) };
        Some(messages.iter().flat_map(|message| form.message(message)).collect())
    }

    /// The input by which this tool does the step; `None` when it cannot.
    fn call(&self, tool: &ShownTool, step: &ExampleStep) -> Option<Value> {
        let mut given: Vec<(&str, Value)> = Vec::new();
        match (self.rules.role(&tool.client.name)?, step) {
            (Role::Read { path, .. }, ExampleStep::Read { path: value, .. }) => {
                given.push((path, value.as_str().into()));
            }
            (Role::Edit { path, old, new, all }, ExampleStep::Edit { path: value, old: was, new: is, all: every }) => {
                given.extend([(&**path, value.as_str().into()), (old, was.as_str().into()), (new, is.as_str().into())]);
                match all {
                    Some(all) if *every => given.push((all, true.into())),
                    None if *every => return None,
                    _ => {}
                }
            }
            (Role::Write { path, content }, ExampleStep::Write { path: value, content: text }) => {
                given.extend([(&**path, value.as_str().into()), (content, text.as_str().into())]);
            }
            (Role::Run { command }, ExampleStep::Run { command: value, .. }) => {
                given.push((command, value.as_str().into()));
            }
            (Role::Search { pattern, .. }, ExampleStep::Search { pattern: value, .. })
            | (Role::List { pattern, .. }, ExampleStep::List { pattern: value, .. }) => {
                given.push((pattern, value.as_str().into()));
            }
            _ => return None,
        }
        let required = tool.client.input_schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let enough = required.clone().all(|name| given.iter().any(|(key, _)| *key == name));
        enough.then(|| in_order(tool, given))
    }

    /// The result as the client would give it, and whether it is an error.
    fn result(&self, step: &ExampleStep) -> (String, bool) {
        match step {
            ExampleStep::Read { result, .. } if !self.model.show.strip_line_numbers => {
                let numbered = result.lines().enumerate().map(|(at, line)| format!("{}\t{line}", at + 1));
                (numbered.collect::<Vec<_>>().join("\n"), false)
            }
            ExampleStep::Run { result, failed, .. } => (result.clone(), *failed),
            ExampleStep::Read { result, .. }
            | ExampleStep::Search { result, .. }
            | ExampleStep::List { result, .. } => (result.clone(), false),
            ExampleStep::Edit { path, .. } | ExampleStep::Write { path, .. } => (path.clone(), false),
        }
    }
}

/// The prompts from message `from` on that begin a message of their own, each with its message. Of a message with several
/// the first counts, so that one that is added later changes nothing.
pub(crate) fn prompts_of<'a>(messages: &'a [Message], kinds: &'a MessageKinds, from: usize) -> Vec<(usize, &'a str)> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for prompt in typed_prompts(&messages[from..], kinds) {
        let message = from + prompt.message;
        let alone = messages[message].tool_results().next().is_none();
        if alone && found.last().is_none_or(|(known, _)| *known != message) {
            found.push((message, prompt.text));
        }
    }
    found
}

/// The calls of shown examples as they are written in text: a model that explains itself may quote them.
pub(crate) fn calls_in<'s>(shown: impl IntoIterator<Item = &'s Shown>, kind: ChannelKind) -> Vec<String> {
    let written = |shown: &&Shown| kind != ChannelKind::Native && shown.speaker == Speaker::Assistant;
    shown.into_iter().filter(written).map(|shown| shown.text.clone()).collect()
}

/// Arguments in the order of the tool's schema, in which a bound reply gives them.
fn in_order(tool: &ShownTool, mut given: Vec<(&str, Value)>) -> Value {
    let properties = tool.schema["properties"].as_object();
    let place = |key: &str| properties.and_then(|known| known.keys().position(|known| known == key));
    given.sort_by_key(|(key, _)| place(key).unwrap_or(usize::MAX));
    Value::Object(given.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Tool;
    use serde_json::json;

    const MINE: &str = r#"examples = "mine"
        [[example]]
        id = "look"
        prompt = "What does a.txt say?"
        answer = "It says hi."
        [[example.step]]
        role = "read"
        path = "a.txt"
        result = "hi"
        [[example.step]]
        role = "run"
        command = "false"
        result = "no"
        failed = true
        [[example]]
        id = "find"
        prompt = "Who calls it?"
        answer = "Nobody."
        [[example.step]]
        role = "search"
        pattern = "it"
        result = "none"
        [[example]]
        id = "hello"
        prompt = "Hello you!"
        answer = "Hello!""#;

    const OTHER: &str = r#"client = "other"
        [[tool]]
        names = ["view"]
        role = { kind = "read", path = "target" }
        [[tool]]
        names = ["zsh"]
        role = { kind = "run", command = "line" }"#;

    fn rules() -> RuleSet {
        let mut rules = RuleSet::builtin();
        rules.examples.clear();
        for text in [MINE, OTHER] {
            rules.layer("mine.toml", text).unwrap_or_else(|error| panic!("{error}"));
        }
        rules
    }

    fn head(tools: &[(&str, &[&str], &[&str])]) -> Head {
        let shown = |(name, keys, required): &(&str, &[&str], &[&str])| {
            let properties: Map<String, Value> =
                keys.iter().map(|key| ((*key).to_owned(), json!({"type": "string"}))).collect();
            let schema = json!({"type": "object", "properties": properties, "required": required});
            let client = Tool { input_schema: schema.clone().into(), ..Tool::of_unknown_schema(name) };
            ShownTool { client, description: String::new(), schema }
        };
        Head { core: tools.iter().map(shown).collect(), ..Head::default() }
    }

    fn model(rules: &RuleSet, each: usize, tokens: usize) -> ModelProfile {
        let mut model = rules.model("qwen2.5-coder:1.5b").unwrap().clone();
        model.examples = ExampleProfile { head: vec!["look".into()], each, tokens, near: 20 };
        model
    }

    fn other_tools() -> Head {
        head(&[("zsh", &["line"], &["line"]), ("view", &["target"], &["target"])])
    }

    #[test]
    fn steps_are_told_with_the_tools_at_hand_as_everything_else_is() {
        let rules = rules();
        let (model, head) = (model(&rules, 0, 0), other_tools());
        let told = |kind| Examples { kind, model: &model, head: &head, rules: &rules }.in_head();
        let texts: Vec<String> = told(ChannelKind::Constrained).into_iter().map(|shown| shown.text).collect();
        assert_eq!(
            texts,
            [
                "What does a.txt say?",
                r#"{"view":{"target":"a.txt"}}"#,
                "<tool_response>\nhi\n</tool_response>",
                r#"{"zsh":{"line":"false"}}"#,
                "<tool_response>\nError: no\n</tool_response>",
                r#"{"Answer":"It says hi."}"#,
            ]
        );
        let native = told(ChannelKind::Native);
        assert_eq!(native[1].calls[0].input, json!({"target": "a.txt"}));
        assert_eq!(native[2].answers, Some((native[1].calls[0].id.clone(), "view".into())));
        assert_eq!(native.last().map(|shown| shown.text.as_str()), Some("It says hi."));
    }

    #[test]
    fn an_example_is_left_out_where_a_tool_is_missing_or_needs_more_than_it_gives() {
        let rules = rules();
        let model = model(&rules, 0, 0);
        for tools in [
            head(&[("view", &["target"], &["target"])]),
            head(&[("view", &["target"], &["target"]), ("zsh", &["line"], &["line", "why"])]),
        ] {
            let examples = Examples { kind: ChannelKind::Constrained, model: &model, head: &tools, rules: &rules };
            assert_eq!(examples.in_head(), []);
        }
    }

    #[test]
    fn the_nearest_stand_once_before_their_prompt_within_their_budget() {
        let rules = rules();
        let nearest = Nearest::of(&rules.examples);
        let tools = other_tools();
        let before = |tokens: usize| {
            let model = model(&rules, 2, 100);
            let examples = Examples { kind: ChannelKind::Constrained, model: &model, head: &tools, rules: &rules };
            let mut standing: Vec<(usize, Arc<Standing>)> = Vec::new();
            let asked = ["Hello!", "What does b.txt say?", "Who calls it?", "Hello you!", "12345"];
            for (at, prompt) in asked.into_iter().enumerate() {
                let found = examples.before(&nearest, Place { prompt, tokens }, &standing, <[Shown]>::len);
                standing.extend(found.map(|found| (at, found.into())));
            }
            standing
        };
        let found = before(10);
        assert_eq!(found.len(), 1, "not what stands in the head, nor twice, nor without a tool");
        assert_eq!(
            (found[0].0, found[0].1.shown.iter().map(|shown| shown.text.as_str()).collect::<Vec<_>>()),
            (0, vec!["Hello you!", r#"{"Answer":"Hello!"}"#])
        );
        assert_eq!(before(1), []);
    }
}
