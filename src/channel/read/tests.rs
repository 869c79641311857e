//! The machine as a whole: what comes out, however the text is cut.

use serde_json::{Value, json};

use super::*;

/// Tools in the shape of a coding client's.
pub(super) fn tools() -> Vec<Tool> {
    let tool = |name: &str, properties: Value, required: Value| Tool {
        name: name.into(),
        description: String::new(),
        input_schema: json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required}),
        defer_loading: false,
        server_type: None,
    };
    let text = json!({"type": "string"});
    vec![
        tool(
            "Read",
            json!({"file_path": text, "offset": {"type": "number"}, "limit": {"type": "number"}}),
            json!(["file_path"]),
        ),
        tool("Write", json!({"file_path": text, "content": text}), json!(["file_path", "content"])),
        tool(
            "Edit",
            json!({"file_path": text, "old_string": text, "new_string": text, "replace_all": {"type": "boolean"}}),
            json!(["file_path", "old_string", "new_string"]),
        ),
        tool("Bash", json!({"command": text, "description": text, "timeout": {"type": "number"}}), json!(["command"])),
        tool("Glob", json!({"pattern": text, "path": text}), json!(["pattern"])),
        tool("TodoWrite", json!({"todos": {"type": "array", "items": {"type": "object"}}}), json!(["todos"])),
        tool("refresh", json!({}), json!([])),
        tool("math.factorial", json!({"number": {"type": "integer"}}), json!(["number"])),
    ]
}

/// What comes out for a text in these pieces: texts joined, calls as `Name{…}`, broken ones as `!Name`.
pub(super) fn read(pieces: &[&str], cut: bool) -> Vec<String> {
    read_with(pieces, cut, &Quotes::default())
}

pub(super) fn read_with(pieces: &[&str], cut: bool, quotes: &Quotes) -> Vec<String> {
    let mut reader = Reader::new(&tools(), quotes, &Aliases::builtin().unwrap());
    let mut out = Vec::new();
    pieces.iter().for_each(|piece| reader.on_text(piece, &mut out));
    reader.on_end(cut, &mut out);
    written(out)
}

pub(super) fn written(out: Vec<Delta>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut text = String::new();
    for delta in out {
        let line = match delta {
            Delta::Text(part) => {
                text.push_str(&part);
                continue;
            }
            Delta::Thinking(part) => format!("({part})"),
            Delta::Call(call) => format!("{}{}", call.name, call.input),
            Delta::BrokenCall { name, .. } => format!("!{name}"),
            Delta::Other(value) => value.to_string(),
        };
        if !text.is_empty() {
            lines.push(std::mem::take(&mut text));
        }
        lines.push(line);
    }
    if !text.is_empty() {
        lines.push(text);
    }
    lines
}

/// Each case, as a whole, cut at every place, and byte by byte.
pub(super) fn check(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(read(&[text], false), *expected, "{text}");
        for (at, _) in text.char_indices() {
            assert_eq!(read(&[&text[..at], &text[at..]], false), *expected, "{text} cut at {at}");
        }
        let single: Vec<&str> = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect();
        assert_eq!(read(&single, false), *expected, "{text} in single characters");
    }
}

