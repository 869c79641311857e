//! A call whose arguments only say that there are none.

use crate::review::{Case, Check, Objection, Said};

pub(super) struct CallSaysNothing;

impl Check for CallSaysNothing {
    fn id(&self) -> &'static str {
        "call-says-nothing"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let Said::Nothing { tool } = case.said else { return None };
        Some(case.objection(self.id(), &[("tool", tool)]))
    }
}
