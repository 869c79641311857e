//! Calls in the syntax of Python: the list of Llama 3.2 and 4, `[a(x=1), b()]`; the marks of LFM2 and Olmo around such; a
//! single call at the start of a line (Gemma 3), with nothing else on it.

use super::format::{Format, Found, Look, Opening, Seen};
use super::name_json::lines;
use super::python;
use super::scan::{Scan, Step, Stop, look};

/// Python's calls.
pub(super) struct Pythonic;

const MARKS: [(&str, &str); 4] = [
    ("<|tool_call_start|>", "<|tool_call_end|>"),
    ("<|python_start|>", "<|python_end|>"),
    ("<function_calls>", "</function_calls>"),
    ("<|python_tag|>", "<|eom_id|>"),
];

/// What Gemma puts around a call in a block.
const PRINT: &str = "print(";

impl Format for Pythonic {
    fn openings(&self) -> &'static [Opening] {
        &[
            Opening::Mark(MARKS[0].0),
            Opening::Mark(MARKS[1].0),
            Opening::Mark(MARKS[2].0),
            Opening::Mark(MARKS[3].0),
            Opening::Line("["),
            Opening::Line(PRINT),
            Opening::Name,
        ]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut scan = Scan::new(*seen);
        if !seen.text.starts_with('<') {
            return lines(seen, unmarked).unwrap_or_else(Look::from);
        }
        let opens: Vec<&str> = MARKS.iter().map(|(open, _)| *open).collect();
        match scan.eat_any(&opens) {
            Ok(Some(open)) => {
                let close = MARKS.iter().find(|(known, _)| *known == open).map_or("", |(_, close)| close);
                look(seen, marked(&mut scan, close), None, close)
            }
            Ok(None) => Look::Not,
            Err(stop) => stop.into(),
        }
    }
}

fn marked(scan: &mut Scan<'_>, close: &str) -> Step<Found> {
    let mut found = Found::marked();
    loop {
        scan.space();
        if scan.next()? == Some('[') {
            python::list(scan, &mut found)?;
        } else {
            python::call(scan, &mut found)?;
        }
        found.used = scan.at;
        scan.space();
        if scan.eat(close)? {
            found.used = scan.at;
            return Ok(found);
        }
        scan.eat(";")?;
        scan.space();
        if !scan.next()?.is_some_and(char::is_alphabetic) {
            return Ok(found);
        }
    }
}

/// Takes a list, or one call of a known tool; in a block of its own also one that is printed.
fn unmarked(scan: &mut Scan<'_>, found: &mut Found) -> Step<()> {
    if scan.seen.place.in_fence() && scan.eat(PRINT)? {
        scan.space();
        unmarked(scan, found)?;
        scan.space();
        return scan.need(")");
    }
    let listed = scan.next()? == Some('[');
    let mut first = *scan;
    if listed {
        first.need("[")?;
        first.space();
    }
    let name = first.name()?;
    if !scan.seen.scope.knows(name.strip_suffix(".call").unwrap_or(name)) {
        return Err(Stop::Not);
    }
    if listed { python::list(scan, found) } else { python::call(scan, found) }
}
