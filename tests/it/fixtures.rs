//! The synthetic requests: our own sentences in the shape and the lengths of real ones.
//!
//! `UPDATE=1 cargo test --test it fixtures` writes them anew.

use std::fs;

use serde_json::{Map, Value, json};

use crate::repository;

const SCHEMA: &str = "https://json-schema.org/draft/2020-12/schema";

/// Fills `bytes` bytes with sentences, beginning at another one for every `seed`.
fn prose(words: &[&str], seed: usize, bytes: usize) -> String {
    let mut text = String::new();
    for step in 0.. {
        if text.len() >= bytes {
            break;
        }
        if !text.is_empty() {
            text.push_str(if step % 6 == 5 { "\n- " } else { " " });
        }
        text.push_str(words[(seed * 17 + step * 7) % words.len()]);
    }
    let cut = text[..bytes].rfind(' ').filter(|cut| bytes - cut < 12).unwrap_or(bytes);
    let mut text = text[..cut].trim_end_matches([' ', ',', ':', '-', '\n']).to_owned();
    while text.len() < bytes {
        text.push('.');
    }
    text
}

/// Replaces every `description: N` of a shape by a text of N bytes.
fn fill(words: &[&str], seed: &mut usize, value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, item)| (key.clone(), filled(words, seed, key, item))).collect()
        }
        Value::Array(items) => items.iter().map(|item| fill(words, seed, item)).collect(),
        other => other.clone(),
    }
}

fn filled(words: &[&str], seed: &mut usize, key: &str, item: &Value) -> Value {
    *seed += 1;
    match (key, item.as_u64()) {
        ("description", Some(bytes)) => prose(words, *seed, bytes as usize).into(),
        ("input_schema", None) => {
            let mut schema = Map::from_iter([("$schema".to_owned(), Value::from(SCHEMA))]);
            schema.extend(fill(words, seed, item).as_object().unwrap().clone());
            schema.into()
        }
        _ => fill(words, seed, item),
    }
}

/// The texts that all shapes are filled with.
struct Shapes {
    words: String,
    shape: Value,
}

impl Shapes {
    fn load() -> Self {
        let read = |name: &str| fs::read_to_string(repository().join("fixtures/requests").join(name)).unwrap();
        Self { words: read("words.txt"), shape: serde_json::from_str(&read("shape.json")).unwrap() }
    }

    fn words(&self) -> Vec<&str> {
        self.words.lines().collect()
    }

    fn tools(&self, client: &str, list: &str) -> Vec<Value> {
        let mut seed = client.len();
        fill(&self.words(), &mut seed, &self.shape[client][list]).as_array().unwrap().clone()
    }

    fn sections(&self, client: &str) -> Vec<String> {
        let sections = self.shape[client]["sections"].as_array().unwrap();
        let filled = sections.iter().enumerate().map(|(at, section)| {
            let (heading, bytes) = (section[0].as_str().unwrap(), section[1].as_u64().unwrap() as usize);
            let gap = if heading.is_empty() { 2 } else { heading.len() + 4 };
            if heading.is_empty() {
                return self.beginning(client, bytes - gap);
            }
            format!("{heading}\n\n{}", prose(&self.words(), at + 3, bytes - gap))
        });
        filled.collect()
    }

