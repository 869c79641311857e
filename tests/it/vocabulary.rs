//! The static vocabulary held against tiktoken-rs on texts that are not part of this repository:
//! `SHARED=FOLDER cargo test --test it vocabulary -- --ignored`.

use std::fs;
use std::path::Path;

use fanlight::tokens::{Counter, O200k};
use serde_json::Value;

fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, out)),
        _ => {}
    }
}

/// A flood of one kind of character is counted in parts.
fn is_flood(text: &str) -> bool {
    let mut run = 0;
    let class = |c: char| (c.is_alphabetic(), c.is_whitespace());
    text.chars().zip(text.chars().skip(1)).any(|(a, b)| {
        run = if class(a) == class(b) { run + 1 } else { 0 };
        run >= 500
    })
}

#[test]
#[ignore = "reads the folder that SHARED names"]
fn texts_of_sessions_have_the_tokens_of_the_vocabulary() {
    let folder = std::env::var("SHARED").expect("SHARED names a folder");
    let vocabulary = tiktoken_rs::o200k_base_singleton();
    let mut compared = 0;
    for file in fs::read_dir(Path::new(&folder).join("data/sessions")).unwrap() {
        let path = file.unwrap().path();
        let Ok(session) = serde_json::from_slice(&fs::read(&path).unwrap_or_default()) else { continue };
        let mut all = Vec::new();
        texts(&session, &mut all);
        for text in all.iter().filter(|text| !is_flood(text)) {
            assert_eq!(O200k.count(text), vocabulary.encode_ordinary(text).len(), "{}: {text}", path.display());
            compared += text.len();
        }
    }
    assert!(compared > 1_000_000, "{compared} bytes");
    println!("{compared} bytes");
}
