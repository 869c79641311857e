//! How much a body takes up once it is read: JSON of very many small values grows by up to three hundred times.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Unreadable, parse_lossy};

/// The most values that a field may hold that is read. A session of a thousand messages has ten thousand.
const MOST_VALUES: usize = 100_000;

/// Schemas of tools stay unread, and there may be more.
const MOST_VALUES_OF_TOOLS: usize = 400_000;

/// The largest field that is only carried and yet read, in bytes.
const MODERATE: usize = 1 << 20;

/// Fields that are read; all others are only carried.
pub(super) const READ: [&str; 7] = ["model", "system", "tools", "messages", "max_tokens", "stream", "stop_sequences"];

/// Whether a body can be read without taking up many times its size. What is no JSON object is not judged here.
///
/// # Errors
/// When a field that has to be read holds too many values.
pub fn is_readable(body: &[u8]) -> Result<(), Unreadable> {
    // As many values as commas, about. Looking for these costs next to nothing.
    if memchr::memchr_iter(b',', body).count() <= MOST_VALUES {
        return Ok(());
    }
    let Ok(parts) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(body) else { return Ok(()) };
    for (name, part) in parts.into_iter().filter(|(name, _)| READ.contains(&name.as_str())) {
        let most = if name == "tools" { MOST_VALUES_OF_TOOLS } else { MOST_VALUES };
        if values_in(part.get()) > most {
            return Err(Unreadable(format!("`{name}` holds more than {most} values")));
        }
    }
    Ok(())
}

/// A field that is only carried. Nobody looks into one that is as large as a request: it is known by its name alone.
pub(super) fn carried(raw: &RawValue) -> Result<Value, Unreadable> {
    let text = raw.get();
    if text.len() > MODERATE || values_in(text) > MOST_VALUES { Ok(Value::Null) } else { parse_lossy(text.as_bytes()) }
}

/// How many values JSON text holds, about.
fn values_in(json: &str) -> usize {
    let (mut rest, mut count) = (json.as_bytes(), 1);
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b',' | b'[' | b'{')) {
        count += usize::from(rest[at] != b'"');
        rest = if rest[at] == b'"' { behind_string(&rest[at + 1..]) } else { &rest[at + 1..] };
    }
    count
}

/// What stands behind a string that has begun.
fn behind_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        if rest[at] == b'"' {
            return &rest[at + 1..];
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_what_strings_hold_is_not() {
        let cases = [("1", 1), ("[1,2,3]", 4), (r#"{"a":[],"b":"[,{\\\",,"}"#, 4), (r#"["\\",1]"#, 3), ("\"", 1)];
        for (json, count) in cases {
            assert_eq!(values_in(json), count, "{json}");
        }
    }

    #[test]
    fn a_body_of_very_many_values_is_not_read_and_one_of_much_text_is() {
        let zeros = format!("[0{}]", ",0".repeat(600_000));
        let judge = |fields: &str| is_readable(format!("{{\"model\":\"m\",{fields}}}").as_bytes());
        for field in ["messages", "system", "stop_sequences"] {
            assert!(judge(&format!("\"{field}\":{zeros}")).unwrap_err().0.contains(field));
        }
        let tool = format!("\"tools\":[{{\"name\":\"A\",\"input_schema\":{zeros}}}]");
        assert!(judge(&tool).unwrap_err().0.contains("tools"));
        assert!(judge(&format!("\"novel\":{zeros}")).is_ok());
        let text = "a,[{".repeat(400_000);
        assert!(judge(&format!("\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]")).is_ok());
    }

    #[test]
    fn a_field_that_is_only_carried_is_read_where_it_is_moderate() {
        let carry = |text: String| carried(&RawValue::from_string(text).unwrap()).unwrap();
        assert_eq!(carry(r#"{"a":"\ud83d"}"#.into()), serde_json::json!({"a": "\u{fffd}"}));
        assert_eq!(carry(format!("[0{}]", ",0".repeat(200_000))), Value::Null);
        assert_eq!(carry(format!("\"{}\"", "x".repeat(2 << 20))), Value::Null);
    }
}
