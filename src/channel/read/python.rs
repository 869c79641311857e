//! A call in the syntax of Python: `name(key=value, …)`, with literals for values.

use serde_json::{Map, Value};

use super::format::Found;
use super::scan::{Scan, Step, Stop};

/// Takes one call. Values by position have no name, and are no call of ours.
pub(super) fn call(scan: &mut Scan<'_>, found: &mut Found) -> Step<()> {
    let name = scan.name()?;
    let name = name.strip_suffix(".call").unwrap_or(name);
    scan.need("(")?;
    let mut input = Map::new();
    loop {
        scan.space();
        if scan.eat(")")? {
            found.add(name, Value::Object(input));
            return Ok(());
        }
        let key = scan.word(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))?;
        scan.space();
        if key.is_empty() || !scan.eat("=")? {
            return Err(Stop::Not);
        }
        scan.space();
        let value = value(scan, found)?;
        input.insert(key.to_owned(), value);
        scan.space();
        if !scan.eat(",")? && scan.next()? != Some(')') {
            return Err(Stop::Not);
        }
    }
}

/// Takes a list of calls, parted by commas, up to `]`.
pub(super) fn list(scan: &mut Scan<'_>, found: &mut Found) -> Step<()> {
    scan.need("[")?;
    loop {
        scan.space();
        call(scan, found)?;
        scan.space();
        if scan.eat("]")? {
            return Ok(());
        }
        scan.need(",")?;
    }
}

fn value(scan: &mut Scan<'_>, found: &mut Found) -> Step<Value> {
    for quotes in ["\"\"\"", "'''"] {
        if scan.eat(quotes)? {
            return scan.upto(quotes).map(|text| Value::String(text.to_owned()));
        }
    }
    // What is a repair in JSON is the plain syntax here.
    let before = found.repairs.len();
    let value = scan.literal(&mut found.repairs)?;
    found.repairs.truncate(before);
    Ok(value)
}
