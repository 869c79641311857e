//! A file that is edited is shown again as far as its text does not stand any more: the next edit stands most often in the
//! same file.

use std::collections::BTreeSet;

use super::{Kept, Showing};
use crate::fold::views::{self, Shown, Style};
use crate::history::{Act, Call, Files, numbered_lines};
use crate::wire::{Block, Message};

/// Less than this, in tokens, is not worth the words around it.
const LEAST: usize = 12;

/// What stands of the files.
pub(super) struct Standing<'s, 'a> {
    pub kept: &'s [Kept],
    pub calls: &'s [Call<'a>],
    pub files: &'s Files,
    /// Texts of the digest that still stand.
    pub told: Vec<&'s str>,
    pub showing: &'s dyn Showing,
}

/// What a view may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// In tokens.
    pub room: usize,
    /// What does not stand of a file may be so many percent of the room: else the chance is small that the next edit is
    /// among what could be shown.
    pub dense: usize,
    pub line_numbers: bool,
}

/// The present text of the files that the calls answered in message `at` have edited.
pub(super) fn again(standing: &Standing<'_, '_>, at: usize, limits: Limits) -> Option<String> {
    let here = |call: &&Call<'_>| call.ok() && call.result.is_some_and(|result| result.0 == at);
    let edited = standing.calls.iter().rev().take_while(|call| call.message + 1 >= at).filter(here);
    let path = edited.filter(|call| matches!(call.act, Act::Edit { .. })).find_map(|call| call.act.path())?;
    let view = standing.files.view(path)?;
    let lines = lines(standing, path);
    let lines: BTreeSet<&str> = lines.iter().map(|line| line.trim_end()).collect();
    let stands = views::standing(view, &lines);
    let missing = views::unshown(view, &stands);
    if !(LEAST..=limits.room * limits.dense / 100).contains(&missing) {
        return None;
    }
    let style = Style { files: 1, line_numbers: limits.line_numbers };
    let views = views::views(standing.files, &[path], limits.room, style, &Shown::from([(path.to_owned(), stands)]));
    Some(views.text).filter(|text| !text.is_empty())
}

/// All lines that messages which stand show of a file.
fn lines(standing: &Standing<'_, '_>, path: &str) -> Vec<String> {
    let whole = |message: usize| standing.kept.get(message).is_some_and(|kept| *kept == Kept::Whole);
    let mut lines = Vec::new();
    for call in standing.calls.iter().filter(|call| call.act.path() == Some(path)) {
        for message in [call.message, call.message + 1].into_iter().filter(|message| whole(*message)) {
            lines.extend(standing.showing.ingested(message).into_iter().flat_map(lines_of));
        }
    }
    let told = standing.told.iter().filter(|told| told.contains(path));
    lines.extend(told.flat_map(|told| told.lines()).map(str::to_owned));
    lines
}

fn lines_of(message: &Message) -> Vec<String> {
    let mut lines = Vec::new();
    for block in &message.content {
        match block {
            Block::ToolUse(call) => {
                let fields = call.input.as_object().into_iter().flat_map(|fields| fields.values());
                let texts = fields.filter_map(serde_json::Value::as_str);
                lines.extend(texts.flat_map(str::lines).map(str::to_owned));
            }
            Block::ToolResult(result) => {
                let text = result.text();
                lines.extend(numbered_lines(&text).into_iter().map(|line| line.1.to_owned()));
            }
            _ => {}
        }
    }
    lines
}
