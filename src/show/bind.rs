//! The JSON Schema that binds a reply: one call of a shown tool, a parked name with a free object, or an answer.

use serde_json::{Value, json};

use super::choice::Choice;
use super::safe_schema;
use crate::calls::ANSWER;
use crate::rules::{CallForm, ChannelKind, ModelProfile};
use crate::trim::{Head, ShownTool};

/// Binds replies, in the form in which the model is shown calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bind {
    form: CallForm,
}

impl Bind {
    /// `None` where nothing is bound.
    pub(crate) fn of(kind: ChannelKind, model: &ModelProfile) -> Option<Self> {
        (kind == ChannelKind::Constrained).then(|| Self { form: model.call_form(kind) })
    }

    /// The schema of a whole reply. `open` are the parked tools that may be called.
    pub(crate) fn reply(self, head: &Head, own: &[ShownTool], choice: &Choice, open: impl Fn(&str) -> bool) -> Value {
        let mut kinds = Vec::new();
        if *choice != Choice::None {
            let core = head.core.iter().chain(own).filter(|tool| choice.allows(&tool.client.name));
            kinds.extend(core.map(|tool| self.call(&tool.client.name, &tool.schema)));
            let parked = head.parked.iter().map(|tool| tool.client.name.as_str());
            kinds.extend(
                self.any_arguments(parked.filter(|name| choice.allows(name) && (open(name) || choice.is(name)))),
            );
        }
        if matches!(choice, Choice::Auto | Choice::None) {
            kinds.push(self.answer());
        }
        any_of(kinds).unwrap_or_else(|| self.answer())
    }

    /// The schema of a reply that calls this one tool, with these arguments.
    pub(crate) fn call(self, name: &str, arguments: &Value) -> Value {
        let mut arguments = safe_schema::binding(arguments);
        require_text(&mut arguments);
        self.one(name, arguments)
    }

    /// The schema of a reply that is one of these calls: names, and schemas of their arguments. `None` where there is none.
    pub(crate) fn one_of(self, calls: &[(String, Value)]) -> Option<Value> {
        any_of(calls.iter().map(|(name, arguments)| self.call(name, arguments)).collect())
    }

    /// The schema of a reply that only answers.
    fn answer(self) -> Value {
        let text = json!({"type": "string", "minLength": 1});
        let text = if self.form == CallForm::Keyed { text } else { object("text", text) };
        self.one(ANSWER, text)
    }

    /// The schema of a reply that has this name.
    fn one(self, name: &str, arguments: Value) -> Value {
        match self.form {
            CallForm::Keyed => object(name, arguments),
            _ => named(&[name], &arguments),
        }
    }

    /// The schemas of replies that have one of these names, and whatever arguments.
    fn any_arguments<'a>(self, names: impl Iterator<Item = &'a str>) -> Vec<Value> {
        let free = json!({"type": "object"});
        let names: Vec<&str> = names.collect();
        match self.form {
            CallForm::Keyed => names.into_iter().map(|name| object(name, free.clone())).collect(),
            _ if names.is_empty() => Vec::new(),
            _ => vec![named(&names, &free)],
        }
    }
}

/// One of several; `None` where there is none: servers refuse an empty `anyOf`.
pub(crate) fn any_of(mut kinds: Vec<Value>) -> Option<Value> {
    if kinds.len() < 2 { kinds.pop() } else { Some(json!({"anyOf": kinds})) }
}

/// The schema of a reply that has one of these names.
fn named(names: &[&str], arguments: &Value) -> Value {
    json!({
        "type": "object", "properties": {"name": {"enum": names}, "arguments": arguments},
        "required": ["name", "arguments"], "additionalProperties": false,
    })
}

/// The schema of an object with this one key.
fn object(key: &str, value: Value) -> Value {
    json!({"type": "object", "properties": {key: value}, "required": [key], "additionalProperties": false})
}

/// A required text that may not be empty, but where the empty one has a sense: the new text of a replacement.
fn require_text(schema: &mut Value) {
    let required: Vec<String> = strings(&schema["required"]);
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (key, property) in properties {
        let text = property["type"] == "string" && property.get("enum").is_none() && property.get("pattern").is_none();
        if text && required.contains(key) && !may_be_empty(key) && property.get("minLength").is_none() {
            property["minLength"] = json!(1);
        }
    }
}

