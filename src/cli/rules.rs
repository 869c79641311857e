//! `fanlight rules`: the rules in force, one by one, checked, begun, and described.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};

use super::{Outcome, Usage, rule_files};
use crate::pipeline::{Dialect, Planned, Setup, plan};
use crate::rules::{
    BUILTIN, CHECKS_FILE, EXAMPLE_FILES, LEXICON_FILES, MODEL_FILES, RuleSet, rule_file_schema, source_of,
};
use crate::tokens::{Memo, Window, WindowSource};
use crate::trim::check_case;
use crate::wire::Request;

/// Look at the rules that say what is trimmed, and check your own.
#[derive(Debug, Args)]
pub(super) struct Rules {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// All rules in force, a line each: id, versions on which it must match, what it does.
    List {
        /// Only rules whose id has this in it.
        #[arg(value_name = "TEXT")]
        only: Option<String>,
        /// Rule files or folders over the built-in ones.
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// One rule as it is written, by its id.
    Show {
        #[arg(value_name = "ID")]
        id: String,
        /// Rule files or folders over the built-in ones.
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// Read all rule files and run the tests in them; exit 1 when one does not hold.
    Check {
        /// Rule files or folders over the built-in ones.
        #[arg(value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// Print a rule to begin with, or one for each part of a request that no rule knows.
    New {
        #[arg(value_enum, required_unless_present = "from")]
        kind: Option<Kind>,
        /// The name of the rule; for a tool, the name of the tool.
        #[arg(required_unless_present = "from")]
        name: Option<String>,
        /// A request whose unknown sections and tools get a rule each.
        #[arg(long, value_name = "REQUEST.json", conflicts_with_all = ["kind", "name"])]
        from: Option<PathBuf>,
    },
    /// The JSON Schema of a rule file, for editors.
    Schema,
}

/// What a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Section,
    Tool,
    Reminder,
    Line,
    Side,
    Profile,
}

/// A rule file in force: its name, and its text.
type Source = (String, String);

impl Rules {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        match self.question {
            Question::List { only, rules } => list(only.as_deref(), &rules),
            Question::Show { id, rules } => show(&id, &rules),
            Question::Check { rules } => check(&rules),
            Question::New { from: Some(path), .. } => new_from(&path),
            Question::New { kind, name, .. } => new(kind.unwrap_or(Kind::Section), &name.unwrap_or_default()),
            Question::Schema => schema(),
        }
    }
}

fn list(only: Option<&str>, paths: &[PathBuf]) -> anyhow::Result<Outcome> {
    let rules = rule_files::load(paths)?;
    let mut out = anstream::stdout().lock();
    let mut found = false;
    for entry in rules.entries().iter().filter(|entry| only.is_none_or(|only| entry.id.contains(only))) {
        found = true;
        writeln!(out, "{:<44} {:<20} {}", entry.id, entry.seen.to_string(), shortened(&entry.what))?;
    }
    Ok(if found { Outcome::Good } else { Outcome::No })
}

fn shortened(text: &str) -> String {
    const WIDTH: usize = 90;
    if text.chars().count() <= WIDTH { text.to_owned() } else { text.chars().take(WIDTH).chain(['…']).collect() }
}

fn show(id: &str, paths: &[PathBuf]) -> anyhow::Result<Outcome> {
    let mut out = anstream::stdout().lock();
    for (file, text) in sources(paths)?.iter().rev() {
        if let Some(rule) = rule_in(file, text, id) {
            writeln!(out, "# {file}\n{}", rule.trim_end())?;
            return Ok(Outcome::Good);
        }
    }
    Err(Usage(format!("there is no rule `{id}`; `fanlight rules list` names them all")).into())
}

/// The text of a rule in a file that has it. `profile/NAME`, `model/FAMILY` and `lexicon/LIST` are whole files.
fn rule_in<'a>(file: &str, text: &'a str, id: &str) -> Option<&'a str> {
    let mut rules = RuleSet::default();
    rules.layer(file, text).ok()?;
    let known = rules.entries().into_iter().any(|entry| entry.id == id);
    match id.splitn(3, '/').collect::<Vec<_>>()[..] {
        [_, kind, rule] if known => source_of(text, kind, rule),
        ["profile" | "model" | "lexicon", _] if known => Some(text),
        ["check", rule] if known => source_of(text, "check", rule),
        ["example", rule] if known => source_of(text, "example", rule),
        _ => None,
    }
}

