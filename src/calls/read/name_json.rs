//! A tool's name on a line, and its arguments as a JSON object behind it or on the next line; several of these in a row.

use super::bare_json::{Alone, alone};
use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop};
use super::talk;

/// `NAME` and `{…}`.
pub(super) struct NameJson;

impl Format for NameJson {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Name]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        lines(seen, one).unwrap_or_else(Look::from)
    }
}

/// Reads calls that stand on lines of their own, one after the other, with no talk behind the last.
pub(super) fn lines(seen: &Seen<'_>, one: impl Fn(&mut Scan<'_>, &mut Found) -> Step<()>) -> Step<Look> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::unmarked();
    one(&mut scan, &mut found)?;
    loop {
        found.used = scan.at;
        match alone(&scan.ahead()) {
            Alone::Unknown => return Err(Stop::Short),
            Alone::No => return Ok(Look::Text(scan.at)),
            Alone::Yes(_) => {}
        }
        scan.space();
        if !scan.may_open_a_call() {
            break;
        }
        let calls = found.calls.len();
        match one(&mut scan, &mut found) {
            Ok(()) => continue,
            Err(stop) if stop != Stop::Not && !seen.end => return Err(stop),
            Err(_) => found.calls.truncate(calls),
        }
        break;
    }
    let behind = &seen.text[found.used..];
    if !seen.place.in_fence() && talk::goes_on(behind, seen.end, seen.scope).ok_or(Stop::Short)? {
        return Ok(Look::Text(found.used));
    }
    Ok(Look::Calls(found))
}

fn one(scan: &mut Scan<'_>, found: &mut Found) -> Step<()> {
    let name = scan.name()?.trim_end_matches(':');
    if !scan.seen.scope.knows(name) {
        return Err(Stop::Not);
    }
    scan.word(|c| matches!(c, ' ' | '\t'))?;
    scan.eat("\r")?;
    scan.eat("\n")?;
    if scan.next()? != Some('{') {
        return Err(Stop::Not);
    }
    let input = scan.arguments(&mut found.repairs)?;
    found.add(name, input);
    Ok(())
}
