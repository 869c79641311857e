//! Measures reading and healing against vectors that are not part of the repository. `FANLIGHT_SHARED` names their
//! folder; without it, `../shared` is looked for, and a test says so when there is none.
//!
//! `cargo test --release --test it -- --ignored --nocapture shared_`

use std::collections::BTreeMap;
use std::path::PathBuf;

use fanlight::calls::read::Quotes;
use fanlight::calls::{Piece, Repaired, repair};
use fanlight::rules::Lexicon;
use fanlight::wire::{Block, Tool};
use serde_json::{Map, Value, json};

/// One text, and what must come out of it.
struct Vector {
    group: String,
    id: String,
    tools: Vec<Tool>,
    text: String,
    calls: Option<Vec<(String, Value)>>,
}

fn shared(path: &str) -> Option<String> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let told = std::env::var_os("FANLIGHT_SHARED").map(PathBuf::from);
    let folders = told.into_iter().chain([here.join("../shared"), here.join("../../shared")]);
    let found = folders.map(|folder| folder.join(path)).find(|file| file.exists());
    if found.is_none() {
        println!("skipped: no {path}; set FANLIGHT_SHARED");
    }
    found.map(|file| std::fs::read_to_string(file).unwrap())
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn tool(name: &str, schema: &Value) -> Tool {
    Tool {
        name: name.to_owned(),
        description: "".into(),
        input_schema: schema.clone().into(),
        defer_loading: false,
        server_type: None,
    }
}

fn read(tools: &[Tool], pieces: &[&str]) -> Repaired {
    let pieces: Vec<Piece<'_>> = pieces.iter().map(|piece| Piece::Text(piece)).collect();
    repair(tools, &Quotes::default(), &Lexicon::builtin().unwrap().into(), &pieces, false)
}

fn calls(repaired: &Repaired) -> Vec<(String, Value)> {
    let call = |block: &Block| match block {
        Block::ToolUse(call) => Some((call.name.clone(), call.input.clone())),
        _ => None,
    };
    repaired.content.iter().filter_map(call).collect()
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

fn all_same(one: &[(String, Value)], other: &[(String, Value)]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1))
}

/// The text cut after every character, in chunks as by chance, and in halves at every place.
fn cuts(text: &str) -> Vec<Vec<&str>> {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).collect();
    let mut all = vec![pieces_at(text, &places)];
    for seed in 1..=6 {
        all.push(pieces_at(text, &by_chance(&places, seed)));
    }
    all.extend(places.iter().map(|at| vec![&text[..*at], &text[*at..]]));
    all
}

/// Some of the places, up to 12 from one to the next (a linear congruence, so that a run can be had again).
fn by_chance(places: &[usize], seed: usize) -> Vec<usize> {
    let (mut state, mut at) = (seed * 7919 + places.len(), 0);
    let mut chosen = Vec::new();
    while at < places.len() {
        chosen.push(places[at]);
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        at += 1 + (state >> 33) % 12;
    }
    chosen
}

fn pieces_at<'a>(text: &'a str, places: &[usize]) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for at in places {
        pieces.push(&text[from..*at]);
        from = *at;
    }
    pieces.push(&text[from..]);
    pieces
}

/// Reads every vector, prints a table by group and up to `show` misses, and gives the shares by group.
fn measure(vectors: &[Vector], show: usize) -> BTreeMap<String, (usize, usize)> {
    let mut table: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut shown = 0;
    for vector in vectors {
        let Some(expected) = &vector.calls else { continue };
        let got = calls(&read(&vector.tools, &[&vector.text]));
        let good = all_same(&got, expected);
        let entry = table.entry(vector.group.clone()).or_default();
        entry.0 += usize::from(good);
        entry.1 += 1;
        if !good && shown < show {
            shown += 1;
            println!(
                "MISS {} {}\n  text     {:?}\n  expected {:?}\n  got      {:?}",
                vector.group, vector.id, vector.text, expected, got
            );
        }
    }
    for (group, (good, all)) in &table {
        println!("{group:40} {good:6} of {all:6}  {:.2} %", 100.0 * *good as f64 / *all as f64);
    }
    table
}

