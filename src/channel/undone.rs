//! What an answer would leave undone: files that were named and not touched, a command that was not run, an edit that
//! failed, a search for what was guessed. A model that answers so is told, once.

use super::edit::edit_of;
use super::named::{asks_for, has_one_of, untouched};
use super::objection::Objection;
use super::situation::Situation;
use super::{paths, search};
use crate::history::{Act, Call, History};

/// What an answer now would leave undone: files that were not touched, a command that was not run.
pub(super) fn undone(about: &Situation) -> Option<Objection> {
    let check = &about.model.check;
    let files = if check.named_files { untouched(about) } else { Vec::new() };
    if !files.is_empty() {
        return Some(answer_early(about, &files));
    }
    if let Some(objection) = unwritten(about) {
        return Some(objection);
    }
    let unrun = asks_for(about, &check.run_words).then(|| not_run(about)).flatten();
    unrun.or_else(|| in_vain(about))
}

/// What a model is told that changes nothing while a file that the prompt names was not touched: to call another tool.
pub(super) fn instead(about: &Situation, tool: &str) -> Option<Objection> {
    let files = untouched(about);
    let head = about.head_without(tool);
    let able = !files.is_empty() && !head.core.is_empty();
    able.then(|| Objection {
        kind: "edit-changes-nothing",
        words: format!("Not done: that changes nothing, and no call has touched {} yet.", files.join(", ")),
        reply: about.bind().map(|bind| bind.some_call(&head)),
        ..answer_early(about, &files)
    })
}

/// What the last calls tried in vain: an edit that failed, a read of a file that was guessed.
fn in_vain(about: &Situation) -> Option<Objection> {
    let check = &about.model.check;
    if !check.failed_edits && check.searches.is_empty() {
        return None;
    }
    let history = about.history();
    let unchanged = check.failed_edits.then(|| unchanged(about, &history)).flatten();
    unchanged.or_else(|| search::in_place_of_answer(about, &history))
}

/// A file whose edit failed since the prompt, and that no later call has changed.
fn unchanged(about: &Situation, history: &History<'_>) -> Option<Objection> {
    let prompt = about.prompt()?.message;
    let changes = |call: &&Call<'_>| matches!(call.act, Act::Edit { .. } | Act::Write { .. }) && call.message > prompt;
    let last = |path| history.calls.iter().filter(changes).rfind(|call| call.act.path() == path);
    let failed = history.calls.iter().filter(changes).find(|call| last(call.act.path()).is_some_and(Call::failed))?;
    // A command since then may have changed it, or found another way.
    if history
        .calls
        .iter()
        .any(|call| call.message > failed.message && call.ok() && matches!(call.act, Act::Run { .. }))
    {
        return None;
    }
    let (path, tool) = (failed.act.path()?, &failed.call.name);
    let reply = || Some(about.bind()?.call(tool, &edit_of(about, history, tool, path)?));
    let shown = about.shown_path(path);
    Some(Objection::once(
        "answer-unchanged",
        format!("Not done: {shown} is not changed, that call failed. Make it again, with a line of the file."),
        reply(),
    ))
}

/// A file that the prompt asks for, and that was only read, in vain.
fn unwritten(about: &Situation) -> Option<Objection> {
    let prompt = about.prompt().filter(|prompt| has_one_of(prompt.text, &about.model.check.create_words))?;
    let history = about.history();
    let last = history.calls.last().filter(|call| call.failed() && call.message > prompt.message)?;
    let Act::Read { path, .. } = last.act else { return None };
    let name = paths::name(path);
    let (tool, arguments) = about.writer(path).filter(|_| prompt.text.contains(name))?;
    let words = format!("Not done: {} is not there yet. Write it now.", about.shown_path(path));
    Some(Objection::once("answer-unwritten", words, about.bind().map(|bind| bind.call(&tool, &arguments))))
}

fn not_run(about: &Situation) -> Option<Objection> {
    let (tool, _) = about.runner()?;
    let name = &tool.client.name;
    Some(Objection::once(
        "answer-unrun",
        format!("Not done: nothing was run yet. Run it with {name} now."),
        about.bind().map(|bind| bind.call(name, &tool.schema)),
    ))
}

/// What a model is told that answers before it has touched these files, and the calls that it may make.
fn answer_early(about: &Situation, files: &[String]) -> Objection {
    Objection::once(
        "answer-early",
        format!("Not done: no call has touched {} yet. Do that part of the task now.", files.join(", ")),
        about.bind().map(|bind| bind.some_call(&about.head)),
    )
}
