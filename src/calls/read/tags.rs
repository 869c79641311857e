//! The tags in which several forms write calls, one at a time: exact ones, and closers that are nearly one.

use super::format::{Seen, Short};

/// What a tag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Opens a call.
    Call,
    CallEnd,
    /// Opens a parameter.
    Parameter,
    ParameterEnd,
    /// Closes what stands around calls.
    WrapEnd,
}

/// How well a closer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Exactly,
    /// Its whole word, and something more, or no bracket: it can hardly mean anything else.
    Nearly,
    /// The beginning of its word, or the word of another form. Elsewhere it may be a tag in its own right.
    Perhaps,
}

/// One tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) kind: Kind,
    pub(super) used: usize,
    pub(super) written: Written,
    /// The name or the key, as it stands.
    pub(super) label: &'a str,
    /// What else stands in the tag.
    pub(super) attributes: &'a str,
}

/// The tags of one form.
pub(super) trait Tags {
    /// Whether tags follow each other without line breaks, so that one in the middle of a line may be one of ours.
    fn is_inline(&self) -> bool {
        false
    }

    /// Whether a parameter begins here without its tag.
    ///
    /// # Errors
    /// [`Short`] when the text ends before that is known.
    fn begins_bare(&self, _seen: &Seen<'_>) -> Result<bool, Short> {
        Ok(false)
    }

    /// The tag at the front of the text, which begins with `<`.
    ///
    /// # Errors
    /// [`Short`] when the text ends before that is known.
    fn tag<'a>(&self, seen: &Seen<'a>) -> Result<Option<Tag<'a>>, Short>;
}

/// The closers of a form: the word of each, with its prefix, and what it closes.
pub(super) type Closers = [(Kind, String)];

/// Words that close a value or a call in one form or another.
const OTHERS: [(&str, Kind); 6] = [
    ("arg_value", Kind::ParameterEnd),
    ("arg_key", Kind::ParameterEnd),
    ("parameter", Kind::ParameterEnd),
    ("value", Kind::ParameterEnd),
    ("invoke", Kind::CallEnd),
    ("function", Kind::CallEnd),
];

/// The longest closer that is looked at, and the most that may stand in one behind its word, in bytes.
const LONGEST: usize = 64;
const MORE: usize = 16;
/// The least of a word by which it is told.
const LEAST: usize = 4;

/// The closer at the front of the text, which begins with `</`.
pub(super) fn closer<'a>(seen: &Seen<'a>, closers: &Closers) -> Result<Option<Tag<'a>>, Short> {
    let inside = &seen.text[2..];
    let end = inside.find(['>', '\n', '<']);
    let length = match end {
        Some(length) => length,
        None if inside.len() > LONGEST => return Ok(None),
        None if seen.end => inside.len(),
        None => return Err(Short),
    };
    if length > LONGEST {
        return Ok(None);
    }
    let (word, closed) = (&inside[..length], inside[length..].starts_with('>'));
    let found = told(word, closed, closers);
    let doubled = inside[length..].len() - inside[length..].trim_start_matches('>').len();
    Ok(found.map(|(kind, written)| Tag { kind, used: 2 + length + doubled, written, label: "", attributes: "" }))
}

/// What a closer with this word closes, and how well it is written.
fn told(word: &str, closed: bool, closers: &Closers) -> Option<(Kind, Written)> {
    if let Some((kind, _)) = closers.iter().find(|(_, known)| word.trim_end() == known && closed) {
        return Some((*kind, Written::Exactly));
    }
    let bare = word.trim_matches([' ', '/']);
    let nearly = |known: &str| {
        let more = bare.strip_prefix(known).filter(|more| more.len() <= MORE)?;
        // A plural is a word of its own.
        (more != "s").then_some(Written::Nearly)
    };
    let perhaps = |known: &str| (bare.len() >= LEAST && known.starts_with(bare)).then_some(Written::Perhaps);
    let by = |test: &dyn Fn(&str) -> Option<Written>| {
        closers.iter().find_map(|(kind, known)| test(known).map(|written| (*kind, written)))
    };
    let other = || OTHERS.iter().find(|(known, _)| *known == bare).map(|(_, kind)| (*kind, Written::Perhaps));
    by(&nearly).or_else(|| by(&perhaps)).or_else(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closers_are_told_by_their_words() {
        let closers = [(Kind::ParameterEnd, "parameter"), (Kind::CallEnd, "function"), (Kind::WrapEnd, "tool_call")];
        let closers = closers.map(|(kind, word)| (kind, word.to_owned()));
        let told = |word, closed| told(word, closed, &closers);
        assert_eq!(told("parameter", true), Some((Kind::ParameterEnd, Written::Exactly)));
        for (word, closed) in [
            ("parameter/", true),
            ("parameter1", true),
            ("parameter", false),
            ("parameter_function", true),
            ("parameterfunction", true),
            ("/parameter", true),
        ] {
            assert_eq!(told(word, closed), Some((Kind::ParameterEnd, Written::Nearly)), "{word}");
        }
        assert_eq!(told("param", true), Some((Kind::ParameterEnd, Written::Perhaps)));
        assert_eq!(told("functio", false), Some((Kind::CallEnd, Written::Perhaps)));
        assert_eq!(told("invoke", true), Some((Kind::CallEnd, Written::Perhaps)));
        assert_eq!(told("parameters", true), None);
        assert_eq!(told("div", true), None);
        assert_eq!(told("p", true), None);
    }
}
