//! Reading takes time in proportion to the text, whatever it opens and does not close.

use std::time::{Duration, Instant};

use super::*;

/// What begins calls, thinking, fences and values, and ends none of them.
const OPENERS: &[&str] = &[
    "<tool_call>",
    "[TOOL_CALLS]",
    "<|start|>assistant",
    "<|channel|>",
    "<|channel|>analysis<|message|>x",
    "{\"a\":",
    "\n{\"name\":",
    "{\"name\": \"Bash\", \"arguments\": {\"command\": \"",
    "<function=",
    "<function=Bash>\n<parameter=command>\n",
    "<function=nope>\n<parameter=x>\n",
    "<｜DSML｜tool_calls>",
    "<｜DSML｜invoke name=\"Bash\">\n<｜DSML｜parameter name=\"command\">",
    "<invoke name=\"nope\"><parameter name=\"command\">",
    "<|python_tag|>",
    "<|python_tag|>Bash.call(command=\"",
    "<|tool_call>call:Bash{command:<|\"|>",
    "<tool_call>Bash<arg_key>",
    "<tool_call>nope<arg_key>command</arg_key><arg_value>",
    "]<]minimax[>[<tool_call>",
    "<|tool_call_begin|>functions.Bash:0<|tool_call_argument_begin|>{\"",
    "<|open|>call tool=\"Bash\"<|sep|>",
    "```json\n",
    "\nBash command=",
    "\n[Calling tool: Bash({\"",
    "<think>",
    "analysisX",
    "TOOL_NAME: Bash\nBEGIN_ARG: command\nls",
    "</tool_call> x",
    "\n",
];

/// So often it may look otherwise, on a machine that is busy with other things.
const TRIES: usize = 5;

/// The least time of some runs over about so many bytes, given in pieces or whole.
#[expect(clippy::disallowed_methods, reason = "what is tested is how long it takes")]
fn time(opener: &str, bytes: usize, in_pieces: bool) -> Duration {
    let text = opener.repeat(bytes / opener.len() + 1);
    let pieces: Vec<&str> =
        if in_pieces { text.split_inclusive([' ', '>', '"', '\n', '{']).collect() } else { vec![&text] };
    let run = || {
        let begun = Instant::now();
        let _ = read(&pieces, false);
        begun.elapsed()
    };
    (0..2).map(|_| run()).min().unwrap_or_default()
}

#[test]
fn the_time_grows_with_the_text() {
    for opener in OPENERS {
        for in_pieces in [false, true] {
            let mut seen = Vec::new();
            let linear = (0..TRIES).any(|_| {
                let (short, long) = (time(opener, 3_000, in_pieces), time(opener, 24_000, in_pieces));
                seen.push((short, long));
                // Eight times the text: a square would take 64 times as long.
                long < short * 24 + Duration::from_millis(60)
            });
            assert!(linear, "{opener:?}, in pieces: {in_pieces}: {seen:?} for eight times the text");
        }
    }
}
