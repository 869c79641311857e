//! A file that is to have another place or name: a command does that. No write that copies it does, and no edit that only
//! names it.

use super::named;
use super::objection::{Objection, any_command, run};
use super::situation::Situation;
use crate::history::{Act, History, Segment, View};

/// A write whose text is the whole of another file.
pub(super) fn copied(about: &Situation, history: &History<'_>, path: &str, content: &str) -> Option<Objection> {
    let copies = |act: &Act<'_>| match act {
        Act::Read { path: other, .. } if *other != path => {
            history.files.view(other).is_some_and(|view| view.whole && text_of(view).trim_end() == content.trim_end())
        }
        _ => false,
    };
    let source = history.calls.iter().find(|call| copies(&call.act)).filter(|_| !content.trim().is_empty())?;
    let (name, reply) = run(about, &any_command())?;
    let source = about.shown_path(source.act.path()?);
    let words = format!("Not done: that would leave {source} where it is. Move, rename or copy it with {name}.");
    Some(Objection::once("write-copies", words, reply))
}

/// A change of a file into whose text goes the name of another one, where the prompt names both and asks to move.
pub(super) fn written(about: &Situation, path: &str, texts: &[&str]) -> Option<Objection> {
    let is_path = |file: &str| path.ends_with(file.trim_start_matches("./"));
    let files = named::asked_to_move(about);
    let target = files.iter().find(|file| !is_path(file) && texts.iter().any(|text| text.contains(file.as_str())))?;
    files.iter().find(|file| is_path(file))?;
    let (name, reply) = run(about, &any_command())?;
    let shown = about.shown_path(path);
    let words =
        format!("Not done: that only writes the name {target} into {shown}. Move or rename a file with {name}.");
    Some(Objection::once("edit-for-move", words, reply))
}

/// The text of a view that is the whole file.
fn text_of(view: &View) -> String {
    view.segments.iter().map(Segment::text).collect::<Vec<_>>().join("\n")
}
