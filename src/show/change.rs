//! What an edit did, as facts for the model: how the place now reads, and where a word that it renamed still stands.

use crate::history::{Swap, View};

/// Lines of context around a change.
const AROUND: usize = 2;

/// The most lines of a change that are shown.
const SHOWN: usize = 12;

/// The lines around the new text; `None` where its place is not known.
pub(crate) fn now_reads(view: &View, swap: Swap<'_>) -> Option<String> {
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

/// The word that an edit renamed, where it still stands in the file, with the lines in which it does.
pub(crate) fn left_over<'a>(view: &View, swap: Swap<'a>) -> Option<(&'a str, Vec<String>)> {
    let (old, new) = renamed(swap.old, swap.new)?;
    let lines: Vec<String> =
        view.lines().filter(|line| has_word(&line.text, old)).take(3).map(|line| line.text.clone()).collect();
    (!lines.is_empty() && !has_word(new, old)).then_some((old, lines))
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

fn has_word(text: &str, word: &str) -> bool {
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
    fn the_place_of_a_change_is_shown_with_what_is_around_it() {
        let view = view("a\nb\nc\nd\ne\nf\n");
        assert_eq!(now_reads(&view, swap("x", "d")).unwrap(), "b\nc\nd\ne\nf");
    }
}
