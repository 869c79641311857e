//! What reading an answer costs: prose, and a long call, as they stream in small pieces.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fanlight::calls::read::{Quotes, Reader};
use fanlight::rules::Lexicon;
use fanlight::wire::Tool;
use serde_json::json;

/// The pieces in which a model server sends text, in bytes.
const PIECE: usize = 4;

fn tools() -> Vec<Tool> {
    let schema = json!({"type": "object", "required": ["file_path", "content"], "properties": {
        "file_path": {"type": "string"}, "content": {"type": "string"}}});
    let tool = |name: &str| Tool {
        name: name.into(),
        description: "".into(),
        input_schema: schema.clone().into(),
        defer_loading: false,
        server_type: None,
    };
    ["Read", "Write", "Edit", "Bash", "Glob", "Grep", "TodoWrite"].map(tool).into()
}

fn source(lines: usize) -> String {
    let line = |at| format!("fn line_{at}(x: usize) -> usize {{ if x < {at} {{ x }} else {{ {at} }} }}\n");
    (0..lines).map(line).collect::<Vec<_>>().concat()
}

fn read(reader: &Reader, text: &str) -> usize {
    let mut reader = reader.clone();
    let mut out = Vec::new();
    for piece in text.as_bytes().chunks(PIECE) {
        reader.on_text(std::str::from_utf8(piece).unwrap_or_default(), &mut out);
    }
    reader.on_end(false, &mut out);
    out.len()
}

fn streams(c: &mut Criterion) {
    let reader = Reader::new(&tools(), &Quotes::default(), &Lexicon::builtin().unwrap_or_default().into());
    let prose = "The reader walks the text, and holds back nothing of it that cannot become a call.\n".repeat(400);
    let json = json!({"name": "Write", "arguments": {"file_path": "a.rs", "content": source(400)}}).to_string();
    let xml = format!(
        "<tool_call>\n<function=Write>\n<parameter=file_path>\na.rs\n</parameter>\n<parameter=content>\n{}\n</parameter>\n</function>\n</tool_call>",
        source(400)
    );
    let mut group = c.benchmark_group("reading");
    group.sample_size(10);
    for (name, text) in [("prose", &prose), ("json-call", &json), ("xml-call", &xml)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| b.iter(|| read(black_box(&reader), black_box(text))));
    }
    group.finish();
}

criterion_group!(benches, streams);
criterion_main!(benches);
