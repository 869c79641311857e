//! A call, written into text in the form of a family.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Value, json};
use std::io;

use crate::calls::ANSWER;
use crate::rules::CallForm;

/// One call as the family writes it.
pub(crate) fn call(form: CallForm, name: &str, input: &Value) -> String {
    match form {
        CallForm::Json => spaced(&json!({"name": name, "arguments": input})),
        CallForm::Keyed => json!({name: input}).to_string(),
        CallForm::Hermes => format!("<tool_call>\n{}\n</tool_call>", call(CallForm::Json, name, input)),
        CallForm::Llama => spaced(&json!({"name": name, "parameters": input})),
        CallForm::Mistral => format!("[TOOL_CALLS]{}", spaced(&json!([{"name": name, "arguments": input}]))),
        CallForm::QwenXml => qwen_xml(name, input),
        CallForm::Glm => glm(name, input),
    }
}

/// A bound answer, in the form of the calls beside it.
pub(crate) fn answer(form: CallForm, text: &str) -> String {
    let text = if form == CallForm::Keyed { json!(text) } else { json!({"text": text}) };
    call(form, ANSWER, &text)
}

fn qwen_xml(name: &str, input: &Value) -> String {
    let parameter = |(key, value)| format!("<parameter={key}>\n{}\n</parameter>\n", plain(value));
    let parameters: Vec<String> = fields(input).map(parameter).collect();
    format!("<tool_call>\n<function={name}>\n{}</function>\n</tool_call>", parameters.concat())
}

fn glm(name: &str, input: &Value) -> String {
    let argument = |(key, value)| format!("<arg_key>{key}</arg_key>\n<arg_value>{}</arg_value>\n", plain(value));
    let arguments: Vec<String> = fields(input).map(argument).collect();
    format!("<tool_call>{name}\n{}</tool_call>", arguments.concat())
}

fn fields(input: &Value) -> impl Iterator<Item = (&String, &Value)> {
    input.as_object().into_iter().flatten()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| spaced(value), str::to_owned)
}

/// JSON with a space behind `:` and `,`, as most models write it on one line.
pub(crate) fn spaced(value: &Value) -> String {
    let mut out = Vec::new();
    match value.serialize(&mut Serializer::with_formatter(&mut out, Spaced)) {
        Ok(()) => String::from_utf8(out).unwrap_or_default(),
        Err(_) => value.to_string(),
    }
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_spaces_and_keeps_the_order_of_keys() {
        let text = call(CallForm::Json, "Grep", &json!({"pattern": "a,b:c", "n": [1, {"x": true}]}));
        assert_eq!(text, r#"{"name": "Grep", "arguments": {"pattern": "a,b:c", "n": [1, {"x": true}]}}"#);
    }

    #[test]
    fn each_family_has_its_form() {
        let input = json!({"path": "a b", "n": 2});
        let written = |form| call(form, "Look", &input);
        assert_eq!(
            written(CallForm::QwenXml),
            "<tool_call>\n<function=Look>\n<parameter=path>\na b\n</parameter>\n<parameter=n>\n2\n</parameter>\n</function>\n</tool_call>"
        );
        assert_eq!(
            written(CallForm::Glm),
            "<tool_call>Look\n<arg_key>path</arg_key>\n<arg_value>a b</arg_value>\n<arg_key>n</arg_key>\n<arg_value>2</arg_value>\n</tool_call>"
        );
        assert_eq!(
            written(CallForm::Mistral),
            r#"[TOOL_CALLS][{"name": "Look", "arguments": {"path": "a b", "n": 2}}]"#
        );
        assert_eq!(written(CallForm::Llama), r#"{"name": "Look", "parameters": {"path": "a b", "n": 2}}"#);
        assert_eq!(
            written(CallForm::Hermes),
            "<tool_call>\n{\"name\": \"Look\", \"arguments\": {\"path\": \"a b\", \"n\": 2}}\n</tool_call>"
        );
    }
}
