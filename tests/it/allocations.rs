//! How often memory is asked for within a turn: counts, which are the same on every machine, in place of times.

use std::sync::Arc;

use fanlight::pipeline::{Planned, Setup, plan_body};
use fanlight::rules::RuleSet;
use fanlight::tokens::{Window, WindowSource};
use fanlight::wire::{Body, Dialect};
use serde_json::{Value, json};

/// A history of so many steps: readings, edits and commands, with a prompt before every twentieth.
fn history(steps: usize) -> Vec<Value> {
    let mut messages = Vec::new();
    for at in 0..steps {
        if at % 20 == 0 {
            messages
                .push(json!({"role": "user", "content": [{"type": "text", "text": format!("Go on with part {at}.")}]}));
        }
        let path = format!("/w/src/part{}.rs", at % 7);
        let lines = (1..=30).map(|n| format!("{n:>6}\tlet row_{n} = {};", n * at)).collect::<Vec<_>>().join("\n");
        let (name, input) = match at % 3 {
            0 => ("Read", json!({"file_path": path})),
            1 => ("Edit", json!({"file_path": path, "old_string": "let row_3", "new_string": "let row_4"})),
            _ => ("Bash", json!({"command": format!("make part{at}")})),
        };
        let id = format!("toolu_{at:020}");
        messages.push(json!({"role": "assistant", "content": [{"type": "text", "text": format!("Step {at}.")},
            {"type": "tool_use", "id": id, "name": name, "input": input}]}));
        messages
            .push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": lines}]}));
        if at % 20 == 19 {
            messages.push(json!({"role": "assistant", "content": [{"type": "text", "text": "Done."}]}));
        }
    }
    messages
}

fn body(messages: &[Value]) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(include_bytes!("../../fixtures/requests/classic/hello.json")).unwrap();
    body["messages"] = messages.into();
    serde_json::to_vec(&body).unwrap()
}

/// How many turns are looked at: the fold goes from one cut to the next.
const TURNS: usize = 30;

/// What the turns behind so many steps ask for, at most: to read, to plan and to write one.
fn allocations(model: &str, steps: usize) -> [u64; 3] {
    let setup = Setup::new(RuleSet::builtin());
    let window = Window { tokens: 16_384, source: WindowSource::Setting };
    let target = setup.target(model, window, Dialect::Ollama).unwrap();
    let messages = history(steps + TURNS);
    let ends: Vec<usize> = (1..messages.len()).filter(|end| messages[*end]["role"] == "assistant").collect();
    let planned = |body: &Body| match plan_body(&setup, &target, body).unwrap() {
        Planned::Send(plan) => plan,
        Planned::Answer { .. } => panic!("this needs a model"),
    };
    let mut most = [0; 3];
    for (turn, end) in ends[ends.len() - TURNS..].iter().enumerate() {
        let bytes = body(&messages[..*end]);
        let (mut read, mut plan, mut sent): (Option<Arc<Body>>, _, _) = (None, None, String::new());
        let reading = allocation_counter::measure(|| read = setup.read(bytes.into()).ok());
        let planning = allocation_counter::measure(|| plan = read.as_deref().map(planned));
        let writing = allocation_counter::measure(|| sent = plan.map(|plan| plan.written()).unwrap_or_default());
        assert!(sent.len() > 10_000);
        // Of the first turns nothing is known.
        if turn > 1 {
            let counted = [reading, planning, writing].map(|counted| counted.count_total);
            most = [0, 1, 2].map(|at| most[at].max(counted[at]));
        }
    }
    most
}

/// The history is four times as long, and what it takes to read, plan and write its next turn is not.
#[test]
fn a_turn_costs_what_is_new_in_it() {
    for model in ["qwen2.5-coder:7b", "some-model"] {
        let (short, long) = (allocations(model, 150), allocations(model, 600));
        println!("{model}: {short:?} {long:?}");
        for (short, long) in short.into_iter().zip(long) {
            assert!(long <= short * 6 / 5 + 64, "{model}: {short} allocations after 150 steps, {long} after 600");
        }
    }
}
