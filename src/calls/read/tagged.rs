//! Calls as tags with a name: `<function=NAME><parameter=KEY>VALUE</parameter></function>` of Qwen3-Coder, and
//! `<invoke name="NAME"><parameter name="KEY">VALUE</parameter></invoke>` with the prefixes of MiniMax, DeepSeek (DSML), Step,
//! Muse, GigaChat and any other, and the short words of MiniCPM; in what stands around calls, or without. Not XML: values are as they stand, and
//! carry no types; these are taken from the schema.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Raw, Seen, Short};
use super::headless;
use super::scan::{CLOSERS, Scan, Step, Stop};
use super::tag_words::{self, Form};
use super::tags::{Kind, Tag, Tags, Written};
use super::value_end::{MISSING, NEAR, value_end};
use crate::calls::heal::typed;
use crate::calls::json;

/// Calls as tags.
pub(super) struct Tagged;

impl Format for Tagged {
    fn openings(&self) -> &'static [Opening] {
        tag_words::OPENINGS
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut begun = None;
        match call(seen, &mut begun) {
            Ok(found) => Look::Calls(found),
            Err(Stop::Inside) if !seen.end => Look::Until(CLOSERS),
            Err(Stop::Short) if !seen.end => Look::More,
            Err(_) => begun.map_or(Look::Not, |begun| broken(seen, &begun)),
        }
    }
}

/// A call of which a parameter was seen.
struct Begun<'a> {
    name: &'a str,
    form: Form,
    /// Where its parameters begin.
    body: usize,
}

/// Reads one call, and what stands around it.
fn call<'a>(seen: &Seen<'a>, begun: &mut Option<Begun<'a>>) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::marked();
    tag_words::wrappers(&mut scan)?;
    let (form, name) = match tag_words::opening(&mut scan)? {
        Some((form, name)) => (form, name),
        None => headless::opening(&mut scan, &mut found)?.ok_or(Stop::Not)?,
    };
    let name = unquoted(name, |name| seen.scope.knows_as_it_is(name));
    let name = name.split("<|").next().unwrap_or(name).trim();
    scan.space();
    let input = if scan.next()? == Some('{') {
        object(&mut scan, &form, &mut found)?
    } else {
        let body = scan.at;
        let mut call = Call { scan: &mut scan, form: &form, name, input: Map::new(), begun: false, found: &mut found };
        let read = call.parameters();
        let input = std::mem::take(&mut call.input);
        if call.begun {
            *begun = Some(Begun { name, form: form.clone(), body });
        }
        read?;
        Value::Object(input)
    };
    found.calls.push(Raw { name: name.to_owned(), input });
    found.used = scan.at;
    tag_words::closers(&mut scan, &form, &mut found)?;
    Ok(found)
}

/// Takes a JSON object as the body (Llama 3.1), and the closing tag.
fn object(scan: &mut Scan<'_>, form: &Form, found: &mut Found) -> Step<Value> {
    let input = scan.arguments(&mut found.repairs)?;
    let end = scan.at;
    scan.space();
    let rest = scan.ahead();
    if rest.text.is_empty() && !rest.end {
        return Err(Stop::Short);
    }
    let tag = if rest.text.starts_with('<') { form.tag(&rest)? } else { None };
    match tag {
        Some(tag) if tag.kind == Kind::CallEnd => scan.at += tag.used,
        _ => scan.at = end,
    }
    Ok(input)
}

/// A call whose parameters are read.
struct Call<'c, 'a> {
    scan: &'c mut Scan<'a>,
    form: &'c Form,
    name: &'a str,
    input: Map<String, Value>,
    /// A parameter was seen.
    begun: bool,
    found: &'c mut Found,
}

/// A call as far as it was read: which parameters it still awaits.
struct Given<'g, 'a> {
    seen: Seen<'a>,
    tool: &'g str,
    input: &'g Map<String, Value>,
    key: &'g str,
}

impl super::value_end::Parameters for Given<'_, '_> {
    fn awaits(&self, key: &str) -> bool {
        key != self.key && !self.input.contains_key(key) && self.seen.scope.parameter(self.tool, key).is_some()
    }
}

