//! Real requests of the client, where a machine has some: `FANLIGHT_CAPTURES=DIR cargo test captures -- --ignored
//! --nocapture` prints what is left of each, by part. `DIR/VERSION/SCENE/NNN.json`; nothing of them is kept here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fanlight::rules::RuleSet;
use fanlight::tokens::{Counter, Memo};
use fanlight::trim::{Head, Kind, Trimmed, trim};
use fanlight::wire::{Block, Message, Request};

const WINDOWS: [usize; 4] = [4096, 8192, 16_384, 32_768];

fn captures() -> PathBuf {
    std::env::var_os("FANLIGHT_CAPTURES").map(PathBuf::from).expect("FANLIGHT_CAPTURES names a folder of captures")
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// All requests below a folder, by the scene that they belong to, in order.
fn scenes() -> BTreeMap<PathBuf, Vec<Request>> {
    let mut scenes = BTreeMap::new();
    for version in sorted(&captures()) {
        for scene in sorted(&version).into_iter().filter(|path| path.is_dir()) {
            let bodies = sorted(&scene).into_iter().filter(|path| path.extension().is_some_and(|end| end == "json"));
            let requests = bodies.map(|path| Request::parse(&std::fs::read(path).unwrap()).unwrap()).collect();
            scenes.insert(scene, requests);
        }
    }
    scenes
}

fn trimmed(request: &Request, rules: &RuleSet, window: usize, counter: &dyn Counter) -> Trimmed {
    let model = rules.model("qwen2.5-coder").unwrap();
    trim(request, rules, rules.profile(window, None).unwrap(), model, counter)
}

fn tool_text(head: &Head) -> String {
    let tools = head.core.iter().map(|tool| {
        let value =
            serde_json::json!({"name": tool.client.name, "description": tool.description, "input_schema": tool.schema});
        value.to_string()
    });
    tools.collect::<Vec<_>>().join("\n")
}

fn text_of(messages: &[Message]) -> String {
    let blocks = messages.iter().flat_map(|message| &message.content);
    let texts = blocks.map(|block| match block {
        Block::Text(text) => text.clone(),
        other => other.to_value().to_string(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "needs captures"]
fn captures_by_part() {
    let rules = RuleSet::builtin();
    let counter = Memo::default();
    println!(
        "{:34} {:>6}  {:>6} {:>6} {:>6} {:>8} {:>8} {:>6}  core parked unknown dead",
        "scene", "window", "system", "index", "core", "preamble", "messages", "total"
    );
    for (scene, requests) in scenes() {
        let Some(request) = requests.iter().find(|request| !request.tools.is_empty() && !request.system.is_empty())
        else {
            continue;
        };
        let name = scene.strip_prefix(captures()).unwrap().display().to_string();
        if !(name.ends_with("hello") || name.ends_with("mcp40")) {
            continue;
        }
        for window in WINDOWS {
            let out = trimmed(request, &rules, window, &counter);
            let parts =
                [&out.head.system, &out.head.index, &tool_text(&out.head), &out.preamble, &text_of(&out.messages)];
            let counts: Vec<usize> = parts.map(|part| counter.count(part)).to_vec();
            let [system, index, core, preamble, messages] = counts[..] else { unreachable!() };
            let total: usize = counts.iter().sum();
            println!(
                "{name:34} {window:>6}  {system:>6} {index:>6} {core:>6} {preamble:>8} {messages:>8} {total:>6}  {} {} {:?} {:?}",
                out.head.core.len(),
                out.head.parked.len(),
                out.unknown.iter().filter(|name| !name.starts_with("mcp__")).collect::<Vec<_>>(),
                out.dead
            );
            if std::env::var_os("FANLIGHT_SHOW").is_some() {
                println!("{}", parts.map(String::as_str).join("\n-----\n"));
            }
        }
    }
}

/// What is sent for a request is a prefix of what is sent for the next one of the same conversation.
#[test]
#[ignore = "needs captures"]
fn captures_keep_their_prefix() {
    let rules = RuleSet::builtin();
    let counter = Memo::default();
    let (mut compared, mut broken) = (0, Vec::new());
    for (scene, requests) in scenes() {
        for window in WINDOWS {
            let mut last: BTreeMap<String, Trimmed> = BTreeMap::new();
            for (at, request) in requests.iter().enumerate() {
                let out = trimmed(request, &rules, window, &counter);
                if request.system.is_empty() || !matches!(out.kind, Kind::Main | Kind::Subagent) {
                    continue;
                }
                // A conversation is told from the others by its first message.
                let key = format!("{}{:?}", out.kind.name(), request.messages.first());
                if let Some(before) = last.get(&key) {
                    compared += 1;
                    if let Some(what) = difference(before, &out) {
                        broken.push(format!("{} {window} request {at}: {what}", scene.display()));
                    }
                }
                last.insert(key, out);
            }
        }
    }
    println!("{compared} pairs compared");
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
}

fn difference(before: &Trimmed, after: &Trimmed) -> Option<String> {
    if (&before.head.system, &before.head.index, tool_text(&before.head))
        != (&after.head.system, &after.head.index, tool_text(&after.head))
    {
        return Some("the head changed".into());
    }
    if before.preamble != after.preamble {
        return Some("the preamble changed".into());
    }
    let (left, right) = (text_of(&before.messages), text_of(&after.messages));
    (!right.starts_with(&left)).then(|| {
        let at = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
        format!("the messages differ at {at} of {}", left.len())
    })
}
