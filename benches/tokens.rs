//! What counting costs: anew, remembered, and on texts that are hard for a tokenizer.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fanlight::tokens::{Counter, Memo, O200k};

const BODY: &str = include_str!("../fixtures/requests/classic/hello.json");

fn counting(c: &mut Criterion) {
    O200k.count("the vocabulary is loaded by the first count");
    let run = "a".repeat(64 * 1024);
    let texts = [("request of 71 KB", BODY), ("64 KB of one letter", run.as_str())];
    let mut group = c.benchmark_group("count");
    group.sample_size(20);
    for (name, text) in texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("{name}, anew"), |b| b.iter(|| O200k.count(text)));
        let memo = Memo::default();
        memo.count(text);
        group.bench_function(format!("{name}, remembered"), |b| b.iter(|| memo.count(text)));
    }
    group.finish();
}

criterion_group!(benches, counting);
criterion_main!(benches);
