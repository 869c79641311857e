//! What planning costs a request: parsed, trimmed, folded and rendered, cold and warm.

#![allow(clippy::expect_used, reason = "a bench may end in a panic")]

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use fanlight::pipeline::{Planned, Setup, Target, plan, plan_body};
use fanlight::rules::RuleSet;
use fanlight::tokens::{Window, WindowSource};
use fanlight::wire::{Dialect, Request};
use serde_json::json;

const BODIES: [(&str, &str); 4] = [
    ("classic hello", include_str!("../fixtures/requests/classic/hello.json")),
    ("classic loop", include_str!("../fixtures/requests/classic/loop.json")),
    ("lean hello", include_str!("../fixtures/requests/lean/hello.json")),
    ("lean loop", include_str!("../fixtures/requests/lean/loop.json")),
];

fn target(setup: &Setup) -> Target {
    let window = Window { tokens: 8192, source: WindowSource::Setting };
    setup.target("qwen2.5-coder:7b", window, Dialect::Ollama).expect("there is a family for every name")
}

/// Nothing is remembered: what the first request after a start costs.
fn cold(c: &mut Criterion) {
    let mut group = c.benchmark_group("plan, cold");
    group.sample_size(20);
    for (name, body) in BODIES {
        group.bench_function(name, |b| {
            b.iter_with_setup(
                || Setup::new(RuleSet::builtin()),
                |setup| {
                    let request = Request::parse(body.as_bytes()).expect("a fixture").into();
                    plan(&setup, &target(&setup), &request).map(|_| ())
                },
            );
        });
    }
    group.finish();
}

/// All texts have been counted before: what every later request costs.
fn warm(c: &mut Criterion) {
    let setup = Setup::new(RuleSet::builtin());
    let target = target(&setup);
    let mut group = c.benchmark_group("plan, warm");
    for (name, body) in BODIES {
        group.bench_function(name, |b| {
            b.iter(|| {
                let request = Request::parse(body.as_bytes()).expect("a fixture").into();
                plan(&setup, &target, &request).map(|_| ())
            });
        });
    }
    group.finish();
}

/// A history of so many messages behind the head of a fixture, as the body of a request.
fn long(messages: usize) -> Bytes {
    let mut body: serde_json::Value = serde_json::from_str(BODIES[0].1).expect("a fixture");
    let lines =
        |at: usize| (1..=60).map(|n| format!("{n:>6}\tlet row_{n} = {};", n * at)).collect::<Vec<_>>().join("\n");
    let message = |at: usize| match at % 2 {
        0 if at == 0 => json!({"role": "user", "content": [{"type": "text", "text": "go"}]}),
        1 => json!({"role": "assistant", "content": [
            {"type": "tool_use", "id": format!("toolu_{at}"), "name": "Read", "input": {"file_path": format!("/w/part{}.rs", at % 9)}}]}),
        _ => json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": format!("toolu_{}", at - 1), "content": lines(at)}]}),
    };
    body["messages"] = (0..messages).map(message).collect();
    body.to_string().into()
}

/// The stages of a turn whose history is known, by the length of that history: each turn brings two messages.
fn turns(c: &mut Criterion) {
    for messages in [9, 199, 999] {
        let bodies = [long(messages), long(messages + 2)];
        let setup = Setup::new(RuleSet::builtin());
        let target = target(&setup);
        let mut group = c.benchmark_group(format!("turn behind {messages} messages"));
        group.sample_size(20);
        let mut turn = 0;
        let mut next = || {
            turn += 1;
            bodies[turn % 2].clone()
        };
        group.bench_function("read", |b| b.iter(|| setup.read(next()).map(|_| ())));
        group.bench_function("read and plan", |b| {
            b.iter(|| {
                let body = setup.read(next()).expect("a body");
                plan_body(&setup, &target, &body).map(|_| ())
            });
        });
        group.bench_function("read, plan and write", |b| {
            b.iter(|| {
                let body = setup.read(next()).expect("a body");
                match plan_body(&setup, &target, &body) {
                    Ok(Planned::Send(plan)) => plan.written().len(),
                    _ => 0,
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, cold, warm, turns);
criterion_main!(benches);
