//! Cases of healing.

use serde_json::json;

use super::*;

fn tool(name: &str, schema: Value) -> Tool {
    Tool {
        name: name.into(),
        description: "".into(),
        input_schema: schema.into(),
        defer_loading: false,
        server_type: None,
    }
}

fn tools() -> Vec<Tool> {
    let read = json!({"type": "object", "additionalProperties": false, "required": ["file_path"], "properties": {
        "file_path": {"type": "string"}, "offset": {"type": "number"}, "limit": {"type": "integer"}}});
    let todo = json!({"type": "object", "additionalProperties": false, "required": ["todos"], "properties": {
        "todos": {"type": "array", "items": {"type": "object", "required": ["content", "status"], "properties": {
            "content": {"type": "string", "minLength": 1},
            "status": {"type": "string", "enum": ["pending", "in_progress", "completed"]},
            "rank": {"type": "integer"}}}}}});
    let bash = json!({"type": "object", "additionalProperties": false, "required": ["command"], "properties": {
        "command": {"type": "string"}, "run_in_background": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}}}});
    vec![tool("Read", read), tool("TodoWrite", todo), tool("Bash", bash)]
}

fn healed(name: &str, input: Value) -> Result<(Value, Vec<&'static str>), String> {
    let lexicon = Lexicon::builtin().unwrap();
    heal(name, input, &tools(), &lexicon)
        .map(|healed| (healed.input, healed.repairs.into_iter().map(Repair::kind).collect()))
        .map_err(|invalid| invalid.why())
}

#[test]
fn each_kind_of_damage_is_mended_and_named() {
    let cases = [
        ("Read", json!({"filename": "a"}), json!({"file_path": "a"}), vec!["key-alias"]),
        ("Read", json!({"filePath": "a"}), json!({"file_path": "a"}), vec!["key-alias"]),
        ("read", json!({"file_path": "a"}), json!({"file_path": "a"}), vec!["name-case"]),
        (
            "Read",
            json!({"file_path": "a", "limit": "200"}),
            json!({"file_path": "a", "limit": 200}),
            vec!["number-string"],
        ),
        (
            "Read",
            json!({"file_path": "a", "limit": "20.0"}),
            json!({"file_path": "a", "limit": 20}),
            vec!["number-string"],
        ),
        ("Read", json!({"file_path": "a", "offset": null}), json!({"file_path": "a"}), vec!["null-dropped"]),
        ("Read", json!({"file_path": "a", "offset": ""}), json!({"file_path": "a"}), vec!["null-dropped"]),
        ("Read", json!({"file_path": "a", "reason": "x"}), json!({"file_path": "a"}), vec!["extra-dropped"]),
        ("Read", json!(r#"{"file_path":"a"}"#), json!({"file_path": "a"}), vec!["double-encoded"]),
        ("Read", json!(r#""{\"file_path\":\"a\"}""#), json!({"file_path": "a"}), vec!["double-encoded"]),
        ("Read", json!({"arguments": {"file_path": "a"}}), json!({"file_path": "a"}), vec!["unwrapped"]),
        (
            "Read",
            json!({"name": "Read", "parameters": {"file_path": "a"}}),
            json!({"file_path": "a"}),
            vec!["unwrapped"],
        ),
        (
            "read<arg_key>filePath</arg_key><arg_value>a</arg_value>",
            json!({}),
            json!({"file_path": "a"}),
            vec!["name-marks", "name-case", "key-alias"],
        ),
        ("Bash", json!(r#"{"command":"ls"}{"command": ""#), json!({"command": "ls"}), vec!["first-object"]),
        ("Bash", json!("ls -R\n"), json!({"command": "ls -R"}), vec!["bare-argument"]),
        ("Bash", json!({"cmd": "ls"}), json!({"command": "ls"}), vec!["key-alias"]),
        (
            "Bash",
            json!({"command": "ls", "run_in_background": "True"}),
            json!({"command": "ls", "run_in_background": true}),
            vec!["boolean-string"],
        ),
        (
            "Bash",
            json!({"command": "ls", "tags": "a"}),
            json!({"command": "ls", "tags": ["a"]}),
            vec!["scalar-for-array"],
        ),
        ("Bash", json!({"command": 5}), json!({"command": "5"}), vec!["text-from-number"]),
        (
            "TodoWrite",
            json!({"todos": r#"[{"content":"a","status":"pending"}]"#}),
            json!({"todos": [{"content": "a", "status": "pending"}]}),
            vec!["json-in-string"],
        ),
        (
            "TodoWrite",
            json!({"todos": {"content": "a", "status": "pending"}}),
            json!({"todos": [{"content": "a", "status": "pending"}]}),
            vec!["scalar-for-array"],
        ),
        (
            "TodoWrite",
            json!({"todos": [{"content": "a", "status": "Pending", "rank": "2"}]}),
            json!({"todos": [{"content": "a", "status": "pending", "rank": 2}]}),
            vec!["enum-case", "number-string"],
        ),
        (
            "TodoWrite",
            json!({"todos": [{"content": "a", "status": "in progress"}, {"content": "b", "status": "done"}]}),
            json!({"todos": [{"content": "a", "status": "in_progress"}, {"content": "b", "status": "completed"}]}),
            vec!["enum-case", "enum-alias"],
        ),
    ];
    for (name, input, expected, repairs) in cases {
        assert_eq!(healed(name, input.clone()), Ok((expected, repairs)), "{name} {input}");
    }
}

#[test]
fn what_is_not_certain_is_said_and_not_guessed() {
    let cases = [
        ("Read", json!({}), "`file_path` is missing"),
        ("Read", json!({"files": ["a"]}), "`file_path` is missing; `files` is not a parameter"),
        ("Read", json!({"file_path": "a", "limit": "ten"}), "`limit` must be integer, not string"),
        ("Bash", json!({"command": ["ls", "-la"]}), "`command` must be string, not array"),
        ("Bash", json!("{\"command\": \"ls"), "`the input` must be object, not string"),
        ("Bash", json!({"command": {"x": 1}}), "`command` must be string, not object"),
        ("TodoWrite", json!({"todos": [{"content": "a"}]}), "`todos[0].status` is missing"),
        ("Read", json!([1]), "`the input` must be object, not array"),
    ];
    for (name, input, why) in cases {
        assert_eq!(healed(name, input.clone()), Err(why.to_owned()), "{name} {input}");
    }
}

#[test]
fn what_the_client_fills_in_may_be_left_out() {
    let search = json!({"type": "object", "additionalProperties": false, "required": ["query", "most"], "properties": {
        "query": {"type": "string"}, "most": {"type": "number", "default": 5}}});
    let healed = heal("Find", json!({"query": "tides"}), &[tool("Find", search)], &Lexicon::default()).unwrap();
    assert_eq!((healed.input, healed.repairs.len()), (json!({"query": "tides"}), 0));
}

#[test]
fn an_unknown_tool_is_answered_with_the_nearest() {
    let why = healed("Reat", json!({})).unwrap_err();
    assert!(why.starts_with("there is no tool `Reat`; the nearest are Read, "), "{why}");
}

#[test]
fn valid_input_is_unchanged() {
    for (name, input) in [
        ("Read", json!({"limit": 2.0, "file_path": " \"a\" "})),
        ("Bash", json!({"command": "{\"a\": 1}\n"})),
        ("TodoWrite", json!({"todos": []})),
    ] {
        assert_eq!(healed(name, input.clone()), Ok((input, vec![])));
    }
}
