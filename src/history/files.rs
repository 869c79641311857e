//! The files that were read or changed: their accounts and views, step by step.

use std::sync::Arc;

use super::commands::{Reach, reach};
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
            Act::Run { command } => self.spoil(command, call.message),
            Act::Other => {}
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
        }
        Act::Edit { swaps, .. } => swaps.iter().for_each(|swap| view.edit(*swap, stamp)),
        Act::Write { content, .. } => view.write(content, stamp),
        _ => {}
    }
}
