//! A file that is written anew, held against what is known of it: the lines that would be gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::View;

/// The known lines that a write is likely to have forgotten: it keeps most of the file, adds something, and these have
/// nothing in their place. A line with another one in its place is changed, not left out; who only takes lines away, or
/// keeps little, means it.
pub(super) fn left_out<'a>(view: &'a View, content: &'a str) -> Vec<&'a str> {
    let written: Vec<&str> = spoken(content.lines()).collect();
    let kept: BTreeSet<&str> = written.iter().copied().collect();
    let known: BTreeSet<&str> = lines(view).collect();
    let stay = lines(view).filter(|line| kept.contains(line)).count();
    let adds = written.iter().any(|line| !known.contains(*line));
    if !adds || stay * 2 < lines(view).count() {
        return Vec::new();
    }
    without_successor(view, &written, &kept)
}

fn lines(view: &View) -> impl Iterator<Item = &str> {
    spoken(view.lines().map(|line| line.text.as_str()))
}

/// Lines that are not blank, without the space around them: one that moves into another block stays.
fn spoken<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    lines.map(str::trim).filter(|line| !line.is_empty())
}

/// What stands before the first line and behind the last.
const EDGE: &str = "";

/// The lost lines whose kept neighbours now follow one another.
fn without_successor<'a>(view: &'a View, written: &[&str], kept: &BTreeSet<&str>) -> Vec<&'a str> {
    let places = Neighbours::of(written);
    let mut gone = Vec::new();
    for segment in &view.segments {
        let edge = view.whole.then_some(EDGE);
        let (mut before, mut run) = (edge, Vec::new());
        let texts = spoken(segment.lines.iter().map(|line| line.text.as_str())).map(Some).chain([edge.map(|_| EDGE)]);
        for line in texts {
            match line {
                Some(line) if line != EDGE && !kept.contains(line) => run.push(line),
                next => {
                    if before.zip(next).is_some_and(|(before, next)| places.meet(before, next)) {
                        gone.append(&mut run);
                    }
                    run.clear();
                    before = next;
                }
            }
        }
    }
    gone
}

/// Which lines follow which in what is written, and how often each stands there.
struct Neighbours<'a> {
    pairs: BTreeSet<(&'a str, &'a str)>,
    times: BTreeMap<&'a str, usize>,
}

impl<'a> Neighbours<'a> {
    fn of(written: &[&'a str]) -> Self {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for line in written {
            *times.entry(line).or_default() += 1;
        }
        let all: Vec<&str> = std::iter::once(EDGE).chain(written.iter().copied()).chain([EDGE]).collect();
        Self { pairs: all.windows(2).map(|pair| (pair[0], pair[1])).collect(), times }
    }

    /// Whether two lines follow one another, at a place that is not in doubt: one of them stands only once.
    fn meet(&self, before: &'a str, next: &'a str) -> bool {
        let once = |line: &str| line == EDGE || self.times.get(line) == Some(&1);
        self.pairs.contains(&(before, next)) && (once(before) || once(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(old: &str, new: &str) -> String {
        let mut view = View::default();
        view.write(old, 1);
        left_out(&view, new).join(",")
    }

    #[test]
    fn lines_are_left_out_or_changed() {
        assert_eq!(gone("a\nb\nc\n", "a\nb\nc\n"), "");
        assert_eq!(gone("a\nb\nc\n", "a\nB\nc\n"), "", "changed");
        assert_eq!(gone("a\nb\nc\n", "a\nb\nc\nd\n"), "", "added");
        assert_eq!(gone("a\nb\nc\nd\n", "a\nX\n"), "", "replaced as a whole");
        assert_eq!(gone("a\nb\nc\nd\n", "a\nb\n"), "", "only taken away");
        assert_eq!(gone("a\nb\nc\nd\n", "a\nb\nx\nd\ny\n"), "", "changed, and added elsewhere");
        assert_eq!(gone("a\nb\nc\nd\n", "a\nb\nd\ny\n"), "c", "left out, and added elsewhere");
        assert_eq!(gone("a\nb\nc\nd\n", "x\ny\na\nb\nc\n"), "d", "the end is gone, and something came before");
        assert_eq!(gone("}\nb\n}\n", "}\n}\n}\nnew\n"), "", "no place that is certain");
    }
}
