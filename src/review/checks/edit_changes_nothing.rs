//! An edit whose new text is its old one.

use crate::history::Act;
use crate::review::{Case, Check, Objection};

pub(super) struct EditChangesNothing;

impl Check for EditChangesNothing {
    fn id(&self) -> &'static str {
        "edit-changes-nothing"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let (_, Act::Edit { path, swaps }) = case.act()? else { return None };
        let same = !swaps.is_empty() && swaps.iter().all(|swap| swap.old == swap.new);
        same.then(|| case.objection(self.id(), &[("file", case.shown(path))]))
    }
}
