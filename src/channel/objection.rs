//! What is wrong with a call or an answer, in words for the model, and what can be right.

use serde_json::Value;

/// What is wrong with a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objection {
    /// How the report counts it.
    pub(super) kind: &'static str,
    /// It may be meant: what was said once in a turn is not said again.
    pub(super) once: bool,
    pub(super) words: String,
    /// The arguments that can be right, as a schema.
    pub(super) arguments: Option<Value>,
    /// The whole reply that can be right, where it is another call.
    pub(super) reply: Option<Value>,
}
