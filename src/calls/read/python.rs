//! A call in the syntax of Python: `name(key=value, …)`, with literals for values.

use serde_json::{Map, Value};

use super::format::Found;
use super::scan::{Scan, Step, Stop};

/// Takes one call. Values by position have no name, and are no call of ours.
pub(super) fn call(scan: &mut Scan<'_>, found: &mut Found) -> Step<()> {
    let name = scan.name()?;
    let name = name.strip_suffix(".call").unwrap_or(name);
    let input = arguments(scan, name, found)?;
    found.add(name, input);
    Ok(())
}

/// Takes `(key=value, …)`.
pub(super) fn arguments(scan: &mut Scan<'_>, name: &str, found: &mut Found) -> Step<Value> {
    scan.need("(")?;
    let mut input = Map::new();
    loop {
        scan.space();
        if scan.eat(")")? {
            return Ok(Value::Object(input));
        }
        let key = scan.word(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))?;
        scan.space();
        if key.is_empty() || !scan.eat("=")? {
            return Err(Stop::Not);
        }
        scan.space();
        let text = found.marked && is_text(scan, name, key);
        let value = if text { bare_word(scan, found)? } else { value(scan, found)? };
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

/// Whether a word without quotes comes where the tool takes text. In code such a word would be a variable; behind a mark it
/// is the text itself.
fn is_text(scan: &Scan<'_>, tool: &str, key: &str) -> bool {
    let text = scan.seen.scope.parameter(tool, key).is_some_and(|form| form.types() == ["string"]);
    text && scan.rest().starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '~'))
}

fn bare_word(scan: &mut Scan<'_>, found: &mut Found) -> Step<Value> {
    let word = scan.word(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '~' | '*'))?;
    found.repairs.push("unquoted-text");
    Ok(Value::from(word))
}
