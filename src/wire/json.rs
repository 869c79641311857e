//! JSON as clients really write it.

use serde::de::DeserializeOwned;

/// No prompt and no answer has so many tokens; a larger count is a fault of the server, and sums of such would overflow.
const MOST_TOKENS: u64 = 1 << 40;

/// A count of tokens in an object; `None` where there is none that can be believed.
pub(super) fn count_in(value: &serde_json::Value, key: &str) -> Option<u64> {
    value.get(key).and_then(serde_json::Value::as_u64).filter(|count| *count < MOST_TOKENS)
}

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Parses JSON; half a surrogate pair (a client that cut a string in the middle of an emoji) is read as U+FFFD.
///
/// # Errors
/// When the bytes are not JSON even so.
pub fn parse_lossy<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(bytes).or_else(|error| {
        replace_lone_surrogates(bytes)
            .and_then(|mended| serde_json::from_slice(&mended).ok())
            .ok_or_else(|| Unreadable(error.to_string()))
    })
}

/// The bytes with every lone `\uD800`-`\uDFFF` escape replaced; `None` when there is none.
pub(super) fn replace_lone_surrogates(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.to_vec();
    let mut changed = false;
    let mut at = 0;
    while at + 1 < out.len() {
        if out[at] != b'\\' {
            at += 1;
            continue;
        }
        match (escape_at(&out, at), escape_at(&out, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 12,
            (Some(0xD800..=0xDFFF), _) => {
                out[at + 2..at + 6].copy_from_slice(b"fffd");
                changed = true;
                at += 6;
            }
            _ => at += 2,
        }
    }
    changed.then_some(out)
}

/// The code unit of a `\uXXXX` escape that starts at `at`.
fn escape_at(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn half_an_emoji_is_not_fatal() {
        assert_eq!(parse_lossy::<Value>(br#"{"a":"x\ud83d"}"#).unwrap(), json!({"a": "x\u{fffd}"}));
    }

    #[test]
    fn whole_pairs_and_escaped_backslashes_are_kept() {
        assert_eq!(parse_lossy::<Value>(br#""\ud83d\ude00\\ud83d""#).unwrap(), json!("😀\\ud83d"));
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        assert!(parse_lossy::<Value>(b"hello").is_err());
    }
}
