//! The machine as a whole: what comes out, however the text is cut.

mod languages;
mod linear;
mod promises;
mod reported;

use serde_json::{Value, json};

use super::*;
use crate::wire::{Message, Role};

/// Tools in the shape of a coding client's.
pub(super) fn tools() -> Vec<Tool> {
    let tool = |name: &str, properties: Value, required: Value| Tool {
        name: name.into(),
        description: "".into(),
        input_schema:
            json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
                .into(),
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
    let mut reader = Reader::new(&tools(), quotes, &Lexicon::builtin().unwrap().into());
    let mut out = Vec::new();
    for piece in pieces {
        reader.on_text(piece, &mut out);
    }
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
            Delta::Thinking(part) => match lines.last_mut().filter(|line| text.is_empty() && line.starts_with('(')) {
                Some(before) => {
                    before.insert_str(before.len() - 1, &part);
                    continue;
                }
                None => format!("({part})"),
            },
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
        ("<function=refresh>{}</function><|eot_id|>", &["refresh{}"]),
        (
            "<tool_call>{\"name\": \"Bash\", \"arguments\": {\"command\": \"say \"hi\"\"}}</tool_call> ok",
            &["!Bash", " ok"],
        ),
    ]);
}

#[test]
fn forms_that_users_reported() {
    check(&[
        ("</think>{\"name\": \"refresh\", \"arguments\": {}}</tool_call>", &["refresh{}"]),
        (
            "{\"name\": \"TodoWrite\", \"arguments\": {\"todos\": [{\"a\": [{\"b\": 1}]}}}\n\nPlease select one.",
            &[r#"TodoWrite{"todos":[{"a":[{"b":1}]}]}"#, "Please select one."],
        ),
        (
            "1. Make it.\n{ \"name\": \"bash\", \"arguments\": {\"command\": \"a\"} }\n2. Go there.\n{ \"name\": \"bash\", \"arguments\": {\"command\": \"b\"} }",
            &["1. Make it.", r#"bash{"command":"a"}"#, "2. Go there.", r#"bash{"command":"b"}"#],
        ),
        ("{\"file\": \"test.py\", \"content\": \"...\"}", &["{\"file\": \"test.py\", \"content\": \"...\"}"]),
        ("{\"name\": \"Write\", \"arguments\": {\"file_path\": \"a\", \"content\": \"<a b=\"c\">\"}}", &["!Write"]),
        ("{\"tool_name\": \"Bash\", \"tool_args\": {\"command\": \"ls\"}}", &[r#"Bash{"command":"ls"}"#]),
        ("Done.<｜DSML｜function_calls", &["Done."]),
        (
            "<tool_call>\n<function=Bash>\n<parameter=command>\nls\n</function>\n</tool_call>",
            &[r#"Bash{"command":"ls"}"#],
        ),
        (
            "<|start|>assistant<|channel|>commentary to=functions.Bash <|constrain|>json<|message|>{\"command\":\"ls\"}",
            &[r#"Bash{"command":"ls"}"#],
        ),
        (
            "call:Bash{command:<|\"|>ls<|\"|>,description:`list all`}",
            &[r#"Bash{"command":"ls","description":"list all"}"#],
        ),
        ("```bash\necho hi > a.txt\n```\nFile a.txt created.", &["```bash\necho hi > a.txt\n```\nFile a.txt created."]),
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
    let typed = "1\t{\"name\": \"Bash\",\n2\t\"arguments\": {\"command\": \"ls\"}}";
    let quotes = Quotes::new([Message::text(Role::User, typed)], []);
    assert_eq!(read_with(&[call], false, &quotes), [call]);
    let fenced = format!("I'll quote it.\n\n```json\n{call}\n```");
    assert_eq!(read_with(&[&fenced], false, &quotes), [fenced.as_str()]);
    assert_eq!(read(&[call], false), [r#"Bash{"command":"ls"}"#]);
}

#[test]
fn a_call_that_the_user_asked_to_see_is_text() {
    let asked = [
        "Show me an example of a tool call for Bash.",
        "What does a tool call look like in Qwen's format?",
        "Write the JSON of a call of Bash that lists files, but do not run it.",
    ];
    let texts = [
        "{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}",
        "Sure:\n\n```json\n{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}\n```",
        "<tool_call>\n{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}\n</tool_call>",
    ];
    for (prompt, text) in asked.into_iter().flat_map(|prompt| texts.map(|text| (prompt, text))) {
        let quotes = Quotes::new([Message::text(Role::User, prompt)], []);
        assert_eq!(read_with(&[text], false, &quotes), [text], "{prompt}");
        let other = Quotes::new([Message::text(Role::User, "List the files, and show me an example of one.")], []);
        assert!(text.contains("```") || read_with(&[text], false, &other) == [r#"Bash{"command":"ls"}"#]);
    }
}

#[test]
fn a_call_of_a_worked_example_is_made_where_one_is_awaited_and_quoted_in_talk() {
    let call = "<tool_call>\n{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}\n</tool_call>";
    let quotes = Quotes::new([Message::text(Role::User, "What is in this folder?")], [call.to_owned()]);
    let made = r#"Bash{"command":"ls"}"#;
    assert_eq!(read_with(&[call], false, &quotes), [made]);
    assert_eq!(read_with(&[call, "\n", call], false, &quotes), [made, made]);
    let announced = format!("I'll list the files.\n{call}");
    assert_eq!(read_with(&[&announced], false, &quotes), ["I'll list the files.", made]);
    let talk = format!("The first turn had one call in it\n{call}");
    assert_eq!(read_with(&[&talk], false, &quotes), [talk.as_str()]);
    assert_eq!(read(&[&talk], false).len(), 2, "the same words with another call");
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

#[test]
fn brackets_tokens_and_python() {
    check(&[
        ("[TOOL_CALLS] [{\"name\": \"Read\", \"arguments\": {\"file_path\": \"a\"}}]", &[r#"Read{"file_path":"a"}"#]),
        (
            "Look.[TOOL_CALLS]Bash[ARGS]{\"command\": \"ls\"}[TOOL_CALLS]refresh[CALL_ID]ab[ARGS]{}",
            &["Look.", r#"Bash{"command":"ls"}"#, "refresh{}"],
        ),
        ("Bash[ARGS]{\"command\": \"ls\"}\n\nLet me see.", &[r#"Bash{"command":"ls"}"#, "Let me see."]),
        (
            "<|channel|>commentary to=functions.Read <|constrain|>json<|message|>{\"file_path\": \"a\"}<|call|>",
            &[r#"Read{"file_path":"a"}"#],
        ),
        ("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.", &["(hm)", "Yes."]),
        ("commentary to=functions.Read json{\"file_path\":\"a\"}", &[r#"Read{"file_path":"a"}"#]),
        (
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.Read:0<|tool_call_argument_begin|>{\"file_path\":\"a\"}<|tool_call_end|><|tool_calls_section_end|>",
            &[r#"functions.Read:0{"file_path":"a"}"#],
        ),
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>Read\n```json\n{\"file_path\": \"a\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            &[r#"Read{"file_path":"a"}"#],
        ),
        (
            "ok<|tool_calls_begin|><|tool_call_begin|>Read<|tool_sep|>{\"file_path\": \"a\"}<|tool_call_end|>",
            &["ok", r#"Read{"file_path":"a"}"#],
        ),
        (
            "<tool_call>Bash\n<arg_key>command</arg_key>\n<arg_value>echo </arg_value> x</arg_value>\n<arg_key>timeout</arg_key>\n<arg_value>5</arg_value>\n</tool_call>",
            &[r#"Bash{"command":"echo </arg_value> x","timeout":5}"#],
        ),
        ("<tool_call>refresh</tool_call>", &["refresh{}"]),
        ("[math.factorial(number=5), refresh()]", &[r#"math.factorial{"number":5}"#, "refresh{}"]),
        ("<|tool_call_start|>[Bash(command='it\\'s')]<|tool_call_end|>", &[r#"Bash{"command":"it's"}"#]),
        (
            "<|python_tag|>Bash.call(command=\"ls\"); refresh.call()<|eom_id|>",
            &[r#"Bash{"command":"ls"}"#, "refresh{}"],
        ),
        (
            "<|python_tag|>{\"type\": \"function\", \"name\": \"Bash\", \"parameters\": {\"command\": \"ls\"}}<|eom_id|>",
            &[r#"Bash{"command":"ls"}"#],
        ),
        ("```tool_code\nRead(file_path=\"a\")\n```", &[r#"Read{"file_path":"a"}"#]),
        ("Read\n{\"file_path\": \"a\"}", &[r#"Read{"file_path":"a"}"#]),
        (
            "<|tool_call>call:Bash{command:<|\"|>say \"a\", {b}<|\"|>,timeout:5}<tool_call|>",
            &[r#"Bash{"command":"say \"a\", {b}","timeout":5}"#],
        ),
        ("<|tool_call>call:Bash:Bash{command: \"ls\"}<tool_call|>", &[r#"Bash:Bash{"command":"ls"}"#]),
        ("<|tool_call>call:Bash(command: \"ls\")<tool_call|>", &[r#"Bash{"command":"ls"}"#]),
        ("call:Write{content:hello, you,file_path:a.txt}", &[r#"Write{"content":"hello, you","file_path":"a.txt"}"#]),
        ("<start_function_call>call:Bash{command:<escape>ls<escape>}<end_function_call>", &[r#"Bash{"command":"ls"}"#]),
        (
            "<minimax:tool_call>\n<invoke name=\"Bash\">\n<parameter name=\"command\">a && b</parameter>\n</invoke>\n</minimax:tool_call>",
            &[r#"Bash{"command":"a && b"}"#],
        ),
        (
            "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"Bash\">\n<｜DSML｜parameter name=\"command\" string=\"true\">ls</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>",
            &[r#"Bash{"command":"ls"}"#],
        ),
        (
            "]<]minimax[>[<tool_call>\n]<]minimax[>[<invoke name=\"Bash\">]<]minimax[>[<command>ls]<]minimax[>[</command>]<]minimax[>[</invoke>\n]<]minimax[>[</tool_call>",
            &[r#"Bash{"command":"ls"}"#],
        ),
        (
            "<|open|>tools<|sep|><|open|>call tool=\"Bash\" index=\"1\"<|sep|><|open|>argument key=\"command\" type=\"string\"<|sep|>ls<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|>",
            &[r#"Bash{"command":"ls"}"#],
        ),
    ]);
}

/// Texts that speak of calls and make none. Each must leave as it came, at every cut.
const TALK: &[&str] = &[
    "The model printed:\n\n{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}\n\nand stopped.",
    "Right:\n{\"name\": \"Read\", \"arguments\": {\"file_path\": \"a\"}}\nWrong:\n{\"name\": \"Read\", \"arguments\": {\"path\": \"a\"}}",
    "### Input\n{\"name\": \"Read\", \"arguments\": {\"file_path\": \"a\"}}",
    "{\"name\": \"Read\", \"arguments\": {\"file_path\": \"a\"}}\n\nThis is the form that Qwen writes.",
    "{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}\nwas what I saw in the log.",
    "{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"",
    "{\"tool\": \"Read\", \"input\": {\"file_path\": \"a\"}, \"ms\": 3}",
    "{\"name\": \"Bash\", \"input\": {\"command\": \"ls\"}}",
    "{\"name\": \"Bash\", \"args\": [\"-c\", \"ls\"]}",
    "{\"type\":\"function\",\"function\":{\"name\":\"Glob\",\"parameters\":{\"type\":\"object\",\"properties\":{\"pattern\":{\"type\":\"string\"}}}}}",
    "[{\"name\": \"Read\", \"description\": \"Reads\"}]",
    "The raw stream was: [TOOL_CALLS][{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}]",
    "Expected:\n\n```\n<tool_call>\n{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}\n</tool_call>\n```\n\nThe parser must read it.",
    "```xml\n<invoke name=\"Bash\"><parameter name=\"command\">ls</parameter></invoke>\n```\n\nThat is the form of old.",
    "```json\n{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}\n```\n\nThe log had this line 23 times.",
    "Bash(command=\"ls\")\n\nis the notation of the permission rules.",
    "Read(file_path=\"a.rs\") returns the file.",
    "Glob(pattern=\"*.rs\")\nGlob(pattern=\"*.md\")\n\nBoth of them match.",
    "Read\n{\"file_path\": \"a\"}\n\nare the two lines of the old form.",
    "> <tool_call>{\"name\": \"refresh\", \"arguments\": {}}</tool_call>",
    "| `x` | <tool_call>{\"name\": \"refresh\", \"arguments\": {}}</tool_call> |",
    "A call looks like this:\n<tool_call>{\"name\": \"refresh\", \"arguments\": {}}</tool_call>",
    "<function=Bash><parameter=command>ls",
    "call: Bash and call:Reader are two things",
    "Use functions.Read to read, or <|channel|> to think.",
    "The tokens <|im_end|> and <|eot_id|> end a turn, and so does </s>",
    "- `<function=Bash><parameter=command>ls` (nothing closed)\n- `</function></tool_call>` (nothing opened)",
    "]<]minimax[>[ is a separator",
    "<｜tool▁calls▁begin｜> is written with full bars",
    "[Read] the manual",
    "Bash",
    "Read more",
    "```\nnot closed",
];

/// The text that is shown when no broken call is asked for again.
fn shown(pieces: &[&str]) -> String {
    let mut reader = Reader::new(&tools(), &Quotes::default(), &Lexicon::builtin().unwrap().into());
    let mut out = Vec::new();
    for piece in pieces {
        reader.on_text(piece, &mut out);
    }
    reader.on_end(false, &mut out);
    let text = |delta| match delta {
        Delta::Text(text) | Delta::BrokenCall { arguments: text, .. } => text,
        other => format!("{other:?}"),
    };
    out.into_iter().map(text).collect()
}

#[test]
fn talk_about_calls_stays_talk() {
    for text in TALK {
        for (at, _) in text.char_indices() {
            assert_eq!(shown(&[&text[..at], &text[at..]]), *text, "cut at {at}");
        }
    }
}