    /// What stands before the first heading: paragraphs that begin as the real ones do.
    fn beginning(&self, client: &str, bytes: usize) -> String {
        let words = self.words();
        let begin =
            |text: &str, seed: usize, bytes: usize| format!("{text} {}", prose(&words, seed, bytes - text.len()));
        let all = [
            "You are an interactive program.",
            "IMPORTANT: Assist with authorized security",
            "IMPORTANT: You must NEVER generate or guess URLs",
            "If the user asks for help or wants to give feedback",
        ];
        let begins = if client == "classic" { &all[..] } else { &all[..2] };
        let each = bytes / begins.len();
        let paragraphs: Vec<String> = begins.iter().enumerate().map(|(at, text)| begin(text, at + 3, each)).collect();
        paragraphs.join("\n\n")
    }
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn cached(text: &str) -> Value {
    json!({"type": "text", "text": text, "cache_control": {"type": "ephemeral"}})
}

fn session(name: &str) -> Value {
    let path = repository().join("fixtures/sessions").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

const CLASSIC_ENVIRONMENT: &str = "Here is what is known about this machine:
<env>
Working directory: /home/ann/tidebook
Is directory a git repo: Yes
Platform: linux
OS Version: Linux 6.12.0
Today's date: 2026-11-02
</env>
You are powered by the model qwen2.5-coder.

gitStatus: The state of the repository when the conversation began; it is not kept up to date.
Current branch: main

Status:
(clean)

Recent commits:
91f0c3a Constants for Gullane Steps
07ab5de First tables";

fn classic(messages: Value) -> Value {
    let shapes = Shapes::load();
    let mut sections = shapes.sections("classic");
    let last = sections.pop().unwrap();
    let heading = last.lines().next().unwrap().to_owned();
    sections.push(format!("{heading}\n\nWrite a place in the code as path:line.\n\n{CLASSIC_ENVIRONMENT}"));
    json!({
        "model": "qwen2.5-coder",
        "messages": messages,
        "system": [
            text("x-anthropic-billing-header: cc_version=2.1.15.0a1; cc_entrypoint=sdk-cli"),
            cached("You are Claude Code, a coding agent that works in a terminal."),
            cached(&format!("\n{}", sections.join("\n\n"))),
        ],
        "tools": shapes.tools("classic", "tools"),
        "metadata": {"user_id": "user_00_account__session_00000000-0000-4000-8000-000000000000"},
        "max_tokens": 32000,
        "stream": true,
    })
}

/// The session up to the answer that is asked for, with a reminder behind every file that was read.
fn classic_loop() -> Value {
    let shapes = Shapes::load();
    let reminder = format!("\n\n<system-reminder>\n{}\n</system-reminder>\n", prose(&shapes.words(), 41, 300));
    let mut messages = session("demo.json")["messages"].as_array().unwrap()[..35].to_vec();
    for message in &mut messages {
        let block = &mut message["content"][0];
        if let Some(result) = block["content"].as_str().filter(|result| result.starts_with("     1→")) {
            block["content"] = format!("{result}{reminder}").into();
        }
    }
    classic(messages.into())
}

const LEAN_ENVIRONMENT: &str = "# Environment
You work on this machine: 
 - Primary working directory: /home/ann/tidebook
 - Is a git repository: true
 - Platform: linux
 - Shell: bash
 - OS Version: Linux 6.12.0
";

const DEFERRED: [&str; 11] = [
    "CronCreate",
    "CronDelete",
    "CronList",
    "EnterWorktree",
    "ExitWorktree",
    "Monitor",
    "NotebookEdit",
    "SendMessage",
    "TaskStop",
    "WebFetch",
    "WebSearch",
];

const AGENTS: [(&str, usize); 4] = [("claude", 110), ("Explore", 520), ("general-purpose", 280), ("Plan", 350)];

const SKILLS: [(&str, usize); 12] = [
    ("chart-design", 1430),
    ("settings", 690),
    ("keys", 240),
    ("review", 840),
    ("tidy", 180),
    ("allow-list", 170),
    ("repeat", 340),
    ("api-notes", 1160),
    ("scripts", 240),
    ("launch", 360),
    ("extend", 260),
    ("first-notes", 160),
];

/// The `role: "system"` message behind the first prompt.
fn lean_surroundings(words: &[&str]) -> String {
    let list = |entries: &[(&str, usize)], seed: usize| {
        let lines = entries
            .iter()
            .enumerate()
            .map(|(at, (name, bytes))| format!("- {name}: {}", prose(words, seed + at, *bytes).replace('\n', " ")));
        lines.collect::<Vec<_>>().join("\n")
    };
    format!(
        "{LEAN_ENVIRONMENT} - {}\n\nYou are powered by the model qwen2.5-coder.\n\nThe following deferred tools are now \
         available via ToolSearch. {}\n{}\n\nAvailable agent types for the Agent tool:\n{}\n\nThe following skills are \
         available for use with the Skill tool:\n\n{}\n\nToday's date is 2026-11-02.",
        prose(words, 5, 540).replace('\n', " "),
        prose(words, 6, 170).replace('\n', " "),
        DEFERRED.join("\n"),
        list(&AGENTS, 20),
        list(&SKILLS, 30),
    )
}

/// The messages before the first answer.
fn lean_opening(prompt: &str) -> Vec<Value> {
    let shapes = Shapes::load();
    let git = "<system-reminder>\nContext for the questions that follow:\n# gitStatus\nThe state of the repository when \
               the conversation began.\nCurrent branch: main\n\nStatus:\n(clean)\n\nRecent commits:\n4be21d7 Suggest \
               names, refine times, add --week and --json\n</system-reminder>";
    let attribution = format!("<system-reminder>\n{}\n</system-reminder>\n", prose(&shapes.words(), 11, 530));
    vec![
        json!({"role": "user", "content": [text(git), text(&attribution), text(prompt)]}),
        json!({"role": "system", "content": [cached(&lean_surroundings(&shapes.words()))]}),
    ]
}

fn lean(messages: Vec<Value>, more_tools: bool) -> Value {
    let shapes = Shapes::load();
    let mut tools = shapes.tools("lean", "tools");
    if more_tools {
        tools.extend(shapes.tools("lean", "loaded"));
        tools.sort_by_key(|tool| tool["name"].as_str().unwrap().to_lowercase());
    }
    json!({
        "model": "qwen2.5-coder",
        "messages": messages,
        "system": [
            text("x-anthropic-billing-header: cc_version=2.1.330.0a1; cc_entrypoint=sdk-cli;"),
            cached("You are Claude Code, a coding agent that works in a terminal."),
            cached(&format!("\n{}", shapes.sections("lean").join("\n\n"))),
        ],
        "tools": tools,
        "metadata": {"user_id": "{\"device_id\":\"00\",\"account_uuid\":\"\",\"session_id\":\"00000000-0000-4000-8000-000000000000\"}"},
        "max_tokens": 32000,
        "thinking": {"type": "adaptive", "display": "updates"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "high"},
        "stream": true,
    })
}

fn lean_loop() -> Value {
    let messages = session("lean.json")["messages"].as_array().unwrap().clone();
    let mut all = lean_opening(messages[0]["content"][0]["text"].as_str().unwrap());
    all.extend_from_slice(&messages[1..]);
    lean(all, true)
}

fn all() -> [(&'static str, Value); 4] {
    [
        ("classic/hello.json", classic(json!([{"role": "user", "content": [cached("hello")]}]))),
        ("classic/loop.json", classic_loop()),
        ("lean/hello.json", lean(lean_opening("hello"), false)),
        ("lean/loop.json", lean_loop()),
    ]
}

#[test]
fn the_requests_are_what_their_shape_says() {
    for (name, request) in all() {
        let path = repository().join("fixtures/requests").join(name);
        let fresh = format!("{request}\n");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &fresh).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(stored == fresh, "{name} is stale: UPDATE=1 cargo test --test it fixtures");
    }
}

#[test]
fn they_are_as_long_as_the_real_ones() {
    for (name, bytes) in [("classic/hello.json", 72_133), ("lean/hello.json", 49_511)] {
        let length = fs::metadata(repository().join("fixtures/requests").join(name)).unwrap().len();
        assert!(length.abs_diff(bytes) < bytes / 40, "{name}: {length} bytes, the real one has {bytes}");
    }
}

#[test]
fn every_call_of_the_demo_session_is_answered_by_the_next_message() {
    let session = session("demo.json");
    let messages = session["messages"].as_array().unwrap();
    let typed = messages.iter().filter(|m| m["role"] == "user" && m["content"][0]["type"] == "text").count();
    assert!(typed >= 12, "{typed} turns");
    for pair in messages.windows(2) {
        let calls = pair[0]["content"].as_array().unwrap().iter().filter(|block| block["type"] == "tool_use");
        let results = pair[1]["content"].as_array().unwrap().iter().filter(|block| block["type"] == "tool_result");
        assert_ne!(pair[0]["role"], pair[1]["role"]);
        assert!(calls.map(|call| &call["id"]).eq(results.map(|result| &result["tool_use_id"])));
    }
}
