//! Paging: a long text is shown in part, with a word on what is left out and how to have it.

use std::fmt::Write;

use super::estimate::{estimate, prefix};
use super::facts::is_fact;

/// The longest line that is shown whole, in bytes, where lines are picked.
const LONG_LINE: usize = 400;
/// At most this share of a page, in percent, goes to facts from the part left out.
const FACTS: usize = 40;

/// Lines of a text that stay, in order; `rest` says what stands for the others.
pub(super) struct Page {
    pub shown: String,
    /// How many lines from the first are shown without a gap.
    pub first: usize,
    pub total: usize,
}

/// The first lines that fit, and after them the facts of the rest.
pub(super) fn first_lines(text: &str, tokens: usize, facts: bool) -> Page {
    let lines: Vec<&str> = text.split('\n').collect();
    let kept = if facts { facts_in(&lines, 1, tokens * FACTS / 100) } else { Vec::new() };
    let room = tokens.saturating_sub(kept.iter().map(|at| cost(lines[*at])).sum());
    let first = take(lines.iter().copied(), room);
    if first == 0 {
        return Page { shown: prefix(text, tokens).to_owned(), first: 0, total: lines.len() };
    }
    let mut shown = lines[..first].join("\n");
    for at in kept.into_iter().filter(|at| *at >= first) {
        let _ = write!(shown, "\n[line {}] {}", at + 1, prefix(lines[at], LONG_LINE / 3));
    }
    Page { shown, first, total: lines.len() }
}

/// The first and last lines that fit, with the facts between.
pub(super) fn both_ends(text: &str, tokens: usize, gap: impl Fn(usize, usize) -> String) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let kept = facts_in(&lines, 0, tokens * FACTS / 100);
    let room = tokens.saturating_sub(kept.iter().map(|at| cost(lines[*at])).sum());
    let head = take(lines.iter().copied(), room / 2);
    let tail = take(lines.iter().skip(head).rev().copied(), room - room / 2);
    if head + tail == 0 {
        return format!("{}\n{}", prefix(text, tokens), gap(1, lines.len()));
    }
    let until = lines.len() - tail;
    let mut out: Vec<String> = lines[..head].iter().map(|line| (*line).to_owned()).collect();
    let mut from = head;
    for at in kept.into_iter().filter(|at| (head..until).contains(at)) {
        if at > from {
            out.push(gap(from + 1, at));
        }
        out.push(prefix(lines[at], LONG_LINE / 3).to_owned());
        from = at + 1;
    }
    if until > from {
        out.push(gap(from + 1, until));
    }
    out.extend(lines[until..].iter().map(|line| (*line).to_owned()));
    out.join("\n")
}

fn cost(line: &str) -> usize {
    estimate(&line[..prefix_end(line)]) + 6
}

fn prefix_end(line: &str) -> usize {
    let mut end = line.len().min(LONG_LINE);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    end
}

/// How many lines fit.
fn take<'a>(lines: impl Iterator<Item = &'a str>, room: usize) -> usize {
    let mut used = 0;
    lines
        .take_while(|line| {
            used += estimate(line) + 1;
            used <= room
        })
        .count()
}

/// The places of the facts, the first and the last of them where not all fit.
fn facts_in(lines: &[&str], skip: usize, room: usize) -> Vec<usize> {
    let all: Vec<usize> = (skip..lines.len()).filter(|at| is_fact(lines[*at])).collect();
    let mut used = 0;
    let fits = |at: &usize| {
        used += cost(lines[*at]);
        used <= room
    };
    let mut kept: Vec<usize> = from_both_ends(&all).take_while(fits).collect();
    kept.sort_unstable();
    kept
}

/// First, last, second, last but one, and so on.
fn from_both_ends(all: &[usize]) -> impl Iterator<Item = usize> {
    (0..all.len()).map(|turn| if turn.is_multiple_of(2) { all[turn / 2] } else { all[all.len() - 1 - turn / 2] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: usize, fact: usize) -> String {
        let line = |n| if n == fact { "error: the wrong thing".to_owned() } else { format!("step {n} of the build") };
        (1..=lines).map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_page_is_the_first_lines_and_counts_the_rest() {
        let page = first_lines(&log(500, 0), 100, false);
        assert!(page.shown.starts_with("step 1 of"));
        assert_eq!(page.shown.lines().count(), page.first);
        assert_eq!(page.total, 500);
        assert!(estimate(&page.shown) <= 100);
    }

    #[test]
    fn a_fact_in_the_part_left_out_survives() {
        for fact in [1, 100, 250, 499, 500] {
            assert!(first_lines(&log(500, fact), 100, true).shown.contains("error: the wrong thing"), "{fact}");
            let ends = both_ends(&log(500, fact), 100, |a, b| format!("[{a}-{b}]"));
            assert!(ends.contains("error: the wrong thing"), "{fact}: {ends}");
        }
    }
}
