//! The form of GLM, Hunyuan, LongCat, Solar and their like: `<tool_call>NAME`, then `<arg_key>K</arg_key><arg_value>V</arg_value>` in turn.
//! Values carry no types. One tag of a pair may be missing, doubled or nearly another where the next one shows it.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Seen, Short};
use super::scan::{Scan, Step, Stop, look};
use super::tags::{Kind, Tag, Tags, Written, closer};
use super::value_end::{MISSING, Parameters, value_end};
use crate::calls::heal::typed;

/// Keys and values as tags.
pub(super) struct Glm;

/// The tags of one family.
struct Form {
    open: String,
    key: String,
    key_end: String,
    value: String,
    close: String,
    /// The same, where its keys lack the prefix.
    bare: Option<Box<Self>>,
    /// Closers that are no words in brackets.
    marks: Vec<(Kind, &'static str)>,
    /// The words of the others.
    words: Vec<(Kind, String)>,
}

/// The marks of Solar.
const SOLAR: [&str; 5] =
    ["<|tool_call:start|>", "<|tool_arg:start|>", "<|tool_arg:value|>", "<|tool_arg:end|>", "<|tool_call:end|>"];

/// The word of a call, which may have a prefix before it and a mark of its own behind it.
const CALL: &str = "tool_call";
/// The longest tag, in bytes.
const TAG: usize = 48;

impl Form {
    /// The form of a call that begins here.
    fn of(seen: &Seen<'_>) -> Step<Option<Self>> {
        if seen.begins(SOLAR[0]).ok_or(Stop::Short)? {
            return Ok(Some(Self::solar()));
        }
        let bytes = seen.text.as_bytes();
        let Some(end) = bytes.iter().take(TAG).position(|byte| matches!(byte, b'>' | b'\n' | b' ')) else {
            return if seen.end || bytes.len() >= TAG { Ok(None) } else { Err(Stop::Short) };
        };
        let tag = &seen.text[..end];
        let Some((prefix, mark)) = tag.strip_prefix('<').and_then(|tag| tag.split_once(CALL)) else { return Ok(None) };
        let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '|'));
        let parted = prefix.is_empty() || prefix.ends_with(['_', ':', '|']);
        let marked = mark.is_empty() || mark.starts_with(':');
        if bytes[end] != b'>' || !plain(prefix) || !plain(mark) || !parted || !marked {
            return Ok(None);
        }
        Ok(Some(Self::of_words(prefix, prefix, mark)))
    }

    fn of_words(prefix: &str, inner: &str, mark: &str) -> Self {
        Self {
            open: format!("<{prefix}{CALL}{mark}>"),
            key: format!("<{inner}arg_key{mark}>"),
            key_end: format!("</{inner}arg_key{mark}>"),
            value: format!("<{inner}arg_value{mark}>"),
            close: format!("</{prefix}{CALL}{mark}>"),
            bare: (!inner.is_empty()).then(|| Box::new(Self::of_words(prefix, "", mark))),
            marks: Vec::new(),
            words: vec![
                (Kind::ParameterEnd, format!("{inner}arg_value{mark}")),
                (Kind::CallEnd, format!("{prefix}{CALL}{mark}")),
            ],
        }
    }

    fn solar() -> Self {
        let [open, key, value, value_end, close] = SOLAR;
        Self {
            open: open.into(),
            key: key.into(),
            key_end: value.into(),
            value: value.into(),
            close: close.into(),
            bare: None,
            marks: vec![(Kind::ParameterEnd, value_end), (Kind::CallEnd, close)],
            words: Vec::new(),
        }
    }
}

/// What may stand behind the name.
const SEPARATOR: &str = "<tool_sep>";

/// The longest key, in bytes.
const KEY: usize = 200;
/// The longest value of a tool that is not known, in bytes.
const UNKNOWN: usize = 4096;

impl Format for Glm {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Mark("<")]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        let mut name = None;
        let mut close = String::new();
        let walked = call(seen, &mut name, &mut close);
        look(seen, walked, name, &close)
    }
}

impl Tags for Form {
    fn is_inline(&self) -> bool {
        true
    }

    fn tag<'a>(&self, seen: &Seen<'a>) -> Result<Option<Tag<'a>>, Short> {
        if seen.begins("</").ok_or(Short)? {
            return closer(seen, &self.words);
        }
        for (kind, mark) in &self.marks {
            if seen.begins(mark).ok_or(Short)? {
                let tag = Tag { kind: *kind, used: mark.len(), written: Written::Exactly, label: "", attributes: "" };
                return Ok(Some(tag));
            }
        }
        let opener = |kind, label, used| Tag { kind, used, written: Written::Exactly, label, attributes: "" };
        Ok(match seen.begins_any(&[&self.open, &self.key])? {
            Some(mark) if mark == self.key => {
                let label = self.label(&seen.skip(mark.len()))?;
                label.map(|label| opener(Kind::Parameter, label, mark.len()))
            }
            Some(mark) => shows_a_name(&seen.skip(mark.len()))?.then(|| opener(Kind::Call, "", mark.len())),
            None => None,
        })
    }

    fn begins_bare(&self, seen: &Seen<'_>) -> Result<bool, Short> {
        Ok(self.label(seen)?.is_some())
    }
}

