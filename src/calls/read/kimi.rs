//! The form of Kimi: `<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{…}<|tool_call_end|>`, in a section or
//! without; also where the server has eaten the first marks.

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};

/// Sections of calls.
pub(super) struct Kimi;

const SECTION: &str = "<|tool_calls_section_begin|>";
const SECTION_END: &str = "<|tool_calls_section_end|>";
const CALL: &str = "<|tool_call_begin|>";
const CALL_END: &str = "<|tool_call_end|>";
const ARGUMENTS: &str = "<|tool_call_argument_begin|>";
const NAMESPACE: &str = "functions.";

impl Format for Kimi {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Mark(SECTION), Opening::Mark(CALL), Opening::Mark(NAMESPACE)]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        let walked = section(seen, &mut name);
        look(seen, walked, name, CALL_END)
    }
}

fn section<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::marked();
    scan.eat(SECTION)?;
    loop {
        scan.space();
        let marked = scan.eat(CALL)?;
        call(&mut scan, name, marked, &mut found)?;
        found.used = scan.at;
        scan.space();
        if scan.eat(SECTION_END)? {
            found.used = scan.at;
            return Ok(found);
        }
        if scan.ahead().begins(CALL).ok_or(Stop::Short)? {
            continue;
        }
        return Ok(found);
    }
}

fn call<'a>(scan: &mut Scan<'a>, name: &mut Option<&'a str>, marked: bool, found: &mut Found) -> Step<()> {
    scan.space();
    let called = scan.name()?;
    scan.space();
    if !scan.eat(ARGUMENTS)? && !marked {
        return Err(Stop::Not);
    }
    *name = Some(called);
    scan.space();
    let input = scan.arguments(&mut found.repairs)?;
    found.add(called, input);
    scan.eat_spaced(CALL_END)?;
    Ok(())
}
