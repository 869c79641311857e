//! A write of the very text that the file has.

use crate::history::Act;
use crate::review::{Case, Check, Objection};

pub(super) struct WriteChangesNothing;

impl Check for WriteChangesNothing {
    fn id(&self) -> &'static str {
        "write-changes-nothing"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let (_, Act::Write { path, content }) = case.act()? else { return None };
        case.view(path)?.is_certainly(content).then(|| case.objection(self.id(), &[("file", case.shown(path))]))
    }
}