impl Form {
    /// The key at the front, up to its own end.
    fn label<'a>(&self, seen: &Seen<'a>) -> Result<Option<&'a str>, Short> {
        let bytes = seen.text.as_bytes();
        let window = &bytes[..bytes.len().min(KEY)];
        let Some(end) = window.iter().position(|byte| matches!(byte, b'<' | b'\n')) else {
            return if seen.end || window.len() == KEY { Ok(None) } else { Err(Short) };
        };
        let ends = seen.skip(end).begins_any(&[&self.key_end, &self.value])?.is_some();
        Ok((ends && end > 0).then(|| seen.text[..end].trim()))
    }
}

/// Whether the name of a call follows its mark, as in a call that is shown whole.
fn shows_a_name(seen: &Seen<'_>) -> Result<bool, Short> {
    let text = seen.text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | ':'));
    match end {
        None if !seen.end && text.len() < KEY => Err(Short),
        None | Some(0) => Ok(false),
        Some(end) => match text[end..].trim_start().chars().next() {
            None if !seen.end => Err(Short),
            next => Ok(next == Some('<')),
        },
    }
}

fn call<'a>(seen: &Seen<'a>, name: &mut Option<&'a str>, close: &mut String) -> Step<Found> {
    let mut scan = Scan::new(*seen);
    let mut found = Found::marked();
    let wrapper = wrapper(&scan.ahead())?;
    scan.at += wrapper.map_or(0, str::len);
    scan.space();
    let mut form = &Form::of(&scan.ahead())?.ok_or(Stop::Not)?;
    close.clone_from(&form.close);
    scan.need(&form.open)?;
    scan.space();
    let mut called = scan.name()?;
    scan.eat_spaced(SEPARATOR)?;
    scan.space();
    if let Some(bare) = form.bare.as_deref()
        && scan.ahead().begins(&bare.key).ok_or(Stop::Short)?
    {
        form = bare;
    }
    let mut input = Map::new();
    let mut fused = fused(&scan, form, called)?;
    if let Some((tool, _)) = fused {
        called = tool;
    }
    while !scan.eat(&form.close)? {
        if scan.over() && !input.is_empty() {
            found.open = true;
            break;
        }
        let key = match fused.take() {
            Some((_, key)) => behind_key(&mut scan, form, key, &mut found)?,
            None => key(&mut scan, form, &mut found)?,
        };
        *name = Some(called);
        let value = value(&mut scan, form, called, key, &input, &mut found)?;
        let value = typed(value, seen.scope.parameter(called, key));
        if let Some(before) = input.insert(key.to_owned(), value)
            && before != input[key]
        {
            return Err(Stop::Not);
        }
        scan.space();
    }
    found.add(called, Value::Object(input));
    found.used = scan.at;
    let end = wrapper.map_or_else(|| "</tool_calls>".to_owned(), |wrapper| wrapper.replacen('<', "</", 1));
    if scan.eat_spaced(&end)? {
        found.used = scan.at;
    }
    Ok(found)
}

/// A tag around calls: their own with an `s`.
fn wrapper<'a>(seen: &Seen<'a>) -> Step<Option<&'a str>> {
    let bytes = seen.text.as_bytes();
    let Some(end) = bytes.iter().take(TAG).position(|byte| matches!(byte, b'>' | b'\n' | b' ')) else {
        return if seen.end || bytes.len() >= TAG { Ok(None) } else { Err(Stop::Short) };
    };
    let tag = &seen.text[..end];
    let whole = tag.starts_with('<') && !tag.starts_with("</") && tag.contains("tool_calls") && bytes[end] == b'>';
    Ok(whole.then(|| &seen.text[..=end]))
}

/// The tool and the key that a name is made of, where what opens the key was left out.
fn fused<'a>(scan: &Scan<'a>, form: &Form, called: &'a str) -> Step<Option<(&'a str, &'a str)>> {
    if scan.seen.scope.knows_as_it_is(called) || !scan.ahead().begins(&form.key_end).ok_or(Stop::Short)? {
        return Ok(None);
    }
    let split = |at: usize| {
        let (tool, key) = (&called[..at], &called[at..]);
        let known = scan.seen.scope.knows_as_it_is(tool) && scan.seen.scope.parameter(tool, key).is_some();
        known.then_some((tool, key))
    };
    let mut splits = called.char_indices().skip(1).filter_map(|(at, _)| split(at));
    let only = splits.next();
    Ok(only.filter(|_| splits.next().is_none()))
}

