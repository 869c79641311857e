//! The paths of a history: the newest with all that is known, older ones grouped by their folder.

use std::collections::BTreeMap;

use crate::history::{Deed, Files, Record};
use crate::tokens::Counter;

/// The account of every path, in at most about `room` tokens for those in full; the others always by folder.
pub(super) fn paths(files: &Files, room: usize, counter: &dyn Counter) -> String {
    let mut records: Vec<&Record> = files.iter().map(|entry| entry.0).collect();
    records.sort_by(|a, b| b.touched.cmp(&a.touched).then_with(|| a.path.cmp(&b.path)));
    let mut left = room;
    let mut out = Vec::new();
    let mut older = Vec::new();
    for record in records {
        let line = full(record);
        let cost = counter.count(&line) + 1;
        if older.is_empty() && cost <= left {
            left -= cost;
            out.push(line);
        } else {
            older.push(record);
        }
    }
    out.extend(by_folder(&older));
    out.join("\n")
}

fn full(record: &Record) -> String {
    let deeds = [Deed::Read, Deed::Edited, Deed::Written, Deed::Searched, Deed::Listed];
    let done: Vec<String> = deeds
        .iter()
        .filter(|deed| record.done[**deed as usize] > 0)
        .map(|deed| times(deed.word(), record.done[*deed as usize]))
        .collect();
    let state = if record.last.1 { String::new() } else { format!("; last: {} FAILED", record.last.0.word()) };
    format!("{}: {}{state}", record.path, done.join(", "))
}

fn times(word: &str, count: usize) -> String {
    if count == 1 { word.to_owned() } else { format!("{word} {count}x") }
}

/// `folder/: a.rs (edited), b.rs`.
fn by_folder(records: &[&Record]) -> Vec<String> {
    let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for record in records {
        let (folder, name) = record.path.rsplit_once('/').unwrap_or(("", &record.path));
        let mark = if record.last.1 { "" } else { "!" };
        let changed = if record.changed() { "*" } else { "" };
        folders.entry(folder).or_default().push(format!("{name}{changed}{mark}"));
    }
    folders.into_iter().map(|(folder, names)| format!("{folder}/: {}", names.join(" "))).collect()
}
