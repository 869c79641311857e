//! A reply that was stopped because it is one piece over and over (`loops.rs` sees that while it is produced).

use crate::review::{Case, Check, Objection, Said};

pub(super) struct LoopingReply;

impl Check for LoopingReply {
    fn id(&self) -> &'static str {
        "looping-reply"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        matches!(case.said, Said::Loop).then(|| case.objection(self.id(), &[]))
    }
}
