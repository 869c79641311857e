//! A call whose head a server has lost: `<name>NAME`, a closing tag of any kind, and parameters.

use super::format::Found;
use super::scan::{Scan, Step, Stop};
use super::tag_words::Form;

const NAME: &str = "<name>";
/// The longest name, in bytes.
const LONGEST: usize = 200;

/// Takes what is left of the head of a call of a known tool, up to its first parameter.
pub(super) fn opening<'a>(scan: &mut Scan<'a>, found: &mut Found) -> Step<Option<(Form, &'a str)>> {
    if scan.at > 0 || !scan.eat(NAME)? {
        return Ok(None);
    }
    let rest = scan.rest();
    let Some(end) = rest.find('<') else {
        return if scan.seen.end || rest.len() > LONGEST { Ok(None) } else { Err(Stop::Short) };
    };
    let name = rest[..end].trim();
    scan.at += end;
    if scan.eat_any(&["</name>", "</parameter>"])?.is_none() || !scan.seen.scope.knows(name) {
        return Ok(None);
    }
    let mut ahead = *scan;
    ahead.space();
    if !ahead.eat("<parameter=")? {
        return Ok(None);
    }
    found.repairs.push("xml-missing-opener");
    Ok(Some((Form::new("", "function"), name)))
}
