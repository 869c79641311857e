//! Worked examples: what a model is shown of its work, as past turns. They speak of roles, not of tools, so that they can be
//! told with the tools of whatever client is at hand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RuleError;

/// The files of examples that are compiled in: (path below `rules/`, text).
pub const EXAMPLE_FILES: &[(&str, &str)] = &[
    ("examples/code.toml", include_str!("../../rules/examples/code.toml")),
    ("examples/edit.toml", include_str!("../../rules/examples/edit.toml")),
    ("examples/files.toml", include_str!("../../rules/examples/files.toml")),
    ("examples/read.toml", include_str!("../../rules/examples/read.toml")),
    ("examples/shell.toml", include_str!("../../rules/examples/shell.toml")),
    ("examples/talk.toml", include_str!("../../rules/examples/talk.toml")),
];

/// A file of worked examples.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExampleFile {
    /// The name of the file, of no further meaning.
    #[serde(rename = "examples")]
    pub name: String,
    #[serde(default, rename = "example")]
    pub examples: Vec<Example>,
}

/// A worked example: a prompt, calls with their results, an answer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    pub id: String,
    pub prompt: String,
    /// Other prompts of this kind: it is found by them too, and they are never shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    pub answer: String,
    #[serde(default, rename = "step")]
    pub steps: Vec<ExampleStep>,
}

/// One call of a worked example, by what it does. Paths are relative to the working folder.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "role", rename_all = "lowercase", deny_unknown_fields)]
pub enum ExampleStep {
    Read {
        path: String,
        /// The text of the file.
        result: String,
    },
    Edit {
        path: String,
        old: String,
        new: String,
        /// Every occurrence.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        all: bool,
    },
    Write {
        path: String,
        content: String,
    },
    Run {
        command: String,
        result: String,
        /// The command ended with an error.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        failed: bool,
    },
    Search {
        pattern: String,
        result: String,
    },
    List {
        pattern: String,
        result: String,
    },
}

impl ExampleFile {
    /// All examples that are compiled in, in the order of their files.
    ///
    /// # Errors
    /// Never for the files that are shipped; a test reads them.
    pub fn builtin() -> Result<Vec<Example>, RuleError> {
        let files = EXAMPLE_FILES.iter().map(|(file, text)| read_examples(file, text));
        Ok(files.collect::<Result<Vec<_>, _>>()?.into_iter().flat_map(|file| file.examples).collect())
    }
}

/// Reads a file of examples; one that teaches what cannot work is an error.
pub(super) fn read_examples(file: &str, text: &str) -> Result<ExampleFile, RuleError> {
    let read: ExampleFile = super::parse::read(file, text)?;
    for (at, example) in read.examples.iter().enumerate() {
        let wrong = |message: String| RuleError::at_value(file, text, &format!("\"{}\"", example.id), message);
        if read.examples[..at].iter().any(|other| other.id == example.id) {
            return Err(wrong(format!("there are two examples `{}`", example.id)).remedy("give one of them another id"));
        }
        if example.id.trim().is_empty() || example.prompt.trim().is_empty() || example.answer.trim().is_empty() {
            return Err(wrong("an example needs an id, a prompt and an answer".into()));
        }
        if let Some(old) = example.unknown_text() {
            let message =
                format!("example `{}` edits `{old}`, which does not stand once in what it has read", example.id);
            return Err(wrong(message).remedy("copy `old` from the result of a read before it, or say `all = true`"));
        }
    }
    Ok(read)
}

impl Example {
    /// An old text that stands not once in what was read or written of its file.
    fn unknown_text(&self) -> Option<&str> {
        let mut known: Vec<(&str, String)> = Vec::new();
        for step in &self.steps {
            match step {
                ExampleStep::Read { path, result: text } | ExampleStep::Write { path, content: text } => {
                    known.push((path, text.clone()));
                }
                ExampleStep::Edit { path, old, new, all } => {
                    let text = known.iter_mut().rev().find(|(known, _)| known == path).map(|(_, text)| text);
                    let times = text.as_ref().map_or(0, |text| text.matches(old.as_str()).count());
                    if old.is_empty() || times == 0 || times > 1 && !all {
                        return Some(old);
                    }
                    if let Some(text) = text {
                        *text = text.replace(old.as_str(), new);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use std::collections::BTreeSet;

    #[test]
    fn the_shipped_examples_are_many_and_each_has_its_own_id() {
        let examples = ExampleFile::builtin().unwrap_or_else(|error| panic!("{error}"));
        let ids: BTreeSet<&str> = examples.iter().map(|example| example.id.as_str()).collect();
        assert!(ids.len() == examples.len() && ids.len() >= 40, "{}", ids.len());
        assert!(examples.iter().all(|example| example.steps.len() <= 4));
    }

    /// An absolute path would be the same in every folder.
    #[test]
    fn paths_are_relative() {
        for example in ExampleFile::builtin().unwrap() {
            for step in &example.steps {
                if let ExampleStep::Read { path, .. }
                | ExampleStep::Edit { path, .. }
                | ExampleStep::Write { path, .. } = step
                {
                    assert!(!path.starts_with(['/', '~', '.']), "{}: {path}", example.id);
                }
            }
        }
    }

    #[test]
    fn the_heads_of_families_name_examples_that_there_are() {
        let rules = RuleSet::builtin();
        for model in &rules.models {
            for id in &model.examples.head {
                assert!(rules.examples.iter().any(|example| example.id == *id), "{}: {id}", model.family);
            }
            let some = model.examples.each > 0 || !model.examples.head.is_empty();
            assert!(!some || model.show.relative_paths, "{}: examples have relative paths", model.family);
        }
    }

    #[test]
    fn an_example_that_teaches_what_cannot_work_is_refused() {
        let head = "examples = \"mine\"\n[[example]]\nid = \"a\"\nprompt = \"p\"\nanswer = \"x\"\n";
        let read = "[[example.step]]\nrole = \"read\"\npath = \"a\"\nresult = \"one two two\"\n";
        let edit = |old: &str| {
            format!("{head}{read}[[example.step]]\nrole = \"edit\"\npath = \"a\"\nold = \"{old}\"\nnew = \"\"\n")
        };
        assert!(read_examples("mine.toml", &edit("one")).is_ok());
        assert!(read_examples("mine.toml", &edit("three")).unwrap_err().message.contains("three"));
        assert!(read_examples("mine.toml", &edit("two")).unwrap_err().remedy.is_some());
        assert!(
            read_examples("mine.toml", &format!("{head}{}", &head[head.find('[').unwrap_or_default()..]))
                .unwrap_err()
                .message
                .contains("two examples")
        );
    }

    #[test]
    fn a_users_examples_lie_over_the_built_in_ones() {
        let mut rules = RuleSet::builtin();
        let before = rules.examples.len();
        let mine = "examples = \"mine\"\n[[example]]\nid = \"append\"\nprompt = \"p\"\nanswer = \"x\"\n[[example]]\nid = \"own\"\nprompt = \"q\"\nanswer = \"y\"\n";
        rules.layer("mine.toml", mine).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rules.examples.len(), before + 1);
        assert_eq!(rules.examples[0].id, "own");
        assert_eq!(rules.examples.iter().find(|example| example.id == "append").unwrap().prompt, "p");
    }
}
