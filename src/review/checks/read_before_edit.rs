//! A change of a file that was not read: the client refuses it, so the Read that it demands goes out in its place.

use serde_json::json;

use crate::history::{Act, Deed, History};
use crate::review::{Case, Check, Objection};
use crate::show;

pub(super) struct ReadBeforeEdit;

impl Check for ReadBeforeEdit {
    fn id(&self) -> &'static str {
        "read-before-edit"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let path = match case.act()?.1 {
            Act::Edit { path, .. } if unread(case.history, path) => path,
            Act::Write { path, .. } if unread(case.history, path) && is_there(case.history, path) => path,
            _ => return None,
        };
        let (reader, key) = case.reader()?;
        let instead = Some((reader.to_owned(), json!({key: path})));
        Some(Objection { instead, ..case.objection(self.id(), &[("file", case.shown(path))]) })
    }
}

/// The file was neither read nor written yet, nor looked for in vain.
fn unread(history: &History<'_>, path: &str) -> bool {
    let in_vain = || history.files.record(path).is_some_and(|record| record.last == (Deed::Read, false));
    !history.was_read(path) && !in_vain()
}

/// The history tells that there is such a file: a write of it failed, or a result named it. To read every new file in vain
/// would cost each of them a reply.
fn is_there(history: &History<'_>, path: &str) -> bool {
    let name = show::name(path);
    let refused = || history.files.record(path).is_some_and(|record| record.failed > 0);
    refused() || history.calls.iter().any(|call| !call.failed() && call.result_text().contains(name))
}
