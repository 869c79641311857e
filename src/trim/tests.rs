//! The promises that trimming keeps for any input: sound schemas, no tool lost, regular messages, a stable prefix.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::schema::{Shown, reduce};
use super::{Kind, Trimmed, trim};
use crate::rules::{ModelProfile, RuleSet};
use crate::tokens::O200k;
use crate::wire::{Block, Message, Request, Role, Tool, ToolResult, ToolUse};

const WINDOWS: [usize; 4] = [4096, 8192, 16_384, 32_768];

static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::builtin);

fn trimmed(request: &Request, window: usize) -> Trimmed {
    let rules = &*RULES;
    trim(request, rules, rules.profile(window, None).unwrap(), &ModelProfile::default(), &O200k)
}

fn request(system: &[&str], tools: Vec<Tool>, messages: Vec<Message>) -> Request {
    Request {
        model: "m".into(),
        system: system.iter().map(|text| (*text).to_owned()).collect(),
        tools,
        messages,
        max_tokens: None,
        stream: true,
        stop_sequences: Vec::new(),
        rest: Map::new(),
    }
}

fn tool(name: &str, input_schema: Value) -> Tool {
    let description = format!("Does {name}. And more.").into();
    Tool { name: name.into(), description, input_schema: input_schema.into(), defer_loading: false, server_type: None }
}

// --- system text ---------------------------------------------------------------------------------------------------

#[test]
fn no_model_is_told_that_paths_are_absolute_and_shown_relative_ones() {
    let read = tool("Read", json!({"type": "object", "properties": {"file_path": {"type": "string"}}}));
    let request =
        request(&["You are Claude Code, a tool for work."], vec![read], vec![Message::text(Role::User, "go")]);
    for model in &RULES.models {
        for window in WINDOWS {
            let profile = RULES.profile(window, None).unwrap();
            let told = trim(&request, &RULES, profile, model, &O200k).head.system.contains("absolute");
            let expected = model.show.lines && !model.show.relative_paths;
            assert_eq!(told, expected, "{} at {window}", model.family);
        }
    }
}

// --- schemas -----------------------------------------------------------------------------------------------------

/// A schema of a value, of any depth up to three.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string", "description": "words"})),
        Just(json!({"type": "string", "enum": ["a", "b"]})),
        Just(json!({"type": "string", "minLength": 1, "maxLength": 3, "title": "t"})),
        Just(json!({"type": "integer", "minimum": 0, "maximum": 9, "default": 3})),
        Just(json!({"type": "number", "exclusiveMinimum": 0})),
        Just(json!({"type": "boolean"})),
        Just(json!({"const": 7})),
        Just(json!({})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type": "array", "items": items, "minItems": 1})),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(|options| json!({"anyOf": options})),
            objects(inner),
        ]
    })
}

/// A schema of an object: some of the names are required, and others may or may not be allowed.
fn objects(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let names = vec!["description", "path", "limit", "enum", "x"];
    let additional = prop_oneof![Just(None), Just(Some(json!(false))), Just(Some(json!({"type": "string"})))];
    let pattern = prop_oneof![4 => Just(None), 1 => Just(Some(json!({"^l": {"type": "integer"}})))];
    (subsequence(names, 0..=5), proptest::collection::vec(inner, 5), 0_usize..4, additional, pattern).prop_map(
        |(names, values, required, additional, pattern)| {
            let properties: Map<String, Value> = names.iter().map(|name| (*name).to_owned()).zip(values).collect();
            let required: Vec<&&str> = names.iter().take(required).collect();
            let mut schema =
                json!({"type": "object", "properties": properties, "required": required, "description": "d"});
            if let Some(additional) = additional {
                schema["additionalProperties"] = additional;
            }
            if let Some(pattern) = pattern {
                schema["patternProperties"] = pattern;
            }
            schema
        },
    )
}

