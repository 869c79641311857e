//! Marks that mean nothing to a reader: orphaned closers and control tokens, right behind a call, or stuck to the very end.

use super::format::{Format, Look, Opening, Seen};

/// Left-over marks.
pub(super) struct Residue;

const MARKS: [&str; 36] = [
    "</tool_call>",
    "</tool_calls>",
    "</function>",
    "</function_call>",
    "</function_calls>",
    "</tools>",
    "</invoke>",
    "</minimax:tool_call>",
    "</seed:tool_call>",
    "</｜DSML｜tool_calls>",
    "</｜DSML｜function_calls>",
    "<｜DSML｜function_calls>",
    "<｜DSML｜function_calls",
    "<｜DSML｜tool_calls",
    "<tool_call|>",
    "<|tool_response>",
    "<|tool_call_end|>",
    "<|tool_calls_section_end|>",
    "<｜tool▁calls▁end｜>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|im_end|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|eot|>",
    "<|eom|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<turn|>",
    "</s>",
    "<｜end▁of▁sentence｜>",
    "<|end▁of▁sentence|>",
    "<|END_TEXT|>",
    "<|END_RESPONSE|>",
    "[/TOOL_CALLS]",
];

const OPENINGS: [Opening; MARKS.len()] = {
    let mut all = [Opening::Mark(""); MARKS.len()];
    let mut at = 0;
    while at < MARKS.len() {
        all[at] = Opening::Mark(MARKS[at]);
        at += 1;
    }
    all
};

impl Format for Residue {
    fn openings(&self) -> &'static [Opening] {
        &OPENINGS
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        if MARKS.iter().any(|mark| mark.len() > seen.text.len() && mark.starts_with(seen.text)) && !seen.end {
            return Look::More;
        }
        let longest = MARKS.iter().filter(|mark| seen.text.starts_with(**mark)).max_by_key(|mark| mark.len());
        let Some(mark) = longest else { return Look::Not };
        if seen.place.follows_call() {
            return Look::Residue(mark.len());
        }
        let rest = &seen.text[mark.len()..];
        match rest.trim_start().is_empty() {
            true if seen.end && at_the_end(mark, seen) => Look::Residue(mark.len()),
            true if !seen.end => Look::More,
            _ => Look::Not,
        }
    }
}

/// Whether a mark at the very end is left over: stuck to prose, or an opener that nobody writes about on a line of its own.
fn at_the_end(mark: &str, seen: &Seen<'_>) -> bool {
    let stuck = !seen.place.in_sentence() && seen.place.has_prose() && !seen.place.speaks_of_tokens();
    let alone = mark.starts_with("<｜DSML｜") && !seen.place.has_prose();
    stuck || alone && !seen.place.said_before().trim_end().ends_with(':')
}
