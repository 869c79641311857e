//! The JSON Schema of a tool's input, as it came: read when somebody looks at it. Most tools stay parked, and nobody does.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use serde_json::value::RawValue;

use super::parse_lossy;

/// The JSON Schema of a tool's input. Shared: a tool is copied more often than read.
#[derive(Debug, Clone)]
pub struct InputSchema(Arc<Lazy>);

/// One of both is there from the beginning.
#[derive(Debug, Default)]
struct Lazy {
    text: OnceLock<Box<str>>,
    value: OnceLock<Value>,
}

/// Deeper JSON than this many brackets can make is read at once: it may be too deep to be read.
const SURELY_READABLE: usize = 120;

impl InputSchema {
    /// The schema as the client wrote it.
    pub fn text(&self) -> &str {
        self.0.text.get_or_init(|| self.to_string().into())
    }

    fn of_text(text: Box<str>) -> Self {
        Self(Arc::new(Lazy { text: text.into(), value: OnceLock::new() }))
    }
}

impl Deref for InputSchema {
    type Target = Value;

    fn deref(&self) -> &Value {
        let read = || self.0.text.get().and_then(|text| parse_lossy(text.as_bytes()).ok());
        // What cannot be read was refused when it came.
        self.0.value.get_or_init(|| read().unwrap_or_default())
    }
}

impl From<Value> for InputSchema {
    fn from(value: Value) -> Self {
        Self(Arc::new(Lazy { text: OnceLock::new(), value: value.into() }))
    }
}

impl PartialEq for InputSchema {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<'de> Deserialize<'de> for InputSchema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Box<str> = Box::<RawValue>::deserialize(deserializer)?.into();
        if memchr::memchr2_iter(b'{', b'[', text.as_bytes()).nth(SURELY_READABLE).is_some() {
            parse_lossy::<Value>(text.as_bytes()).map_err(D::Error::custom)?;
        }
        Ok(Self::of_text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> serde_json::Result<InputSchema> {
        serde_json::from_str(text)
    }

    #[test]
    fn text_and_value_are_of_the_same_schema() {
        let schema = read(r#"{ "type": "object" }"#).unwrap();
        assert_eq!((schema.text(), &*schema), (r#"{ "type": "object" }"#, &json!({"type": "object"})));
        let schema = InputSchema::from(json!({"type": "object"}));
        assert_eq!((schema.text(), &*schema), (r#"{"type":"object"}"#, &json!({"type": "object"})));
    }

    #[test]
    fn half_an_emoji_is_no_hindrance() {
        assert_eq!(read(r#"{"title":"x\ud83d"}"#).unwrap()["title"], "x\u{fffd}");
    }

    #[test]
    fn what_is_too_deep_is_refused_when_it_comes() {
        let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&deep(100)).unwrap().is_array());
        assert!(read(&deep(200)).is_err());
    }
}