/// A value that may fit a schema; `seeds` decide each choice.
fn instance(schema: &Value, seeds: &mut impl Iterator<Item = usize>) -> Value {
    let mut pick = |of: usize| seeds.next().unwrap_or(0) % of;
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[pick(values.len())].clone();
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let option = pick(options.len());
        return instance(&options[option], seeds);
    }
    match schema["type"].as_str() {
        Some("object") => object_instance(schema, seeds),
        Some("array") => json!([instance(&schema["items"], seeds)]),
        Some("string") => ["", "a", "long words"][pick(3)].into(),
        Some("integer") => [0, 4, -1, 99][pick(4)].into(),
        Some("number") => json!([0.0, 0.5, 7.0, -2.5][pick(4)]),
        Some("boolean") => (pick(2) == 0).into(),
        _ => [json!(null), json!("x"), json!(7), json!({"y": 1}), json!([true])][pick(5)].clone(),
    }
}

fn object_instance(schema: &Value, seeds: &mut impl Iterator<Item = usize>) -> Value {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut object = Map::new();
    for (name, property) in &properties {
        if required.contains(&name.as_str()) || seeds.next().unwrap_or(0).is_multiple_of(2) {
            object.insert(name.clone(), instance(property, seeds));
        }
    }
    // A key that the shown schema does not speak of, as a model makes them up.
    for (name, value) in [("limit", json!("many")), ("path", json!(3)), ("new", json!("s"))] {
        if !object.contains_key(name) && seeds.next().unwrap_or(0).is_multiple_of(3) {
            object.insert(name.to_owned(), value);
        }
    }
    Value::Object(object)
}

fn is_sound(client: &Value, shown: &Value, seeds: Vec<usize>) -> Result<bool, TestCaseError> {
    let value = instance(shown, &mut seeds.into_iter());
    if !jsonschema::is_valid(shown, &value) {
        return Ok(false);
    }
    prop_assert!(jsonschema::is_valid(client, &value), "{value} fits {shown} and not {client}");
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Promise: sound schemas, for any schema and any choice of parameters.
    #[test]
    fn what_fits_the_shown_schema_fits_the_clients(
        schema in objects(schemas()),
        shown in subsequence(vec!["description", "path", "limit", "enum", "x"], 0..=5),
        seeds in proptest::collection::vec(0_usize..64, 0..40),
    ) {
        let reduced = reduce(&schema, &Shown { shows: &|name| shown.contains(&name), needs: &|_| false, words: &|_, _| "w".into() });
        is_sound(&schema, &reduced, seeds)?;
    }
}

/// Promise: sound schemas, for the tools that rules name, in each window; with a share of instances that do fit.
#[test]
fn what_fits_a_core_tool_fits_the_clients() {
    let schema = json!({"type": "object", "required": ["file_path"], "additionalProperties": false, "properties": {
        "file_path": {"type": "string"}, "offset": {"type": "integer", "minimum": 0}, "limit": {"type": "integer"},
        "pages": {"type": "string", "description": "long"}}});
    let mut fitting = 0;
    for window in WINDOWS {
        let head = trimmed(&request(&[], vec![tool("Read", schema.clone())], Vec::new()), window).head;
        for seed in 0..200_usize {
            let seeds = (0..12).map(|at| seed.wrapping_mul(31).wrapping_add(at * at * 7) % 64).collect();
            fitting += usize::from(is_sound(&schema, &head.core[0].schema, seeds).unwrap());
        }
    }
    assert!(fitting > 100, "{fitting} of the instances fit at all");
}

// --- tools -------------------------------------------------------------------------------------------------------

const NAMES: [&str; 12] = [
    "Bash",
    "Read",
    "Grep",
    "Agent",
    "Skill",
    "Brandnew",
    "DeferredToolPlaceholder",
    "mcp__a__x",
    "mcp__a__y",
    "mcp__a__z",
    "mcp__b_c__x__y",
    "mcp__",
];

/// All names that an index says, groups written out.
fn names_in(index: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut group = String::new();
    let words = index.split_once(": ").map_or("", |(_, names)| names);
    for word in words.split(|c: char| c == ',' || c.is_whitespace()).map(|word| word.trim_end_matches('.')) {
        let (word, closes) = word.strip_suffix('}').map_or((word, false), |word| (word, true));
        let name = match word.split_once('{') {
            Some((prefix, name)) => {
                prefix.clone_into(&mut group);
                name
            }
            None => word,
        };
        names.push(format!("{group}{name}"));
        if closes {
            group.clear();
        }
    }
    names
}

