//! Marks of a call that a server's parser has left in its arguments: at the end of a value, or in a key.
//!
//! Short text on one line can only be meant without them. In longer text they may be its own: that is not decided here.

use serde_json::{Map, Value};

use super::Schema;

/// Words of closing tags, and marks that stand around text.
const WORDS: [&str; 7] = ["parameter", "arg_value", "arg_key", "function", "tool_call", "invoke", "param"];
const QUOTES: [&str; 2] = ["<|\"|>", "<escape>"];
/// What may stand in front of a value.
const BEFORE: [&str; 4] = ["<|\"|>", "<escape>", "<arg_value>", "</arg_key>"];

/// Text that is longer may be about marks.
const SHORT: usize = 300;

/// What was found in the arguments of a call.
#[derive(Debug, PartialEq)]
pub(super) enum Left {
    Nothing,
    /// The arguments without the marks.
    Mended(Value),
    /// Where it is not certain what is meant.
    Doubt(String),
}

/// Looks for marks in the arguments of a tool with this schema.
pub(super) fn left(input: &Value, schema: Schema<'_>) -> Left {
    let Some(map) = input.as_object() else { return Left::Nothing };
    let (mut out, mut mended) = (Map::new(), false);
    for (key, value) in map {
        let Some(meant) = key_meant(key, map, schema) else { return Left::Doubt(key.clone()) };
        mended |= meant != key;
        let value = match value.as_str().map(text_meant) {
            Some(Text::Without(text)) => {
                mended = true;
                Value::from(text)
            }
            Some(Text::Doubt) => return Left::Doubt(meant.to_owned()),
            Some(Text::AsItIs) | None => value.clone(),
        };
        out.insert(meant.to_owned(), value);
    }
    if mended { Left::Mended(Value::Object(out)) } else { Left::Nothing }
}

/// The parameter that a key means: with marks in it, the only one of the tool that stands there and is not given.
fn key_meant<'a>(key: &'a str, given: &Map<String, Value>, schema: Schema<'_>) -> Option<&'a str> {
    if !key.contains(['<', '>']) || schema.property(key).is_some() {
        return Some(key);
    }
    let parts = key.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'));
    let mut known = parts.filter(|part| schema.property(part).is_some() && !given.contains_key(*part));
    known.next().filter(|_| known.next().is_none())
}

#[derive(Debug, PartialEq)]
enum Text<'a> {
    AsItIs,
    Without(&'a str),
    Doubt,
}

fn text_meant(text: &str) -> Text<'_> {
    let (mut core, mut marks, mut sure) = (text, 0, false);
    while let Some((rest, cut)) = without_last_mark(core) {
        marks += 1;
        sure |= cut || marks > 1;
        core = rest;
    }
    while let Some(rest) = BEFORE.iter().find_map(|mark| core.trim_start().strip_prefix(mark)) {
        (core, sure, marks) = (rest, true, marks + 1);
    }
    let own_line = core.ends_with('\n');
    let core = core.trim_end_matches(['\n', '\r']);
    match (marks, core.contains('\n') || core.len() > SHORT) {
        (0, _) => Text::AsItIs,
        (_, false) if sure || own_line => Text::Without(core),
        (_, true) if sure => Text::Doubt,
        _ => Text::AsItIs,
    }
}

/// The text without the mark at its end, which nothing in it opens; and whether that can hardly be its own.
fn without_last_mark(text: &str) -> Option<(&str, bool)> {
    let end = text.trim_end();
    if let Some(rest) = QUOTES.iter().find_map(|mark| end.strip_suffix(mark)) {
        return (!QUOTES.iter().any(|mark| rest.contains(mark))).then_some((rest, true));
    }
    let at = end.rfind("</")?;
    let tag = &end[at + 2..];
    let (word, cut) = tag.strip_suffix('>').map_or((tag, true), |word| (word, false));
    let opened = |word: &str| end[..at].contains(&format!("<{word}"));
    let known = WORDS.contains(&word) && !opened(word);
    known.then_some((&end[..at], cut || word.starts_with("arg_")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn marks_at_the_end_of_short_text_are_taken_off() {
        for (text, meant) in [
            ("tide.py\n</parameter", "tide.py"),
            ("low water<|\"|>", "low water"),
            ("tide.py\n</parameter>\n</function>\n</tool_call>", "tide.py"),
            ("tide.py</arg_value>", "tide.py"),
            ("</arg_key><arg_value>tide.py", "tide.py"),
            ("tide.py\n</parameter>", "tide.py"),
        ] {
            assert_eq!(text_meant(text), Text::Without(meant), "{text}");
        }
    }

    #[test]
    fn text_may_be_about_marks() {
        for text in [
            "tide.py",
            "a </parameter>",
            "<parameter name=\"x\">\n1\n</parameter>",
            "one\ntwo\n</parameter>",
            "/// the <c>x</c></param>",
            "echo '<|\"|>' '<|\"|>'",
            "grep '</function'",
        ] {
            assert_eq!(text_meant(text), Text::AsItIs, "{text}");
        }
        assert_eq!(text_meant("one\ntwo\n</parameter>\n</function>"), Text::Doubt);
        assert_eq!(text_meant("one\ntwo\n</parameter"), Text::Doubt);
    }

    #[test]
    fn a_key_with_marks_means_the_parameter_that_stands_in_it() {
        let schema = json!({"properties": {"file_path": {}, "limit": {}}});
        let look = |input: Value| left(&input, Schema::new(&schema));
        assert_eq!(look(json!({"<arg_key>file_path": "a"})), Left::Mended(json!({"file_path": "a"})));
        assert_eq!(look(json!({"file_path</arg_key>limit": "a"})), Left::Doubt("file_path</arg_key>limit".into()));
        assert_eq!(look(json!({"file_path": "a", "other": "b"})), Left::Nothing);
    }
}