/// Replacing by nothing is deleting, and an empty file is a file.
fn may_be_empty(key: &str) -> bool {
    key.starts_with("new_") || key.contains("content")
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trim::ParkedTool;
    use crate::wire::Tool;

    fn tool(name: &str) -> Tool {
        Tool {
            name: name.into(),
            description: "".into(),
            input_schema: json!({}).into(),
            defer_loading: false,
            server_type: None,
        }
    }

    fn head() -> Head {
        let schema = json!({"type": "object", "properties": {"old_text": {"type": "string"}, "new_text": {"type": "string"}}, "required": ["old_text", "new_text"]});
        Head {
            core: vec![ShownTool { client: tool("Swap"), description: String::new(), schema }],
            parked: vec![ParkedTool { client: tool("Plan"), words: String::new(), late: false }],
            ..Head::default()
        }
    }

    const BIND: Bind = Bind { form: CallForm::Json };

    fn fits(schema: &Value, reply: Value) -> bool {
        jsonschema::validator_for(schema).unwrap().is_valid(&reply)
    }

    #[test]
    fn a_bound_reply_is_a_call_a_parked_name_or_an_answer() {
        let schema = BIND.reply(&head(), &[], &Choice::Auto, |_| true);
        assert!(fits(&schema, json!({"name": "Swap", "arguments": {"old_text": "a", "new_text": ""}})));
        assert!(!fits(&schema, json!({"name": "Swap", "arguments": {"old_text": "", "new_text": "b"}})));
        assert!(!fits(&schema, json!({"name": "Swap", "arguments": {"old": "a", "new_text": "b"}})));
        assert!(fits(&schema, json!({"name": "Plan", "arguments": {"x": 1}})));
        assert!(!fits(&schema, json!({"name": "Other", "arguments": {}})));
        assert!(fits(&schema, json!({"name": "Answer", "arguments": {"text": "hi"}})));
    }

    #[test]
    fn a_keyed_reply_has_the_name_as_its_key() {
        let schema = Bind { form: CallForm::Keyed }.reply(&head(), &[], &Choice::Auto, |_| true);
        assert!(fits(&schema, json!({"Swap": {"old_text": "a", "new_text": ""}})));
        assert!(!fits(&schema, json!({"Swap": {"old_text": "", "new_text": "b"}})));
        assert!(fits(&schema, json!({"Plan": {"x": 1}})));
        assert!(!fits(&schema, json!({"Other": {}})));
        assert!(fits(&schema, json!({"Answer": "hi"})));
    }

    #[test]
    fn a_parked_tool_that_is_not_open_yet_cannot_be_called() {
        let schema = BIND.reply(&head(), &[], &Choice::Auto, |_| false);
        assert!(!fits(&schema, json!({"name": "Plan", "arguments": {"x": 1}})));
        let schema = BIND.reply(&head(), &[], &Choice::Tool("Plan".into()), |_| false);
        assert!(fits(&schema, json!({"name": "Plan", "arguments": {"x": 1}})));
    }

    #[test]
    fn where_nothing_can_be_called_an_answer_is_all_that_is_left() {
        for choice in [Choice::Auto, Choice::Any, Choice::None, Choice::Tool("Gone".into())] {
            let schema = BIND.reply(&Head::default(), &[], &choice, |_| true);
            assert_eq!(schema, BIND.answer(), "{choice:?}");
        }
    }

    #[test]
    fn a_choice_of_the_client_narrows_it() {
        let must = BIND.reply(&head(), &[], &Choice::Any, |_| true);
        assert!(!fits(&must, json!({"name": "Answer", "arguments": {"text": "hi"}})));
        let one = BIND.reply(&head(), &[], &Choice::Tool("Plan".into()), |_| true);
        assert!(!fits(&one, json!({"name": "Swap", "arguments": {"old_text": "a", "new_text": "b"}})));
        let none = BIND.reply(&head(), &[], &Choice::None, |_| true);
        assert!(!fits(&none, json!({"name": "Plan", "arguments": {}})));
    }
}
