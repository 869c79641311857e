//! The forms of DeepSeek R1 and V3: marks in bars of full width, in the many spellings in which they are seen.
//! `…call▁begin function ▁sep NAME`, then a fence; or `…call▁begin NAME ▁sep {…}`.

use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop, look};

/// Calls in full-width marks.
pub(super) struct DeepSeek;

impl Format for DeepSeek {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Mark("<｜tool"), Opening::Mark("<|tool")]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        let walked = section(seen, &mut name);
        look(seen, walked, name, "end｜>")
    }
}

fn section<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::marked();
    let whole = mark(&mut scan, "calls begin")? || mark(&mut scan, "calls")?;
    loop {
        scan.space();
        if !mark(&mut scan, "call begin")? && (!whole || !found.calls.is_empty()) {
            return if found.calls.is_empty() { Err(Stop::Not) } else { Ok(found) };
        }
        call(&mut scan, name, &mut found)?;
        found.used = scan.at;
        scan.space();
        if mark(&mut scan, "call end")? {
            found.used = scan.at;
            scan.space();
        }
        if mark(&mut scan, "calls end")? {
            found.used = scan.at;
            return Ok(found);
        }
    }
}

fn call<'a>(scan: &mut Scan<'a>, name: &mut Option<&'a str>, found: &mut Found) -> Step<()> {
    scan.space();
    let first = scan.name()?;
    scan.space();
    if !mark(scan, "sep")? {
        return Err(Stop::Not);
    }
    scan.space();
    let called = if matches!(scan.next()?, Some('{' | '`')) { first } else { scan.name()? };
    *name = Some(called);
    scan.space();
    let fenced = scan.eat("```")?;
    if fenced {
        scan.word(char::is_alphanumeric)?;
        scan.space();
    }
    let input = scan.arguments(&mut found.repairs)?;
    found.add(called, input);
    if fenced {
        scan.eat_spaced("```")?;
    }
    Ok(())
}

/// Takes the mark `<｜tool▁WORDS｜>` in any spelling: bars of either width, words parted by `▁`, `_`, `\_` or a space.
fn mark(scan: &mut Scan<'_>, words: &str) -> Step<bool> {
    let before = scan.at;
    if spelled(scan, words)? {
        return Ok(true);
    }
    scan.at = before;
    Ok(false)
}

fn spelled(scan: &mut Scan<'_>, words: &str) -> Step<bool> {
    if scan.eat_any(&["<｜", "<|"])?.is_none() {
        return Ok(false);
    }
    for (at, word) in ["tool"].into_iter().chain(words.split(' ')).enumerate() {
        if at > 0 && scan.eat_any(&["▁", "_", "\\_", " "])?.is_none() {
            return Ok(false);
        }
        if !scan.eat(word)? {
            return Ok(false);
        }
    }
    Ok(scan.eat_any(&["｜>", "|>"])?.is_some())
}
