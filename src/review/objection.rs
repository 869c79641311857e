//! What is wrong with a reply, and what can be right.

use serde_json::Value;

/// What is wrong with a reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Objection {
    /// The check.
    pub(crate) id: &'static str,
    /// What the model is told.
    pub(crate) words: String,
    /// What the user is told.
    pub(crate) note: Option<String>,
    /// The calls that can be right, where the evidence proves that: tools, and schemas of their arguments. None: any reply.
    pub(crate) allow: Vec<(String, Value)>,
    /// The one call that the client itself demands first: it goes out in place of what was said.
    pub(crate) instead: Option<(String, Value)>,
    /// The turn ends here, with the note.
    pub(crate) ends: bool,
}

impl Objection {
    /// Nobody is asked again, so that there is no second time.
    pub(super) fn is_final(&self) -> bool {
        self.ends || self.instead.is_some()
    }
}