#[test]
fn json_families() {
    check(&[
        (r#"{"name": "Read", "arguments": {"file_path": "a"}}"#, &[r#"Read{"file_path":"a"}"#]),
        ("\n {\"name\": \"Read\", \"parameters\": {\"file_path\": \"a\"}}\n", &[r#"Read{"file_path":"a"}"#]),
        (r#"{"name": "Read", "arguments": "{\"file_path\": \"a\"}"}"#, &[r#"Read{"file_path":"a"}"#]),
        (
            r#"{"type":"function","function":{"name":"Read","arguments":{"file_path":"a"}}}"#,
            &[r#"Read{"file_path":"a"}"#],
        ),
        (
            r#"[{"name":"Read","arguments":{"file_path":"a"}},{"name":"Glob","arguments":{"pattern":"b"}}]"#,
            &[r#"Read{"file_path":"a"}"#, r#"Glob{"pattern":"b"}"#],
        ),
        (
            "{\"name\":\"Read\",\"arguments\":{\"file_path\":\"a\"}}\n{\"name\":\"Glob\",\"arguments\":{\"pattern\":\"b\"}}",
            &[r#"Read{"file_path":"a"}"#, r#"Glob{"pattern":"b"}"#],
        ),
        (
            "1. Look.\n{\"name\":\"Bash\",\"arguments\":{\"command\":\"ls\"}}\n2. Done.",
            &["1. Look.", r#"Bash{"command":"ls"}"#, "2. Done."],
        ),
        (
            "{\"name\":\"Bash\",\"arguments\":{\"command\":\"ls\"}}\n\nPlease wait.",
            &[r#"Bash{"command":"ls"}"#, "Please wait."],
        ),
        ("```json\n{\"name\": \"Read\",\n \"parameters\": {\"file_path\": \"a\"}}\n```", &[r#"Read{"file_path":"a"}"#]),
        (
            "I'll look.\n```json\n{\"name\": \"Read\", \"arguments\": {\"file_path\": \"a\"}}\n```",
            &["I'll look.", r#"Read{"file_path":"a"}"#],
        ),
        (
            "```\n<tool_call>\n{\"name\": \"Read\", \"arguments\": {\"file_path\": \"a\"}}\n</tool_call>\n```",
            &[r#"Read{"file_path":"a"}"#],
        ),
        (r#"{"name": "nope", "arguments": {}}"#, &["!nope"]),
        (r#"{"name": "Read", "arguments": {"files": ["a"]}}"#, &["!Read"]),
    ]);
}

#[test]
fn tags() {
    check(&[
        (
            "<tool_call>\n{\"name\": \"Read\", \"arguments\": {\"file_path\": \"a\"}}\n</tool_call>",
            &[r#"Read{"file_path":"a"}"#],
        ),
        (
            "Sure.\n<tool_call id=\"call_0\">{\"name\": \"refresh\", \"arguments\": {}}</tool_call> <tool_call>{\"name\": \"refresh\", \"arguments\": {}}",
            &["Sure.", "refresh{}", "refresh{}"],
        ),
        ("<tools>\n[{\"name\":\"refresh\",\"arguments\":{}}]\n</tools>", &["refresh{}"]),
        (
            "<tool_call>\n<function=Bash>\n<parameter=command>\nls -l\n</parameter>\n<parameter=timeout>\n5\n</parameter>\n</function>\n</tool_call>",
            &[r#"Bash{"command":"ls -l","timeout":5}"#],
        ),
        (
            "Look.\n\n<function=Bash>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>",
            &["Look.", r#"Bash{"command":"ls"}"#],
        ),
        (
            "<function=Write>\n<parameter=file_path>\na\n</parameter>\n<parameter=content>\nsay </parameter> and\n<parameter=x>\n</parameter>\n</function>",
            &[r#"Write{"file_path":"a","content":"say </parameter> and\n<parameter=x>"}"#],
        ),
        ("<function=Bash>\n<parameter=command>\nls\n</function>\n</tool_call>", &[r#"Bash{"command":"ls"}"#]),
        ("<function=refresh>{}</function><|eot_id|>", &["refresh{}", "<|eot_id|>"]),
        (
            "<tool_call>{\"name\": \"Bash\", \"arguments\": {\"command\": \"say \"hi\"\"}}</tool_call> ok",
            &["!Bash", " ok"],
        ),
    ]);
}

#[test]
fn what_is_shown_is_not_made() {
    let texts = [
        "The tag `<tool_call>{\"name\":\"refresh\",\"arguments\":{}}</tool_call>` is a call.",
        "A model writes <tool_call>{\"name\":\"refresh\",\"arguments\":{}}</tool_call> to call.",
        "```text\n<function=refresh>\n</function>\n```\nthat is all",
        "Example:\n\n```json\n{\"name\": \"refresh\", \"arguments\": {}}\n```\n",
        "A call looks like this:\n{\"name\": \"refresh\", \"arguments\": {}}",
        "{\"name\": \"refresh\", \"arguments\": {}} is a call",
        "{\"name\": \"refresh\", \"arguments\": {...}}",
        "{\"name\": \"refresh\", \"version\": \"1\"}",
        "  {\"name\": \"refresh\"}  \n\n",
        "<function=foo is documented here",
        "text with a <",
    ];
    for text in texts {
        assert_eq!(read(&[text], false), [text]);
        let single: Vec<&str> = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect();
        assert_eq!(read(&single, false), [text]);
    }
}

#[test]
fn a_quotation_of_the_request_is_text() {
    let call = r#"{"name": "Bash", "arguments": {"command": "ls"}}"#;
    let quotes = Quotes::new(&[], ["1\t{\"name\": \"Bash\",\n2\t\"arguments\": {\"command\": \"ls\"}}".to_owned()]);
    assert_eq!(read_with(&[call], false, &quotes), [call]);
    assert_eq!(read(&[call], false), [r#"Bash{"command":"ls"}"#]);
}

#[test]
fn a_call_that_was_cut_is_not_completed() {
    assert_eq!(
        read(&["<tool_call>{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}"], false),
        [r#"Bash{"command":"ls"}"#]
    );
    assert_eq!(read(&["<tool_call>{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}"], true), ["!Bash"]);
    assert_eq!(read(&["<tool_call>{\"name\": \"Bash\", \"arguments\": {\"command\": \"l"], true), ["!Bash"]);
}

#[test]
fn a_call_in_thinking_counts_when_nothing_else_was_said() {
    let call = "<tool_call>{\"name\": \"refresh\", \"arguments\": {}}</tool_call>";
    let think = format!("<think>{call}</think>");
    assert_eq!(read(&[&think], false).last().unwrap(), "refresh{}");
    assert_eq!(read(&[&think, "done"], false).last().unwrap(), "done");
}
