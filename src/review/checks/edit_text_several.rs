//! An edit of one place whose text stands in several.

use super::narrowed::{Narrowed, single_lines};
use crate::history::Act;
use crate::review::{Case, Check, Objection};

pub(super) struct EditTextSeveral;

impl Check for EditTextSeveral {
    fn id(&self) -> &'static str {
        "edit-text-several"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let (call, Act::Edit { path, swaps }) = case.act()? else { return None };
        let view = case.view(path).filter(|view| view.certain())?;
        let swap = swaps.first().filter(|swap| !swap.all && !swap.old.is_empty())?;
        let times = Some(view.occurrences(swap.old)).filter(|times| *times > 1)?;
        let mut around = single_lines(view);
        around.retain(|line| line.contains(swap.old));
        let edit = Narrowed { role: case.role(&call.name), shown: case.shown(path) };
        let choices = [(vec![swap.old.to_owned()], true), (around, false)];
        let edit = edit.arguments(&choices).map(|arguments| (call.name.clone(), arguments));
        let allow = edit.map(|edit| std::iter::once(edit).chain(case.writer(path)).collect()).unwrap_or_default();
        let values = [("file", case.shown(path)), ("times", &times.to_string())];
        Some(Objection { allow, ..case.objection(self.id(), &values) })
    }
}
