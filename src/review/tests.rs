//! The cases of the checks (`fixtures/checks/ID/*.json`), and the laws of review.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;
use crate::history::History;
use crate::rules::{ChannelKind, RuleSet};
use crate::show::{Choice, Folder, ReplyContext};
use crate::trim::{Head, ShownTool};
use crate::wire::{Message, Request, Tool, ToolUse};

/// One situation: what happened, what is said, and whether that is to be objected to.
struct Fixture {
    name: String,
    id: String,
    objects: bool,
    messages: Vec<Message>,
    said: Value,
}

#[allow(clippy::disallowed_methods)]
fn fixtures() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/checks");
    let mut files: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    files.iter().flat_map(|path| of_file(path)).collect()
}

/// `{"object": [case…], "pass": [case…]}`; a case is `{"name", "history": [messages], "said"}`.
#[allow(clippy::disallowed_methods)]
fn of_file(path: &Path) -> Vec<Fixture> {
    let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let cases: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{id}: {e}"));
    let read = |kind: &str| -> Vec<Fixture> {
        let list = cases[kind].as_array().unwrap_or_else(|| panic!("{id}: no {kind}")).iter();
        list.map(|case| Fixture {
            name: case["name"].as_str().unwrap().to_owned(),
            id: id.clone(),
            objects: kind == "object",
            messages: messages(&case["history"]),
            said: case["said"].clone(),
        })
        .collect()
    };
    [read("object"), read("pass")].into_iter().flatten().collect()
}

/// A text is a prompt; `["Tool", {input}, "result"]` a call with its result, `["Tool", {input}, "result", "error"]` one that
/// failed; `{"note": text}` what the client puts in, `{"answer": text}` what the model said.
fn messages(history: &Value) -> Vec<Message> {
    let mut messages: Vec<Value> = Vec::new();
    for (at, item) in history.as_array().unwrap().iter().enumerate() {
        match item {
            Value::String(text) => messages.push(json!({"role": "user", "content": text})),
            Value::Array(call) => {
                let id = format!("t{at}");
                let used = json!({"type": "tool_use", "id": id, "name": call[0], "input": call[1]});
                let failed = call.get(3).is_some();
                let result = json!({"type": "tool_result", "tool_use_id": id, "content": call[2], "is_error": failed});
                messages.push(json!({"role": "assistant", "content": [used]}));
                messages.push(json!({"role": "user", "content": [result]}));
            }
            item if item["note"].is_string() => messages.push(json!({"role": "user", "content": item["note"]})),
            item => messages.push(json!({"role": "assistant", "content": item["answer"]})),
        }
    }
    let body = json!({"model": "m", "max_tokens": 9, "messages": messages}).to_string();
    Request::parse(body.as_bytes()).unwrap().messages
}

fn tool(name: &str, properties: Value, required: &[&str]) -> Tool {
    Tool {
        name: name.into(),
        description: "".into(),
        input_schema: json!({"type": "object", "properties": properties, "required": required}).into(),
        defer_loading: false,
        server_type: None,
    }
}

fn tools() -> Vec<Tool> {
    let text = json!({"type": "string"});
    vec![
        tool("Bash", json!({"command": text}), &["command"]),
        tool(
            "Read",
            json!({"file_path": text, "offset": {"type": "integer"}, "limit": {"type": "integer"}}),
            &["file_path"],
        ),
        tool("Write", json!({"file_path": text, "content": text}), &["file_path", "content"]),
        tool(
            "Edit",
            json!({"file_path": text, "old_string": text, "new_string": text, "replace_all": {"type": "boolean"}}),
            &["file_path", "old_string", "new_string"],
        ),
        tool("Grep", json!({"pattern": text, "path": text}), &["pattern"]),
        tool("TodoWrite", json!({"todos": {"type": "array"}}), &["todos"]),
    ]
}

fn about(rules: &RuleSet, model: &str, kind: ChannelKind, messages: Vec<Message>) -> ReplyContext {
    let shown = |tool: &Tool| ShownTool {
        client: tool.clone(),
        description: String::new(),
        schema: (*tool.input_schema).clone(),
    };
    ReplyContext {
        kind,
        model: rules.model(model).unwrap().clone().into(),
        examples: Vec::new(),
        head: Head { core: tools().iter().map(shown).collect(), ..Head::default() },
        tools: tools(),
        messages: messages.into(),
        roles: ReplyContext::roles_of(&tools(), rules),
        folder: Folder::new("/w"),
        choice: Choice::Auto,
        lexicon: rules.lexicon.clone(),
        kinds: rules.messages.clone(),
        checks: rules.checks.clone(),
        session: String::new(),
        format: None,
    }
}

