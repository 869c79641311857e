//! What folding a history of 200 messages costs beside the counting, which the memory of the counter bears.

#![allow(clippy::expect_used, reason = "a bench may end in a panic")]

use criterion::{Criterion, criterion_group, criterion_main};
use fanlight::fold::{FoldInput, FoldMemo, fold, ingest};
use fanlight::pipeline::Setup;
use fanlight::rules::RuleSet;
use fanlight::tokens::{Budget, Counter};
use fanlight::wire::{Block, Message, Role, ToolResult, ToolUse};
use serde_json::{Value, json};

/// A hundred steps: a file is read, changed, and a command run, over ten files.
fn history() -> Vec<Message> {
    let mut messages = vec![Message::text(Role::User, "Make the parser accept comments, and test it.")];
    for at in 0..100 {
        let file = format!("/repo/place/src/part{}/file{}.rs", at % 3, at / 3 % 10);
        let (name, input, result) = match at % 3 {
            0 => ("Read", json!({"file_path": file}), listing(at)),
            1 => (
                "Edit",
                json!({"file_path": file, "old_string": line(at, 3), "new_string": line(at + 1, 3)}),
                "ok".into(),
            ),
            _ => ("Bash", json!({"command": format!("cargo test part{at}")}), output(at)),
        };
        messages.extend(step(at, name, input, result));
    }
    messages
}

fn line(at: usize, number: usize) -> String {
    format!("    let token_{number} = self.take(kind_{at}, {number})?;")
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn listing(at: usize) -> String {
    lines((1..160).map(|number| format!("{number:>6}→{}", line(at, number))))
}

fn output(at: usize) -> String {
    lines((0..60).map(|number| format!("test part{at}::case_{number} ... ok")))
}

fn step(at: usize, name: &str, input: Value, result: String) -> [Message; 2] {
    let id = format!("call{at}");
    let call = ToolUse { id: id.clone(), name: name.to_owned(), input };
    let result = ToolResult { tool_use_id: id, content: vec![Block::Text(result)], is_error: false };
    [
        Message { role: Role::Assistant, content: vec![Block::ToolUse(call)].into() },
        Message { role: Role::User, content: vec![Block::ToolResult(result)].into() },
    ]
}

fn cost(message: &Message, counter: &dyn Counter) -> usize {
    let results: usize = message.tool_results().map(|result| counter.count(&result.text()) + 8).sum();
    let calls: usize = message.tool_uses().map(|call| counter.count(&call.input.to_string()) + 12).sum();
    counter.count(&message.plain_text()) + results + calls + 5
}

fn folding(c: &mut Criterion) {
    let setup = Setup::new(RuleSet::builtin());
    let counter = setup.counter();
    let messages = history();
    let mut group = c.benchmark_group("200 messages");
    for window in [4096, 8192, 32_768] {
        let profile = &setup.rules.profile(window, None).expect("a tier for every window").fold;
        let budget = Budget::of(window);
        let shown = ingest(&messages, &setup.rules, &setup.rules.messages, profile, window);
        let costs: Vec<usize> = shown.iter().map(|message| cost(message, counter)).collect();
        group.bench_function(format!("page and crush, {window}"), |b| {
            b.iter(|| ingest(&messages, &setup.rules, &setup.rules.messages, profile, window));
        });
        let folded = |memo| {
            let (roles, messages, costs, budget) = (&setup.rules, &messages, &costs, &budget);
            let (head_tokens, preamble_tokens) = (900, 0);
            fold(&FoldInput {
                messages,
                costs,
                budget,
                head_tokens,
                preamble_tokens,
                profile,
                counter,
                roles,
                kinds: &setup.rules.messages,
                memo,
                shift: None,
            })
        };
        group.bench_function(format!("fold, {window}"), |b| b.iter(|| folded(None)));
        let memo = FoldMemo::default();
        group.bench_function(format!("fold, remembered, {window}"), |b| b.iter(|| folded(Some((&memo, 0)))));
    }
    group.finish();
}

criterion_group!(benches, folding);
criterion_main!(benches);
