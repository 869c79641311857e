//! The present text of the files in work, as far as there is room.
//!
//! The file that was touched last comes first, and of it what was read or changed last: of recorded edits, most go on in
//! the same file. Measured against the last lines of all files, and the lines around and below the last edit.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use super::estimate::estimate;
use super::paths::account;
use crate::history::{Files, Line, Record, Segment, View};

/// So many lines of unknown or unshown text between two shown ones are bridged rather than skipped.
const BRIDGE: usize = 2;
/// What one file may have of what is left, in percent, where others wait.
const SHARE: usize = 70;

/// How views are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// How many files at most.
    pub files: usize,
    pub line_numbers: bool,
}

/// The lines that stand in a prompt, by path: each with those beside it, as a hash.
pub(super) type Shown = BTreeMap<String, BTreeSet<u64>>;

/// The text of views, and the lines that it shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Views {
    pub text: String,
    pub shown: Shown,
}

/// The views of the files in work, in at most about `room` tokens, but for what is `shown` already. `recent` are the
/// paths that matter, best first.
pub(super) fn views(files: &Files, recent: &[&str], room: usize, style: Style, shown: &Shown) -> Views {
    let known = recent.iter().filter_map(|path| Some((files.record(path)?, files.view(path)?)));
    let chosen: Vec<_> = known.filter(|(_, view)| !view.segments.is_empty()).take(style.files).collect();
    let mut left = room;
    let mut views = Views::default();
    let (mut out, nothing) = (Vec::new(), BTreeSet::new());
    for (at, (record, view)) in chosen.iter().enumerate() {
        let share = if at + 1 == chosen.len() { left } else { left * SHARE / 100 };
        let known = shown.get(&record.path).unwrap_or(&nothing);
        if let Some(one) = one(record, view, share, style.line_numbers, known) {
            left -= one.tokens;
            out.push(one.text);
            views.shown.entry(record.path.clone()).or_default().extend(one.lines);
        }
    }
    views.text = out.join("\n");
    views
}

/// The view of one file, what it takes up, and its lines between their neighbours.
struct One {
    text: String,
    tokens: usize,
    lines: Vec<u64>,
}

/// The view of one file; `None` when not a line of it fits.
fn one(record: &Record, view: &View, room: usize, numbers: bool, shown: &BTreeSet<u64>) -> Option<One> {
    let stale = if view.stale() { " (a command may have changed it since: read it again before an edit)" } else { "" };
    let mut out = vec![format!("[{} now; {}{stale}]", record.path, account(record))];
    let head = estimate(&out[0]) + 10;
    let (chosen, used) = choose(view, room.checked_sub(head)?, shown);
    let mut hashes = Vec::new();
    for (segment, lines) in view.segments.iter().zip(chosen) {
        push_runs(segment, &lines, numbers, &mut out, &mut hashes);
    }
    (used > 0).then(|| One { text: out.join("\n"), tokens: head + used, lines: hashes })
}

/// The lines that this message has read or changed, and those beside them, are shown by it.
pub(super) fn note_touched(view: &View, message: usize, shown: &mut BTreeSet<u64>) {
    for segment in &view.segments {
        let touched = |at: usize| segment.lines.get(at).is_some_and(|line| line.stamp == message);
        let near = |at: &usize| touched(*at) || touched(at + 1) || at.checked_sub(1).is_some_and(touched);
        shown.extend((0..segment.lines.len()).filter(near).map(|at| between(&segment.lines, at)));
    }
}

/// The lines of a view that are among these, each with those beside it.
pub(super) fn standing(view: &View, lines: &BTreeSet<&str>) -> BTreeSet<u64> {
    let of_segment = |segment: &Segment| {
        let there = |at: &usize| lines.contains(segment.lines[*at].text.trim_end());
        let hashes: Vec<u64> = (0..segment.lines.len()).filter(there).map(|at| between(&segment.lines, at)).collect();
        hashes
    };
    view.segments.iter().flat_map(of_segment).collect()
}

/// About how many tokens of a view are not shown.
pub(super) fn unshown(view: &View, shown: &BTreeSet<u64>) -> usize {
    let cost = |segment: &Segment, at: usize| {
        let known = shown.contains(&between(&segment.lines, at));
        if known { 0 } else { estimate(&segment.lines[at].text) + 1 }
    };
    view.segments.iter().map(|segment| (0..segment.lines.len()).map(|at| cost(segment, at)).sum::<usize>()).sum()
}

/// A line between its neighbours.
fn between(lines: &[Line], at: usize) -> u64 {
    let text = |at: Option<usize>| at.and_then(|at| lines.get(at)).map_or("\0", |line| line.text.as_str());
    let three = [text(at.checked_sub(1)), text(Some(at)), text(Some(at + 1))];
    xxh3_64(three.join("\n").as_bytes())
}

/// The lines that are shown, by segment, in order; and what they take up.
fn choose(view: &View, room: usize, shown: &BTreeSet<u64>) -> (Vec<Vec<usize>>, usize) {
    let mut chosen: Vec<Vec<usize>> = vec![Vec::new(); view.segments.len()];
    let mut used = 0;
    for (segment, line) in in_order(view) {
        let lines = &view.segments[segment].lines;
        if !shown.is_empty() && shown.contains(&between(lines, line)) {
            continue;
        }
        let cost = estimate(&lines[line].text) + 1;
        if used + cost > room {
            break;
        }
        used += cost;
        chosen[segment].push(line);
    }
    for lines in &mut chosen {
        lines.sort_unstable();
    }
    (chosen, used)
}

/// Segment and line of all that is known: what was read or changed last first, each reading from its top.
fn in_order(view: &View) -> impl Iterator<Item = (usize, usize)> {
    let segments = view.segments.iter().enumerate();
    let mut lines: Vec<(usize, usize, usize)> = segments
        .flat_map(|(segment, content)| {
            content.lines.iter().enumerate().map(move |(line, known)| (segment, line, known.stamp))
        })
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.2));
    lines.into_iter().map(|(segment, line, _)| (segment, line))
}

/// Writes runs of lines, each with the numbers of its ends where they are known. What stands between its neighbours is
/// `shown` from now on.
fn push_runs(segment: &Segment, lines: &[usize], numbers: bool, out: &mut Vec<String>, shown: &mut Vec<u64>) {
    let end_of_all = segment.lines.len() - 1;
    let mut at = 0;
    while at < lines.len() {
        let mut end = at;
        while end + 1 < lines.len() && lines[end + 1] - lines[end] <= BRIDGE {
            end += 1;
        }
        let (first, last) = (lines[at], lines[end]);
        if let Some(start) = segment.start {
            out.push(format!("[lines {}-{}]", start + first, start + last));
        } else {
            out.push("[somewhere]".to_owned());
        }
        let whole = |at: &usize| (*at == 0 || *at > first) && (*at == end_of_all || *at < last);
        shown.extend((first..=last).filter(whole).map(|at| between(&segment.lines, at)));
        for line in first..=last {
            let text = &segment.lines[line].text;
            out.push(match (numbers, segment.start) {
                (true, Some(start)) => format!("{}\t{text}", start + line),
                _ => text.clone(),
            });
        }
        at = end + 1;
    }
}
