//! JSON as models write it: strict first, then lenient with a list of what was mended. Prose is refused, and nothing is
//! ever invented.

mod lenient;

use serde_json::Value;

/// What reading one value from the front of a text came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    /// A whole value, how many bytes it took, and what had to be mended, in order of kind.
    Whole { value: Value, used: usize, fixes: Vec<Fix> },
    /// The text ends inside of a value.
    More,
    /// This is no JSON that we would read.
    Bad,
}

/// One kind of damage that is mended because it can only mean one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fix {
    TrailingComma,
    SingleQuotes,
    PythonLiteral,
    BareKey,
    Comment,
    MissingCloser,
    RawControl,
    InvalidEscape,
    LoneSurrogate,
    LeadingZero,
    Tuple,
    WidePunctuation,
}

impl Fix {
    /// The kind, as it is counted in a report.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::TrailingComma => "json-trailing-comma",
            Self::SingleQuotes => "json-single-quotes",
            Self::PythonLiteral => "json-python-literal",
            Self::BareKey => "json-bare-key",
            Self::Comment => "json-comment",
            Self::MissingCloser => "json-missing-closer",
            Self::RawControl => "json-raw-control",
            Self::InvalidEscape => "json-invalid-escape",
            Self::LoneSurrogate => "json-lone-surrogate",
            Self::LeadingZero => "json-leading-zero",
            Self::Tuple => "json-tuple",
            Self::WidePunctuation => "json-wide-punctuation",
        }
    }
}

/// Reads one value from the front of `text`; what follows it is not looked at. `end`: nothing more will come.
///
/// What is read from a text is also read from any longer text that begins with it.
pub(super) fn read(text: &str, end: bool) -> Reading {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match stream.next() {
        Some(Ok(value)) if value.is_object() || value.is_array() => {
            Reading::Whole { value, used: stream.byte_offset(), fixes: Vec::new() }
        }
        Some(Err(error)) if error.is_eof() && !end => Reading::More,
        _ => lenient::read(text, end),
    }
}

/// Reads one value as a Python or JavaScript literal: leniently from the start.
pub(super) fn read_literal(text: &str, end: bool) -> Reading {
    lenient::read(text, end)
}

/// The value that a text begins with, where it is whole, and the kinds of what had to be mended.
pub(crate) fn first(text: &str) -> Option<(Value, Vec<&'static str>)> {
    match read(text, true) {
        Reading::Whole { value, fixes, .. } if !fixes.contains(&Fix::MissingCloser) => {
            Some((value, fixes.into_iter().map(Fix::kind).collect()))
        }
        _ => None,
    }
}

/// The whole text as one value, with nothing but space around it.
pub(super) fn read_whole(text: &str) -> Option<(Value, Vec<Fix>)> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some((value, Vec::new()));
    }
    match lenient::read(text, true) {
        Reading::Whole { value, used, fixes } if text[used..].trim().is_empty() => Some((value, fixes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
