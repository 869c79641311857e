//! The words of calls that are tags with a name: which open and close them, and what may stand around them.

use super::format::{Found, Opening, Seen, Short};
use super::scan::{Scan, Step};
use super::tags::{Kind, Tag, Tags, Written, closer};
use super::value_end::NEAR;

/// How calls may begin: with any prefix.
pub(super) const OPENINGS: &[Opening] = &[Opening::Mark("<"), Opening::Line("<name>")];

/// The words for a call, and those for a parameter beside each.
const WORDS: [(&str, &[&str]); 3] =
    [("invoke", &["parameter"]), ("function", &["parameter", "param"]), ("call", &["arg"])];

/// What may stand around calls.
const WRAPPERS: [&str; 5] = ["tool_calls", "tool_call", "function_calls", "function_call", "function_invocation"];

/// Whole marks that may stand around calls, and those that close.
const OUTER: [&str; 6] = [
    "<｜tool_calls_begin｜>",
    "<｜tool_call_begin｜>",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁call▁begin｜>",
    "function<｜tool_sep｜>",
    "function<｜tool▁sep｜>",
];
const OUTER_END: [&str; 4] =
    ["<｜tool_call_end｜>", "<｜tool_calls_end｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"];

/// So many of them stand around a call in a row, at most.
const NESTED: usize = 4;

/// The longest word of a tag with its prefix, in bytes.
const WORD: usize = 40;
/// The longest tag, in bytes.
const LONGEST: usize = 200;

/// The tags of one call.
#[derive(Debug, Clone)]
pub(super) struct Form {
    /// The beginnings of its opening tags.
    openers: Vec<(Kind, String)>,
    closers: Vec<(Kind, String)>,
}

impl Form {
    pub(super) fn new(prefix: &str, call: &str) -> Self {
        let parameters = WORDS.iter().find(|(word, _)| *word == call).map_or(WORDS[0].1, |(_, words)| *words);
        let words =
            || std::iter::once((Kind::Call, call)).chain(parameters.iter().map(|word| (Kind::Parameter, *word)));
        let openers = words().map(|(kind, word)| (kind, format!("<{prefix}{word}"))).collect();
        let ends = words().map(|(kind, word)| {
            (if kind == Kind::Call { Kind::CallEnd } else { Kind::ParameterEnd }, format!("{prefix}{word}"))
        });
        let wraps = WRAPPERS.iter().map(|word| (Kind::WrapEnd, (*word).to_owned()));
        Self { openers, closers: ends.chain(wraps).collect() }
    }
}

impl Tags for Form {
    fn tag<'a>(&self, seen: &Seen<'a>) -> Result<Option<Tag<'a>>, Short> {
        if seen.begins("</").ok_or(Short)? {
            let rest = seen.skip(2);
            if let Some(used) = wrapper(&rest)? {
                return Ok(Some(Tag {
                    kind: Kind::WrapEnd,
                    used: 2 + used,
                    written: Written::Exactly,
                    label: "",
                    attributes: "",
                }));
            }
            return closer(seen, &self.closers);
        }
        if let Some(mark) = seen.begins_any(&OUTER_END)? {
            let tag =
                Tag { kind: Kind::WrapEnd, used: mark.len(), written: Written::Exactly, label: "", attributes: "" };
            return Ok(Some(tag));
        }
        for (kind, open) in &self.openers {
            if seen.begins(open).ok_or(Short)?
                && let Some((label, attributes, used)) = named(&seen.skip(open.len()))?
            {
                let used = open.len() + used;
                return Ok(Some(Tag { kind: *kind, used, written: Written::Exactly, label, attributes }));
            }
        }
        Ok(None)
    }
}

/// The name in `=NAME>` or ` name="NAME" …>`, what else stands there, and the bytes of all of it.
fn named<'a>(seen: &Seen<'a>) -> Result<Option<(&'a str, &'a str, usize)>, Short> {
    let bytes = seen.text.as_bytes();
    let (mut quoted, mut close) = (false, None);
    for (at, byte) in bytes.iter().take(LONGEST).enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted || bytes.starts_with(b"=") => close = Some(at),
            b'\n' => return Ok(None),
            _ => continue,
        }
        if close.is_some() {
            break;
        }
    }
    let Some(close) = close else {
        return if seen.end || bytes.len() >= LONGEST { Ok(None) } else { Err(Short) };
    };
    let inside = &seen.text[..close];
    if let Some(name) = inside.strip_prefix('=') {
        return Ok(Some((name, "", close + 1)));
    }
    let Some(value) =
        inside.trim_start().strip_prefix("name").map(str::trim_start).and_then(|rest| rest.strip_prefix('='))
    else {
        return Ok(None);
    };
    let value = value.trim_start();
    let (name, rest) = match value.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
        Some((name, rest)) => (name, rest),
        None => (value, ""),
    };
    Ok(Some((name, rest, close + 1)))
}

