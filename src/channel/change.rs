//! What an edit did, as facts for the model: how the place now reads, and where a word that it renamed still stands.

use crate::history::{Swap, View};

/// Lines of context around a change.
const AROUND: usize = 2;

/// The most lines of a change that are shown.
const SHOWN: usize = 12;

/// The lines around the new text; `None` where its place is not known.
pub(super) fn now_reads(view: &View, swap: Swap<'_>) -> Option<String> {
    let new = swap.new.trim_end_matches('\n');
    let (segment, text, at) = view.segments.iter().find_map(|segment| {
        let text = segment.text();
        text.find(new).filter(|_| !new.is_empty()).map(|at| (segment, text.clone(), at))
    })?;
    let first = text[..at].matches('\n').count();
    let last = first + new.matches('\n').count();
    let from = first.saturating_sub(AROUND);
    let to = (last + AROUND + 1).min(segment.lines.len());
    let lines: Vec<&str> = segment.lines[from..to].iter().map(|line| line.text.as_str()).collect();
    (lines.len() <= SHOWN).then(|| lines.join("\n"))
}

/// Whether an edit adds lines, and all of them stand in the file already.
pub(super) fn only_repeats(view: &View, swap: Swap<'_>) -> bool {
    let in_old = |line: &&str| swap.old.lines().any(|old| old.trim() == line.trim());
    let mut added = swap.new.lines().filter(|line| !line.trim().is_empty() && !in_old(line)).peekable();
    let stands = |line: &str| line.trim().len() > 2 && view.lines().any(|known| known.text.trim() == line.trim());
    swap.new.lines().count() > swap.old.lines().count() && added.peek().is_some() && added.all(stands)
}

/// The lines at the end of an edit's new text that follow its old text in the file already, and would stand there twice.
pub(super) fn repeats_next<'a>(view: &View, swap: Swap<'a>) -> Option<&'a str> {
    let behind = view
        .segments
        .iter()
        .find_map(|segment| segment.text().split_once(swap.old).map(|(_, rest)| rest.to_owned()))?;
    let mut next =
        behind.strip_prefix('\n')?.lines().filter(|line| !line.trim().is_empty()).take(SHOWN).collect::<Vec<_>>();
    let end = |lines: &[&str]| swap.new.trim_end().ends_with(&format!("\n{}", lines.join("\n")));
    while !next.is_empty() && !end(&next) {
        next.pop();
    }
    let repeated = next.join("\n");
    let kept = swap.old.trim_end().ends_with(&repeated);
    (!next.is_empty() && !kept).then(|| &swap.new.trim_end()[swap.new.trim_end().len() - repeated.len()..])
}

/// The line that would never be reached behind the new text, in the same block: both begin with one of these words.
pub(super) fn unreachable(view: &View, swap: Swap<'_>, words: &[String]) -> Option<String> {
    let is_final = |line: &str| words.iter().any(|word| first_word(line) == word);
    let new = swap.new.trim_end();
    view.segments.iter().find_map(|segment| {
        let (before, behind) = segment.text().split_once(swap.old).map(|(a, b)| (format!("{a}{new}"), b.to_owned()))?;
        let last = before.lines().next_back()?;
        let ended = behind.starts_with('\n') || swap.old.ends_with('\n');
        let mut block =
            behind.lines().filter(|line| !line.trim().is_empty()).take_while(|line| line.starts_with(depth(last)));
        let dead = block.find(|line| is_final(line) && depth(line) == depth(last))?;
        (ended && is_final(last) && view.occurrences(dead) == 1).then(|| dead.to_owned())
    })
}

fn first_word(line: &str) -> &str {
    line.trim_start().split(|c| !is_word_char(c)).next().unwrap_or_default()
}

fn depth(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// The word that an edit renamed, where it still stands in the file, with the lines in which it does.
pub(super) fn left_over<'a>(view: &View, swap: Swap<'a>) -> Option<(&'a str, Vec<String>)> {
    let (old, new) = renamed(swap.old, swap.new)?;
    let lines: Vec<String> =
        view.lines().filter(|line| has_word(&line.text, old)).take(3).map(|line| line.text.clone()).collect();
    (!lines.is_empty() && !has_word(new, old)).then_some((old, lines))
}

/// The word that an edit is about to rename in one place, where it stands in others of the file too.
pub(super) fn stands_elsewhere<'a>(view: &View, swap: Swap<'a>) -> Option<&'a str> {
    let (old, _) = renamed(swap.old, swap.new).or_else(|| renamed_with_next(view, swap))?;
    let count = |text: &str| words(text).filter(|word| *word == old).count();
    let all: usize = view.lines().map(|line| count(&line.text)).sum();
    (all > count(swap.old)).then_some(old)
}

/// The word of the file that an edit is about to rename, wherever that is.
pub(super) fn renames<'a>(view: &View, swap: Swap<'a>) -> Option<&'a str> {
    let (old, _) = renamed(swap.old, swap.new)?;
    view.lines().any(|line| has_word(&line.text, old)).then_some(old)
}

