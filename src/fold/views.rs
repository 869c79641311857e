//! The present text of the files in work, as far as there is room: the lines last read or written first.

use super::estimate::estimate;
use crate::history::{Files, Record, View};

/// So many lines of unknown or unshown text between two shown ones are bridged rather than skipped.
const BRIDGE: usize = 2;

/// How views are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// How many files at most.
    pub files: usize,
    pub line_numbers: bool,
}

/// The views of the files in work, in at most about `room` tokens. `recent` are the paths that matter, best first.
pub(super) fn views(files: &Files, recent: &[&str], room: usize, style: Style) -> String {
    let chosen: Vec<(&Record, &View)> = recent
        .iter()
        .filter_map(|path| Some((files.record(path)?, files.view(path)?)))
        .filter(|(_, view)| !view.segments.is_empty())
        .take(style.files)
        .collect();
    let mut left = room;
    let mut out = Vec::new();
    for (at, (record, view)) in chosen.iter().enumerate() {
        // The first file may have half of what is there; what one leaves is for the next.
        let share = if at + 1 == chosen.len() { left } else { left * 3 / 5 };
        let text = one(record, view, share, style.line_numbers);
        left = left.saturating_sub(estimate(&text));
        out.push(text);
    }
    out.retain(|text| !text.is_empty());
    out.join("\n")
}

/// One line of a view, before it is known whether it is shown.
#[derive(Clone, Copy)]
struct Spot {
    segment: usize,
    line: usize,
    stamp: usize,
    /// How many known lines away the nearest one is that was read or written later.
    distance: usize,
}

fn one(record: &Record, view: &View, room: usize, numbers: bool) -> String {
    let stale = if view.stale() { " (a command may have changed it since: read it again before an edit)" } else { "" };
    let head = format!("[{} now{stale}]", record.path);
    let left = room.saturating_sub(estimate(&head) + 10);
    let shown = choose(view, left);
    if shown.iter().all(Vec::is_empty) {
        return String::new();
    }
    let mut out = vec![head];
    for (segment, lines) in view.segments.iter().zip(shown) {
        push_runs(segment, &lines, numbers, &mut out);
    }
    out.join("\n")
}

/// The lines that are shown, by segment, in order: the last read or written first, and around these the older ones.
fn choose(view: &View, room: usize) -> Vec<Vec<usize>> {
    let mut spots = spots(view);
    spots.sort_by_key(|spot| (std::cmp::Reverse(spot.stamp), spot.distance));
    let mut left = room;
    let mut shown: Vec<Vec<usize>> = vec![Vec::new(); view.segments.len()];
    for spot in spots {
        let cost = estimate(&view.segments[spot.segment].lines[spot.line].text) + 1;
        if cost > left {
            break;
        }
        left -= cost;
        shown[spot.segment].push(spot.line);
    }
    for lines in &mut shown {
        lines.sort_unstable();
    }
    shown
}

fn spots(view: &View) -> Vec<Spot> {
    let mut spots: Vec<Spot> = Vec::new();
    for (segment, content) in view.segments.iter().enumerate() {
        let lines = content.lines.iter().enumerate();
        spots.extend(lines.map(|(line, known)| Spot { segment, line, stamp: known.stamp, distance: usize::MAX }));
    }
    measure(&mut spots);
    spots.reverse();
    measure(&mut spots);
    spots.reverse();
    spots
}

/// Notes how far back the nearest later-stamped spot is, where that is nearer than known.
fn measure(spots: &mut [Spot]) {
    let mut later: Vec<(usize, usize)> = Vec::new();
    for (at, spot) in spots.iter_mut().enumerate() {
        while later.last().is_some_and(|(stamp, _)| *stamp <= spot.stamp) {
            later.pop();
        }
        if let Some((_, near)) = later.last() {
            spot.distance = spot.distance.min(at - near);
        }
        later.push((spot.stamp, at));
    }
}

/// Writes runs of lines, each with the numbers of its ends where they are known.
fn push_runs(segment: &crate::history::Segment, lines: &[usize], numbers: bool, out: &mut Vec<String>) {
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