fn call_of(value: &Value) -> (String, Value) {
    let call = value.get("function").unwrap_or(value);
    let arguments = match &call["arguments"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    };
    (call["name"].as_str().unwrap_or_default().to_owned(), arguments)
}

fn bfcl() -> Vec<Vector> {
    let (Some(leaks), Some(tools)) =
        (shared("data/toolcalls/bfcl-leaks-dev.jsonl"), shared("data/toolcalls/bfcl-tools-dev.json"))
    else {
        return Vec::new();
    };
    let tools: Value = serde_json::from_str(&tools).unwrap();
    let of = |id: &str| -> Vec<Tool> {
        let list = tools[id].as_array().unwrap();
        list.iter().map(|one| tool(one["name"].as_str().unwrap(), &one["input_schema"])).collect()
    };
    let vector = |row: &Value| Vector {
        group: row["format"].as_str().unwrap().to_owned(),
        id: row["id"].as_str().unwrap().to_owned(),
        tools: of(row["id"].as_str().unwrap()),
        text: row["text"].as_str().unwrap().to_owned(),
        calls: Some(row["expected"].as_array().unwrap().iter().map(call_of).collect()),
    };
    rows(&leaks).iter().map(vector).collect()
}

/// A schema that takes these arguments.
fn schema_of(inputs: &[&Value]) -> Value {
    let mut properties = Map::new();
    for (key, value) in inputs.iter().filter_map(|input| input.as_object()).flatten() {
        let kind = match value {
            Value::Null => continue,
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        match properties.get(key) {
            Some(known) if known["type"] != kind => drop(properties.insert(key.clone(), json!({}))),
            _ => drop(properties.insert(key.clone(), json!({"type": kind}))),
        }
    }
    json!({"type": "object", "properties": properties})
}

/// Tools that take all the calls of these vectors.
fn declared(calls: &[(String, Value)]) -> Vec<Tool> {
    let mut by_name: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (name, input) in calls {
        by_name.entry(name).or_default().push(input);
    }
    by_name
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, inputs)| tool(name, &schema_of(&inputs)))
        .collect()
}

fn vllm() -> Vec<Vector> {
    let Some(text) = shared("data/toolcalls/vllm-dev.jsonl") else { return Vec::new() };
    let mut vectors: Vec<Vector> =
        rows(&text).iter().enumerate().filter_map(|(at, row)| vllm_vector(at, row)).collect();
    let known = declared(&vectors.iter().flat_map(|v| v.calls.clone().unwrap_or_default()).collect::<Vec<_>>());
    for vector in &mut vectors {
        let own = declared(&vector.calls.clone().unwrap_or_default());
        let others = known.iter().filter(|tool| own.iter().all(|one| one.name != tool.name)).cloned();
        vector.tools = own.iter().cloned().chain(others).collect();
    }
    vectors
}

