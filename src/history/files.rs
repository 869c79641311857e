//! The files that were read or changed: their accounts and views, step by step.

use std::sync::Arc;

use super::commands::{Reach, harmless, reach};
use super::numbered::numbered_lines;
use super::{Act, Call, Deed, Record, View};

/// The files of a history, in order of their first mention.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// A cut takes a copy of all of it; few views change from one to the next.
    entries: Vec<(Record, Arc<View>)>,
}

impl Files {
    /// Takes one call with its result.
    pub fn take(&mut self, call: &Call<'_>) {
        match &call.act {
            Act::Run { command } => {
                self.spoil(command, call.message);
                if !harmless(command) {
                    self.doubt(|_| true);
                }
            }
            Act::Other => self.doubt(|_| true),
            act => self.note(act, call),
        }
    }

    /// The account of a path.
    pub fn record(&self, path: &str) -> Option<&Record> {
        self.entries.iter().find(|entry| entry.0.path == path).map(|entry| &entry.0)
    }

    /// What is known of the text of a path.
    pub fn view(&self, path: &str) -> Option<&View> {
        self.entries.iter().find(|entry| entry.0.path == path).map(|entry| &*entry.1)
    }

    /// Every path with its account and view.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Record, &View)> {
        self.entries.iter().map(|entry| (&entry.0, &*entry.1))
    }

    /// Something may have changed these files that no call shows: their views are no evidence any more.
    pub(super) fn doubt(&mut self, which: impl Fn(&Record) -> bool) {
        for (record, view) in &mut self.entries {
            if !view.segments.is_empty() && !view.unsure && which(record) {
                Arc::make_mut(view).unsure = true;
            }
        }
    }

    /// A text of the client in the message `at` names files: what was read of them before may not hold any more.
    pub(super) fn noted(&mut self, text: &str, at: usize) {
        for (record, view) in &mut self.entries {
            let name = record.path.rsplit('/').next().unwrap_or(&record.path);
            let older = || view.lines().any(|line| line.stamp < at);
            if !view.unsure && text.contains(name) && older() {
                Arc::make_mut(view).unsure = true;
            }
        }
    }

    fn note(&mut self, act: &Act<'_>, call: &Call<'_>) {
        let Some(path) = act.path() else { return };
        let at = self.place(path);
        let (record, view) = &mut self.entries[at];
        let stamp = call.message;
        let deed = match act {
            Act::Read { .. } => Deed::Read,
            Act::Edit { .. } => Deed::Edited,
            Act::Write { .. } => Deed::Written,
            Act::List { .. } => Deed::Listed,
            _ => Deed::Searched,
        };
        record.note(deed, call.ok(), stamp);
        if call.ok() {
            show(Arc::make_mut(view), act, call, stamp);
        }
    }

    fn place(&mut self, path: &str) -> usize {
        self.entries.iter().position(|entry| entry.0.path == path).unwrap_or_else(|| {
            self.entries.push((Record::new(path), Arc::default()));
            self.entries.len() - 1
        })
    }

    /// A command may have changed files behind the views.
    fn spoil(&mut self, command: &str, stamp: usize) {
        let known = self.entries.iter().any(|(_, view)| !view.segments.is_empty());
        let reach = if known { reach(command) } else { Reach::Nothing };
        for (record, view) in &mut self.entries {
            if !view.segments.is_empty() && reach.covers(command, &record.path) {
                let view = Arc::make_mut(view);
                (view.doubt, view.whole) = (stamp, false);
            }
        }
    }
}

/// A reading without a limit ends after so many lines.
const MOST_LINES: usize = 2000;

/// A line is cut after so many characters.
const LONGEST_LINE: usize = 2000;

/// Brings a view up to date after a call that succeeded.
fn show(view: &mut View, act: &Act<'_>, call: &Call<'_>, stamp: usize) {
    match act {
        Act::Read { offset, limit, .. } => {
            let text = call.result_text();
            let lines = numbered_lines(&text);
            let all = lines.len() + 1 >= text.trim_end().split('\n').count();
            let to_the_end = limit.is_none_or(|limit| lines.len() < limit);
            let whole = all && to_the_end && offset.is_none_or(|offset| offset <= 1);
            view.read(&lines, whole, stamp);
            // Clients show so much and no more, and do not always say so.
            view.unsure |=
                lines.len() >= MOST_LINES || lines.iter().any(|(_, line)| line.chars().count() >= LONGEST_LINE);
        }
        Act::Edit { swaps, .. } => swaps.iter().for_each(|swap| view.edit(*swap, stamp)),
        Act::Write { content, .. } => view.write(content, stamp),
        _ => {}
    }
}
