//! What users have reported of models that write calls as text: for each of the 71 rows of the catalogue a text of its shape in
//! our own words, and what is made of it.
//!
//! Read are all rows but these, each as its gate says:
//! * J2, J5, J6, J15, J16, J21: asked for again (a value that says nothing under a wrong name; arguments of another tool; damage
//!   inside of a text that acts; no such tool)
//! * J14, N1, N2: text (no name; a script for the user; no call)
//! * J23 and a cut H5: text, and never completed
//!
//! Four rows are no text of an answer: J17 and J18 come in an error of the server (`channel/reply.rs`, `heal/nameless.rs`), X14 and
//! H4 in the name of a call (`heal/names.rs`, `heal/split_name.rs`). X7, X12 and B17 are swallowed by Ollama, which leaves an empty
//! answer that is asked for again; where they come through, they are read.

use proptest::prelude::*;

use super::{check, read};

/// (row, text, what comes out of it; nothing for the text as it is)
const ROWS: &[(&str, &str, &[&str])] = &[
    (
        "J1",
        r#"{"name": "Bash", "arguments": {"command": "make tide", "description": "Makes it"}}"#,
        &[r#"Bash{"command":"make tide","description":"Makes it"}"#],
    ),
    ("J2", r#"{ "name": "Bash", "arguments": { "cmd": "none" } }"#, &["!Bash"]),
    ("J3", r#"{"name": "TodoWrite", "arguments": {"todos": []}}"#, &[r#"TodoWrite{"todos":[]}"#]),
    (
        "J4",
        "{\"name\": \"TodoWrite\", \"arguments\": {\"todos\": [{\"content\": \"Look\", \"parts\": [{\"label\": \"one\"}]}}\n\nPlease say which part you would like first.",
        &[
            r#"TodoWrite{"todos":[{"content":"Look","parts":[{"label":"one"}]}]}"#,
            "Please say which part you would like first.",
        ],
    ),
    (
        "J5",
        "{\n  \"name\": \"Edit\",\n  \"arguments\": {\n    \"files\": [\n      { \"path\": \"tide.py\", \"contents\": \"x = 1\" }\n    ]\n  }\n}",
        &["!Edit"],
    ),
    (
        "J6",
        "{\"name\": \"Write\", \"arguments\": {\"file_path\": \"a.html\", \"content\": \"\\n<p class=\"low\">\\n\"}}",
        &["!Write"],
    ),
    (
        "J7",
        r#"{"name": "Write","arguments": {"filename": "tide.txt","content": "Low at 02:17"}}"#,
        &[r#"Write{"filename":"tide.txt","content":"Low at 02:17"}"#],
    ),
    (
        "J8",
        "```json\n{\"name\": \"Glob\", \"parameters\": {\"pattern\": \"*.py\"}}\n```",
        &[r#"Glob{"pattern":"*.py"}"#],
    ),
    ("J9", r#"{"name": "Glob", "parameters": {"pattern": "*.py"}}"#, &[r#"Glob{"pattern":"*.py"}"#]),
    (
        "J10",
        "```json\n{\"name\": \"Glob\", \"arguments\": {\"pattern\": \"*.py\"}}\n```",
        &[r#"Glob{"pattern":"*.py"}"#],
    ),
    (
        "J11",
        r#"{"type":"function","function":{"name":"Glob","arguments":{"pattern":"*.py"}}}"#,
        &[r#"Glob{"pattern":"*.py"}"#],
    ),
    (
        "J12",
        "<tools>\n{\"name\": \"Glob\", \"arguments\": {\"pattern\": \"*.py\"}}\n</tools>",
        &[r#"Glob{"pattern":"*.py"}"#],
    ),
    (
        "J12",
        "<tools>\n[{\"name\": \"Glob\", \"arguments\": {\"pattern\": \"*.py\"}}, {\"name\": \"refresh\", \"arguments\": {}}]\n</tools>",
        &[r#"Glob{"pattern":"*.py"}"#, "refresh{}"],
    ),
    (
        "J13",
        "These are the steps:\n\n1. Make a folder.\n{ \"name\": \"bash\", \"arguments\": {\"command\": \"mkdir tides\"}}\n2. Go there.\n{ \"name\": \"bash\", \"arguments\": {\"command\": \"cd tides\"}}\n",
        &[
            "These are the steps:\n\n1. Make a folder.",
            r#"bash{"command":"mkdir tides"}"#,
            "2. Go there.",
            r#"bash{"command":"cd tides"}"#,
        ],
    ),
    ("J14", r#"{"file": "tide.py", "content": "x = 1"}"#, &[]),
    ("J15", r#"{"name": "folder_structure","arguments": {"depth": 2}}"#, &["!folder_structure"]),
    ("J16", r#"{"name": "get_page", "arguments": {"filePath": "/home/ann/tidebook/README.md"}}"#, &["!get_page"]),
    ("J18", "<|channel|>commentary to=functions.Bash <|constrain|>json<|message|>ls -R\n<|call|>", &[r#"Bash"ls -R""#]),
    (
        "J19",
        "{\"name\":\"Write\",\"parameters\":{\"file_path\":\"tide.ts\",\"content\":\"// tide.ts\n\n/** High and low. */\"}}",
        &["Write{\"file_path\":\"tide.ts\",\"content\":\"// tide.ts\\n\\n/** High and low. */\"}"],
    ),
    (
        "J20",
        "<tool_call>{\"name\": \"Bash\", \"arguments\": \"{\\\"command\\\": \\\"make\\\"}{\\\"command\\\": \\\"\"}</tool_call>",
        &["Bash\"{\\\"command\\\": \\\"make\\\"}{\\\"command\\\": \\\"\""],
    ),
    (
        "J21",
        r#"{"name": "Write", "arguments": {"file_path": "a.py", "content": "env.get("TIDE", "low")"}}"#,
        &["!Write"],
    ),
    ("J22", r#"{"tool_name":"Glob","tool_args":{"pattern":"*.py"}}"#, &[r#"Glob{"pattern":"*.py"}"#]),
    ("J22", "```tool\nTOOL_NAME: Glob\nBEGIN_ARG: pattern\n*.py\nEND_ARG\n```", &[r#"Glob{"pattern":"*.py"}"#]),
    ("X1", r#"<tool_call>{"name":"Glob","arguments":{"pattern":"*.py"}}</tool_call>"#, &[r#"Glob{"pattern":"*.py"}"#]),
    ("X2", r#"</think>{"name":"Glob","arguments":{"pattern":"*.py"}}</tool_call>"#, &[r#"Glob{"pattern":"*.py"}"#]),
    (
        "X3",
        r#"<tool_call id="call_0">{"name":"Glob","arguments":{"pattern":"*.py"}}</tool_call>"#,
        &[r#"Glob{"pattern":"*.py"}"#],
    ),
    (
        "X4",
        "<think>I look.\n<tool_call>\n<function=bash>\n<parameter=command>\ngrep \"low\" tide.py | head -5\n</parameter>\n<parameter=description>\nFind low water\n</parameter>\n</function>\n</tool_call></think>",
        &[
            "(I look.\n<tool_call>\n<function=bash>\n<parameter=command>\ngrep \"low\" tide.py | head -5\n</parameter>\n<parameter=description>\nFind low water\n</parameter>\n</function>\n</tool_call>)",
            "bash{\"command\":\"grep \\\"low\\\" tide.py | head -5\",\"description\":\"Find low water\"}",
        ],
    ),
    (
        "X5",
        "<function=Read>\n<parameter=file_path>\n/home/ann/tide.py\n</parameter>\n</function>\n</tool_call>",
        &[r#"Read{"file_path":"/home/ann/tide.py"}"#],
    ),
    (
        "X6",
        "I'll look around. Let me see what is there.\n\n<function=Bash>\n<parameter=command>\nls -la\n</parameter>\n</function>\n</tool_call>",
        &["I'll look around. Let me see what is there.", r#"Bash{"command":"ls -la"}"#],
    ),
    ("X7", "<function=Bash>\n<parameter=command>\nls -la\n</function>\n</tool_call>", &[r#"Bash{"command":"ls -la"}"#]),
    (
        "X8",
        "<name>Bash\n</parameter>\n<parameter=command>\nls -la\n</parameter>\n<parameter=description>\nLists all\n</parameter>\n</function>",
        &[r#"Bash{"command":"ls -la","description":"Lists all"}"#],
    ),
    (
        "X9",
        "<tool_call>\n<function=Edit>\n<parameter=file_path>\nD:\\Tides\\a.cs\n</parameter>\n<parameter=old_string>\nif (a < b && c > d)\n{\n</parameter>\n<parameter=new_string>\n</parameter>\n</function>\n</tool_call>",
        &["Edit{\"file_path\":\"D:\\\\Tides\\\\a.cs\",\"old_string\":\"if (a < b && c > d)\\n{\",\"new_string\":\"\"}"],
    ),
    (
        "X10",
        "<tool_call>TodoWrite\n<arg_key>todos</arg_key>\n<arg_value>[{\"content\": \"Look\"}]</arg_value>\n</tool_call>",
        &[r#"TodoWrite{"todos":[{"content":"Look"}]}"#],
    ),
    ("X11", "<tool_call>refresh</tool_call>", &["refresh{}"]),
    (
        "X12",
        "<tool_call>Bash\ncommand</arg_key>\n<arg_value>ls</arg_value>\n</tool_call>",
        &[r#"Bash{"command":"ls"}"#],
    ),
    ("X13", r#"Bash {"command": "ls"}"#, &[r#"Bash{"command":"ls"}"#]),
    ("X13", "Bash command=ls timeout=5", &[r#"Bash{"command":"ls","timeout":5}"#]),
    (
        "X15",
        "<minimax:tool_call>\n  <invoke name=\"Bash\">\n    <parameter name=\"command\">ls</parameter>\n  </invoke>\n</minimax:tool_call>",
        &[r#"Bash{"command":"ls"}"#],
    ),
    (
        "X16",
        "]<]minimax[>[<tool_call>\n]<]minimax[>[<invoke name=\"Read\">]<]minimax[>[<file_path>C:\\Tides\\a.rs]<]minimax[>[</file_path>]<]minimax[>[</invoke>\n]<]minimax[>[</tool_call>",
        &["Read{\"file_path\":\"C:\\\\Tides\\\\a.rs\"}"],
    ),
    (
        "X17",
        "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"Bash\">\n<｜DSML｜parameter name=\"command\" string=\"true\">a & b</｜DSML｜parameter>\n</｜DSML｜invoke>\n<｜DSML｜invoke name=\"refresh\">\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>",
        &[r#"Bash{"command":"a & b"}"#, "refresh{}"],
    ),
    (
        "X17",
        "<‖DSML‖tool_calls>\n<‖DSML‖invoke name=\"Bash\">\n<‖DSML‖parameter name=\"command\" string=\"true\">a & b</‖DSML‖parameter>\n</‖DSML‖invoke>\n<‖DSML‖invoke name=\"refresh\">\n</‖DSML‖invoke>\n</‖DSML‖tool_calls>",
        &[r#"Bash{"command":"a & b"}"#, "refresh{}"],
    ),
    (
        "X17",
        "<｜｜DSML｜｜tool_calls>\n<｜｜DSML｜｜invoke name=\"Bash\">\n<｜｜DSML｜｜parameter name=\"command\" string=\"true\">a & b</｜｜DSML｜｜parameter>\n</｜｜DSML｜｜invoke>\n<｜｜DSML｜｜invoke name=\"refresh\">\n</｜｜DSML｜｜invoke>\n</｜｜DSML｜｜tool_calls>",
        &[r#"Bash{"command":"a & b"}"#, "refresh{}"],
    ),
    ("X18", "All of it is done.\n\n<｜DSML｜function_calls", &["All of it is done.\n\n"]),
    (
        "X19",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>Bash\n```json\n{\"command\": \"ls\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        &[r#"Bash{"command":"ls"}"#],
    ),
    (
        "X19",
        r#"<｜tool_calls_begin｜><｜tool▁call▁begin｜>Bash<｜tool▁sep｜>{"command": "ls"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"#,
        &[r#"Bash{"command":"ls"}"#],
    ),
    (
        "X19",
        r#"<｜tool calls begin｜><｜tool▁call▁begin｜>Bash<｜tool▁sep｜>{"command": "ls"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"#,
        &[r#"Bash{"command":"ls"}"#],
    ),
    (
        "X19",
        "<｜tool\\_calls\\_begin｜><｜tool▁call▁begin｜>Bash<｜tool▁sep｜>{\"command\": \"ls\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        &[r#"Bash{"command":"ls"}"#],
    ),
    (
        "X19",
        r#"<｜tool▁calls｜><｜tool▁call▁begin｜>Bash<｜tool▁sep｜>{"command": "ls"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"#,
        &[r#"Bash{"command":"ls"}"#],
    ),
    ("X20", r#"<function=Glob>{"pattern": "*.py"}</function><|eot_id|>"#, &[r#"Glob{"pattern":"*.py"}"#]),
    (
        "X21",
        r#"<invoke name="Write"><parameter name="file_path">a.c</parameter><parameter name="content">if (a < b && c) { x<y>(); }</parameter></invoke>"#,
        &[r#"Write{"file_path":"a.c","content":"if (a < b && c) { x<y>(); }"}"#],
    ),
    (
        "X22",
        r#"tide_functions.Bash:0 <|tool_call_argument_begin|> {"command": "ls"}"#,
        &["tide_", r#"functions.Bash:0{"command":"ls"}"#],
    ),
    (
        "X22",
        r#"<|tool_calls_section_begin|><|tool_call_begin|>functions.Bash:0<|tool_call_argument_begin|>{"command":"ls"}<|tool_call_end|><|tool_call_begin|>functions.refresh:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>"#,
        &[r#"functions.Bash:0{"command":"ls"}"#, "functions.refresh:1{}"],
    ),
    ("B1", r#"[TOOL_CALLS] [{"name": "Glob", "arguments": {"pattern": "*.py"}}]"#, &[r#"Glob{"pattern":"*.py"}"#]),
    ("B2", r#"[{"name": "Glob", "arguments": {"pattern": "*.py"}}]"#, &[r#"Glob{"pattern":"*.py"}"#]),
    ("B3", r#"[TOOL_CALLS]Glob[ARGS]{"pattern": "*.py"}"#, &[r#"Glob{"pattern":"*.py"}"#]),
    (
        "B4",
        r#"Glob[ARGS]{"pattern": "*.py"}[TOOL_CALLS]Glob[ARGS]{"pattern": "*.md"}"#,
        &[r#"Glob{"pattern":"*.py"}"#, r#"Glob{"pattern":"*.md"}"#],
    ),
    (
        "B4",
        "glob[ARGS]{\"pattern\": \"*.py\"}\n\nLet me look for that.",
        &[r#"glob{"pattern":"*.py"}"#, "Let me look for that."],
    ),
    ("B5", r#"Glob[CALL_ID]a1b2c3[ARGS]{"pattern": "*.py"}"#, &[r#"Glob{"pattern":"*.py"}"#]),
    ("B6", r#"[Calling tool: Glob({"pattern": "*.py"})]"#, &[r#"Glob{"pattern":"*.py"}"#]),
    (
        "B7",
        "<|python_tag|>{\n \"type\": \"function\",\n \"name\": \"Read\",\n \"parameters\": {\"file_path\": \"a\", \"limit\": \"10\"}\n}<|eom_id|>",
        &[r#"Read{"file_path":"a","limit":"10"}"#],
    ),
    ("B8", "<|python_tag|>Read(file_path=tide.py)", &[r#"Read{"file_path":"tide.py"}"#]),
    ("B9", r#"<|python_tag|>Glob.call(pattern="*.py"); refresh.call()"#, &[r#"Glob{"pattern":"*.py"}"#, "refresh{}"]),
    (
        "B10",
        r#"[Glob(pattern="*.py"), Bash(command='ls', timeout=5)]"#,
        &[r#"Glob{"pattern":"*.py"}"#, r#"Bash{"command":"ls","timeout":5}"#],
    ),
    ("B11", "<|tool_call_start|>[math.factorial(number=5)]<|tool_call_end|>", &[r#"math.factorial{"number":5}"#]),
    ("B12", "```tool_code\nGlob(pattern=\"*.py\")\n```", &[r#"Glob{"pattern":"*.py"}"#]),
    ("B12", r#"Glob(pattern="*.py")"#, &[r#"Glob{"pattern":"*.py"}"#]),
    ("B12", "```tool_code\nprint(Glob(pattern=\"*.py\"))\n```", &[r#"Glob{"pattern":"*.py"}"#]),
    (
        "B13",
        r#"<|tool_call>call:Bash{command:<|"|>ls<|"|>,timeout:42}<tool_call|>"#,
        &[r#"Bash{"command":"ls","timeout":42}"#],
    ),
    (
        "B14",
        "thought\nI will write it.\ncall:Write{content:high water,file_path:a.txt}",
        &["thought\nI will write it.", r#"Write{"content":"high water","file_path":"a.txt"}"#],
    ),
    ("B15", r#"<|tool_call>call:Glob(pattern: "*.py")<tool_call|>"#, &[r#"Glob{"pattern":"*.py"}"#]),
    ("B16", r#"<|tool_call>call:Glob:Glob{pattern: "*.py"}<tool_call|>"#, &[r#"Glob:Glob{"pattern":"*.py"}"#]),
    (
        "B17",
        "call:Write{file_path:<|\"|>c:\\Tides\\a.css<|\"|>,content:`.low {\n  top: 0;\n}`}",
        &["Write{\"file_path\":\"c:\\\\Tides\\\\a.css\",\"content\":\".low {\\n  top: 0;\\n}\"}"],
    ),
    (
        "B18",
        "<start_function_call>call:Glob{pattern:<escape>*.py<escape>}<end_function_call>",
        &[r#"Glob{"pattern":"*.py"}"#],
    ),
    (
        "H1",
        r#"<|channel|>analysis<|message|>I must look.<|end|><|start|>assistant<|channel|>commentary to=functions.Read <|constrain|>json<|message|>{"file_path":"a"}<|call|>"#,
        &["(I must look.)", r#"Read{"file_path":"a"}"#],
    ),
    ("H2", r#"commentary to=functions.Read json{"file_path":"a"}"#, &[r#"Read{"file_path":"a"}"#]),
    (
        "H3",
        r#"analysisWe are asked "when is low water?" At two.assistantfinalAt 02:17."#,
        &[r#"(We are asked "when is low water?" At two.)"#, "At 02:17."],
    ),
    (
        "H3",
        r#"analysisWe look first.assistantcommentary to=functions.Read json{"file_path":"a"}"#,
        &["(We look first.)", r#"Read{"file_path":"a"}"#],
    ),
    (
        "H5",
        r#"<|start|>assistant<|channel|>commentary to=functions.Read <|constrain|>json<|message|>{"file_path":"a"}"#,
        &[r#"Read{"file_path":"a"}"#],
    ),
    (
        "H5",
        r#"<|start|>assistant<|channel|>commentary to=functions.Read <|constrain|>json<|message|>{"file"#,
        &["!Read"],
    ),
    ("N1", "```bash\necho \"Low at 02:17\" > tide.txt\n```\nThe file tide.txt was made.", &[]),
    ("N2", "todo__write Writes all of the list.\n{\"content\": \" todo__write Writes all\"}", &[]),
    (
        "N3",
        "CALL_BLOCK>>>\n{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}\n<<<END_BLOCK>>>",
        &["CALL_BLOCK>>>", r#"Bash{"command":"ls"}"#, "<<<END_BLOCK>>>"],
    ),
];

fn expected(row: &(&'static str, &'static str, &'static [&'static str])) -> Vec<&'static str> {
    if row.2.is_empty() { vec![row.1] } else { row.2.to_vec() }
}

#[test]
fn every_reported_form_is_read_as_its_gate_says_at_every_cut() {
    for row in ROWS {
        check(&[(row.1, &expected(row))]);
    }
}

#[test]
fn a_call_that_was_cut_by_length_stays_text() {
    for cut in [
        "{\"name\": \"Write\", \"arguments\": {\"file_path\": \"a\", \"content\": \"Low",
        "<function=Write>\n<parameter=file_path>\na\n</parameter>\n",
        "<tool_call>Bash<arg_key>command</arg_key><arg_value>ls</arg_value>",
        "Bash command=ls -l",
        "<|channel|>commentary to=functions.Bash<|message|>ls -",
        "TOOL_NAME: Bash\nBEGIN_ARG: command\nls\nEND_ARG\n",
    ] {
        let text = |line: &String| line.starts_with('!') || line.trim().is_empty() || line == cut;
        assert!(read(&[cut], true).iter().all(text), "{cut}");
    }
}

/// Words before and behind that change nothing.
const BEFORE: [&str; 4] = ["", "\n", "I'll look.\n\n", "Let me see.\n"];
const BEHIND: [&str; 3] = ["", "\n", "\n\n"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn rows_in_a_row_and_in_pieces_give_what_the_whole_gives(
        rows in prop::collection::vec(prop::sample::select(ROWS), 1..4),
        before in prop::sample::select(&BEFORE[..]),
        behind in prop::sample::select(&BEHIND[..]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        cut in any::<bool>(),
    ) {
        let texts: Vec<&str> = rows.iter().map(|row| row.1).collect();
        let whole = format!("{before}{}{behind}", texts.join("\n"));
        prop_assert_eq!(read(&super::promises::pieces(&whole, &cuts), cut), read(&[&whole], cut));
    }

    #[test]
    fn a_call_is_read_behind_words_that_announce_it(row in prop::sample::select(ROWS), before in prop::sample::select(&BEFORE[..]), behind in prop::sample::select(&BEHIND[..])) {
        let calls = row.2.first().is_some_and(|first| first.contains('{') && !first.starts_with(['!', '(']));
        prop_assume!(calls && row.2.len() == 1 && !row.1.starts_with("</think>"));
        let got = read(&[&format!("{before}{}{behind}", row.1)], false);
        prop_assert_eq!(got.last().map(String::as_str), Some(row.2[0]), "{}", row.1);
    }
}
