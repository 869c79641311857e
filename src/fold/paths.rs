//! The paths of a history: the newest with all that is known, older ones grouped by their folder, and where there is room
//! those that were only seen in results.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::history::{Act, Call, Deed, Files, Record};
use crate::tokens::Counter;

/// So many of the newest calls are looked through for paths.
const LOOKED_THROUGH: usize = 40;

/// An absolute path of a file.
static PATH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"/(?:[A-Za-z0-9_.@+-]+/)+[A-Za-z0-9_@+-][A-Za-z0-9_.@+-]*\.[A-Za-z0-9]+").ok());

/// The account of every path but those in `viewed`, which have it elsewhere: in at most about `room` tokens for those in
/// full; the others always by folder, and so are those in `near`, which stand in full elsewhere.
pub(super) fn paths(
    files: &Files,
    calls: &[Call<'_>],
    (near, viewed): (&[&str], &[&str]),
    mut left: usize,
    counter: &dyn Counter,
) -> String {
    let told = |record: &&Record| !viewed.contains(&record.path.as_str());
    let mut records: Vec<&Record> = files.iter().map(|entry| entry.0).filter(told).collect();
    records.sort_by(|a, b| b.touched.cmp(&a.touched).then_with(|| a.path.cmp(&b.path)));
    let far = |record: &&Record| looks_like_a_file(record) && !near.contains(&record.path.as_str());
    let (candidates, mut older): (Vec<&Record>, Vec<&Record>) = records.into_iter().partition(far);
    let mut out = Vec::new();
    for record in candidates {
        let line = format!("{}: {}", record.path, account(record));
        if take(&line, &mut left, counter) {
            out.push(line);
        } else {
            left = 0;
            older.push(record);
        }
    }
    let seen = if left > 0 { seen(files, calls) } else { Vec::new() };
    out.extend(
        seen.into_iter()
            .filter(|path| !near.contains(path))
            .map(|path| format!("{path}: seen"))
            .take_while(|line| take(line, &mut left, counter)),
    );
    out.extend(by_folder(&older));
    out.join("\n")
}

fn take(line: &str, left: &mut usize, counter: &dyn Counter) -> bool {
    let cost = counter.count(line) + 1;
    let fits = cost <= *left;
    *left = left.saturating_sub(if fits { cost } else { 0 });
    fits
}

/// Read or changed, or searched by a name that has an extension.
fn looks_like_a_file(record: &Record) -> bool {
    record.is_file() || record.path.rsplit('/').next().is_some_and(|name| name.trim_start_matches('.').contains('.'))
}

/// Paths that results showed and no call has named, newest first. Not the text of files: few of its paths are opened.
fn seen<'a>(files: &Files, calls: &[Call<'a>]) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    let shows = |call: &&Call<'a>| !matches!(call.act, Act::Read { .. } | Act::Edit { .. } | Act::Write { .. });
    for call in calls.iter().rev().take(LOOKED_THROUGH).filter(shows) {
        let texts =
            call.result.into_iter().flat_map(|result| result.2.content.iter()).filter_map(|block| match block {
                crate::wire::Block::Text(text) => Some(text.as_str()),
                _ => None,
            });
        for path in texts.flat_map(|text| PATH.iter().flat_map(|path| path.find_iter(text))) {
            if !seen.contains(&path.as_str()) && files.record(path.as_str()).is_none() {
                seen.push(path.as_str());
            }
        }
    }
    seen
}

/// What was done to a path, and how the last call on it ended.
pub(super) fn account(record: &Record) -> String {
    let deeds = [Deed::Read, Deed::Edited, Deed::Written, Deed::Searched, Deed::Listed];
    let done: Vec<String> = deeds
        .iter()
        .filter(|deed| record.done[**deed as usize] > 0)
        .map(|deed| times(deed.word(), record.done[*deed as usize]))
        .collect();
    let state = if record.last.1 { String::new() } else { format!("; last: {} FAILED", record.last.0.word()) };
    format!("{}{state}", done.join(", "))
}

fn times(word: &str, count: usize) -> String {
    if count == 1 { word.to_owned() } else { format!("{word} {count}x") }
}

/// `folder/: a.rs* b.rs!`: changed, and last failed. A file that is alone there stands with its whole path.
fn by_folder(records: &[&Record]) -> Vec<String> {
    let mut folders: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        folders.entry(in_two(&record.path).0).or_default().push(record);
    }
    let name = |record: &Record| format!("{}{}", in_two(&record.path).1, marks(record));
    let line = |(folder, records): (&str, Vec<&Record>)| match records[..] {
        [record] => format!("{}{}", record.path, marks(record)),
        _ => format!("{folder}/: {}", records.into_iter().map(name).collect::<Vec<_>>().join(" ")),
    };
    folders.into_iter().map(line).collect()
}

/// Folder and name.
fn in_two(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn marks(record: &Record) -> String {
    let changed = if record.changed() { "*" } else { "" };
    let failed = if record.last.1 { "" } else { "!" };
    format!("{changed}{failed}")
}
