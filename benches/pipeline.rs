//! What planning costs a request: parsed, trimmed, folded and rendered, cold and warm.

#![allow(clippy::expect_used, reason = "a bench may end in a panic")]

use criterion::{Criterion, criterion_group, criterion_main};
use fanlight::pipeline::{Setup, Target, plan};
use fanlight::rules::RuleSet;
use fanlight::tokens::{Window, WindowSource};
use fanlight::wire::{Dialect, Request};

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

criterion_group!(benches, cold, warm);
criterion_main!(benches);
