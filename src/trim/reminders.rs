//! What the client puts between the user's words: reminders, notices, lists. Each falls to a rule by how it begins.

use crate::rules::{HeadProfile, Pack, ReminderAction, ReminderRule};

use super::tally::Tally;
use super::words::{bare, first_words, own_part, tidy, without_lines};

const OPEN: &str = "<system-reminder>";
const CLOSE: &str = "</system-reminder>";

/// What decides what becomes of reminders.
pub(super) struct Reminders<'a> {
    pub(super) pack: &'a Pack,
    pub(super) profile: &'a HeadProfile,
    /// What the client tells of itself is shown, not only what is the user's own.
    pub(super) facts: bool,
}

impl Reminders<'_> {
    /// The text with each reminder in it as its rule says. What is empty afterwards goes whole.
    pub(super) fn apply(&self, text: &str, tally: &mut Tally) -> String {
        if self.profile.off || !text.contains(OPEN) {
            return text.to_owned();
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, inner, behind)) = next_reminder(rest) {
            out.push_str(before);
            let kept = self.inside(inner, tally);
            if kept.is_empty() {
                out.truncate(out.trim_end().len());
            } else {
                out.push_str(&wrapped(&kept));
            }
            rest = behind;
        }
        out.push_str(rest);
        if out.trim().is_empty() { String::new() } else { out }
    }

    /// What is left of the inside of one reminder.
    pub(super) fn inside(&self, inner: &str, tally: &mut Tally) -> String {
        if self.profile.off {
            return inner.trim().to_owned();
        }
        let kept = self.pieces(inner).into_iter().map(|(rule, piece)| match rule {
            Some(rule) => self.piece(piece, rule, tally),
            None => piece.trim().to_owned(),
        });
        kept.filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// Cuts the inside of a reminder wherever a rule knows a line. A user's own text is cut at its `ends` alone.
    fn pieces<'t>(&self, text: &'t str) -> Vec<(Option<&ReminderRule>, &'t str)> {
        let mut pieces = Vec::new();
        let (mut start, mut at) = (0, 0);
        let mut rule: Option<&ReminderRule> = None;
        for line in text.split_inclusive('\n') {
            let may_end = rule.is_none_or(|rule| !rule.own || begins_with_one(line, &rule.ends));
            if may_end && let Some(next) = self.pack.reminders.iter().find(|rule| begins_with_one(line, &rule.starts)) {
                pieces.push((rule, &text[start..at]));
                (start, rule) = (at, Some(next));
            } else if may_end && rule.is_some_and(|rule| rule.own) {
                pieces.push((rule, &text[start..at]));
                (start, rule) = (at, None);
            }
            at += line.len();
        }
        pieces.push((rule, &text[start..]));
        pieces.retain(|(_, piece)| !piece.trim().is_empty());
        pieces
    }

    fn piece(&self, piece: &str, rule: &ReminderRule, tally: &mut Tally) -> String {
        let goes = matches!(rule.action, ReminderAction::Drop | ReminderAction::Replace) && !rule.own;
        let (before, other) = if goes { own_part(piece.trim(), &rule.paragraphs) } else { (piece.trim(), "") };
        let in_full = rule.own || rule.keep_from.is_some_and(|from| from <= self.profile.detail);
        let after = match rule.action {
            _ if self.profile.detail < rule.from || !(self.facts || rule.own) => String::new(),
            _ if in_full => before.to_owned(),
            ReminderAction::Keep => tidy(&without_lines(before, &rule.drop_lines)),
            ReminderAction::Drop => String::new(),
            ReminderAction::Replace => rule.text.clone().unwrap_or_default(),
            ReminderAction::Names => names(before, rule.text.as_deref().unwrap_or_default(), self.profile.list_words),
        };
        if rule.withheld_tools {
            let lines = before.lines().skip(1).map(bare);
            tally.withheld.extend(lines.filter(|line| is_tool_name(line)).map(str::to_owned));
        }
        tally.hit("reminder", &rule.id, before, &after);
        if other.is_empty() { after } else { format!("{after}\n{other}").trim().to_owned() }
    }
}

fn is_tool_name(line: &str) -> bool {
    !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// The reminder's text as it stands in a message.
pub(super) fn wrapped(inner: &str) -> String {
    format!("{OPEN}\n{}\n{CLOSE}", inner.trim())
}

/// Whether there is a reminder in the text already.
pub(super) fn is_wrapped(text: &str) -> bool {
    next_reminder(text).is_some()
}

/// The texts inside the reminders of a text that is nothing but reminders.
pub(super) fn only_reminders(text: &str) -> Option<Vec<&str>> {
    let mut inside = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (before, inner, behind) = next_reminder(rest)?;
        if !before.trim().is_empty() {
            return None;
        }
        inside.push(inner);
        rest = behind.trim();
    }
    (!inside.is_empty()).then_some(inside)
}