/// The word of a tag, and the prefix before it; the text stands behind its bracket.
fn word<'a, 'w>(seen: &Seen<'a>, words: impl Iterator<Item = &'w str>) -> Result<Option<(&'a str, &'w str)>, Short> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '|' | '｜' | '‖' | '▁');
    let length = seen.text.char_indices().take_while(|(at, c)| *at < WORD && inside(*c)).last();
    let length = length.map_or(0, |(at, c)| at + c.len_utf8());
    if length == seen.text.len() && !seen.end && length < WORD {
        return Err(Short);
    }
    let run = &seen.text[..length];
    let parted = |prefix: &str| prefix.is_empty() || prefix.ends_with(['_', ':', '|', '｜', '‖']);
    let found = words.filter_map(|word| Some((run.strip_suffix(word)?, word))).filter(|(prefix, _)| parted(prefix));
    Ok(found.max_by_key(|(_, word)| word.len()))
}

/// What stands around calls, up to its bracket, in so many bytes; some families hang a mark of their own on its name.
fn wrapper(seen: &Seen<'_>) -> Result<Option<usize>, Short> {
    let Some(end) = seen.text.bytes().take(WORD).position(|byte| matches!(byte, b'>' | b'\n' | b' ' | b'<')) else {
        return if seen.end || seen.text.len() >= WORD { Ok(None) } else { Err(Short) };
    };
    if !seen.text[end..].starts_with('>') {
        return Ok(None);
    }
    let inside = &seen.text[..end];
    let hash = |mark: &str| mark.len() >= 6 && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
    let inside = inside.rsplit_once(':').filter(|(_, mark)| hash(mark)).map_or(inside, |(word, _)| word);
    let known = word(&Seen { text: inside, end: true, ..*seen }, WRAPPERS.iter().copied())?;
    Ok(known.filter(|(prefix, word)| prefix.len() + word.len() == inside.len()).map(|_| end + 1))
}

/// Takes the tag that opens a call.
pub(super) fn opening<'a>(scan: &mut Scan<'a>) -> Step<Option<(Form, &'a str)>> {
    let before = scan.at;
    if scan.eat("<")?
        && let Some((prefix, word)) = word(&scan.ahead(), WORDS.iter().map(|(word, _)| *word))?
    {
        scan.at += prefix.len() + word.len();
        if let Some((name, _, used)) = named(&scan.ahead())?
            && !name.is_empty()
            && !name.split("<|").next().unwrap_or_default().contains('<')
            && !(word == "call" && scan.rest().starts_with('='))
        {
            scan.at += used;
            return Ok(Some((Form::new(prefix, word), name)));
        }
    }
    scan.at = before;
    Ok(None)
}

/// Takes the marks that stand before a call.
pub(super) fn wrappers(scan: &mut Scan<'_>) -> Step<()> {
    for _ in 0..NESTED {
        scan.space();
        if scan.eat_any(&OUTER)?.is_some() {
            continue;
        }
        let before = scan.at;
        if scan.eat("<")?
            && let Some(used) = wrapper(&scan.ahead())?
        {
            scan.at += used;
            continue;
        }
        scan.at = before;
        break;
    }
    Ok(())
}

/// Takes the marks that close what stands around a call.
pub(super) fn closers(scan: &mut Scan<'_>, form: &Form, found: &mut Found) -> Step<()> {
    for _ in 0..NESTED {
        scan.space();
        scan.next()?;
        let rest = scan.ahead();
        let tag = if rest.text.starts_with('<') { form.tag(&rest)? } else { None };
        let Some(tag) = tag.filter(|tag| tag.kind == Kind::WrapEnd && tag.written != Written::Perhaps) else { break };
        found.repairs.extend((tag.written != Written::Exactly).then_some(NEAR));
        scan.at += tag.used;
        found.used = scan.at;
    }
    Ok(())
}