fn vllm_vector(at: usize, row: &Value) -> Option<Vector> {
    let input = ["model_output", "text", "output", "model_output_deltas"].iter().find_map(|key| row.get(*key))?;
    let text = match input {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let listed = |key: &str| row.get(key).and_then(Value::as_array).cloned();
    let pairs = |pairs: Vec<Value>| {
        let pair = |pair: &Value| {
            let arguments = serde_json::from_str(pair[1].as_str().unwrap_or("null")).unwrap_or_default();
            (pair[0].as_str().unwrap_or_default().to_owned(), arguments)
        };
        pairs.iter().map(pair).collect::<Vec<_>>()
    };
    let calls = listed("expected_tool_calls")
        .map(|list| list.iter().map(call_of).collect())
        .or_else(|| listed("expected").map(pairs))
        .or_else(|| {
            let name = row.get("expect_name")?.as_str()?;
            Some(vec![(name.to_owned(), row["expect_args"].clone())])
        })
        .or_else(|| (row.get("kind")? == "no_tool_calls_output").then(Vec::new));
    let source = row["source"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
    Some(Vector { group: source, id: format!("row {at}"), tools: Vec::new(), text, calls })
}

fn llamacpp() -> Vec<Vector> {
    let Some(text) = shared("data/toolcalls/llamacpp-dev.jsonl") else { return Vec::new() };
    let rows = rows(&text);
    let vector = |row: &Value| {
        if row["chain"].get("is_partial").is_some() {
            return None;
        }
        let list = row.pointer("/expect_resolved/tool_calls").or_else(|| row.get("expect_tool_calls"));
        let calls = list.and_then(Value::as_array).map(|list| list.iter().map(call_of).collect::<Vec<_>>());
        let template = row["template"].as_str().unwrap_or("(none)").rsplit('/').next().unwrap_or_default().to_owned();
        let calls = calls.or_else(|| row.get("expect_content").map(|_| Vec::new()));
        Some(Vector {
            group: template,
            id: row["source"].as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default().to_owned(),
            tools: row["chain"].get("tools").map(|_| Vec::new()).unwrap_or_default(),
            text: row["text"].as_str().unwrap_or_default().to_owned(),
            calls,
        })
    };
    let mut vectors: Vec<Vector> = rows.iter().filter_map(vector).collect();
    for vector in &mut vectors {
        vector.tools = declared(&vector.calls.clone().unwrap_or_default());
    }
    vectors
}

fn ollama() -> Vec<Vector> {
    let Some(text) = shared("data/toolcalls/ollama-dev.jsonl") else { return Vec::new() };
    rows(&text).iter().filter_map(ollama_vector).collect()
}

fn ollama_vector(row: &Value) -> Option<Vector> {
    ["text", "stream", "events"].contains(&row["kind"].as_str()?).then(|| ollama_vector_of(row)).flatten()
}

fn ollama_vector_of(row: &Value) -> Option<Vector> {
    let chunks = row.get("input_chunks").and_then(Value::as_array);
    let text = row
        .get("input_text")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .or_else(|| Some(chunks?.iter().filter_map(Value::as_str).collect()))?;
    let calls: Option<Vec<(String, Value)>> =
        row.get("expected_calls").and_then(Value::as_array).map(|list| list.iter().map(call_of).collect());
    let given = row.get("tools").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = |one: &Value| {
        let one = one.get("function").unwrap_or(one);
        let name = one["name"].as_str().unwrap_or_default();
        tool(name, one.get("parameters").or_else(|| one.get("input_schema")).unwrap_or(&json!({})))
    };
    let given: Vec<Tool> = given.iter().map(own).filter(|tool| !tool.name.is_empty()).collect();
    let tools = if given.is_empty() { declared(&calls.clone().unwrap_or_default()) } else { given };
    Some(Vector {
        group: row["family"].as_str()?.to_owned(),
        id: row["name"].as_str().unwrap_or_default().to_owned(),
        tools,
        text,
        calls,
    })
}

/// Rows of Ollama that test a part of a parser, put back between the marks of their family.
fn ollama_parts() -> Vec<Vector> {
    let Some(text) = shared("data/toolcalls/ollama-dev.jsonl") else { return Vec::new() };
    rows(&text).iter().filter_map(ollama_part).collect()
}

fn ollama_part(row: &Value) -> Option<Vector> {
    let (kind, family) = (row["kind"].as_str()?, row["family"].as_str()?);
    let text = row["input_text"].as_str().unwrap_or_default();
    let (text, calls, tools) = match kind {
        "raw" | "error" => {
            let vector = ollama_vector_of(row)?;
            (marked(family, text), vector.calls, vector.tools)
        }
        "transform" => transform(row, family, text)?,
        "value" => value_of(row, family, text),
        "find_args" => found_arguments(row, text),
        "harmony_header" => header(row, text),
        _ => return None,
    };
    let id = row["name"].as_str().unwrap_or_default().to_owned();
    Some(Vector { group: format!("{kind} {family}"), id, tools, text, calls })
}

/// The inside of a call between the marks that were taken away from it.
fn marked(family: &str, text: &str) -> String {
    let whole = |open: &str, close: &str| format!("{open}{text}{close}");
    match family {
        "qwen3vl_thinking" | "qwen3vl_nonthinking" | "qwen3" | "glm46" | "glm47"
            if !text.starts_with("<tool_call>") =>
        {
            whole("<tool_call>", "</tool_call>")
        }
        "deepseek3" | "cogito" => {
            whole("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>", "<｜tool▁call▁end｜><｜tool▁calls▁end｜>")
        }
        "lfm2" => whole("<|tool_call_start|>", "<|tool_call_end|>"),
        "gemma4" => whole("<|tool_call>", "<tool_call|>"),
        "olmo3" => whole("<function_calls>", "</function_calls>"),
        _ => text.to_owned(),
    }
}

type Part = (String, Option<Vec<(String, Value)>>, Vec<Tool>);

/// A text and the same text repaired must be the same call.
fn transform(row: &Value, family: &str, text: &str) -> Option<Part> {
    let repaired = match &row["expected_output"] {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.last()?.as_str()?.to_owned(),
        _ => return None,
    };
    let strings = |keys: &[&str]| {
        let properties: Map<String, Value> =
            keys.iter().map(|key| ((*key).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "object", "properties": properties})
    };
    match family {
        "glm46" => {
            let tools = vec![tool("func", &strings(&["k", "a", "b"]))];
            let calls = calls(&read(&tools, &[&marked(family, &repaired)]));
            Some((marked(family, text), Some(calls), tools))
        }
        "gemma4" => {
            let input: Option<Value> = serde_json::from_str(&repaired).ok();
            let schema = match &input {
                Some(input) => schema_of(&[input]),
                None => strings(&["content", "mode", "command", "pattern", "include", "path"]),
            };
            let tools = vec![tool("f", &schema)];
            let wrapped = |text: &str| marked(family, &format!("call:f{text}"));
            let calls = match input {
                Some(input) => vec![("f".to_owned(), input)],
                None => calls(&read(&tools, &[&wrapped(&repaired)])),
            };
            Some((wrapped(text), Some(calls), tools))
        }
        _ => {
            let (_, name) = text.split_once("<function=")?;
            let name = name.split('>').next()?.trim_matches('"').to_owned();
            let keys: Vec<&str> = text.split("<parameter=").skip(1).filter_map(|part| part.split('>').next()).collect();
            let keys: Vec<&str> = keys.iter().map(|key| key.trim_matches('"')).collect();
            let values: Vec<&str> =
                text.split("<parameter=").skip(1).filter_map(|part| part.split(['>', '<']).nth(1)).collect();
            let input: Map<String, Value> = keys
                .iter()
                .zip(values)
                .map(|(key, value)| {
                    let value = value.strip_prefix('\n').unwrap_or(value);
                    ((*key).to_owned(), Value::from(value.strip_suffix('\n').unwrap_or(value)))
                })
                .collect();
            Some((text.to_owned(), Some(vec![(name.clone(), input.into())]), vec![tool(&name, &strings(&keys))]))
        }
    }
}

/// One value, as the parameter of a tool.
fn value_of(row: &Value, family: &str, text: &str) -> Part {
    let kinds = &row["param_type"];
    let schema = match kinds.as_array().map(Vec::len) {
        None | Some(0) => json!({}),
        Some(1) => json!({"type": kinds[0]}),
        Some(_) => json!({"type": kinds}),
    };
    let text = if family == "olmo3" {
        format!("<function_calls>f(p={text})</function_calls>")
    } else {
        format!("<function=f>\n<parameter=p>{text}</parameter>\n</function>")
    };
    let tools = vec![tool("f", &json!({"type": "object", "properties": {"p": schema}}))];
    (text, Some(vec![("f".to_owned(), json!({"p": row["expected_value"]}))]), tools)
}

/// Arguments in a text: the call of any name that has them, or none.
fn found_arguments(row: &Value, text: &str) -> Part {
    let wanted = row["expected_arguments"].as_object().map(|map| Value::Object(map.clone()));
    let names = ["get_temperature", "process_code", "send_data", "analyze", "test", "search", "query", "echo", "code"];
    let name = names.iter().find(|name| text.contains(*name)).copied().unwrap_or("none");
    let tools = vec![tool(name, &schema_of(&wanted.iter().collect::<Vec<_>>()))];
    (text.to_owned(), Some(wanted.into_iter().map(|input| (name.to_owned(), input)).collect()), tools)
}

/// A header, with a message behind it.
fn header(row: &Value, text: &str) -> Part {
    let recipient = row["expected_header"]["recipient"].as_str().unwrap_or_default();
    let name = recipient.strip_prefix("functions.").unwrap_or_default();
    let calls = if name.is_empty() { Vec::new() } else { vec![(name.to_owned(), json!({"a": 1}))] };
    let text = if name.is_empty() { text.to_owned() } else { format!("<|start|>{text}<|message|>{{\"a\":1}}<|call|>") };
    (text, Some(calls.clone()), declared(&calls))
}

/// Rows of vLLM and llama.cpp that assert something other than a list of calls.
fn other_rows() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for (at, row) in
        shared("data/toolcalls/vllm-dev.jsonl").map(|text| rows(&text)).unwrap_or_default().iter().enumerate()
    {
        vectors.extend(grammar_row(at, row));
    }
    vectors
}

/// `accepted`, `should_match`: a call that a grammar takes must come out valid, and no other may come out as one that is.
fn grammar_row(at: usize, row: &Value) -> Option<Vector> {
    let city = json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"], "additionalProperties": false});
    let forecast = json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"], "additionalProperties": false});
    let tools = vec![
        tool("get.weather", &city),
        tool("get_current_weather", &city),
        tool("get_forecast", &forecast),
        tool("ping", &json!({"type": "object", "properties": {"any": {"type": "string"}}})),
    ];
    let (group, text, good) = if let Some(good) = row.get("accepted") {
        ("accepted", row["text"].as_str()?.to_owned(), good.as_bool()?)
    } else if let Some(good) = row.get("should_match") {
        ("should_match", row["sample_output"].to_string(), good.as_bool()?)
    } else if row.get("kind").and_then(Value::as_str) == Some("malformed") {
        ("malformed", row["text"].as_str()?.to_owned(), false)
    } else {
        return None;
    };
    let calls = (!good).then(Vec::new);
    Some(Vector { group: group.to_owned(), id: format!("row {at}"), tools, text, calls })
}

#[test]
#[ignore = "needs the shared vectors"]
fn shared_parts_of_parsers_agree() {
    measure(&ollama_parts(), 200);
    for vector in other_rows() {
        let got = read(&vector.tools, &[&vector.text]);
        println!("{} {} {:?}\n   {:?} {:?}", vector.group, vector.id, vector.text, got.content, got.repairs);
    }
}

/// The usual tools of a coding client.
fn client_tools() -> Vec<Tool> {
    let text = json!({"type": "string"});
    let number = json!({"type": "number"});
    let make = |name: &str, properties: Value, required: &[&str]| {
        let schema =
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        tool(name, &schema)
    };
    vec![
        make("Bash", json!({"command": text, "description": text, "timeout": number}), &["command"]),
        make("Read", json!({"file_path": text, "offset": number, "limit": number}), &["file_path"]),
        make("Write", json!({"file_path": text, "content": text}), &["file_path", "content"]),
        make(
            "Edit",
            json!({"file_path": text, "old_string": text, "new_string": text, "replace_all": {"type": "boolean"}}),
            &["file_path", "old_string", "new_string"],
        ),
        make("Glob", json!({"pattern": text, "path": text}), &["pattern"]),
        make(
            "Grep",
            json!({"pattern": text, "path": text, "glob": text, "output_mode": text, "head_limit": number}),
            &["pattern"],
        ),
        make(
            "Task",
            json!({"description": text, "prompt": text, "subagent_type": text}),
            &["description", "prompt", "subagent_type"],
        ),
        make("TodoWrite", json!({"todos": {"type": "array"}}), &["todos"]),
        make("WebFetch", json!({"url": text, "prompt": text}), &["url", "prompt"]),
        make("Skill", json!({"skill": text, "args": text}), &["skill"]),
    ]
}

#[test]
#[ignore = "needs the shared vectors"]
fn shared_bfcl_is_read_exactly() {
    for (format, (good, all)) in measure(&bfcl(), 40) {
        assert!(good * 100 >= all * 99, "{format}: {good} of {all}");
    }
}

#[test]
#[ignore = "needs the shared vectors"]
fn shared_parsers_agree() {
    println!("vLLM");
    measure(&vllm(), 200);
    println!("llama.cpp");
    measure(&llamacpp(), 200);
    println!("Ollama");
    measure(&ollama(), 200);
}

#[test]
#[ignore = "needs the shared vectors"]
fn shared_negatives_stay_text() {
    let tools = client_tools();
    let mut texts: Vec<(String, String)> = Vec::new();
    if let Some(text) = shared("data/negatives/dev.jsonl") {
        texts.extend(rows(&text).iter().map(|row| (row["id"].to_string(), row["text"].as_str().unwrap().to_owned())));
    }
    for page in [
        "DESIGN.md",
        "knowledge/users.md",
        "knowledge/ollama.md",
        "knowledge/claude-code.md",
        "knowledge/rust.md",
        "knowledge/peers.md",
        "knowledge/sessions.md",
        "knowledge/state-of-the-art.md",
        "knowledge/engine.md",
    ] {
        texts.extend(shared(page).map(|text| (page.to_owned(), text)));
    }
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "rules/README.md", "fixtures/README.md"] {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(page);
        texts.push((page.to_owned(), std::fs::read_to_string(file).unwrap()));
    }
    let parts: Vec<_> = texts.iter().flat_map(|(id, text)| parts_by_chance(id, text)).collect();
    texts.extend(parts);
    let mut wrong = Vec::new();
    for (id, text) in &texts {
        let whole = read(&tools, &[text]).content;
        if whole != [Block::Text(text.clone())] {
            wrong.push(format!("{id}: {whole:?}"));
        }
        let cuts = if text.len() > 2000 { cuts(text).into_iter().take(3).collect() } else { cuts(text) };
        wrong.extend(
            cuts.iter().filter(|pieces| read(&tools, pieces).content != whole).map(|_| format!("{id}: by cut")).take(1),
        );
    }
    println!("{} negatives, {} wrong", texts.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Some lines of a longer text, as a model might quote them.
fn parts_by_chance(id: &str, text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.split('\n').collect();
    if lines.len() < 30 {
        return Vec::new();
    }
    let starts = by_chance(&(0..lines.len()).collect::<Vec<_>>(), 3);
    let part = |(turn, from): (usize, &usize)| {
        let to = (from + [1, 2, 3, 5, 8, 20, 60][turn % 7]).min(lines.len());
        (format!("{id}:{from}"), lines[*from..to].join("\n"))
    };
    starts.iter().enumerate().map(part).filter(|(_, part)| !part.is_empty()).collect()
}

#[test]
#[ignore = "needs the shared vectors"]
fn shared_vectors_do_not_depend_on_cuts() {
    let others = vllm().into_iter().chain(llamacpp()).chain(ollama()).chain(ollama_parts()).chain(other_rows());
    let vectors: Vec<Vector> = bfcl().into_iter().chain(others).collect();
    let mut cases = 0;
    for vector in &vectors {
        let whole = read(&vector.tools, &[&vector.text]);
        for pieces in cuts(&vector.text) {
            cases += 1;
            assert_eq!(read(&vector.tools, &pieces), whole, "{} {} {:?}", vector.group, vector.id, pieces);
        }
    }
    println!("{} vectors, the same at every one of {cases} cuts", vectors.len());
}
