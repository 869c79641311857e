//! Reading a rule file, and layering it over those before it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::examples::{ExampleFile, read_examples};
use super::parse::read;
use super::{Checks, Example, Lexicon, MessageKinds, ModelProfile, Pack, Profile, RuleError, RuleSet, SectionAction};

impl RuleSet {
    /// The rules that are compiled in.
    pub fn builtin() -> Self {
        let mut rules = Self::default();
        // A test reads each of them, so that none is ever left out here.
        for file in super::BUILTIN {
            let _ = rules.layer(file.name, file.text);
        }
        rules.models = super::builtin_models().unwrap_or_default();
        rules.lexicon = Lexicon::builtin().unwrap_or_default().into();
        rules.checks = Checks::builtin().unwrap_or_default().into();
        rules.examples = ExampleFile::builtin().unwrap_or_default();
        rules
    }

    /// Lays one file over the rules: what has the same id is replaced, what is new goes before what was there.
    ///
    /// # Errors
    /// When the file is not a rule file; the rules are then as they were.
    pub fn layer(&mut self, file: &str, text: &str) -> Result<(), RuleError> {
        match kind_of(file, text)? {
            FileKind::Pack => self.layer_pack(read_pack(file, text)?),
            FileKind::Profile => replace(&mut self.profiles, read(file, text)?, |profile: &Profile| &profile.name),
            FileKind::Lexicon => Arc::make_mut(&mut self.lexicon).join(read_lexicon(file, text)?),
            FileKind::Checks => {
                let checks = self.known_checks(file, text)?;
                Arc::make_mut(&mut self.checks).join(checks);
            }
            FileKind::Examples => {
                let file = read_examples(file, text)?;
                join(&mut self.examples, file.examples, |example: &Example| &example.id);
            }
            FileKind::Model => join(&mut self.models, vec![read(file, text)?], |model: &ModelProfile| &model.family),
        }
        Ok(())
    }

    /// Reads checks; one that there is not is an error, as it would say nothing to nobody.
    fn known_checks(&self, file: &str, text: &str) -> Result<Checks, RuleError> {
        let checks: Checks = read(file, text)?;
        match checks.rules.iter().find(|rule| self.checks.rule(&rule.id).is_none()) {
            Some(rule) if !self.checks.rules.is_empty() => {
                Err(RuleError::at_value(file, text, &format!("\"{}\"", rule.id), "there is no such check")
                    .remedy("`fanlight rules list` names them"))
            }
            _ => Ok(checks),
        }
    }

    fn layer_pack(&mut self, pack: Pack) {
        match self.packs.iter_mut().find(|known| known.client == pack.client) {
            Some(known) => known.join(pack),
            None => self.packs.push(pack),
        }
        self.messages = MessageKinds::new(self.packs.iter().flat_map(|pack| pack.messages.clone()).collect()).into();
    }
}

impl Pack {
    fn join(&mut self, over: Pack) {
        self.marks.extend(over.marks);
        self.folder_marks.extend(over.folder_marks);
        self.version_mark = over.version_mark.or(self.version_mark.take());
        self.unasked_temperature = over.unasked_temperature.or(self.unasked_temperature);
        self.empty.extend(over.empty);
        join(&mut self.lines, over.lines, |rule| &rule.id);
        join(&mut self.sections, over.sections, |rule| &rule.id);
        join(&mut self.tools, over.tools, |rule| &rule.names[0]);
        join(&mut self.reminders, over.reminders, |rule| &rule.id);
        join(&mut self.messages, over.messages, |rule| &rule.id);
        join(&mut self.sides, over.sides, |rule| &rule.id);
        self.tests.extend(over.tests);
    }
}

/// Puts each of `over` in the place of the one with its id, or before all.
fn join<T>(under: &mut Vec<T>, over: Vec<T>, id: impl Fn(&T) -> &String) {
    let mut new = Vec::new();
    for rule in over {
        match under.iter_mut().find(|known| id(known) == id(&rule)) {
            Some(known) => *known = rule,
            None => new.push(rule),
        }
    }
    under.splice(0..0, new);
}