/// The same where the new text goes on with what follows in the file, renamed as well.
fn renamed_with_next<'a>(view: &View, swap: Swap<'a>) -> Option<(&'a str, &'a str)> {
    let end = swap.new.match_indices('\n').nth(swap.old.matches('\n').count())?.0;
    let (old, new) = renamed(swap.old, &swap.new[..end])?;
    let behind = view.segments.iter().find_map(|segment| Some(segment.text().split_once(swap.old)?.1.to_owned()))?;
    // Small models mix up the kinds of quotes.
    let behind: Vec<&str> = behind.lines().filter(|line| !line.trim().is_empty()).collect();
    let next: String = words(&behind.join("\n")).map(|word| if word == old { new } else { word }).collect();
    let one_quote = |text: &str| text.replace('\'', "\"");
    one_quote(&next).starts_with(&one_quote(swap.new[end..].trim())).then_some((old, new))
}

/// One word of `old` in whose place `new` has another one, and nothing else differs.
fn renamed<'a>(old: &'a str, new: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut olds, mut news) = (words(old), words(new));
    loop {
        match (olds.next(), news.next()) {
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) => {
                let rest = olds.map(|word| if word == a { b } else { word });
                let same = rest.eq(news) && a.len() > 2 && is_word(a) && is_word(b);
                return same.then_some((a, b));
            }
            _ => return None,
        }
    }
}

pub(super) fn has_word(text: &str, word: &str) -> bool {
    words(text).any(|other| other == word)
}

/// Words, and whatever is between them, in order.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let word = || rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
        let end = if is_word_char(first) { word() } else { first.len_utf8() };
        let (word, behind) = rest.split_at(end);
        rest = behind;
        Some(word)
    })
}

fn is_word(text: &str) -> bool {
    text.chars().all(is_word_char)
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> View {
        let mut view = View::default();
        view.write(text, 0);
        view
    }

    fn swap<'a>(old: &'a str, new: &'a str) -> Swap<'a> {
        Swap { old, new, all: false }
    }

    #[test]
    fn a_renamed_word_that_still_stands_is_found() {
        let view = view("use b\n\nrun(draw(1))\ndrawn = 2\n");
        assert_eq!(left_over(&view, swap("use draw", "use b")), Some(("draw", vec!["run(draw(1))".into()])));
        assert_eq!(left_over(&view, swap("use draw", "use b now")), None);
        assert_eq!(left_over(&view, swap("x = 1", "x = 2")), None);
    }

    #[test]
    fn a_word_that_is_renamed_in_one_place_only_is_found() {
        let view = view("use draw\n\nrun(draw(1))\n");
        assert_eq!(stands_elsewhere(&view, swap("use draw", "use paint")), Some("draw"));
        assert_eq!(stands_elsewhere(&view, swap("use", "take")), None);
    }

    #[test]
    fn a_line_behind_a_new_return_is_found() {
        let (view, words) = (view("def f(a):\n    if a:\n        return 1\n    return 2\n"), ["return".to_owned()]);
        let dead = |old, new| unreachable(&view, swap(old, new), &words);
        assert_eq!(dead("    if a:\n        return 1", "    return 3").as_deref(), Some("    return 2"));
        assert_eq!(dead("if a:\n        return 1\n", "return 3\n").as_deref(), Some("    return 2"));
        assert_eq!(dead("def f(a):", "def f(a):\n    return 3").as_deref(), Some("    return 2"));
        assert_eq!(dead("    if a:", "    if a and b:"), None);
        assert_eq!(dead("        return 1", "        return 3"), None);
        assert_eq!(dead("    return 2", "    return 3"), None);
    }

    #[test]
    fn a_word_that_is_renamed_in_the_lines_behind_too_is_found() {
        let view = view("use draw\n\nrun(draw('1'))\n");
        assert_eq!(stands_elsewhere(&view, swap("use draw", "use paint\nrun(paint(\"1\"))")), Some("draw"));
        assert_eq!(renames(&view, swap("use \"draw\"", "use \"paint\"")), Some("draw"));
        assert_eq!(stands_elsewhere(&view, swap("use draw", "use paint\nuse ink")), None);
    }

    #[test]
    fn an_edit_that_only_repeats_what_stands_there_is_found() {
        let view = view("one\ntwo\nthree\n");
        assert!(only_repeats(&view, swap("one", "one\ntwo\nthree")));
        assert!(!only_repeats(&view, swap("three", "three\nfour")));
        assert!(!only_repeats(&view, swap("one\ntwo", "two")));
    }

    #[test]
    fn an_edit_that_repeats_what_follows_it_is_found() {
        let view = view("one\ntwo\nthree\n");
        assert_eq!(repeats_next(&view, swap("one", "zero\none\ntwo\nthree")), Some("two\nthree"));
        assert_eq!(repeats_next(&view, swap("one", "zero\none\ntwo")), Some("two"));
        assert_eq!(repeats_next(&view, swap("one", "zero\none")), None);
        assert_eq!(repeats_next(&view, swap("one\ntwo", "1\ntwo")), None);
        assert_eq!(repeats_next(&view, swap("o", "0")), None);
    }

    #[test]
    fn the_place_of_a_change_is_shown_with_what_is_around_it() {
        let view = view("a\nb\nc\nd\ne\nf\n");
        assert_eq!(now_reads(&view, swap("x", "d")).unwrap(), "b\nc\nd\ne\nf");
    }
}
