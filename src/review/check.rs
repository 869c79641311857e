//! A call, held against what the history knows before it goes out.

use super::edit::{CHOICES, Edit};
use super::objection::Objection;
use super::rewrite;
use crate::history::{Act, Deed, History, View};
use crate::show;
use crate::show::ReplyContext;
use crate::wire::ToolUse;
use serde_json::json;

/// What the check says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    Pass,
    /// The model is told this, and asked again.
    Object(Box<Objection>),
}

/// Checks a call as the client would get it.
pub(crate) fn check(about: &ReplyContext, history: &History<'_>, call: &ToolUse) -> Verdict {
    let role = about.roles.get(&call.name);
    let profile = &about.model.check;
    let read_first = profile.read_before_edit && about.reader().is_some();
    match Act::of(role, &call.input) {
        Act::Edit { path, .. } if read_first && unread(history, path) => pass_unless(read(about, path)),
        Act::Write { path, .. } if read_first && unread(history, path) && is_there(history, path) => {
            pass_unless(read(about, path))
        }
        Act::Edit { path, swaps } if profile.edits => {
            let edit = history.files.view(path).map(|view| Edit { shown: about.shown_path(path), view, role });
            pass_unless(edit.and_then(|edit| swaps.iter().find_map(|swap| edit.object(*swap))))
        }
        Act::Write { path, content } if profile.whole_writes => pass_unless(write(about, history, path, content)),
        _ => Verdict::Pass,
    }
}

/// A read in place of a change of a file that was not read: the model sees the file, and decides again.
fn read(about: &ReplyContext, path: &str) -> Option<Objection> {
    let (name, key) = about.reader()?;
    let words = format!("Not done: {} was not read yet.", about.shown_path(path));
    let instead = Some((name.to_owned(), json!({key: path})));
    Some(Objection { once: false, instead, ..Objection::once("read-before-edit", words, None) })
}

fn pass_unless(objection: Option<Objection>) -> Verdict {
    objection.map_or(Verdict::Pass, |objection| Verdict::Object(Box::new(objection)))
}

fn write(about: &ReplyContext, history: &History<'_>, path: &str, content: &str) -> Option<Objection> {
    let view = history.files.view(path).filter(|_| was_shown(history, path))?;
    shrinks(about.shown_path(path), view, content)
}

/// The file was neither read nor written yet, nor looked for in vain.
fn unread(history: &History<'_>, path: &str) -> bool {
    let in_vain = || history.files.record(path).is_some_and(|record| record.last == (Deed::Read, false));
    !history.was_read(path) && !in_vain()
}

/// The history tells that there is such a file: a write of it failed, or a result named it. A client refuses to write
/// over a file that it has not read, or not; to read every new file in vain would cost each of them a reply.
fn is_there(history: &History<'_>, path: &str) -> bool {
    let name = show::name(path);
    let refused = || history.files.record(path).is_some_and(|record| record.failed > 0);
    refused() || history.calls.iter().any(|call| !call.failed() && call.result_text().contains(name))
}

/// The file was read: what is known of it is not only what the model wrote itself.
fn was_shown(history: &History<'_>, path: &str) -> bool {
    history.files.record(path).is_some_and(|record| record.done[Deed::Read as usize] > 0)
}

/// Lines that are known would be left out.
fn shrinks(shown: &str, view: &View, content: &str) -> Option<Objection> {
    let lost = rewrite::left_out(view, content);
    let words = format!(
        "Not done: this would remove lines of {shown}:\n{}\nIf they are to stay, write the whole text with them.",
        lost[..lost.len().min(CHOICES)].join("\n")
    );
    (!lost.is_empty()).then(|| Objection::once("write-loses-lines", words, None))
}
