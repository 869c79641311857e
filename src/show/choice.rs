//! The client's `tool_choice`, honoured by prompt and by schema: no local server honours it.

use serde_json::Value;

/// What the client demands of the reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// Call or answer.
    #[default]
    Auto,
    /// Some call.
    Any,
    /// A call of this tool.
    Tool(String),
    /// No call.
    None,
}

impl Choice {
    /// Reads the field of a request.
    pub fn of(field: Option<&Value>) -> Self {
        let kind = field.and_then(|field| field["type"].as_str());
        let name = field.and_then(|field| field["name"].as_str());
        match (kind, name) {
            (Some("any"), _) => Self::Any,
            (Some("none"), _) => Self::None,
            (Some("tool"), Some(name)) => Self::Tool(name.to_owned()),
            _ => Self::Auto,
        }
    }

    /// What the model is told behind the newest message; nothing where it is free.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Auto => None,
            Self::Any => Some("Reply with a tool call now.".to_owned()),
            Self::Tool(name) => Some(format!("Reply with a call of {name} now.")),
            Self::None => Some("Reply without a tool call.".to_owned()),
        }
    }

    /// It is a call of this very tool.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Tool(only) if only == name)
    }

    pub(crate) fn allows(&self, name: &str) -> bool {
        match self {
            Self::Auto | Self::Any => true,
            Self::Tool(only) => only == name,
            Self::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_known_leaves_the_model_free() {
        assert_eq!(Choice::of(Some(&json!({"type": "new"}))), Choice::Auto);
        assert_eq!(Choice::of(None).words(), None);
        assert_eq!(Choice::of(Some(&json!({"type": "tool", "name": "Look"}))), Choice::Tool("Look".into()));
    }
}
