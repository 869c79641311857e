//! The promise *Nothing unsaid is lost*, of fields: what the table of fields says is sent does arrive, in each dialect,
//! with and without trimming.

use fanlight::pipeline::{Plan, Planned, Setup, plan};
use fanlight::rules::RuleSet;
use fanlight::tokens::{Window, WindowSource};
use fanlight::wire::{Dialect, FIELDS, Fate, Request};
use serde_json::{Value, json};

fn planned(body: &Value, model: &str, dialect: Dialect, profile: Option<&str>) -> Box<Plan> {
    let setup = Setup::new(RuleSet::builtin());
    let window = Window { tokens: 8192, source: WindowSource::Setting };
    let mut target = setup.target(model, window, dialect).unwrap();
    target.profile_name = profile.map(str::to_owned);
    match plan(&setup, &target, &Request::parse(body.to_string().as_bytes()).unwrap().into()).unwrap() {
        Planned::Send(plan) => plan,
        Planned::Answer { .. } => panic!("this needs a model"),
    }
}

fn schema() -> Value {
    json!({"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}})
}

/// A request with this field, and no other than it needs.
fn with(path: &str) -> Value {
    let format = json!({"type": "json_schema", "schema": schema()});
    let mut body = json!({"model": "m", "max_tokens": 90, "messages": [{"role": "user", "content": "hello"}]});
    let (key, value) = match path {
        "system" => ("system", json!("Be kind.")),
        "max_tokens" => ("max_tokens", json!(77)),
        "temperature" => ("temperature", json!(0.25)),
        "top_p" => ("top_p", json!(0.5)),
        "top_k" => ("top_k", json!(11)),
        "stop_sequences" => ("stop_sequences", json!(["HALT"])),
        "thinking.type" | "thinking.budget_tokens" | "thinking.display" => {
            ("thinking", json!({"type": "enabled", "budget_tokens": 9, "display": "omitted"}))
        }
        "output_config.effort" => ("output_config", json!({"effort": "low"})),
        "output_config.format" => ("output_config", json!({"format": format})),
        "output_config.task_budget" => ("output_config", json!({"task_budget": {"total": 9}})),
        "output_format" => ("output_format", format),
        _ => panic!("{path} is sent, and nothing here shows that it arrives"),
    };
    body[key] = value;
    body
}

#[test]
fn what_the_table_says_is_sent_arrives() {
    for field in FIELDS {
        for (dialect, fate) in [(Dialect::Ollama, field.ollama), (Dialect::Anthropic, field.messages)] {
            let Fate::Sent(place) = fate else { continue };
            for profile in [None, Some("off")] {
                let sent = planned(&with(field.path), "qwen3:8b", dialect, profile).body();
                let missing = sent.pointer(place).is_none_or(Value::is_null);
                assert!(!missing, "{} to {dialect:?} under {profile:?}: {sent}", field.path);
            }
        }
    }
}

#[test]
fn the_clients_values_arrive_as_they_are() {
    let mut body = with("temperature");
    for path in ["top_p", "top_k", "stop_sequences"] {
        body[path] = with(path)[path].clone();
    }
    for profile in [None, Some("off")] {
        let sent = planned(&body, "qwen2.5-coder:1.5b", Dialect::Ollama, profile).body();
        let options = &sent["options"];
        assert_eq!(
            (&options["temperature"], &options["top_p"], &options["top_k"]),
            (&json!(0.25), &json!(0.5), &json!(11))
        );
        assert!(options["stop"].as_array().unwrap().contains(&json!("HALT")));
        assert!(sent.get("think").is_none(), "this model cannot think");
    }
}

#[test]
fn effort_is_a_level_where_the_family_has_levels() {
    for effort in ["low", "high"] {
        let mut body = with("output_config.effort");
        body["output_config"]["effort"] = json!(effort);
        assert_eq!(planned(&body, "gpt-oss:20b", Dialect::Ollama, None).body()["think"], effort);
        assert_eq!(planned(&body, "qwen3:8b", Dialect::Ollama, None).body()["think"], true);
    }
}

#[test]
fn a_question_for_data_is_bound_to_its_schema_and_gets_nothing_of_the_coding_agent() {
    let mut body = with("output_config.format");
    body["system"] = json!([{"type": "text", "text": "You are a Claude agent."}, {"type": "text", "text": "You judge. # Doing tasks\nJudge well."}]);
    for model in ["qwen2.5-coder:1.5b", "qwen2.5-coder:7b", "qwen3:8b", "some-model"] {
        let sent = planned(&body, model, Dialect::Ollama, None).body();
        assert_eq!(sent["format"], schema(), "{model}");
        let system = sent["messages"][0]["content"].as_str().unwrap();
        assert!(system.starts_with("You are a Claude agent.") && system.contains("Judge well."), "{system}");
        assert!(!system.contains("calling tools") && sent.get("tools").is_none(), "{system}");
        assert_eq!(sent["messages"].as_array().unwrap().len(), 2, "no worked examples: {sent}");
        assert!(
            sent.get("think").is_none_or(|think| *think == json!(false)),
            "a model that thinks is not bound: {sent}"
        );
    }
}

#[test]
fn with_tools_the_form_of_the_answer_is_said_and_binds_no_call() {
    let mut body = with("output_config.format");
    body["tools"] = json!([{"name": "Read", "description": "Reads.", "input_schema": {"type": "object",
        "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]}}]);
    let sent = planned(&body, "qwen3:8b", Dialect::Ollama, None).body();
    assert_ne!(sent["format"], schema());
    assert!(sent["messages"][0]["content"].as_str().unwrap().contains("\"title\""), "{sent}");
}
