//! What the reader promises of any text, cut anywhere.

use proptest::prelude::*;

use super::super::*;
use super::{tools, written};

/// Parts from which call-like and talk-like texts are made.
const PARTS: &[&str] = &[
    "{\"name\": \"Bash\", \"arguments\": {\"command\": \"ls\"}}",
    "{\"name\": \"Read\", \"parameters\": {\"file_path\": \"a\"}}",
    "{\"name\": \"nope\", \"arguments\": {}}",
    "{\"name\": \"Bash\", \"arguments\": {\"command\": \"",
    "[{\"name\": \"refresh\", \"arguments\": {}}]",
    "<tool_call>",
    "</tool_call>",
    "<function=Bash>",
    "<parameter=command>",
    "</parameter>",
    "</function>",
    "<arg_key>command</arg_key><arg_value>",
    "</arg_value>",
    "[TOOL_CALLS]",
    "[ARGS]",
    "Bash",
    "Read",
    "refresh()",
    "[refresh()]",
    "(command=\"ls\")",
    "call:Bash{command:<|\"|>ls<|\"|>}",
    "<|tool_call>",
    "<tool_call|>",
    "<|channel|>commentary to=functions.Bash ",
    "<|message|>",
    "<|tool_call_begin|>functions.Bash:0<|tool_call_argument_begin|>",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>Bash\n",
    "<invoke name=\"Bash\">",
    "<parameter name=\"command\">ls</parameter>",
    "</invoke>",
    "]<]minimax[>[",
    "<think>",
    "</think>",
    "```json\n",
    "```",
    "\n",
    "\n\n",
    " ",
    "`",
    "\"",
    "}",
    "]",
    "I'll look.",
    "Example:",
    "this is how",
    "<|eot_id|>",
    "[Calling tool: ",
    "Bash command=ls\n",
    " timeout=5",
    "analysisWe think.",
    "assistantfinal",
    "assistantcommentary to=functions.Bash json",
    "<|channel|>analysis<|message|>hm",
    "<|start|>assistant",
    "<|end|>",
    "TOOL_NAME: Bash\n",
    "BEGIN_ARG: command\nls\nEND_ARG\n",
    "<name>Bash</parameter>",
    "<parameter=command>ls</parameter>",
    "<arg_key>command<arg_value>ls",
    "<?xml version=\"1.0\"?>\n",
    "functions.",
    "é",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::collection::vec(prop::sample::select(PARTS), 0..9).prop_map(|parts| parts.concat()),
        1 => r#"[<\[{}\]>|`"'a-f:=,_ \n\\/]{0,40}"#,
        1 => ".{0,40}",
    ]
}

pub(super) fn pieces<'a>(text: &'a str, cuts: &[prop::sample::Index]) -> Vec<&'a str> {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let mut at: Vec<usize> =
        if places.is_empty() { Vec::new() } else { cuts.iter().map(|cut| *cut.get(&places)).collect() };
    at.sort_unstable();
    let mut from = 0;
    let mut pieces = Vec::new();
    for at in at {
        pieces.push(&text[from..at]);
        from = at;
    }
    pieces.push(&text[from..]);
    pieces
}

fn outcome(pieces: &[&str], cut: bool) -> (Vec<String>, Vec<&'static str>) {
    let mut reader = Reader::new(&tools(), &Quotes::default(), &Lexicon::builtin().unwrap().into());
    let mut out = Vec::new();
    for piece in pieces {
        reader.on_text(piece, &mut out);
    }
    reader.on_end(cut, &mut out);
    (written(out), reader.take_repairs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_outcome_does_not_depend_on_the_cuts(text in text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6), cut in any::<bool>()) {
        prop_assert_eq!(outcome(&pieces(&text, &cuts), cut), outcome(&[&text], cut));
        let single: Vec<&str> = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect();
        prop_assert_eq!(outcome(&single, cut), outcome(&[&text], cut));
    }

    #[test]
    fn text_without_marks_streams_on_at_once(words in prop::collection::vec("[a-z]{1,8}", 1..20)) {
        let mut reader = Reader::new(&tools(), &Quotes::default(), &Lexicon::builtin().unwrap().into());
        for (at, word) in words.iter().enumerate() {
            let mut out = Vec::new();
            reader.on_text(&format!("x{word} "), &mut out);
            let space = if at > 0 { " " } else { "" };
            prop_assert_eq!(out, vec![Delta::Text(format!("{space}x{word}"))]);
        }
    }

    #[test]
    fn without_tools_all_text_goes_through(text in text()) {
        let mut reader = Reader::new(&[], &Quotes::default(), &Arc::default());
        let mut out = Vec::new();
        reader.on_text(&text, &mut out);
        reader.on_end(false, &mut out);
        prop_assert!(!out.iter().any(|delta| matches!(delta, Delta::Call(_))));
    }
}
