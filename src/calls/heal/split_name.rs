//! A name that a server cut too late: GLM's arguments still hang on it.

use serde_json::{Map, Value};

/// The name, and the arguments that stand in it as `<arg_key>K</arg_key><arg_value>V</arg_value>`; `None` when there are
/// none, or one is not whole.
pub(super) fn split(name: &str) -> Option<(&str, Value)> {
    let at = name.find("<arg_key>")?;
    let mut rest = name[at..].trim();
    let mut input = Map::new();
    while !rest.is_empty() {
        let (key, value) = rest.strip_prefix("<arg_key>")?.split_once("</arg_key>")?;
        let (value, more) = value.trim_start().strip_prefix("<arg_value>")?.split_once("</arg_value>")?;
        input.insert(key.trim().to_owned(), Value::String(value.to_owned()));
        rest = more.trim().strip_prefix("</tool_call>").unwrap_or(more.trim());
    }
    Some((name[..at].trim(), Value::Object(input)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_in_a_name_are_found_when_whole() {
        let name = "read<arg_key>filePath</arg_key><arg_value>/a b</arg_value>";
        assert_eq!(split(name), Some(("read", json!({"filePath": "/a b"}))));
        assert_eq!(split("read<arg_key>filePath</arg_key><arg_value>/a"), None);
        assert_eq!(split("read"), None);
    }
}
