//! A tool's name on a line, and its arguments as a JSON object behind it or on the next line.

use super::bare_json;
use super::format::{Format, Found, Look, Opening, Seen};
use super::scan::{Scan, Step, Stop};

/// `NAME` and `{…}`.
pub(super) struct NameJson;

impl Format for NameJson {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Name]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        read(seen).unwrap_or_else(Look::from)
    }
}

fn read(seen: &Seen<'_>) -> Step<Look> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::unmarked();
    let name = scan.name()?.trim_end_matches(':');
    scan.word(|c| matches!(c, ' ' | '\t'))?;
    scan.eat("\r")?;
    scan.eat("\n")?;
    if scan.next()? != Some('{') {
        return Err(Stop::Not);
    }
    let input = scan.arguments(&mut found.repairs)?;
    match bare_json::alone(&scan.ahead()) {
        None => Err(Stop::Short),
        Some(None) => Ok(Look::Text(scan.at)),
        Some(Some(_)) => {
            found.add(name, input);
            found.used = scan.at;
            Ok(Look::Calls(found))
        }
    }
}
