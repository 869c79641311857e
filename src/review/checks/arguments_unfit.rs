//! A call that does not fit the client's schema, where what was meant is not certain.

use crate::review::{Case, Check, Objection, Said};

pub(super) struct ArgumentsUnfit;

impl Check for ArgumentsUnfit {
    fn id(&self) -> &'static str {
        "arguments-unfit"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let Said::Unfit { tool, why, schema } = case.said else { return None };
        let allow = case.schema(tool).map(|arguments| (tool.to_owned(), arguments)).into_iter().collect();
        Some(Objection { allow, ..case.objection(self.id(), &[("why", why), ("schema", schema)]) })
    }
}