/// All rule files in force, in the order in which they are laid.
fn sources(paths: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    let builtin = BUILTIN.iter().map(|file| (file.name.to_owned(), file.text.to_owned()));
    let models = MODEL_FILES.iter().map(|(name, text)| (format!("models/{name}.toml"), (*text).to_owned()));
    let lexicon = LEXICON_FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let examples = EXAMPLE_FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let checks = [(CHECKS_FILE.0.to_owned(), CHECKS_FILE.1.to_owned())];
    let mut sources: Vec<Source> = builtin.chain(models).chain(lexicon).chain(checks).chain(examples).collect();
    for path in rule_files::files(paths)? {
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        sources.push((path.display().to_string(), text));
    }
    Ok(sources)
}

fn check(paths: &[PathBuf]) -> anyhow::Result<Outcome> {
    let sources = sources(paths)?;
    let mut out = anstream::stdout().lock();
    let mut rules = RuleSet::default();
    let mut faults = 0;
    for (file, text) in &sources {
        if let Err(error) = rules.layer(file, text) {
            faults += 1;
            writeln!(out, "{error}\n")?;
        }
    }
    let mut tests = 0;
    let counter = Memo::default();
    for (file, text) in &sources {
        let mut own = RuleSet::default();
        if own.layer(file, text).is_err() {
            continue;
        }
        for failure in rules.lexicon.failures(&own.lexicon.tests) {
            faults += 1;
            writeln!(out, "{file}: {failure}")?;
        }
        tests += own.lexicon.tests.len();
        for pack in &own.packs {
            let Some(joined) = rules.packs.iter().find(|joined| joined.client == pack.client) else { continue };
            for failure in pack.tests.iter().flat_map(|case| check_case(case, joined, &rules, &counter)) {
                faults += 1;
                writeln!(out, "{file}: {failure}")?;
            }
            tests += pack.tests.len();
        }
    }
    writeln!(out, "{} files, {} rules, {tests} tests, {faults} faults", sources.len(), rules.entries().len())?;
    Ok(if faults == 0 { Outcome::Good } else { Outcome::No })
}

fn schema() -> anyhow::Result<Outcome> {
    let text = serde_json::to_string_pretty(&rule_file_schema())?;
    writeln!(anstream::stdout().lock(), "{text}")?;
    Ok(Outcome::Good)
}

fn new(kind: Kind, name: &str) -> anyhow::Result<Outcome> {
    let (open, test) = template(kind, name);
    let mut out = anstream::stdout().lock();
    match kind {
        Kind::Profile => writeln!(out, "{open}")?,
        _ => writeln!(out, "client = \"claude-code\"\n\n{open}\n\n[[test]]\nname = \"{name}\"\n{test}")?,
    }
    Ok(Outcome::Good)
}

/// A rule for each part of a request that no rule knows; headings and names are taken, texts are not.
fn new_from(path: &std::path::Path) -> anyhow::Result<Outcome> {
    let body = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let request = Request::parse(&body).map_err(|error| Usage(format!("{}: {error}", path.display())))?;
    let setup = Setup::new(rule_files::load(&[])?);
    let window = Window { tokens: 32_768, source: WindowSource::Assumed };
    let target = setup.target("qwen2.5-coder", window, Dialect::Ollama).context("the rules hold no model profile")?;
    let tools: Vec<String> = request.tools.iter().map(|tool| tool.name.clone()).collect();
    let report = match plan(&setup, &target, &request.into()) {
        Ok(Planned::Send(plan)) => plan.report,
        Ok(Planned::Answer { report, .. }) => *report,
        Err(error) => return Err(Usage(format!("{}: {}", path.display(), error.message)).into()),
    };
    let mut out = anstream::stdout().lock();
    if report.unknown.is_empty() {
        writeln!(anstream::stderr(), "every section and tool of this request has a rule")?;
        return Ok(Outcome::No);
    }
    let client = if report.pack.is_empty() { "my-client" } else { &report.pack };
    writeln!(out, "client = {}", toml::Value::from(client))?;
    for name in &report.unknown {
        let named = toml::Value::from(name.as_str());
        if tools.contains(name) {
            writeln!(
                out,
                "\n[[tool]]\nnames = [{named}]\nshow = \"park\"      # core, park, hide\nwords = \"a few words for the index\""
            )?;
        } else {
            let id = toml::Value::from(slug(name));
            writeln!(
                out,
                "\n[[section]]\nid = {id}\nheadings = [{named}]\ndo = \"keep\"        # keep, drop, replace, preamble"
            )?;
        }
    }
    Ok(Outcome::Good)
}

