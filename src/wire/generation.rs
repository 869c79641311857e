//! What a request asks of the generation itself: sampler, thinking, effort, and the form of the answer.

use serde_json::Value;

use super::Request;

/// What the client asks of the generation. What it does not say is `None`, and left to the profile and the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Generation {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u64>,
    pub stop: Vec<String>,
    pub thinking: Thinking,
    pub effort: Option<Effort>,
    /// The JSON Schema that the answer must fit.
    pub format: Option<Value>,
}

/// Whether the model is to think before it answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Thinking {
    /// Nothing is said, or it is left to the model.
    #[default]
    Free,
    On,
    Off,
}

/// How much work an answer is worth, as far as models tell efforts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Low,
    Medium,
    High,
}

impl Effort {
    /// The word for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Words beyond these are steps above `high`.
    fn read(word: &str) -> Self {
        match word {
            "minimal" | "low" => Self::Low,
            "medium" => Self::Medium,
            _ => Self::High,
        }
    }
}

impl Request {
    /// What is asked of the generation. A value of a wrong type says nothing.
    pub fn generation(&self) -> Generation {
        let at = |path: &str| {
            let mut parts = path.split('.');
            let first = self.rest.get(parts.next()?)?;
            parts.try_fold(first, |value, part| value.get(part))
        };
        let number = |path: &str| {
            let value = at(path)?;
            value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
        };
        let thinking = match at("thinking.type").and_then(Value::as_str) {
            Some("enabled") => Thinking::On,
            Some("disabled") => Thinking::Off,
            _ => Thinking::Free,
        };
        // The API has it in `output_config` now, and had it beside.
        let schema = at("output_config.format.schema").or_else(|| at("output_format.schema"));
        Generation {
            temperature: number("temperature"),
            top_p: number("top_p"),
            top_k: number("top_k").map(|count| count as u64),
            stop: self.stop_sequences.clone(),
            thinking,
            effort: at("output_config.effort").and_then(Value::as_str).map(Effort::read),
            format: schema.filter(|schema| schema.is_object()).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn generation(mut fields: Value) -> Generation {
        fields["messages"] = json!([]);
        Request::parse(fields.to_string().as_bytes()).unwrap().generation()
    }

    #[test]
    fn what_is_said_is_read_in_all_its_spellings() {
        let schema = json!({"type": "object"});
        let said = generation(json!({"temperature": "0.5", "top_p": 1, "top_k": 30, "stop_sequences": ["END"],
            "thinking": {"type": "enabled", "budget_tokens": 9}, "output_config": {"effort": "xhigh",
            "format": {"type": "json_schema", "schema": schema}}}));
        assert_eq!((said.temperature, said.top_p, said.top_k), (Some(0.5), Some(1.0), Some(30)));
        assert_eq!((said.stop, said.thinking, said.effort), (vec!["END".into()], Thinking::On, Some(Effort::High)));
        assert_eq!(said.format, Some(schema.clone()));
        assert_eq!(generation(json!({"output_format": {"schema": schema}})).format, Some(schema));
    }

    #[test]
    fn what_is_not_said_or_has_a_wrong_type_says_nothing() {
        assert_eq!(generation(json!({})), Generation::default());
        let odd = json!({"temperature": [], "top_k": "many", "thinking": true, "output_config": "high"});
        assert_eq!(generation(odd), Generation::default());
        assert_eq!(generation(json!({"thinking": {"type": "adaptive"}})).thinking, Thinking::Free);
    }
}