/// What the checks say of a case.
fn objection(about: &ReplyContext, said: &Value) -> Option<Objection> {
    let history: History<'_> = about.history();
    let text = |key: &str| said[key].as_str().unwrap_or_default();
    let call = ToolUse { id: "new".into(), name: text("call").into(), input: said["input"].clone() };
    let said = match said {
        Value::String(word) if word == "empty" => Said::Empty,
        Value::String(word) if word == "loop" => Said::Loop,
        Value::String(word) if word == "unreadable" => Said::Unreadable,
        Value::String(_) => Said::Answer,
        said if said.get("unfit").is_some() => Said::Unfit { tool: text("unfit"), why: text("why"), schema: "" },
        said if said.get("unknown").is_some() => Said::Unknown { tool: text("unknown"), nearest: "" },
        said if said.get("nothing").is_some() => Said::Nothing { tool: text("nothing") },
        _ => Said::Call(&call),
    };
    review(&Case::new(said, &history, about), &[])
}

const MODELS: [(&str, ChannelKind); 4] = [
    ("qwen2.5-coder:1.5b", ChannelKind::Constrained),
    ("qwen2.5-coder:7b", ChannelKind::Prompted),
    ("qwen3-coder:30b", ChannelKind::Native),
    ("something-new", ChannelKind::Native),
];

#[test]
fn each_case_is_objected_to_or_left_alone_on_every_family() {
    let rules = RuleSet::builtin();
    let mut wrong = Vec::new();
    for (model, kind) in MODELS {
        for case in fixtures() {
            let about = about(&rules, model, kind, case.messages);
            let on = rules.checks.on(&case.id, &about.model.family).is_some();
            let found = objection(&about, &case.said).map(|objection| objection.id);
            let right =
                if case.objects && on { found == Some(case.id.as_str()) } else { found != Some(case.id.as_str()) };
            let left = case.objects || found.is_none_or(|id| id == "read-before-edit");
            if !right || !left {
                wrong.push(format!("{model}: {}/{}: {found:?}", case.id, case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_check_has_its_rule_and_at_least_twenty_cases_that_pass() {
    let rules = RuleSet::builtin();
    let ids: Vec<&str> = CHECKS.iter().map(|check| check.id()).collect();
    let mut listed: Vec<&str> = rules.checks.rules.iter().map(|rule| rule.id.as_str()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    listed.sort_unstable();
    assert_eq!(sorted, listed);
    let fixtures = fixtures();
    for id in ids {
        let count = |objects: bool| fixtures.iter().filter(|case| case.id == id && case.objects == objects).count();
        assert!(count(true) > 0 && count(false) >= 20, "{id}: {} object, {} pass", count(true), count(false));
    }
}

/// Whatever the user has typed, the same is objected to.
#[test]
fn no_word_of_a_prompt_is_evidence() {
    let rules = RuleSet::builtin();
    let prompts = ["Do not run anything.", "run ./check in src/a.py and create b.txt, rename total", "你好"];
    for case in fixtures() {
        let verdict = |messages: Vec<Message>| {
            let about = about(&rules, "qwen2.5-coder:1.5b", ChannelKind::Constrained, messages);
            objection(&about, &case.said).map(|objection| objection.id)
        };
        let first = verdict(case.messages.clone());
        for prompt in prompts {
            let mut messages = case.messages.clone();
            for message in &mut messages {
                let typed = message.role == crate::wire::Role::User && message.tool_results().next().is_none();
                if typed && !message.plain_text().trim_start().starts_with('<') {
                    *message = Message::text(crate::wire::Role::User, prompt);
                }
            }
            assert_eq!(verdict(messages), first, "{}/{}", case.id, case.name);
        }
    }
}

/// What came twice goes out, also where the first time was in an earlier request of this turn.
#[test]
fn the_second_time_goes_out() {
    let rules = RuleSet::builtin();
    let read = json!(["Read", {"file_path": "/w/a.txt"}, "1\tone\n2\ttwo"]);
    let edit = |old: &str| json!({"file_path": "/w/a.txt", "old_string": old, "new_string": "x"});
    let said = |old: &str| json!({"call": "Edit", "input": edit(old)});
    let about = |history: Value| about(&rules, "qwen2.5-coder:1.5b", ChannelKind::Constrained, messages(&history));
    let first = about(json!(["go", read]));
    assert_eq!(objection(&first, &said("three")).unwrap().id, "edit-text-absent");
    let failed = json!(["Edit", edit("three"), "not found", "error"]);
    assert!(objection(&about(json!(["go", read, failed])), &said("four")).is_none());
    assert!(
        objection(&about(json!(["go", read, failed, {"answer": "no"}, "on"])), &said("four")).is_some(),
        "a new turn"
    );
}

#[test]
fn what_is_switched_off_is_silent() {
    let mut rules = RuleSet::builtin();
    rules.layer("mine.toml", "checks = \"mine\"\n[[check]]\nid = \"edit-text-absent\"\noff = true\n").unwrap();
    let history = json!(["go", ["Read", {"file_path": "/w/a.txt"}, "1\tone"]]);
    let about = about(&rules, "qwen2.5-coder:1.5b", ChannelKind::Constrained, messages(&history));
    let edit = json!({"call": "Edit", "input": {"file_path": "/w/a.txt", "old_string": "x", "new_string": "y"}});
    assert!(objection(&about, &edit).is_none());
}
