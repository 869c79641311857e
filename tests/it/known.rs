//! What is remembered of bodies and histories only makes it fast: in every state of the memory the same bytes go upstream,
//! and the same report is given.

use std::sync::Arc;

use fanlight::pipeline::{Planned, Setup, Target, plan, plan_body};
use fanlight::rules::{RuleSet, Schedule};
use fanlight::tokens::{Window, WindowSource};
use fanlight::wire::{Dialect, Request};
use proptest::prelude::*;
use serde_json::{Value, json};

/// One thing that happens in a session.
#[derive(Debug, Clone)]
enum Event {
    Prompt(String),
    Read { path: u8, lines: usize },
    Edit { path: u8, from: usize },
    Shell { command: u8, lines: usize, fails: bool },
    Thinks,
    Reminder(u8),
    Loads,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => "[a-z ]{1,60}".prop_map(Event::Prompt),
        3 => (0..4_u8, 1..120_usize).prop_map(|(path, lines)| Event::Read { path, lines }),
        3 => (0..4_u8, 1..40_usize).prop_map(|(path, from)| Event::Edit { path, from }),
        3 => (0..3_u8, 0..80_usize, any::<bool>()).prop_map(|(command, lines, fails)| Event::Shell { command, lines, fails }),
        1 => Just(Event::Thinks),
        1 => (0..3_u8).prop_map(Event::Reminder),
        1 => Just(Event::Loads),
    ]
}