proptest! {
    /// Promise: reachable. Every tool of the request stands in the head: in full, or by name in the index.
    #[test]
    fn no_tool_is_lost(names in subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_shuffle(), many in 0_usize..80, window in select(WINDOWS.to_vec())) {
        let more = (0..many).map(|at| format!("mcp__many__t{at}"));
        let names: Vec<String> = names.into_iter().map(str::to_owned).chain(more).collect();
        let tools: Vec<Tool> = names.iter().map(|name| tool(name, json!({"type": "object", "properties": {}}))).collect();
        let head = trimmed(&request(&[], tools, Vec::new()), window).head;
        let indexed = names_in(&head.index);
        for name in names.iter().filter(|name| *name != "DeferredToolPlaceholder") {
            let core = head.core.iter().any(|tool| tool.client.name == *name);
            prop_assert!(core != indexed.contains(name), "{name} core: {core}, index: {}", head.index);
        }
    }
}

/// Promise: stable prefix. A tool that is loaded in the middle of a session leaves the head as it was.
#[test]
fn a_tool_that_comes_late_stands_behind_its_result() {
    let tools = vec![tool("Bash", json!({})), tool("Read", json!({}))];
    let first = vec![Message::text(Role::User, "hi")];
    let before = trimmed(&request(&[], tools.clone(), first.clone()), 8192);
    let mut later = tools;
    later.insert(1, tool("Lately", json!({"type": "object", "properties": {"n": {"type": "number"}}})));
    let reference = Block::Other(json!({"type": "tool_reference", "tool_name": "Lately"}));
    let messages = [first, called("Bash", "1", vec![reference])].concat();
    let after = trimmed(&request(&[], later, messages), 8192);
    assert_eq!((&before.head.core, &before.head.index), (&after.head.core, &after.head.index));
    let parked: Vec<(&str, bool)> =
        after.head.parked.iter().map(|tool| (tool.client.name.as_str(), tool.late)).collect();
    assert_eq!(parked, [("Lately", true)]);
    let told = after.messages[2].tool_results().next().unwrap().text();
    assert!(told.contains(r#""name":"Lately""#) && told.contains(r#""n":{"type":"number"}"#), "{told}");
}

fn called(name: &str, id: &str, content: Vec<Block>) -> Vec<Message> {
    let call = ToolUse { id: id.into(), name: name.into(), input: json!({}) };
    let result = ToolResult { tool_use_id: id.into(), content, is_error: false };
    vec![
        Message { role: Role::Assistant, content: vec![Block::ToolUse(call)].into() },
        Message { role: Role::User, content: vec![Block::ToolResult(result)].into() },
    ]
}

// --- messages ----------------------------------------------------------------------------------------------------

fn blocks() -> impl Strategy<Value = Block> {
    let id = select(vec!["a", "b", "c"]);
    let text = select(vec![
        "hello",
        "",
        "(no content)",
        "<system-reminder>\nx\n</system-reminder>",
        "<system-reminder>\nThe TodoWrite tool hasn't been used recently.\n</system-reminder>",
        "<system-reminder>\n# claudeMd\nmine\n</system-reminder>",
    ]);
    prop_oneof![
        3 => text.prop_map(|text| Block::Text(text.into())),
        3 => id.clone().prop_map(|id| Block::ToolUse(ToolUse { id: id.into(), name: "Bash".into(), input: json!({}) })),
        3 => (id, any::<bool>(), select(vec!["out", "", "Error: e"])).prop_map(|(id, is_error, text)| {
            Block::ToolResult(ToolResult { tool_use_id: id.into(), content: vec![Block::Text(text.into())], is_error })
        }),
        1 => Just(Block::Thinking("hm".into())),
        1 => Just(Block::Image(json!({"type": "image"}))),
        1 => Just(Block::Other(json!({"type": "document", "source": {"type": "text", "data": "doc"}}))),
    ]
}

fn histories() -> impl Strategy<Value = Vec<Message>> {
    let role = select(vec![Role::User, Role::Assistant, Role::System]);
    let message = (role, proptest::collection::vec(blocks(), 0..4))
        .prop_map(|(role, content)| Message { role, content: content.into() });
    proptest::collection::vec(message, 0..10)
}

fn is_regular(messages: &[Message]) -> bool {
    let alternate = messages
        .iter()
        .enumerate()
        .all(|(at, message)| message.role == if at % 2 == 0 { Role::User } else { Role::Assistant });
    let answered = messages.iter().enumerate().all(|(at, message)| {
        let calls: Vec<&str> = message.tool_uses().map(|call| call.id.as_str()).collect();
        let results: Vec<&str> =
            messages.get(at + 1).into_iter().flat_map(Message::tool_results).map(|r| r.tool_use_id.as_str()).collect();
        message.role == Role::User || calls == results
    });
    let first_results = messages.first().is_none_or(|message| message.tool_results().count() == 0);
    alternate && answered && first_results && messages.iter().all(|message| !message.content.is_empty())
}

proptest! {
    /// Promise: pairing. Whatever the client sends, roles alternate, and each call is followed by its result.
    #[test]
    fn messages_are_regular_and_stay_so(history in histories(), window in select(WINDOWS.to_vec())) {
        let once = trimmed(&request(&["You are Claude Code"], Vec::new(), history), window).messages;
        prop_assert!(is_regular(&once), "{once:#?}");
        let twice = trimmed(&request(&["You are Claude Code"], Vec::new(), once.clone()), window).messages;
        prop_assert_eq!(once, twice);
    }
}

/// The same history as a client writes it on its last turn, and on a later one.
#[test]
fn what_the_client_changes_in_its_past_is_gone() {
    let early = br#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}]}"#;
    let late = br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
    let of = |body: &[u8]| trimmed(&Request::parse(body).unwrap(), 8192).messages;
    assert_eq!(of(early), of(late));
}

/// Promise: stable prefix. Sessions in other folders and on other days share the whole head.
#[test]
fn the_head_holds_nothing_of_the_folder() {
    let session = |folder: &str, day: &str, hash: &str| {
        let billing = format!("x-billing: cc_version=2.1.15.{hash}; cc_entrypoint=cli");
        let system = format!(
            "You are an interactive tool.\n# Doing tasks\nDo.\n\nHere is useful information about the environment\n<env>\nWorking directory: {folder}\nToday's date: {day}\n</env>\n\ngitStatus: x\nCurrent branch: {day}\n"
        );
        trimmed(
            &request(
                &[&billing, "You are Claude Code", &system],
                vec![tool("Bash", json!({}))],
                vec![Message::text(Role::User, folder)],
            ),
            8192,
        )
    };
    let (one, other) = (session("/home/ann", "2030-01-02", "aaa"), session("/srv/shop", "2031-05-06", "bbb"));
    assert_eq!(one.head, other.head);
    assert!(one.preamble.contains("/home/ann") && other.preamble.contains("2031-05-06"));
    assert_eq!(one.version.map(|version| version.to_string()).as_deref(), Some("2.1.15"));
    assert_eq!(one.kind, Kind::Main);
}

/// A rule that must match this version, and does not, is said so.
#[test]
fn a_dead_rule_is_reported() {
    let system = ["cc_version=2.1.200.abc", "You are Claude Code", "# Harness\nx\n# Brand new heading\ny"];
    let out = trimmed(&request(&system, vec![tool("Bash", json!({}))], Vec::new()), 8192);
    assert!(out.dead.contains(&"claude-code/section/environment".to_owned()), "{:?}", out.dead);
    assert!(
        !out.dead.contains(&"claude-code/section/harness".to_owned())
            && !out.dead.contains(&"claude-code/section/doing".to_owned())
    );
    assert_eq!(out.unknown, ["Brand new heading"]);
}

/// Promise: reachable. A section that is told by its first sentence can be had back whole.
#[test]
fn a_shortened_section_is_left_out_under_its_handle() {
    let long = format!("# House rules\nKnock first. {}", "Then wait for tea. ".repeat(40));
    let head = trimmed(&request(&["You are Claude Code", &long], vec![tool("Bash", json!({}))], Vec::new()), 4096).head;
    assert!(head.system.contains("# House rules\nKnock first. [Recall s1 shows all of it]"), "{}", head.system);
    assert_eq!((head.left_out[0].handle.as_str(), head.left_out[0].text.as_str()), ("s1", long.trim_end()));
}
