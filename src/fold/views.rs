//! The present text of the files in work, as far as there is room.
//!
//! The file that was touched last comes first, and of it what was read or changed last: of recorded edits, most go on in
//! the same file. Measured against the last lines of all files, and the lines around and below the last edit.

use super::estimate::estimate;
use super::paths::account;
use crate::history::{Files, Record, Segment, View};

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

/// The text of views, and the paths that stand in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Views {
    pub text: String,
    pub paths: Vec<String>,
}

/// The views of the files in work, in at most about `room` tokens. `recent` are the paths that matter, best first.
pub(super) fn views(files: &Files, recent: &[&str], room: usize, style: Style) -> Views {
    let known = recent.iter().filter_map(|path| Some((files.record(path)?, files.view(path)?)));
    let chosen: Vec<_> = known.filter(|(_, view)| !view.segments.is_empty()).take(style.files).collect();
    let mut left = room;
    let mut views = Views::default();
    let mut out = Vec::new();
    for (at, (record, view)) in chosen.iter().enumerate() {
        let share = if at + 1 == chosen.len() { left } else { left * SHARE / 100 };
        if let Some((text, used)) = one(record, view, share, style.line_numbers) {
            left -= used;
            out.push(text);
            views.paths.push(record.path.clone());
        }
    }
    views.text = out.join("\n");
    views
}

/// The view of one file, and what it takes up; `None` when not a line of it fits.
fn one(record: &Record, view: &View, room: usize, numbers: bool) -> Option<(String, usize)> {
    let stale = if view.stale() { " (a command may have changed it since: read it again before an edit)" } else { "" };
    let mut out = vec![format!("[{} now; {}{stale}]", record.path, account(record))];
    let head = estimate(&out[0]) + 10;
    let (shown, used) = choose(view, room.checked_sub(head)?);
    for (segment, lines) in view.segments.iter().zip(shown) {
        push_runs(segment, &lines, numbers, &mut out);
    }
    (used > 0).then(|| (out.join("\n"), head + used))
}

/// The lines that are shown, by segment, in order; and what they take up.
fn choose(view: &View, room: usize) -> (Vec<Vec<usize>>, usize) {
    let mut shown: Vec<Vec<usize>> = vec![Vec::new(); view.segments.len()];
    let mut used = 0;
    for (segment, line) in in_order(view) {
        let cost = estimate(&view.segments[segment].lines[line].text) + 1;
        if used + cost > room {
            break;
        }
        used += cost;
        shown[segment].push(line);
    }
    for lines in &mut shown {
        lines.sort_unstable();
    }
    (shown, used)
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

/// Writes runs of lines, each with the numbers of its ends where they are known.
fn push_runs(segment: &Segment, lines: &[usize], numbers: bool, out: &mut Vec<String>) {
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
