//! What is wrong with a call or an answer, in words for the model, and what can be right.

use serde_json::Value;

/// What is wrong with a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Objection {
    /// How the report counts it.
    pub(crate) kind: &'static str,
    /// It may be meant: what was said once in a turn is not said again.
    pub(crate) once: bool,
    pub(crate) words: String,
    /// The arguments that can be right, as a schema.
    pub(crate) arguments: Option<Value>,
    /// The whole reply that can be right, where it is another call.
    pub(crate) reply: Option<Value>,
    /// The one call that can be right: nobody need be asked, it goes out in place of what was said.
    pub(crate) instead: Option<(String, Value)>,
}

impl Objection {
    /// What is said once in a turn, and the schema of the reply that can be right.
    pub(crate) fn once(kind: &'static str, words: String, reply: Option<Value>) -> Self {
        Self { kind, once: true, words, reply, ..Self::default() }
    }
}