/// A heading as an id.
fn slug(heading: &str) -> String {
    let letters: String =
        heading.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let words: Vec<&str> = letters.split('-').filter(|word| !word.is_empty()).take(5).collect();
    words.join("-")
}

/// A rule to begin with, and a test of it.
fn template(kind: Kind, name: &str) -> (String, &'static str) {
    match kind {
        Kind::Section => (
            format!(
                "[[section]]\nid = \"{name}\"\nheadings = [\"The heading\"]\ndo = \"drop\"        # keep, drop, replace, preamble"
            ),
            "system = \"# The heading\\nIts text.\"\nmust_drop = [\"Its text\"]",
        ),
        Kind::Tool => (
            format!(
                "[[tool]]\nnames = [\"{name}\"]\nshow = \"park\"      # core, park, hide\nwords = \"a few words for the index\""
            ),
            "tools = [\"Bash\"]\nmust_keep = [\"Bash\"]",
        ),
        Kind::Reminder => (
            format!(
                "[[reminder]]\nid = \"{name}\"\nstarts = [\"How it begins\"]\ndo = \"drop\"        # keep, drop, replace, names"
            ),
            "user = \"<system-reminder>\\nHow it begins, and goes on.\\n</system-reminder>\"\nmust_drop = [\"goes on\"]",
        ),
        Kind::Line => (
            format!("[[line]]\nid = \"{name}\"\ntext = \"What the model is to know.\""),
            "must_keep = [\"What the model is to know.\"]",
        ),
        Kind::Side => (
            format!(
                "[[side]]\nid = \"{name}\"\nsystem = [\"How its system text begins\"]\ndo = \"answer\"      # answer, through\nanswer = \"none\""
            ),
            "system = \"How its system text begins, and goes on.\"\nanswer = \"none\"",
        ),
        Kind::Profile => {
            (format!("profile = \"{name}\"\nup_to = 12288\n\n[head]\ndetail = 2\nunknown_section = 150"), "")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn every_beginning_is_a_good_rule_file() {
        for kind in Kind::value_variants() {
            let (open, test) = template(*kind, "mine");
            let head = if *kind == Kind::Profile { "" } else { "client = \"claude-code\"\n" };
            let tests = if test.is_empty() { String::new() } else { format!("\n[[test]]\nname = \"t\"\n{test}\n") };
            let text = format!("{head}{open}{tests}");
            let mut rules = RuleSet::builtin();
            rules.layer("mine.toml", &text).unwrap_or_else(|error| panic!("{error}"));
            let failures: Vec<_> =
                rules.packs.iter().flat_map(|pack| crate::trim::check_pack(pack, &rules, &Memo::default())).collect();
            assert!(failures.is_empty(), "{kind:?}: {failures:?}");
        }
    }

    #[test]
    fn a_lexicon_is_checked_with_its_tests() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.toml");
        let checked = |means: &str| {
            let test = format!("[[test]]\ncalled = \"chemin\"\nmeans = \"{means}\"\n");
            let names = "lexicon = \"mine\"\n[parameters]\nfile_path = [\"chemin\"]\n";
            std::fs::write(&file, format!("{names}{test}")).unwrap();
            check(std::slice::from_ref(&file)).unwrap()
        };
        assert!(matches!(checked("file_path"), Outcome::Good));
        assert!(matches!(checked("command"), Outcome::No));
    }

    #[test]
    fn a_rule_is_shown_from_the_file_that_has_it() {
        let sources = sources(&[]).unwrap();
        let found = sources.iter().filter_map(|(file, text)| rule_in(file, text, "claude-code/tool/Read"));
        assert_eq!(found.count(), 1);
        assert!(sources.iter().any(|(file, text)| rule_in(file, text, "profile/tiny").is_some()));
    }
}
