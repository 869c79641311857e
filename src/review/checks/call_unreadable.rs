//! A call whose arguments cannot be read.

use crate::review::{Case, Check, Objection, Said};

pub(super) struct CallUnreadable;

impl Check for CallUnreadable {
    fn id(&self) -> &'static str {
        "call-unreadable"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        matches!(case.said, Said::Unreadable).then(|| case.objection(self.id(), &[]))
    }
}
