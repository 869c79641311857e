//! What the client asks of the generation, brought together with what the model takes and what its profile has measured.

use serde_json::{Map, Value, json};

use crate::rules::{ModelProfile, Pack, Sampling, ThinkingForm};
use crate::wire::{Effort, Generation, Request, Thinking};

/// The generation that is asked for, without what the client says of its own accord and not for the user.
pub(super) fn asked(request: &Request, pack: Option<&Pack>) -> Generation {
    let asked = request.generation();
    let unasked = |value: Option<f64>| pack.is_some_and(|pack| value.is_some() && pack.unasked_temperature == value);
    Generation { temperature: asked.temperature.filter(|value| !unasked(Some(*value))), ..asked }
}

/// The sampler: the client's where it says something, else the profile's.
pub(super) fn sampling(profile: &Sampling, asked: &Generation) -> Sampling {
    Sampling {
        temperature: asked.temperature.or(profile.temperature),
        top_p: asked.top_p.or(profile.top_p),
        top_k: asked.top_k.or(profile.top_k),
        stop: profile.stop.iter().chain(&asked.stop).cloned().collect(),
        ..profile.clone()
    }
}

/// Ollama's `think`. `bound`: a schema binds the reply, which a model that thinks does not keep to.
pub(super) fn think(model: &ModelProfile, asked: &Generation, bound: bool) -> Option<Value> {
    let effort = asked.effort;
    match (model.thinking, asked.thinking) {
        (ThinkingForm::None, _) => None,
        (ThinkingForm::Switch, Thinking::Off) => Some(json!(false)),
        (ThinkingForm::Switch, _) if bound => Some(json!(false)),
        (ThinkingForm::Switch, Thinking::On) => Some(json!(true)),
        (ThinkingForm::Switch, Thinking::Free) => model.sampling.think.or(effort.map(|_| true)).map(Value::from),
        // It cannot be switched off, but kept short.
        (ThinkingForm::Levels, Thinking::Off) => Some(json!(Effort::Low.as_str())),
        (ThinkingForm::Levels, _) => effort.map(|effort| json!(effort.as_str())),
    }
}

/// The client's own fields that go on to a Messages API as they are. `room`: the most that may be produced; `open`: a
/// reply need not be a call, so the form of the answer may bind it.
pub(super) fn for_messages(request: &Request, room: u64, open: bool) -> Map<String, Value> {
    let mut fields = Map::new();
    if let Some(mut thinking) = request.rest.get("thinking").filter(|field| field.is_object()).cloned() {
        // The API wants it to be less than what may be produced, and that is less here than the client believes.
        if let Some(budget) = thinking["budget_tokens"].as_u64() {
            thinking["budget_tokens"] = budget.min(room.saturating_sub(1)).into();
        }
        fields.insert("thinking".into(), thinking);
    }
    let mut config = request.rest.get("output_config").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(format) = request.rest.get("output_format") {
        config.entry("format").or_insert_with(|| format.clone());
    }
    config.retain(|key, _| ["effort", "task_budget"].contains(&key.as_str()) || (open && key == "format"));
    if !config.is_empty() {
        fields.insert("output_config".into(), config.into());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(thinking: ThinkingForm, think: Option<bool>) -> ModelProfile {
        ModelProfile { thinking, sampling: Sampling { think, ..Sampling::default() }, ..ModelProfile::default() }
    }

    fn wish(thinking: Thinking, effort: Option<Effort>) -> Generation {
        Generation { thinking, effort, ..Generation::default() }
    }

    #[test]
    fn thinking_is_asked_for_as_the_family_takes_it() {
        use ThinkingForm::{Levels, None as Never, Switch};
        let low = Some(Effort::Low);
        for (takes, profile, thinking, effort, bound, expected) in [
            (Never, None, Thinking::Off, low, false, None),
            (Switch, None, Thinking::Off, low, false, Some(json!(false))),
            (Switch, None, Thinking::Free, None, false, None),
            (Switch, None, Thinking::Free, low, false, Some(json!(true))),
            (Switch, Some(false), Thinking::Free, low, false, Some(json!(false))),
            (Switch, Some(false), Thinking::On, None, false, Some(json!(true))),
            (Switch, None, Thinking::On, None, true, Some(json!(false))),
            (Levels, None, Thinking::Free, None, false, None),
            (Levels, None, Thinking::Off, None, false, Some(json!("low"))),
            (Levels, None, Thinking::On, Some(Effort::High), true, Some(json!("high"))),
        ] {
            assert_eq!(think(&model(takes, profile), &wish(thinking, effort), bound), expected);
        }
    }

    #[test]
    fn the_client_goes_before_the_profile_where_the_user_may_have_said_it() {
        let body = br#"{"messages":[],"temperature":1,"top_k":3,"stop_sequences":["a"]}"#;
        let request = Request::parse(body).unwrap();
        let profile =
            Sampling { temperature: Some(0.0), top_p: Some(0.5), stop: vec!["b".into()], ..Sampling::default() };
        let said = sampling(&profile, &asked(&request, None));
        assert_eq!((said.temperature, said.top_p, said.top_k), (Some(1.0), Some(0.5), Some(3)));
        assert_eq!(said.stop, ["b", "a"]);
        let pack = Pack { unasked_temperature: Some(1.0), ..Pack::default() };
        assert_eq!(sampling(&profile, &asked(&request, Some(&pack))).temperature, Some(0.0));
    }

    #[test]
    fn a_budget_of_thinking_is_less_than_the_room_for_the_reply() {
        let body = br#"{"messages":[],"thinking":{"type":"enabled","budget_tokens":31999},
            "output_config":{"effort":"low","format":{"type":"json_schema"},"zeta":1}}"#;
        let request = Request::parse(body).unwrap();
        let fields = for_messages(&request, 1000, false);
        let expected =
            json!({"thinking": {"type": "enabled", "budget_tokens": 999}, "output_config": {"effort": "low"}});
        assert_eq!(Value::Object(fields), expected);
        assert_eq!(for_messages(&request, 1000, true)["output_config"]["format"], json!({"type": "json_schema"}));
    }
}
