//! Runs the tests that rule files carry.

use serde_json::{Map, Value, json};

use crate::rules::{Case, MessageKinds, ModelProfile, Pack, RuleSet};
use crate::tokens::Counter;
use crate::wire::{Block, Message, Request, Role, Tool, ToolResult, ToolUse};

use super::{Kind, Trimmed, trim};

/// A test that did not come out as it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("test \"{case}\": {what}")]
pub struct Failure {
    pub case: String,
    pub what: String,
}

/// Runs all tests of a pack under the rules.
pub fn check_pack(pack: &Pack, rules: &RuleSet, counter: &dyn Counter) -> Vec<Failure> {
    pack.tests.iter().flat_map(|case| check_case(case, pack, rules, counter)).collect()
}

/// Runs one test.
pub fn check_case(case: &Case, pack: &Pack, rules: &RuleSet, counter: &dyn Counter) -> Vec<Failure> {
    let fail = |what: String| Failure { case: case.name.clone(), what };
    let name = case.profile.as_deref().unwrap_or("small");
    let Some(profile) = rules.profile(8192, Some(name)).filter(|profile| profile.name == name) else {
        return vec![fail(format!("there is no profile `{name}`"))];
    };
    let one_pack = RuleSet { packs: vec![pack.clone()], lexicon: rules.lexicon.clone(), ..RuleSet::default() };
    let trimmed = trim(&request_of(case, pack), &one_pack, profile, &ModelProfile::default(), counter);
    faults(case, &trimmed).into_iter().chain(message_faults(case, pack)).map(fail).collect()
}

/// What is wrong with how a text at the user's side is understood.
fn message_faults(case: &Case, pack: &Pack) -> Vec<String> {
    let Some(text) = &case.message else { return Vec::new() };
    let kinds = MessageKinds::new(pack.messages.clone());
    let of_result = || kinds.of_result(text).map(|kind| (kind, text.as_str()));
    let known = kinds.of_text(text).or_else(of_result);
    let (id, told) = known.map_or(("typed", text.trim().into()), |(kind, body)| (kind.id.as_str(), kind.told(body)));
    let mut faults = Vec::new();
    if let Some(wanted) = case.is.as_ref().filter(|wanted| *wanted != id) {
        faults.push(format!("the message is taken for `{id}`, not `{wanted}`"));
    }
    if let Some(wanted) = case.told.as_ref().filter(|wanted| **wanted != told) {
        faults.push(format!("of the message `{told}` is told, not `{wanted}`"));
    }
    faults
}

fn faults(case: &Case, trimmed: &Trimmed) -> Vec<String> {
    let head = head_text(trimmed);
    let all = format!("{head}\n{}\n{}", trimmed.preamble, messages_text(trimmed));
    let mut faults = Vec::new();
    let mut demand = |good: bool, what: String| {
        if !good {
            faults.push(what);
        }
    };
    for text in &case.must_keep {
        demand(all.contains(text), format!("`{text}` is not kept"));
    }
    for text in &case.must_drop {
        demand(!all.contains(text), format!("`{text}` is not dropped"));
    }
    for text in &case.preamble {
        demand(trimmed.preamble.contains(text) && !head.contains(text), format!("`{text}` is not behind the head"));
    }
    if let Some(kind) = &case.kind {
        demand(trimmed.kind.name() == kind, format!("it is taken for `{}`, not `{kind}`", trimmed.kind.name()));
    }
    if let Some(wanted) = &case.answer {
        let answer = match &trimmed.kind {
            Kind::Side { answer, .. } => Some(answer),
            _ => None,
        };
        demand(answer == Some(wanted), format!("the answer is {answer:?}, not {wanted:?}"));
    }
    faults
}

fn head_text(trimmed: &Trimmed) -> String {
    let head = &trimmed.head;
    let tools = head.core.iter().map(|tool| format!("{}\n{}\n{}", tool.client.name, tool.description, tool.schema));
    format!("{}\n{}\n{}", head.system, head.index, tools.collect::<Vec<_>>().join("\n"))
}

fn messages_text(trimmed: &Trimmed) -> String {
    trimmed
        .messages
        .iter()
        .map(|message| message.to_value().to_string().replace("\\n", "\n"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The request that a test describes.
fn request_of(case: &Case, pack: &Pack) -> Request {
    let mark = pack.marks.first().cloned().unwrap_or_default();
    let mut messages = vec![Message::text(Role::User, if case.user.is_empty() { "hello" } else { &case.user })];
    if !case.notice.is_empty() {
        messages.push(Message::text(Role::System, &case.notice));
    }
    if !case.result.is_empty() {
        let call = ToolUse { id: "call".into(), name: "Tool".into(), input: json!({}) };
        let content = vec![Block::Text(case.result.clone())];
        let result = ToolResult { tool_use_id: "call".into(), content, is_error: false };
        messages.push(Message { role: Role::Assistant, content: vec![Block::ToolUse(call)].into() });
        messages.push(Message { role: Role::User, content: vec![Block::ToolResult(result)].into() });
    }
    Request {
        model: "test".into(),
        system: vec![mark, case.system.clone()].into_iter().filter(|text| !text.is_empty()).collect(),
        tools: case.tools.iter().map(|name| tool_of(name)).collect(),
        messages,
        max_tokens: None,
        stream: false,
        stop_sequences: Vec::new(),
        rest: Map::new(),
    }
}

fn tool_of(name: &str) -> Tool {
    let input_schema: Value = json!({"type": "object", "properties": {}});
    Tool {
        name: name.into(),
        description: format!("Does what {name} does.").into(),
        input_schema: input_schema.into(),
        defer_loading: false,
        server_type: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::O200k;

    #[test]
    fn every_builtin_rule_file_keeps_its_word() {
        let rules = RuleSet::builtin();
        let failures: Vec<String> = rules
            .packs
            .iter()
            .flat_map(|pack| check_pack(pack, &rules, &O200k))
            .map(|failure| failure.to_string())
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn a_test_that_does_not_hold_says_why() {
        let rules = RuleSet::builtin();
        let case = Case { name: "n".into(), must_keep: vec!["no such words".into()], ..Case::default() };
        let failures = check_case(&case, &rules.packs[0], &rules, &O200k);
        assert_eq!(failures[0].to_string(), "test \"n\": `no such words` is not kept");
    }
}
