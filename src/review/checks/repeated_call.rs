//! The same call with the same result, once more: one that failed, or looks at what is shown already, is stopped early; a
//! command that succeeds may be waited on for long.

use crate::history::{Act, times_made};
use crate::review::{Case, Check, Objection};

pub(super) struct RepeatedCall;

impl Check for RepeatedCall {
    fn id(&self) -> &'static str {
        "repeated-call"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let (call, act) = case.act()?;
        let times = times_made(case.calls(), call);
        let last =
            case.calls().iter().rev().find(|past| past.call.name == call.name && past.call.input == call.input)?;
        let looks = matches!(act, Act::Read { .. } | Act::Search { .. } | Act::List { .. });
        let limit = case.limit(self.id(), if last.failed() || looks { "failing" } else { "polling" });
        let values = [("tool", call.name.as_str()), ("times", &times.to_string())];
        (limit > 0 && times >= limit).then(|| Objection { ends: true, ..case.objection(self.id(), &values) })
    }
}
