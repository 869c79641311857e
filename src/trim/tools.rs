//! Tools: which are shown in full, how, and which stand in the index only.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::rules::{HeadProfile, Pack, Param, Show, ToolRule};
use crate::tokens::Counter;
use crate::wire::{Block, Message, Tool};

use super::schema::{Shown, bare, reduce};
use super::tally::Tally;
use super::words::{first_sentence, first_words};
use super::{Head, ParkedTool, ShownTool, index};

/// What decides how tools are shown.
pub(super) struct Tools<'a> {
    pub(super) pack: &'a Pack,
    pub(super) profile: &'a HeadProfile,
}

impl Tools<'_> {
    /// Puts the tools of a request into the head.
    pub(super) fn place(&self, tools: &[Tool], messages: &[Message], head: &mut Head, tally: &mut Tally) {
        let late = loaded_late(tools, messages);
        let unnamed = tools.iter().filter(|tool| self.pack.tool(&tool.name).is_none()).count();
        let words = self.profile.words_for(unnamed);
        for tool in tools {
            let rule = self.pack.tool(&tool.name);
            if rule.is_none() {
                tally.unknown(&tool.name);
            }
            if self.is_core(tool, rule) && !late.contains(tool.name.as_str()) {
                head.core.push(self.shown(tool, rule));
            } else if is_shown(rule) {
                let words = self.index_words(tool, rule, words);
                head.parked.push(ParkedTool { client: tool.clone(), words, late: late.contains(tool.name.as_str()) });
            }
            account(tool, rule, head, tally);
        }
        head.index = index::of(&head.parked, self.profile.group_names_above);
        if !head.index.is_empty() {
            tally.hit("tools", "index", "", &head.index);
        }
    }

    fn is_core(&self, tool: &Tool, rule: Option<&ToolRule>) -> bool {
        if self.profile.off {
            return true;
        }
        tool.server_type.is_none()
            && rule.is_some_and(|rule| rule.show == Show::Core && rule.from <= self.profile.detail)
    }

    fn shown(&self, tool: &Tool, rule: Option<&ToolRule>) -> ShownTool {
        if self.profile.off {
            let (description, schema) = (tool.description.to_string(), (*tool.input_schema).clone());
            return ShownTool { client: tool.clone(), description, schema };
        }
        ShownTool {
            client: tool.clone(),
            description: self.description(tool, rule),
            schema: self.schema(&tool.input_schema, rule),
        }
    }

    fn description(&self, tool: &Tool, rule: Option<&ToolRule>) -> String {
        let ours = rule.and_then(|rule| {
            let brief = rule.brief.as_ref().filter(|_| self.profile.detail <= 1);
            brief.or(rule.text.as_ref())
        });
        ours.cloned().unwrap_or_else(|| first_sentence(&tool.description).to_owned())
    }

    fn schema(&self, schema: &Value, rule: Option<&ToolRule>) -> Value {
        let params = rule.and_then(|rule| rule.params.as_ref());
        let shows = |name: &str| {
            params.is_none_or(|params| params.get(name).is_some_and(|param| param.from <= self.profile.detail))
        };
        let words = |name: &str, property: &Value| match params.and_then(|params| params.get(name)) {
            Some(param) => [param.text.clone(), usually(param)].concat().trim().to_owned(),
            None if params.is_some() || self.profile.detail < 3 => String::new(),
            None => first_sentence(property["description"].as_str().unwrap_or_default()).to_owned(),
        };
        let needs = |name: &str| params.and_then(|params| params.get(name)).is_some_and(|param| param.needed);
        reduce(schema, &Shown { shows: &shows, needs: &needs, words: &words })
    }

    fn index_words(&self, tool: &Tool, rule: Option<&ToolRule>, unknown: usize) -> String {
        match rule.and_then(|rule| rule.words.as_ref()) {
            Some(words) if self.profile.index_words => words.clone(),
            Some(_) => String::new(),
            None => first_words(&tool.description, unknown),
        }
    }

    /// The definition of a tool that is loaded in the middle of a session, as the client promises it to the model.
    pub(super) fn definition(&self, tool: &Tool) -> String {
        let rule = self.pack.tool(&tool.name);
        let parameters =
            if self.profile.detail >= 3 { self.schema(&tool.input_schema, None) } else { bare(&tool.input_schema) };
        let value = json!({"name": tool.name, "description": self.description(tool, rule), "parameters": parameters});
        format!("<function>{value}</function>")
    }
}

/// What a parameter is where there is nothing to choose.
fn usually(param: &Param) -> String {
    param.default.as_ref().map(|value| format!(" (default {value})")).unwrap_or_default()
}

fn is_shown(rule: Option<&ToolRule>) -> bool {
    rule.is_none_or(|rule| rule.show != Show::Hide)
}

/// Tools that came in the middle of the session: those held back by the client, and those that a result refers to.
pub(super) fn loaded_late<'a>(tools: &'a [Tool], messages: &'a [Message]) -> BTreeSet<&'a str> {
    let held_back = tools.iter().filter(|tool| tool.defer_loading).map(|tool| tool.name.as_str());
    let referred = messages.iter().flat_map(Message::tool_results).flat_map(|result| &result.content);
    held_back.chain(referred.filter_map(referred_tool)).collect()
}

/// The name of the tool that a `tool_reference` block refers to.
pub(super) fn referred_tool(block: &Block) -> Option<&str> {
    match block {
        Block::Other(value) if value.get("type")? == "tool_reference" => value.get("tool_name")?.as_str(),
        _ => None,
    }
}

/// Books what became of one tool.
fn account(tool: &Tool, rule: Option<&ToolRule>, head: &Head, tally: &mut Tally) {
    let before = tool_tokens(tool, tally.counter) as i64;
    let shown = head.core.last().filter(|shown| shown.client.name == tool.name);
    let after = shown.map_or(0, |shown| tally.count(&definition(&tool.name, &shown.description, &shown.schema))) as i64;
    match rule {
        Some(rule) => tally.book("tool", &rule.names[0], before - after),
        None => tally.book("tools", "unknown", before - after),
    }
}

/// Tokens of a tool as the client defines it. Its schema is written out only where it has not been counted before.
pub fn tool_tokens(tool: &Tool, counter: &dyn Counter) -> usize {
    let parts = [&*tool.name, &*tool.description, tool.input_schema.text()];
    counter.count_made(&parts, &|| definition(&tool.name, &tool.description, &tool.input_schema))
}

/// A tool definition on one line.
fn definition(name: &str, description: &str, schema: &Value) -> String {
    let (name, description) = (Value::from(name), Value::from(description));
    format!(r#"{{"name":{name},"description":{description},"input_schema":{schema}}}"#)
}
