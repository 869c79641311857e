//! A call of a tool that the request does not have.

use crate::review::{Case, Check, Objection, Said};

pub(super) struct ToolUnknown;

impl Check for ToolUnknown {
    fn id(&self) -> &'static str {
        "tool-unknown"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let Said::Unknown { tool, nearest } = case.said else { return None };
        Some(case.objection(self.id(), &[("tool", tool), ("nearest", nearest)]))
    }
}
