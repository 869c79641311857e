//! The rules by name: what `fanlight rules list` and `show` print.

use super::{Pack, RuleSet, Seen, Show};

/// One rule, in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `client/kind/rule`, `profile/name`, `model/family`, `lexicon/list`, `check/id` or `example/id`.
    pub id: String,
    /// What it does.
    pub what: String,
    /// The versions of the client on which it must match.
    pub seen: Seen,
}

impl RuleSet {
    /// All rules, by kind, in the order in which they are asked.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.packs.iter().flat_map(pack_entries).collect();
        let profiles = self.profiles.iter().map(|profile| {
            let what = profile.up_to.map_or("chosen by name only".into(), |up_to| format!("windows to {up_to} tokens"));
            (format!("profile/{}", profile.name), what)
        });
        let models = self.models.iter().map(|model| (format!("model/{}", model.family), model.names.join(" ")));
        let lists = self.lexicon.lists();
        let lists = lists.into_iter().map(|(list, what)| (format!("lexicon/{list}"), what));
        let examples = self.examples.iter().map(|example| (format!("example/{}", example.id), example.prompt.clone()));
        let checks = self.checks.rules.iter().map(|rule| (format!("check/{}", rule.id), rule.in_a_line()));
        entries.extend(profiles.chain(models).chain(lists).chain(checks).chain(examples).map(|(id, what)| Entry {
            id,
            what,
            seen: Seen::default(),
        }));
        entries
    }
}

fn pack_entries(pack: &Pack) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |kind: &str, rule: &str, what: String, seen: Seen| {
        entries.push(Entry { id: format!("{}/{kind}/{rule}", pack.client), what, seen });
    };
    for rule in &pack.lines {
        add("line", &rule.id, rule.text.lines().next().unwrap_or_default().to_owned(), Seen::default());
    }
    for rule in &pack.sections {
        let places: Vec<&str> = rule.headings.iter().chain(&rule.anchors).map(String::as_str).collect();
        add("section", &rule.id, format!("{}: {}", rule.action.word(), places.join(" | ")), rule.seen());
    }
    for rule in &pack.tools {
        let show = match rule.show {
            Show::Core => "core",
            Show::Park => "park",
            Show::Hide => "hide",
        };
        add("tool", &rule.names[0], format!("{show}: {}", rule.names.join(" | ")), rule.seen());
    }
    for rule in &pack.reminders {
        add("reminder", &rule.id, format!("{}: {}", rule.action.word(), rule.starts.join(" | ")), rule.seen());
    }
    for rule in &pack.messages {
        let marks = rule.tags.iter().map(|tag| format!("<{tag}>"));
        let marks: Vec<String> = marks.chain(rule.starts.iter().chain(&rule.first_line_ends).cloned()).collect();
        let keep = format!("{:?}", rule.keep).to_lowercase();
        add("message", &rule.id, format!("{keep}: {}", marks.join(" | ")), Seen::default());
    }
    for rule in &pack.sides {
        let places: Vec<&str> = rule.system.iter().chain(&rule.prompt).chain(&rule.marks).map(String::as_str).collect();
        add("side", &rule.id, format!("{}: {}", rule.action.word(), places.join(" | ")), Seen::default());
    }
    entries
}

/// The text of one rule in a file: from its `[[kind]]` up to the next. `rule` is its id, or one of its names.
pub fn source_of<'a>(text: &'a str, kind: &str, rule: &str) -> Option<&'a str> {
    let (head, quoted) = (format!("[[{kind}]]"), format!("\"{rule}\""));
    let inner = format!("[[{kind}.");
    let mut at = 0;
    let mut blocks = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') && !line.starts_with(&inner) {
            blocks.push(at);
        }
        at += line.len();
    }
    let ends: Vec<usize> = blocks.iter().skip(1).copied().chain([text.len()]).collect();
    let block = blocks.into_iter().zip(ends).map(|(start, end)| &text[start..end]);
    let names_it = |line: &str| (line.starts_with("id =") || line.starts_with("names =")) && line.contains(&quoted);
    block.filter(|block| block.starts_with(&head)).find(|block| block.lines().any(names_it)).map(|block| {
        let comment = block.find("\n#").unwrap_or(block.len());
        block[..comment].trim_end()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_builtin_rule_is_found_in_its_file() {
        let rules = RuleSet::builtin();
        for entry in rules.entries() {
            let parts: Vec<&str> = entry.id.splitn(3, '/').collect();
            let [_, kind, rule] = parts[..] else { continue };
            let found = super::super::BUILTIN.iter().any(|file| source_of(file.text, kind, rule).is_some());
            assert!(found, "{}", entry.id);
        }
    }

    #[test]
    fn a_block_ends_where_the_next_begins() {
        let text = "client = \"c\"\n[[tool]]\nnames = [\"A\", \"B\"]\n\n# More.\n[[tool]]\nnames = [\"C\"]\n";
        assert_eq!(source_of(text, "tool", "B"), Some("[[tool]]\nnames = [\"A\", \"B\"]"));
        assert_eq!(source_of(text, "section", "B"), None);
    }
}