impl<'a> Call<'_, 'a> {
    /// Takes the parameters and the closing tag.
    fn parameters(&mut self) -> Step<()> {
        loop {
            self.scan.space();
            let rest = self.scan.ahead();
            if self.scan.over() && !self.input.is_empty() {
                self.found.open = true;
                self.found.repairs.push(MISSING);
                return Ok(());
            }
            self.scan.next()?;
            let tag = if rest.text.starts_with('<') { self.form.tag(&rest)? } else { None };
            let Some(tag) = tag else { return Err(Stop::Not) };
            match tag.kind {
                Kind::Parameter => self.parameter(tag)?,
                Kind::CallEnd => {
                    self.scan.at += tag.used;
                    self.found.repairs.extend((tag.written != Written::Exactly).then_some(NEAR));
                    return Ok(());
                }
                Kind::WrapEnd => {
                    self.found.repairs.push(MISSING);
                    return Ok(());
                }
                Kind::Call | Kind::ParameterEnd => return Err(Stop::Not),
            }
        }
    }

    fn parameter(&mut self, tag: Tag<'a>) -> Step<()> {
        let seen = self.scan.seen;
        self.begun = true;
        let key = self.key(tag.label).ok_or(Stop::Not)?;
        let start = self.scan.at + tag.used;
        // Of a tool that nobody knows, no more is wanted than its name.
        let known = seen.scope.knows(self.name);
        let body = if known { seen.skip(start) } else { bounded(seen.skip(start)) };
        let given = Given { seen, tool: self.name, input: &self.input, key };
        let end = value_end(self.form, &body, &given).map_err(|_| Stop::Inside)?.ok_or(Stop::Not)?;
        self.scan.at = start + end.used;
        self.found.repairs.extend(end.repair);
        let value = self.meant(&body.text[..end.length], tag.attributes, key);
        match self.input.insert(key.to_owned(), value) {
            Some(before) if self.input[key] != before && known => Err(Stop::Not),
            _ => Ok(()),
        }
    }

    /// The key that a tag means: with markup in it, the only parameter of the tool that stands there.
    fn key(&mut self, label: &'a str) -> Option<&'a str> {
        let seen = self.scan.seen;
        let key = unquoted(label.trim(), |key| seen.scope.parameter(self.name, key).is_some());
        if !key.contains(['<', '>', '=', '"']) {
            return Some(key);
        }
        let parts = key.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-'));
        let mut known = parts.filter(|part| seen.scope.parameter(self.name, part).is_some());
        let only = known.next()?;
        self.found.repairs.push("key-markup");
        known.next().is_none().then_some(only)
    }

    /// The value as its attribute or the schema has it.
    fn meant(&self, text: &str, attributes: &str, key: &str) -> Value {
        if attributes.contains("string=\"true\"") {
            return Value::String(text.to_owned());
        }
        if attributes.contains("string=\"false\"")
            && let Some((value, _)) = json::read_whole(text)
        {
            return value;
        }
        typed(inner(text), self.scan.seen.scope.parameter(self.name, key))
    }
}

/// The longest value of a tool that is not known, in bytes.
const UNKNOWN: usize = 4096;

fn bounded(seen: Seen<'_>) -> Seen<'_> {
    if seen.text.len() <= UNKNOWN {
        return seen;
    }
    let end = (0..=UNKNOWN).rev().find(|at| seen.text.is_char_boundary(*at)).unwrap_or(0);
    Seen { text: &seen.text[..end], end: true, ..seen }
}

/// A call of a known tool that cannot be read with certainty, up to the last of its closers.
fn broken(seen: &Seen<'_>, begun: &Begun<'_>) -> Look {
    if !seen.scope.knows(begun.name) {
        return Look::Not;
    }
    if !seen.end {
        return Look::Until(CLOSERS);
    }
    let (mut at, mut open, mut used) = (begun.body, 1_i64, None);
    while let Some(next) = seen.text[at..].find('<').map(|next| next + at) {
        let tag = begun.form.tag(&seen.skip(next)).ok().flatten();
        at = next + tag.map_or(1, |tag| tag.used.max(1));
        match tag.map(|tag| tag.kind) {
            Some(Kind::Call) => open += 1,
            Some(Kind::CallEnd) => open -= 1,
            Some(Kind::WrapEnd)
                if used == Some(next) || used.is_some_and(|used| seen.text[used..next].trim().is_empty()) =>
            {
                used = Some(at);
                continue;
            }
            _ => continue,
        }
        if open < 0 || open == 0 && used.is_none() {
            used = Some(at);
        }
    }
    Look::Broken { used: used.unwrap_or(seen.text.len()), name: begun.name.to_owned() }
}

/// A name without quotes around it, unless they belong to it.
fn unquoted(name: &str, known: impl Fn(&str) -> bool) -> &str {
    let name = name.trim();
    if known(name) { name } else { name.trim_matches(['"', '\'']) }
}

/// The value without the line breaks that belong to its tags: both, or none.
fn inner(text: &str) -> &str {
    let Some(text) = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')) else { return text };
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

impl From<Short> for Stop {
    fn from(_: Short) -> Self {
        Self::Short
    }
}
