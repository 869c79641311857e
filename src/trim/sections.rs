//! The sections of a system prompt, and the rule that each falls to.

use crate::rules::{Pack, SectionRule};

/// A section: from its heading or anchor up to the next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section<'a> {
    /// The heading without its marks, or nothing.
    pub(super) heading: &'a str,
    pub(super) text: &'a str,
    /// The place of its rule in the pack.
    pub(super) rule: Option<usize>,
}

/// Cuts a text at headings of the first level, and wherever a rule of the pack names a heading or a line.
pub(super) fn split<'a>(text: &'a str, pack: &Pack) -> Vec<Section<'a>> {
    let mut starts: Vec<(usize, &str, Option<usize>)> = Vec::new();
    let (mut at, mut fenced) = (0, false);
    for line in text.split_inclusive('\n') {
        fenced ^= line.trim_start().starts_with("```");
        let first = text[..at].trim().is_empty();
        let may_open = |rule: Option<usize>| rule.is_some() || !starts.last().is_some_and(|last| is_own(last.2, pack));
        if !fenced
            && let Some((heading, rule)) = opening(line.trim_end(), first, pack).filter(|(_, rule)| may_open(*rule))
        {
            starts.push((at, heading, rule));
        }
        at += line.len();
    }
    if starts.first().is_none_or(|first| first.0 > 0) {
        starts.insert(0, (0, "", None));
    }
    let ends = starts.iter().skip(1).map(|next| next.0).chain([text.len()]).collect::<Vec<_>>();
    let sections = starts.into_iter().zip(ends).map(|((start, heading, rule), end)| {
        let text = text[start..end].trim_matches('\n').trim_end();
        Section { heading, text, rule }
    });
    sections.filter(|section| !section.text.trim().is_empty()).collect()
}

/// Whether a rule is for what the user chose.
fn is_own(rule: Option<usize>, pack: &Pack) -> bool {
    rule.is_some_and(|rule| pack.sections[rule].own)
}

/// What a line opens: its heading, and the rule that names it.
fn opening<'a>(line: &'a str, first: bool, pack: &Pack) -> Option<(&'a str, Option<usize>)> {
    let marks = line.bytes().take_while(|byte| *byte == b'#').count();
    let heading = line[marks..].strip_prefix(' ').filter(|_| (1..=6).contains(&marks)).map(str::trim);
    let named = |rule: &SectionRule| match heading {
        _ if rule.first && !first => false,
        // Below the first level only the whole heading counts: an unknown part stays with its section.
        Some(heading) if marks > 1 => rule.headings.iter().any(|known| heading.eq_ignore_ascii_case(known)),
        Some(heading) => rule.headings.iter().any(|known| begins(heading, known)),
        None => !line.is_empty() && rule.anchors.iter().any(|anchor| line.starts_with(anchor.as_str())),
    };
    let rule = pack.sections.iter().position(named);
    (rule.is_some() || marks == 1)
        .then_some((heading.unwrap_or_default(), rule))
        .filter(|(heading, rule)| rule.is_some() || !heading.is_empty())
}

/// Whether a heading begins with the known words, whatever their case.
fn begins(heading: &str, known: &str) -> bool {
    let Some((start, rest)) = heading.split_at_checked(known.len()) else { return false };
    start.eq_ignore_ascii_case(known) && !rest.starts_with(|c: char| c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    fn pack() -> Pack {
        let mut rules = RuleSet::default();
        let text = r#"
            client = "c"
            [[section]]
            id = "style"
            headings = ["Tone"]
            do = "drop"
            [[section]]
            id = "env"
            anchors = ["Here is the folder"]
            do = "preamble"
        "#;
        rules.layer("c.toml", text).unwrap();
        rules.packs.remove(0)
    }

    #[test]
    fn headings_and_anchors_cut_and_fences_do_not() {
        let text = "Intro\n\n# Tone and style\nx\n## Sub\ny\n```\n# no heading\n```\nHere is the folder: z\n# New\nq";
        let found = split(text, &pack());
        let seen: Vec<(&str, Option<usize>)> = found.iter().map(|section| (section.heading, section.rule)).collect();
        assert_eq!(seen, [("", None), ("Tone and style", Some(0)), ("", Some(1)), ("New", None)]);
        assert!(found[1].text.contains("# no heading"));
    }

    #[test]
    fn a_heading_is_known_by_whole_words() {
        assert!(begins("Tone and style", "tone") && begins("Tone", "Tone") && begins("Tone (x)", "Tone"));
        assert!(!begins("Toner", "Tone") && !begins("To", "Tone"));
    }
}