/// Takes a key up to its value; one of the tags before the key, behind it, or before the value may be missing.
fn key<'a>(scan: &mut Scan<'a>, form: &Form, found: &mut Found) -> Step<&'a str> {
    let mut opened = 0;
    while opened < 3 && scan.eat_any(&[&form.key, &form.open])?.is_some() {
        opened += 1;
        scan.space();
    }
    let key = form.label(&scan.ahead())?.ok_or(Stop::Not)?;
    let at = scan.rest().find('<').unwrap_or(0);
    scan.at += at;
    if opened != 1 {
        found.repairs.push(MISSING);
    }
    if key.is_empty() { Err(Stop::Not) } else { behind_key(scan, form, key, found) }
}

/// Takes what stands between a key and its value.
fn behind_key<'a>(scan: &mut Scan<'a>, form: &Form, key: &'a str, found: &mut Found) -> Step<&'a str> {
    let mut ends = 0;
    while ends < 3 && scan.eat(&form.key_end)? {
        ends += 1;
        scan.space();
    }
    let before = scan.at;
    typed_key(scan, form)?;
    let valued = ends > 0 && form.key_end == form.value || scan.eat_spaced(&form.value)?;
    if !valued {
        scan.at = before;
    }
    if ends != 1 || !valued {
        found.repairs.push(MISSING);
    }
    Ok(key)
}

/// Takes the type that some families write between a key and its value.
fn typed_key(scan: &mut Scan<'_>, form: &Form) -> Step<()> {
    let open = form.key.replace("arg_key", "arg_type");
    if open != form.key && scan.eat(&open)? {
        scan.upto(&open.replacen('<', "</", 1))?;
    }
    Ok(())
}

/// The parameters of the call that are not given yet.
struct Awaited<'g, 'a> {
    seen: Seen<'a>,
    tool: &'g str,
    given: &'g Map<String, Value>,
    key: &'g str,
}

impl Parameters for Awaited<'_, '_> {
    fn awaits(&self, key: &str) -> bool {
        key != self.key && !self.given.contains_key(key) && self.seen.scope.has_parameter(self.tool, key)
    }
}

fn value<'a>(
    scan: &mut Scan<'a>,
    form: &Form,
    tool: &str,
    key: &str,
    given: &Map<String, Value>,
    found: &mut Found,
) -> Step<&'a str> {
    let seen = scan.seen;
    let rest = scan.ahead();
    let body = if seen.scope.knows(tool) || rest.text.len() <= UNKNOWN {
        rest
    } else {
        let end = (0..=UNKNOWN).rev().find(|at| rest.text.is_char_boundary(*at)).unwrap_or(0);
        Seen { text: &rest.text[..end], end: true, ..rest }
    };
    let awaited = Awaited { seen, tool, given, key };
    let end = value_end(form, &body, &awaited).map_err(|_| Stop::Inside)?.ok_or(Stop::Not)?;
    scan.at += end.used;
    found.repairs.extend(end.repair);
    Ok(&body.text[..end.length])
}
#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn keys_and_values_with_a_tag_missing() {
        let both: &[&str] = &[r#"Bash{"command":"ls","timeout":5}"#];
        for body in [
            "<arg_key>command</arg_key><arg_value>ls</arg_value><arg_key>timeout</arg_key><arg_value>5</arg_value>",
            "\n<arg_key>command</arg_key>\n<arg_value>ls</arg_value>\n<arg_key>timeout</arg_key>\n<arg_value>5</arg_value>\n",
            "<arg_key>command</arg_key><arg_value>ls<arg_key>timeout</arg_key><arg_value>5</arg_value>",
            "<arg_key>command</arg_key><arg_value>ls</arg_value><arg_key>timeout</arg_key><arg_value>5",
            " command</arg_key><arg_value>ls</arg_value><arg_key>timeout</arg_key><arg_value>5</arg_value>",
            "<arg_key>command</arg_key>ls</arg_value><arg_key>timeout<arg_value>5</arg_value>",
            " command</arg_key>ls</arg_value>timeout</arg_key>5</arg_value>",
            "<arg_key>command<arg_value>ls<arg_key>timeout<arg_value>5",
        ] {
            check(&[(&format!("<tool_call>Bash{body}</tool_call>"), both)]);
        }
    }

    #[test]
    fn a_value_that_was_cut_is_not_completed() {
        let cut = "<tool_call>Bash<arg_key>command</arg_key><arg_value>ls";
        check(&[(cut, &["!Bash"])]);
    }
}