fn replace<T>(under: &mut Vec<T>, over: T, id: impl Fn(&T) -> &String) {
    match under.iter_mut().find(|known| id(known) == id(&over)) {
        Some(known) => *known = over,
        None => under.push(over),
    }
}

enum FileKind {
    Pack,
    Profile,
    Model,
    Lexicon,
    Checks,
    Examples,
}

/// A file says what it is by its first key.
fn kind_of(file: &str, text: &str) -> Result<FileKind, RuleError> {
    let table: toml::Table = read(file, text)?;
    let has = |key: &str| table.contains_key(key);
    let kinds = [
        ("client", FileKind::Pack),
        ("profile", FileKind::Profile),
        ("family", FileKind::Model),
        ("lexicon", FileKind::Lexicon),
        ("checks", FileKind::Checks),
        ("examples", FileKind::Examples),
    ];
    let mut said = kinds.into_iter().filter(|(key, _)| has(key)).map(|(_, kind)| kind);
    match (said.next(), said.next()) {
        (Some(kind), None) => Ok(kind),
        // The examples of a model's profile are a table of its settings.
        (Some(FileKind::Model), Some(FileKind::Examples)) if table["examples"].is_table() => Ok(FileKind::Model),
        _ => Err(RuleError::new(file, text, 0..0, "it does not say what it is a rule file for").remedy(
            "begin it with one of `client = \"…\"`, `profile = \"…\"`, `family = \"…\"`, `lexicon = \"…\"`, `checks = \"…\"`, `examples = \"…\"`",
        )),
    }
}

/// Reads a lexicon; an entry that says nothing is an error, as it would mean every name, or stand in every text.
fn read_lexicon(file: &str, text: &str) -> Result<Lexicon, RuleError> {
    let lexicon: Lexicon = read(file, text)?;
    let words = &lexicon.words;
    let lists =
        [&words.acting, &words.explaining, &words.showing, &words.showing_calls, &words.nothing, &words.correcting];
    let all = lexicon.tools.values().chain(lexicon.parameters.values()).chain(lexicon.values.values()).chain(lists);
    if all.flatten().any(|entry| entry.trim().is_empty()) {
        return Err(RuleError::at_value(file, text, "\"\"", "an empty name or word would be found everywhere")
            .remedy("leave it out"));
    }
    if let Some(secret) = lexicon.secrets.iter().find(|secret| regex::Regex::new(secret).is_err()) {
        return Err(RuleError::at_value(file, text, secret, "this is no regular expression"));
    }
    let large = |entry: &&String| entry.chars().any(char::is_uppercase);
    if let Some(entry) = lists.into_iter().flatten().find(large) {
        return Err(RuleError::at_value(
            file,
            text,
            entry,
            format!("`{entry}` is never found: words are compared in small letters"),
        )
        .remedy("write it in small letters"));
    }
    Ok(lexicon)
}

fn read_pack(file: &str, text: &str) -> Result<Pack, RuleError> {
    let pack: Pack = read(file, text)?;
    let wrong = |value: &str, message: String| RuleError::at_value(file, text, value, message);
    for tool in &pack.tools {
        if tool.names.is_empty() {
            return Err(wrong("names = []", "a tool rule needs a name".into()));
        }
    }
    for section in &pack.sections {
        if section.headings.is_empty() && section.anchors.is_empty() {
            return Err(wrong(&section.id, format!("section `{}` names no place in the prompt", section.id))
                .remedy("give it `headings` or `anchors`"));
        }
        if section.action == SectionAction::Replace && section.text.is_none() {
            return Err(wrong(&section.id, format!("section `{}` has no text to stand in its place", section.id))
                .remedy("give it `text`, or `do = \"drop\"`"));
        }
        if !section.between.is_empty() && !section.text.as_ref().is_some_and(|text| text.contains("{}")) {
            return Err(wrong(&section.id, format!("section `{}` finds a text and has no place for it", section.id))
                .remedy("put `{}` into its `text`"));
        }
    }
    for message in &pack.messages {
        if message.tags.is_empty() && message.starts.is_empty() && message.first_line_ends.is_empty() {
            return Err(wrong(&message.id, format!("message `{}` says nothing by which it is told", message.id))
                .remedy("give it `tags`, `starts` or `first_line_ends`"));
        }
    }
    each_id_once(&pack, &wrong)?;
    Ok(pack)
}

