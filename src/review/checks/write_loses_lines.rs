//! A file that is written anew, without lines that are likely to have been forgotten.

use crate::history::Act;
use crate::review::left_out::left_out;
use crate::review::{Case, Check, Objection};

pub(super) struct WriteLosesLines;

/// The most lines that a model is told of.
const SHOWN: usize = 120;

impl Check for WriteLosesLines {
    fn id(&self) -> &'static str {
        "write-loses-lines"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let (_, Act::Write { path, content }) = case.act()? else { return None };
        let lost = left_out(case.view(path).filter(|view| view.certain())?, content);
        let lines = lost[..lost.len().min(SHOWN)].join("\n");
        (!lost.is_empty()).then(|| case.objection(self.id(), &[("file", case.shown(path)), ("lines", &lines)]))
    }
}
