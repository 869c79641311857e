//! A reply without a word or a call.

use crate::review::{Case, Check, Objection, Said};

pub(super) struct EmptyAnswer;

impl Check for EmptyAnswer {
    fn id(&self) -> &'static str {
        "empty-answer"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        matches!(case.said, Said::Empty).then(|| case.objection(self.id(), &[]))
    }
}