/// What stands before the first reminder, in it, and behind it.
fn next_reminder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(OPEN)?;
    let (inner, behind) = rest.split_once(CLOSE)?;
    Some((before, inner, behind))
}

fn begins_with_one(line: &str, starts: &[String]) -> bool {
    let line = line.trim_start();
    starts.iter().any(|start| line.starts_with(start.as_str()))
}

/// A list by the names of its items, and what stands behind it.
fn names(list: &str, title: &str, words: usize) -> String {
    let mut names = Vec::new();
    let mut rest = String::new();
    let mut ended = false;
    let last = list.lines().filter(|line| is_item(line)).count();
    for line in list.lines().skip(1) {
        if is_item(line) {
            names.push(item(line, words));
        } else if names.len() == last && (ended || line.trim().is_empty()) {
            ended = true;
            rest.push_str(line);
            rest.push('\n');
        }
    }
    if names.is_empty() {
        names = list.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        rest.clear();
    }
    tidy(&format!("{title}{}\n{rest}", names.join(", ")))
}

/// Whether a line is `- name: …` or `- name`, with a name of one word. A list within a description is none.
fn is_item(line: &str) -> bool {
    let Some(item) = line.strip_prefix("- ") else { return false };
    let name = item.split_once(": ").map_or(item, |(name, _)| name);
    !name.trim_end().contains(char::is_whitespace)
}

/// `- name: what it does` as `name (what it does)`.
fn item(line: &str, words: usize) -> String {
    let (name, description) = bare(line).split_once(": ").unwrap_or((bare(line), ""));
    let name = name.trim_end_matches(':');
    match first_words(description, words) {
        words if words.is_empty() => name.to_owned(),
        words => format!("{name} ({words})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use crate::tokens::O200k;

    const RULES: &str = r##"
        client = "c"
        [[reminder]]
        id = "own"
        starts = ["# notes"]
        own = true
        ends = ["# date"]
        do = "keep"
        [[reminder]]
        id = "date"
        starts = ["# date"]
        do = "keep"
        drop_lines = ["IMPORTANT"]
        [[reminder]]
        id = "nag"
        starts = ["Do use the list"]
        do = "drop"
        [[reminder]]
        id = "skills"
        starts = ["These skills"]
        do = "names"
        text = "Skills: "
    "##;

    fn applied(text: &str) -> String {
        with_facts(text, true)
    }

    fn with_facts(text: &str, facts: bool) -> String {
        let mut rules = RuleSet::default();
        rules.layer("c.toml", RULES).unwrap();
        let profile = HeadProfile::default();
        let mut tally = Tally::new("c", &O200k);
        Reminders { pack: &rules.packs[0], profile: &profile, facts }.apply(text, &mut tally)
    }

    #[test]
    fn a_dropped_reminder_leaves_nothing() {
        assert_eq!(applied("<system-reminder>\nDo use the list!\n</system-reminder>"), "");
        assert_eq!(applied("result\n\n<system-reminder>\nDo use the list!\n</system-reminder>\n"), "result\n");
    }

    #[test]
    fn no_rule_reaches_into_the_users_own_text() {
        let text = "<system-reminder>\n# notes\nThese skills:\n- a: b\nDo use the list\n# date\nToday.\n   IMPORTANT: x\n</system-reminder>";
        let kept =
            "<system-reminder>\n# notes\nThese skills:\n- a: b\nDo use the list\n# date\nToday.\n</system-reminder>";
        assert_eq!(applied(text), kept);
    }

    #[test]
    fn without_the_clients_facts_the_users_notes_and_attached_files_stay() {
        let reminder = |inner: &str| format!("<system-reminder>\n{inner}\n</system-reminder>");
        let file = reminder("Result of a look at @a.py:\n1\tx = 1");
        assert_eq!(with_facts(&reminder("# notes\nuse tabs\n# date\nToday."), false), reminder("# notes\nuse tabs"));
        assert_eq!(with_facts(&format!("{file}\nfix it"), false), format!("{file}\nfix it"));
    }

    #[test]
    fn a_list_is_told_by_its_names() {
        let text = "<system-reminder>\nThese skills are there:\n\n- one: does one. More\n- If the user asks: x\n- two:three: does\n\nSomething else.\n</system-reminder>";
        assert_eq!(applied(text), "<system-reminder>\nSkills: one, two:three\n\nSomething else.\n</system-reminder>");
    }

    #[test]
    fn what_no_rule_knows_stays() {
        let text = "<system-reminder>\nThe build is red.\n</system-reminder>";
        assert_eq!(applied(text), text);
    }

    #[test]
    fn only_whole_reminders_are_no_typed_text() {
        assert_eq!(only_reminders("<system-reminder>\na\n</system-reminder>\n"), Some(vec!["\na\n"]));
        assert_eq!(only_reminders("hello <system-reminder>a</system-reminder>"), None);
        assert_eq!(only_reminders("hello"), None);
    }
}
