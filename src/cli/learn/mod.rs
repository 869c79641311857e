//! `fanlight learn`: worked examples for a weak model, from what a stronger one did for the same user.

mod turns;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::replay::source;
use super::{Outcome, Usage, rule_files};
use crate::folders;
use crate::rules::{Example, ExampleFile, ExampleStep, RuleSet};

/// Make worked examples from your own transcripts of a stronger model, for `rules.d`.
///
/// Short turns that ended well are shortened to their calls and shown for a yes or no. Turns with anything in them that
/// looks like a key or an address are left out. Nothing leaves this machine.
#[derive(Debug, Args)]
pub(super) struct Learn {
    /// Transcripts (`~/.claude/projects`), or sessions (`{"messages": […]}`).
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Take all of them without asking.
    #[arg(long)]
    yes: bool,
    /// The most examples that are taken.
    #[arg(long, default_value_t = 40, value_name = "N")]
    most: usize,
    /// The rule file; what stands there already stays. Default: learnt.toml in the user's rules.d.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a person says to an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Yes,
    No,
    Enough,
}

impl Learn {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let played = source::sessions(&self.paths)?;
        let rules = rule_files::load(&[])?;
        let path = self.out.clone().or_else(|| Some(folders::config()?.join("rules.d").join("learnt.toml")));
        let path = path.ok_or_else(|| Usage("there is no folder for rule files: give --out".into()))?;
        let mut kept = known(&path)?;
        let (before, mut turns) = (kept.examples.len(), 0);
        'all: for played in &played {
            let found = turns::learn(played.messages(), &rules);
            turns += found.turns;
            for example in found.examples {
                if kept.examples.iter().any(|other| other.id == example.id) || !can_be_read(&example) {
                    continue;
                }
                if kept.examples.len() - before >= self.most {
                    break 'all;
                }
                match if self.yes { Word::Yes } else { ask(&example)? } {
                    Word::Yes => kept.examples.push(example),
                    Word::No => {}
                    Word::Enough => break 'all,
                }
            }
        }
        let new = kept.examples.len() - before;
        let mut out = anstream::stdout().lock();
        writeln!(out, "{} sessions, {turns} turns, {new} new examples", played.len())?;
        if new == 0 {
            return Ok(Outcome::No);
        }
        write(&path, &kept)?;
        writeln!(out, "{}", path.display())?;
        Ok(Outcome::Good)
    }
}

/// The examples that stand in a file; none where there is no file yet.
fn known(path: &Path) -> anyhow::Result<ExampleFile> {
    if !path.exists() {
        return Ok(ExampleFile { name: "learnt".into(), examples: Vec::new() });
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    RuleSet::default().layer(&path.display().to_string(), &text).map_err(|error| Usage(error.to_string()))?;
    toml::from_str(&text).map_err(|error| Usage(format!("{}: {error}", path.display())).into())
}

/// Whether it is a good rule once it is written down.
fn can_be_read(example: &Example) -> bool {
    let file = ExampleFile { name: "learnt".into(), examples: vec![example.clone()] };
    toml::to_string_pretty(&file).is_ok_and(|text| RuleSet::default().layer("learnt.toml", &text).is_ok())
}

/// Writes all of it, or nothing.
fn write(path: &Path, file: &ExampleFile) -> anyhow::Result<()> {
    let text = toml::to_string_pretty(file)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let beside = path.with_extension("toml.new");
    std::fs::write(&beside, text).with_context(|| format!("cannot write {}", beside.display()))?;
    std::fs::rename(&beside, path).with_context(|| format!("cannot write {}", path.display()))
}

fn ask(example: &Example) -> anyhow::Result<Word> {
    let mut out = anstream::stderr().lock();
    writeln!(out, "\n{}", told(example))?;
    write!(out, "Keep it? yes, no, or quit [n] ")?;
    out.flush()?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).context("cannot read the answer")?;
    Ok(match line.trim().chars().next() {
        Some('y' | 'Y') => Word::Yes,
        Some('q' | 'Q') => Word::Enough,
        _ if read == 0 => Word::Enough,
        _ => Word::No,
    })
}

/// An example for a person.
fn told(example: &Example) -> String {
    let step = |step: &ExampleStep| match step {
        ExampleStep::Read { path, result } => format!("  read {path}\n{}", indented(result)),
        ExampleStep::Edit { path, old, new, .. } => {
            format!("  edit {path}\n{}\n    =>\n{}", indented(old), indented(new))
        }
        ExampleStep::Write { path, content } => format!("  write {path}\n{}", indented(content)),
        ExampleStep::Run { command, result, .. } => format!("  run {command}\n{}", indented(result)),
        ExampleStep::Search { pattern, result } => format!("  search {pattern}\n{}", indented(result)),
        ExampleStep::List { pattern, result } => format!("  list {pattern}\n{}", indented(result)),
    };
    let steps: Vec<String> = example.steps.iter().map(step).collect();
    format!("> {}\n{}\n  {}", example.prompt, steps.join("\n"), example.answer)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_learnt_is_a_rule_file_to_which_more_is_added() {
        let folder = tempfile::tempdir().unwrap();
        let session = |name: &str, prompt: &str| {
            let read =
                json!({"type": "tool_use", "id": "a", "name": "Read", "input": {"file_path": "/home/ann/x/a.txt"}});
            let result = json!({"type": "tool_result", "tool_use_id": "a", "content": "1\tone"});
            let messages = json!([{"role": "user", "content": prompt}, {"role": "assistant", "content": [read]},
                {"role": "user", "content": [result]}, {"role": "assistant", "content": "It says one."}]);
            std::fs::write(folder.path().join(name), json!({"messages": messages}).to_string()).unwrap();
        };
        session("1.json", "What does the file a.txt say?");
        let out = folder.path().join("rules.d/learnt.toml");
        let learn = || Learn { paths: vec![folder.path().into()], yes: true, most: 9, out: Some(out.clone()) };
        assert_eq!(learn().run().unwrap(), Outcome::Good);
        session("2.json", "Tell me what stands in a.txt");
        assert_eq!(learn().run().unwrap(), Outcome::Good);
        assert_eq!(learn().run().unwrap(), Outcome::No, "nothing new");
        let mut rules = RuleSet::builtin();
        let before = rules.examples.len();
        rules.layer("learnt.toml", &std::fs::read_to_string(&out).unwrap()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rules.examples.len(), before + 2);
        assert!(told(&rules.examples[0]).contains("read a.txt"));
    }
}
