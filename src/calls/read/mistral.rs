//! The form of Mistral and Devstral: `[TOOL_CALLS]` before a list, one object, or `NAME[ARGS]{…}`; the last also without
//! its mark, where the server has eaten it.

use super::envelope;
use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};

/// `[TOOL_CALLS]` and `[ARGS]`.
pub(super) struct Mistral;

const MARK: &str = "[TOOL_CALLS]";
const ARGS: &str = "[ARGS]";
/// So often the mark is written anew before a call, at most.
const DOUBLED: usize = 4;

impl Format for Mistral {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Mark(MARK), Opening::Name]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        let walked = if seen.text.starts_with('[') { marked(seen, &mut name) } else { unmarked(seen, &mut name) };
        look(seen, walked, name, "[/TOOL_CALLS]")
    }
}

fn marked<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    scan.need(MARK)?;
    for _ in 0..DOUBLED {
        if !scan.eat_spaced(MARK)? {
            break;
        }
    }
    scan.space();
    let mut found = Found::marked();
    match scan.next()? {
        Some('{' | '[') if !scan.rest().starts_with(ARGS) => {
            let value = scan.json(&mut found.repairs)?;
            found.calls = envelope::marked_calls(&value, seen.scope).ok_or(Stop::Not)?;
        }
        _ => named(&mut scan, name, false, &mut found)?,
    }
    scan.eat_spaced("[/TOOL_CALLS]")?;
    found.used = scan.at;
    Ok(found)
}

fn unmarked<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::marked();
    named(&mut scan, name, true, &mut found)?;
    found.used = scan.at;
    Ok(found)
}

/// Takes `NAME[CALL_ID]id[ARGS]{…}`; the marks may be missing where `strict` does not say so.
fn named<'a>(scan: &mut Scan<'a>, name: &mut Option<&'a str>, strict: bool, found: &mut Found) -> Step<()> {
    let called = scan.name()?;
    if scan.eat("[CALL_ID]")? {
        scan.name()?;
    }
    if !scan.eat(ARGS)? && strict {
        return Err(Stop::Not);
    }
    *name = Some(called);
    scan.space();
    let input = scan.arguments(&mut found.repairs)?;
    found.add(called, input);
    Ok(())
}