/// The messages that an event adds. `at` makes ids differ.
fn messages(at: usize, event: &Event) -> Vec<Value> {
    let step = |name: &str, input: Value, text: String, fails: bool| {
        let id = format!("toolu_{at:020}");
        vec![
            json!({"role": "assistant", "content": [{"type": "text", "text": format!("Step {at}.")},
                {"type": "tool_use", "id": id, "name": name, "input": input}]}),
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text, "is_error": fails}]}),
        ]
    };
    let file = |path: u8| format!("/w/src/part{path}.rs");
    let lines =
        |count: usize| (1..=count).map(|n| format!("{n:>6}\tlet row_{n} = {n};")).collect::<Vec<_>>().join("\n");
    match event {
        Event::Prompt(text) => vec![
            json!({"role": "user", "content": [{"type": "text", "text": text}]}),
            json!({"role": "assistant", "content": [{"type": "text", "text": "Done."}]}),
        ],
        Event::Read { path, lines: count } => step("Read", json!({"file_path": file(*path)}), lines(*count), false),
        Event::Edit { path, from } => step(
            "Edit",
            json!({"file_path": file(*path), "old_string": format!("let row_{from} = {from};"),
            "new_string": format!("let row_{from} = {at};"), "replace_all": false}),
            "The file was updated.".into(),
            false,
        ),
        Event::Shell { command, lines: count, fails } => step(
            "Bash",
            json!({"command": format!("make part{command}")}),
            format!("{}\nerror: part {command}", lines(*count)),
            *fails,
        ),
        Event::Thinks => {
            vec![json!({"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "x"}]})]
        }
        Event::Reminder(kind) => vec![
            json!({"role": "user", "content": format!("<system-reminder>\nThe list is {kind}.\n</system-reminder>")}),
        ],
        Event::Loads => step("ToolSearch", json!({"query": "select:Late"}), "Late".into(), false),
    }
}

/// A body whose last message is marked for the cache, as clients do.
fn body(history: &[Value], tools: usize) -> Vec<u8> {
    let mut messages = history.to_vec();
    if let Some(block) = messages.last_mut().and_then(|last| last["content"].as_array_mut()?.last_mut()) {
        block["cache_control"] = json!({"type": "ephemeral"});
    }
    let tool = |name: &str, keys: &[&str]| {
        let properties: serde_json::Map<String, Value> =
            keys.iter().map(|key| ((*key).to_owned(), json!({"type": "string"}))).collect();
        json!({"name": name, "description": format!("{name} does it. More."),
            "input_schema": {"type": "object", "properties": properties, "required": [keys[0]]}})
    };
    let all = [
        tool("Read", &["file_path"]),
        tool("Edit", &["file_path", "old_string", "new_string", "replace_all"]),
        tool("Bash", &["command"]),
        tool("Late", &["what"]),
    ];
    let body = json!({"model": "m", "messages": messages, "system": [{"type": "text", "text": "You are Claude Code.\n# Tone\nBe short."}],
        "tools": all[..tools], "max_tokens": 4000, "stream": true});
    serde_json::to_vec(&body).unwrap()
}

/// The bytes that go upstream and the report; or the refusal.
fn told(planned: Result<Planned, fanlight::wire::WireError>) -> String {
    match planned {
        Ok(Planned::Send(plan)) => format!("{}\n{}", plan.written(), serde_json::to_string(&plan.report).unwrap()),
        Ok(Planned::Answer { text, report }) => format!("{text}\n{}", serde_json::to_string(&report).unwrap()),
        Err(error) => format!("{error:?}"),
    }
}

fn target(setup: &Setup, model: &str, window: usize) -> Target {
    let window = Window { tokens: window, source: WindowSource::Setting };
    setup.target(model, window, Dialect::Ollama).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_memory_in_any_state_changes_no_byte(
        events in proptest::collection::vec(event(), 1..40),
        other in proptest::collection::vec(event(), 1..8),
        jumps in proptest::collection::vec((0..100_usize, any::<bool>(), 3..5_usize), 4..16),
        window in prop_oneof![Just(4096_usize), Just(8192), Just(32_768)],
        shift in any::<bool>(),
        model in prop_oneof![Just("qwen2.5-coder:1.5b"), Just("qwen2.5-coder:7b"), Just("some-model")],
    ) {
        let remembering = Setup::new(RuleSet::builtin());
        let forgetting = Setup::new(RuleSet::builtin());
        let (mut with, mut without) = (target(&remembering, model, window), target(&forgetting, model, window));
        if shift {
            (with.schedule, without.schedule) = (Schedule::Shift, Schedule::Shift);
        }
        let first = [json!({"role": "user", "content": [{"type": "text", "text": "go"}]})];
        let history = |events: &[Event], from: usize| {
            let steps = events.iter().enumerate().flat_map(|(at, event)| messages(from + at, event));
            first.iter().cloned().chain(steps).collect::<Vec<Value>>()
        };
        let (one, mut two) = (history(&events, 0), history(&events[..events.len() / 2], 0));
        two.extend(other.iter().enumerate().flat_map(|(at, event)| messages(500 + at, event)));
        // Forwards through one history, and then from one to the other, forwards and back.
        let forwards = (1..=one.len()).step_by(2).map(|end| (end, true, 4));
        let jumps = jumps.into_iter().map(|(share, which, tools)| {
            let length = if which { one.len() } else { two.len() };
            (1 + share * (length - 1) / 100, which, tools)
        });
        // Each history in turn, where the other one has just been longer or shorter by little.
        let turns = (1..=one.len().max(two.len())).flat_map(|end| [(end.min(two.len()), false, 4), (end.min(one.len()), true, 4)]);
        for (end, which, tools) in turns.chain(forwards).chain(jumps) {
            let bytes = body(if which { &one[..end] } else { &two[..end] }, tools);
            let request = Arc::new(Request::parse(&bytes).unwrap());
            let read = remembering.read(bytes.into()).unwrap();
            prop_assert_eq!(read.request(), &request);
            let (now, anew) = (plan_body(&remembering, &with, &read), plan(&forgetting, &without, &request));
            prop_assert_eq!(told(now), told(anew), "{} messages", end);
        }
    }
}

/// The same on recorded sessions: `SHARED=FOLDER cargo test --release --test it known -- --ignored`.
#[test]
#[ignore = "reads the folder that SHARED names"]
fn recorded_sessions_are_the_same_with_and_without_a_memory() {
    let folder = std::env::var("SHARED").expect("SHARED names a folder");
    let head: Value = serde_json::from_slice(include_bytes!("../../fixtures/requests/classic/hello.json")).unwrap();
    let remembering = Setup::new(RuleSet::builtin());
    let mut compared = 0;
    for file in std::fs::read_dir(std::path::Path::new(&folder).join("data/sessions")).unwrap() {
        let Ok(session) = serde_json::from_slice::<Value>(&std::fs::read(file.unwrap().path()).unwrap_or_default())
        else {
            continue;
        };
        let Some(messages) = session["messages"].as_array() else { continue };
        let forgetting = Setup::new(RuleSet::builtin());
        let ends: Vec<usize> = (1..messages.len()).filter(|end| messages[*end]["role"] == "assistant").collect();
        for window in [4096, 8192, 16_384, 32_768] {
            let (with, without) =
                (target(&remembering, "qwen2.5-coder:7b", window), target(&forgetting, "qwen2.5-coder:7b", window));
            // All of the first turns, and some of the later ones: each is a whole plan without a memory.
            for end in ends.iter().enumerate().filter(|(at, _)| *at < 24 || at % 7 == 0).map(|(_, end)| *end) {
                let mut whole = head.clone();
                whole["messages"] = messages[..end].into();
                let bytes = serde_json::to_vec(&whole).unwrap();
                let request = Arc::new(Request::parse(&bytes).unwrap());
                let read = remembering.read(bytes.into()).unwrap();
                let (now, anew) = (plan_body(&remembering, &with, &read), plan(&forgetting, &without, &request));
                assert_eq!(told(now), told(anew), "{end} messages");
                compared += 1;
            }
        }
    }
    assert!(compared > 1000, "{compared}");
}