fn each_id_once(pack: &Pack, wrong: &impl Fn(&str, String) -> RuleError) -> Result<(), RuleError> {
    let kinds: [(&str, Vec<&String>); 6] = [
        ("line", pack.lines.iter().map(|rule| &rule.id).collect()),
        ("section", pack.sections.iter().map(|rule| &rule.id).collect()),
        ("tool", pack.tools.iter().flat_map(|rule| &rule.names).collect()),
        ("reminder", pack.reminders.iter().map(|rule| &rule.id).collect()),
        ("message", pack.messages.iter().map(|rule| &rule.id).collect()),
        ("side", pack.sides.iter().map(|rule| &rule.id).collect()),
    ];
    for (kind, ids) in kinds {
        let mut seen = BTreeSet::new();
        if let Some(twice) = ids.into_iter().find(|id| !seen.insert(id.as_str())) {
            return Err(wrong(twice, format!("there are two {kind} rules `{twice}`"))
                .remedy("give one of them another name, or join them"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> RuleError {
        RuleSet::default().layer("mine.toml", text).unwrap_err()
    }

    #[test]
    fn an_unknown_field_is_shown_with_its_line() {
        let error = fault("client = \"c\"\n[[section]]\nid = \"a\"\nheading = \"X\"\ndo = \"drop\"\n");
        assert_eq!(error.line(), 4);
        let shown = error.to_string();
        assert!(shown.contains("mine.toml:4:1") && shown.contains("^^^^^^^") && shown.contains("help"), "{shown}");
    }

    #[test]
    fn a_rule_that_cannot_work_is_shown_where_it_stands() {
        let error = fault("client = \"c\"\n[[section]]\nid = \"a\"\nheadings = [\"X\"]\ndo = \"replace\"\n");
        assert_eq!(error.line(), 3);
        assert!(error.remedy.is_some());
    }

    #[test]
    fn two_rules_of_one_name_are_refused() {
        assert!(
            fault("client = \"c\"\n[[tool]]\nnames = [\"A\", \"B\"]\n[[tool]]\nnames = [\"B\"]\n")
                .message
                .contains("`B`")
        );
    }

    #[test]
    fn a_file_must_say_what_it_is() {
        assert!(fault("up_to = 4096\n").remedy.unwrap().contains("client"));
    }

    #[test]
    fn a_lexicon_adds_to_what_is_known() {
        let mut rules = RuleSet::builtin();
        rules.layer("mine.toml", "lexicon = \"mine\"\n[parameters]\nfile_path = [\"chemin\"]\n").unwrap();
        let meant = |name| rules.lexicon.parameters_called(name).collect::<Vec<_>>();
        assert_eq!(meant("chemin"), ["file_path"]);
        assert!(meant("filename").contains(&"file_path"));
    }

    #[test]
    fn a_lexicon_that_would_find_everything_or_nothing_is_refused() {
        assert_eq!(fault("lexicon = \"m\"\n[tools]\nRead = [\"\"]\n").line(), 3);
        assert_eq!(fault("lexicon = \"m\"\n[words]\nacting = [\"Let Me\"]\n").line(), 3);
        assert_eq!(fault("lexicon = \"m\"\n[names]\nRead = [\"x\"]\n").line(), 2);
    }

    #[test]
    fn a_broken_file_leaves_the_rules_as_they_were() {
        let mut rules = RuleSet::builtin();
        let before = rules.packs[0].sections.len();
        assert!(rules.layer("mine.toml", "client = \"claude-code\"\nnonsense = 1\n").is_err());
        assert_eq!(rules.packs[0].sections.len(), before);
    }

    #[test]
    fn a_later_file_replaces_by_id_and_goes_before_by_order() {
        let mut rules = RuleSet::builtin();
        let over =
            "client = \"claude-code\"\n[[tool]]\nnames = [\"Read\"]\nshow = \"park\"\n[[tool]]\nnames = [\"New\"]\n";
        rules.layer("mine.toml", over).unwrap();
        assert_eq!(rules.tool("Read").map(|rule| rule.show), Some(crate::rules::Show::Park));
        assert_eq!(rules.packs[0].tools[0].names, ["New"]);
    }
}
