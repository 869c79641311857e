//! A seeded part of what `fuzz/` plays: inputs made from good ones by damage, the same every time.

use std::fs;

use serde_json::Value;

use crate::repository;
use crate::seeded::Seeded;

#[path = "../../fuzz/targets.rs"]
mod targets;

/// Inputs a target; `FUZZ` says another number.
const INPUTS: usize = 1_500;

/// What damage is made of.
const PARTS: [&str; 40] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\\ud83d",
    "\u{1F600}",
    "\n",
    "\n\n",
    "\r\n",
    "null",
    "true",
    "-1",
    "1e400",
    "0",
    "data: ",
    "event: error\n",
    "[DONE]",
    "{\"error\":null}",
    "<tool_call>",
    "</tool_call>",
    "<function=Read>",
    "<parameter=file_path>",
    "[TOOL_CALLS]",
    "<|channel|>",
    "<think>",
    "</think>",
    "```json\n",
    "```\n",
    "{\"name\":\"Read\",\"arguments\":{\"file_path\":\"a\"}}",
    "<｜tool▁calls▁begin｜>",
    "[[rule]]\n",
    "id = \"x\"\n",
    "\t",
    "é",
    "\0",
    "    ",
];

/// Good inputs of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let read = |path: &str| fs::read(repository().join(path)).unwrap();
    let blocks = |path: &str, fence: &str| -> Vec<Vec<u8>> {
        let text = String::from_utf8(read(path)).unwrap();
        text.split("```upstream")
            .skip(1)
            .filter_map(|rest| rest.split_once('\n')?.1.split(fence).next().map(|block| block.as_bytes().to_vec()))
            .collect()
    };
    match target {
        "request" => vec![
            small_request(&read("fixtures/requests/lean/hello.json")),
            small_request(&read("fixtures/requests/lean/loop.json")),
        ],
        "ndjson" => vec![crate::http::good_lines().into_bytes()],
        "sse" => vec![crate::http::good_events().into_bytes()],
        "calls" => blocks("fixtures/streams/leaks.md", "\n```"),
        _ => vec![read("rules/profiles/tiny.toml"), read("rules/models/qwen3-coder.toml")],
    }
}

/// A request with few tools and messages: damage is to hit what matters.
fn small_request(bytes: &[u8]) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(bytes).unwrap();
    for (field, most) in [("tools", 4), ("messages", 9)] {
        if let Some(items) = body[field].as_array_mut() {
            items.truncate(most);
        }
    }
    body["system"] = "You help. ".repeat(20).into();
    body.to_string().into_bytes()
}

fn damaged(chance: &mut Seeded, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=chance.below(6) {
        let (from, to) = (chance.below(bytes.len() + 1), chance.below(bytes.len() + 1));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 400));
        match chance.below(6) {
            0 => drop(bytes.drain(from..to)),
            1 => bytes.truncate(to),
            2 => {
                let copy = bytes[from..to].to_vec();
                bytes.splice(from..from, copy);
            }
            3 if from < bytes.len() => bytes[from] = chance.next() as u8,
            _ => {
                let part = chance.pick(&PARTS).as_bytes().to_vec();
                bytes.splice(from..from, part);
            }
        }
    }
    bytes
}

/// A value of the request becomes another one, so that most damage is still JSON.
fn changed(chance: &mut Seeded, value: &mut Value) {
    let others = [
        Value::Null,
        true.into(),
        7.into(),
        "".into(),
        "word ".repeat(300).into(),
        serde_json::json!([]),
        serde_json::json!({"type": "text", "text": "x"}),
    ];
    match value {
        Value::Array(items) if !items.is_empty() && !chance.once_in(5) => {
            let at = chance.below(items.len());
            match chance.below(8) {
                0 => drop(items.remove(at)),
                1 => items.insert(at, items[at].clone()),
                _ => changed(chance, &mut items[at]),
            }
        }
        Value::Object(fields) if !fields.is_empty() && !chance.once_in(8) => {
            let at = chance.below(fields.len());
            let (_, item) = fields.iter_mut().nth(at).unwrap();
            changed(chance, item);
        }
        other => *other = chance.pick(&others).clone(),
    }
}

fn input(chance: &mut Seeded, target: &str, corpus: &[Vec<u8>]) -> Vec<u8> {
    let good = chance.pick(corpus);
    if target == "request" && !chance.once_in(4) {
        let mut value: Value = serde_json::from_slice(good).unwrap();
        (0..=chance.below(5)).for_each(|_| changed(chance, &mut value));
        return value.to_string().into_bytes();
    }
    damaged(chance, good)
}

fn play(name: &str) {
    let inputs = std::env::var("FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(INPUTS);
    let (_, target) = targets::TARGETS.into_iter().find(|(target, _)| *target == name).unwrap();
    let (mut chance, corpus) = (Seeded::new(20_261_128), corpus(name));
    for number in 0..inputs {
        let bytes = input(&mut chance, name, &corpus);
        let played = std::panic::catch_unwind(|| target(&bytes));
        assert!(played.is_ok(), "{name}, input {number}: {}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn any_request_fits_or_is_refused() {
    play("request");
}

#[test]
fn any_lines_end() {
    play("ndjson");
}

#[test]
fn any_events_end() {
    play("sse");
}

#[test]
fn any_text_calls_only_tools_of_the_request() {
    play("calls");
}

#[test]
fn any_rule_file_is_laid_over_or_leaves_the_rules_as_they_are() {
    play("rules");
}
