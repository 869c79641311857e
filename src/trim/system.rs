//! The system text: sections fall to their rules, lines of ours take their place, and what depends on the folder, the
//! day or the session goes behind the head.

use crate::rules::{HeadProfile, LineRule, Only, Pack, Paths, SectionAction, SectionRule};

use super::sections::{Section, split};
use super::tally::Tally;
use super::words::{first_sentence, own_part, tidy, without_lines};
use super::{Head, Kind, LeftOut};

/// What decides what becomes of the system text.
pub(super) struct System<'a> {
    pub(super) pack: &'a Pack,
    pub(super) profile: &'a HeadProfile,
    pub(super) kind: &'a Kind,
    /// Whether the pack's own lines stand in the text; a model profile may have better words for its models.
    pub(super) lines: bool,
    /// How the model is shown paths.
    pub(super) paths: Paths,
}

/// What is left of it.
#[derive(Default)]
struct Left {
    head: Vec<String>,
    preamble: Vec<String>,
    out: Vec<LeftOut>,
}

impl System<'_> {
    /// Writes what is left into `head`, and returns what belongs behind it. The tools must stand in the head already.
    pub(super) fn place(&self, texts: &[String], head: &mut Head, tally: &mut Tally) -> Vec<String> {
        let billing = |text: &&String| self.pack.version_mark.as_ref().is_some_and(|mark| text.contains(mark.as_str()));
        let texts: Vec<&String> = texts.iter().filter(|text| !billing(text)).collect();
        if self.profile.off || matches!(self.kind, Kind::Aside { .. }) {
            head.system = texts.iter().map(|text| text.trim()).collect::<Vec<_>>().join("\n\n");
            return Vec::new();
        }
        let mut left = Left::default();
        if self.lines && !self.pack.client.is_empty() {
            left.head.extend(self.lines(head, tally));
        }
        for (at, text) in texts.iter().enumerate() {
            let sections = split(text, self.pack);
            let last = if at + 1 == texts.len() { sections.len().wrapping_sub(1) } else { usize::MAX };
            for (place, section) in sections.iter().enumerate() {
                self.section(section, place == last, head, &mut left, tally);
            }
        }
        head.system = tidy(&left.head.join("\n"));
        head.left_out = left.out;
        left.preamble
    }

    fn lines(&self, head: &Head, tally: &mut Tally) -> Option<String> {
        let lines: Vec<&str> =
            self.pack.lines.iter().filter(|line| self.stands(line, head)).map(|line| line.text.trim()).collect();
        let text = lines.join("\n");
        (!text.is_empty()).then(|| {
            tally.hit("lines", "ours", "", &text);
            text
        })
    }

    fn stands(&self, line: &LineRule, head: &Head) -> bool {
        let detail = self.profile.detail;
        line.from <= detail
            && line.to.is_none_or(|to| detail <= to)
            && offered(&line.tools, head)
            && line.paths.is_none_or(|paths| paths == self.paths)
            && line.only.is_none_or(|only| (only == Only::Subagent) == (*self.kind == Kind::Subagent))
    }

    fn section(&self, section: &Section, last: bool, head: &Head, left: &mut Left, tally: &mut Tally) {
        let Some(rule) = section.rule.map(|rule| &self.pack.sections[rule]) else {
            let kept = self.unknown(section, &mut left.out, tally);
            left.head.push(kept);
            return;
        };
        let parted = (last || !rule.paragraphs.is_empty()) && rule.action != SectionAction::Preamble;
        let (text, users) = if parted { own_part(section.text, &rule.paragraphs) } else { (section.text, "") };
        let into_preamble = rule.action == SectionAction::Preamble;
        let kept = self.applied(text, rule, head);
        tally.hit("section", &rule.id, text, kept.as_deref().unwrap_or_default());
        if let Some(kept) = kept {
            (if into_preamble { &mut left.preamble } else { &mut left.head }).push(kept);
        }
        if !users.is_empty() {
            left.head.push(users.to_owned());
        }
    }

    fn applied(&self, text: &str, rule: &SectionRule, head: &Head) -> Option<String> {
        let detail = self.profile.detail;
        let in_full = rule.keep_from.is_some_and(|from| from <= detail);
        match rule.action {
            _ if detail < rule.from => None,
            SectionAction::Preamble if in_full => Some(tidy(text)),
            SectionAction::Preamble => Some(preamble(text, rule)).filter(|text| !text.is_empty()),
            _ if !shown(&rule.tools, head) => None,
            SectionAction::Keep => Some(without_lines(text, &rule.drop_lines)),
            _ if in_full => Some(without_lines(text, &rule.drop_lines)),
            SectionAction::Replace => rule.text.clone(),
            SectionAction::Drop => None,
        }
    }

    /// A section that no rule names: whole where it is short, or has no heading and so may be the user's own; else its
    /// heading and first sentence, and how to have the rest.
    fn unknown(&self, section: &Section, out: &mut Vec<LeftOut>, tally: &mut Tally) -> String {
        let users_own = section.heading.is_empty();
        let name = if users_own { "(text without a heading)" } else { section.heading };
        tally.unknown(name);
        if users_own || tally.count(section.text) <= self.profile.unknown_section {
            tally.hit("sections", "unknown", section.text, section.text);
            return section.text.to_owned();
        }
        let body = section.text.split_once('\n').map_or("", |(_, body)| body);
        let handle = format!("s{}", out.len() + 1);
        let sentence = first_sentence(body);
        let short = format!("# {}\n{sentence}. [Recall {handle} shows all of it]", section.heading);
        out.push(LeftOut { handle, text: section.text.to_owned() });
        tally.hit("sections", "unknown", section.text, &short);
        short
    }
}

/// Whether one of the tools is shown in full; true where none is asked for.
fn shown(tools: &[String], head: &Head) -> bool {
    tools.is_empty() || tools.iter().any(|name| head.core.iter().any(|tool| tool.client.name == *name))
}

/// Whether the client offers one of the tools; true where none is asked for.
fn offered(tools: &[String], head: &Head) -> bool {
    let parked = tools.iter().any(|name| head.parked.iter().any(|tool| tool.client.name == *name));
    parked || shown(tools, head)
}

fn preamble(text: &str, rule: &SectionRule) -> String {
    let Some(ours) = &rule.text else { return tidy(&without_lines(text, &rule.drop_lines)) };
    if rule.between.is_empty() {
        let rest = tidy(text.split_once('\n').map_or("", |(_, rest)| rest));
        let rest = tidy(&without_lines(&rest, &rule.drop_lines));
        return if rest.is_empty() { rest } else { format!("{ours}\n{rest}") };
    }
    let found = rule.between.iter().find_map(|[before, behind]| {
        let (_, rest) = text.split_once(before.as_str())?;
        rest.split_once(behind.as_str()).map(|(found, _)| found)
    });
    found.map_or_else(|| tidy(text), |found| ours.replace("{}", found))
}
