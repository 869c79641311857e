//! An answer that the client wants as JSON of a schema: found in what the model said, and mended where only one thing can
//! be meant.

use serde_json::Value;

use crate::calls::heal::{Schema, heal};
use crate::calls::json;
use crate::rules::Lexicon;
use crate::wire::{InputSchema, Tool};

/// The JSON in an answer: the whole of it as it came where it fits; else the first value that can be made to fit, and what
/// was mended. `None` where there is none.
pub(super) fn json_in(said: &str, schema: &Value, lexicon: &Lexicon) -> Option<(String, Vec<&'static str>)> {
    let said = said.trim();
    let schema: InputSchema = schema.clone().into();
    if let Ok(value) = serde_json::from_str::<Value>(said)
        && Schema::new(&schema).root().faults(&value).is_empty()
    {
        return Some((said.to_owned(), Vec::new()));
    }
    let starts = said.match_indices(['{', '[']).map(|(at, _)| &said[at..]);
    starts.take(MOST_TRIES).find_map(|text| fitting(text, &schema, lexicon))
}

/// So many places are tried where a value may begin.
const MOST_TRIES: usize = 32;

fn fitting(text: &str, schema: &InputSchema, lexicon: &Lexicon) -> Option<(String, Vec<&'static str>)> {
    let (value, mut repairs) = json::first(text)?;
    if Schema::new(schema).root().faults(&value).is_empty() {
        return Some((value.to_string(), [vec!["json-answer-found"], repairs].concat()));
    }
    let tool = Tool { input_schema: schema.clone(), ..Tool::of_unknown_schema("answer") };
    let healed = heal("answer", value, &[tool], lexicon).ok()?;
    repairs.extend(healed.repairs.iter().map(|repair| repair.kind()));
    Some((healed.input.to_string(), [vec!["json-answer-found"], repairs].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(said: &str) -> Option<String> {
        let schema = json!({"type": "object", "required": ["ok"], "additionalProperties": false,
            "properties": {"ok": {"type": "boolean"}, "why": {"type": "string"}}});
        json_in(said, &schema, &Lexicon::default()).map(|(text, _)| text)
    }

    #[test]
    fn what_fits_is_left_as_it_came() {
        assert_eq!(found("{ \"ok\" : true }\n").as_deref(), Some("{ \"ok\" : true }"));
    }

    #[test]
    fn json_in_a_fence_or_behind_a_sentence_is_taken_out() {
        for said in
            ["```json\n{\"ok\": true}\n```", "It holds [1]. {\"ok\": true}", "{\"ok\": \"true\"}", "{'ok': True,}"]
        {
            assert_eq!(found(said).as_deref(), Some("{\"ok\":true}"), "{said}");
        }
    }

    #[test]
    fn nothing_is_made_up() {
        for said in ["Yes, it holds.", "{\"why\": \"x\"}", "{\"ok\": \"perhaps\"}", "", "{\"ok\": tr"] {
            assert_eq!(found(said), None, "{said}");
        }
    }
}
