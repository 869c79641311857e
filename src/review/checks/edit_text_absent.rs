//! An edit of a text that is not in its file.

use super::narrowed::{Narrowed, near, single_lines};
use crate::history::Act;
use crate::review::{Case, Check, Objection};

pub(super) struct EditTextAbsent;

impl Check for EditTextAbsent {
    fn id(&self) -> &'static str {
        "edit-text-absent"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let (call, Act::Edit { path, swaps }) = case.act()? else { return None };
        // The edits of one call follow one another: only the first is held against what was read.
        let swap = swaps.first().filter(|swap| !swap.old.is_empty())?;
        let view = case.view(path).filter(|view| view.lacks(swap.old))?;
        let mut texts = near(view, swap.old);
        texts.extend(single_lines(view));
        let edit = Narrowed { role: case.role(&call.name), shown: case.shown(path) };
        let edit = edit.arguments(&[(texts, false)]).map(|arguments| (call.name.clone(), arguments));
        let allow = edit.map(|edit| std::iter::once(edit).chain(case.writer(path)).collect()).unwrap_or_default();
        Some(Objection { allow, ..case.objection(self.id(), &[("file", case.shown(path))]) })
    }
}
