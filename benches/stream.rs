//! What an answer costs on its way: decoded, read for calls, encoded.

#![allow(clippy::expect_used, reason = "a bench may end in a panic")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fanlight::pipeline::{Plan, Planned, Setup, plan};
use fanlight::rules::RuleSet;
use fanlight::tokens::{Window, WindowSource};
use fanlight::wire::{ChatDecoder, ClientUsage, Dialect, EventEncoder, Request, StopReason};

const BODY: &str = include_str!("../fixtures/requests/classic/hello.json");
const PROSE: &str = include_str!("../fixtures/requests/words.txt");

fn planned(model: &str) -> Box<Plan> {
    let setup = Setup::new(RuleSet::builtin());
    let window = Window { tokens: 8192, source: WindowSource::Setting };
    let target = setup.target(model, window, Dialect::Ollama).expect("there is a family for every name");
    match plan(&setup, &target, &Request::parse(BODY.as_bytes()).expect("a fixture").into()) {
        Ok(Planned::Send(plan)) => plan,
        _ => unreachable!("the fixture is sent"),
    }
}

/// A text as a server streams it, a few characters a line.
fn lines(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let line = |content: String, done: bool| {
        let message = serde_json::json!({"role": "assistant", "content": content});
        format!("{}\n", serde_json::json!({"message": message, "done": done, "done_reason": "stop"}))
    };
    let pieces = chars.chunks(5).map(|piece| line(piece.iter().collect(), false));
    pieces.chain([line(String::new(), true)]).collect()
}

/// Decodes, reads and encodes a whole answer.
fn through(plan: &Plan, stream: &str) -> usize {
    let (mut decoder, mut answer, mut encoder) = (ChatDecoder::default(), plan.answer(), EventEncoder::default());
    let (mut deltas, mut out, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    encoder.start("msg_1", "m", ClientUsage { input: 1, cached: None, output: 1 }, &mut bytes);
    for line in stream.split_inclusive('\n') {
        let end = decoder.feed(line.as_bytes(), &mut deltas).expect("short lines");
        deltas.drain(..).for_each(|delta| answer.on_delta(delta, &mut out));
        if let Some(end) = end {
            answer.on_end(end, &mut out);
        }
        out.drain(..).for_each(|delta| encoder.delta(&delta, &mut bytes));
    }
    encoder.finish(&StopReason::EndTurn, ClientUsage { input: 1, cached: None, output: 1 }, &mut bytes);
    bytes.len()
}

fn answers(c: &mut Criterion) {
    let call = r#"{"name": "Read", "arguments": {"file_path": "/home/ann/tidebook/README.md"}}"#;
    let bound = serde_json::json!({"name": "Answer", "arguments": {"text": PROSE}}).to_string();
    let mut group = c.benchmark_group("answer");
    for (name, model, text) in [
        ("prose, native", "some-coder:7b", PROSE),
        ("prose, constrained", "qwen2.5-coder:7b", bound.as_str()),
        ("leaked call", "some-coder:7b", call),
    ] {
        let (plan, stream) = (planned(model), lines(text));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| {
            b.iter_batched(|| (), |()| through(&plan, &stream), BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, answers);
criterion_main!(benches);
