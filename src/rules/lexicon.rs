//! What models call the client's tools and parameters, and the words by which talk about calls is told from calls.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::RuleError;

/// The lexicons that are compiled in, in the order in which they are joined: (path below `rules/`, text).
pub const LEXICON_FILES: &[(&str, &str)] = &[
    ("aliases.toml", include_str!("../../rules/aliases.toml")),
    ("words.toml", include_str!("../../rules/words.toml")),
    ("learn.toml", include_str!("../../rules/learn.toml")),
    ("texts.toml", include_str!("../../rules/texts.toml")),
];

/// Names that stand for another one, and words that say something. An alias only counts where the client offers what it
/// stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lexicon {
    /// The name of the file, of no further meaning.
    #[serde(rename = "lexicon")]
    pub name: String,
    /// A tool of the client, and what models call it.
    pub tools: BTreeMap<String, Vec<String>>,
    /// A parameter of the client, and what models call it.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// A value that a schema lists, and what models write for it.
    pub values: BTreeMap<String, Vec<String>>,
    pub words: Words,
    /// Regular expressions: what has one in it is never written into a rule file.
    pub secrets: Vec<String>,
    pub texts: Texts,
    #[serde(rename = "test")]
    pub tests: Vec<Meaning>,
}

/// What a model is told in place of, or beside, what the client says. A file replaces the texts that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Texts {
    /// How an answer in JSON is asked for; `{schema}` is its schema.
    pub json_answer: String,
    /// How one is asked for again.
    pub json_again: String,
    /// What stands in the place of an image, where the model sees none.
    pub image_left_out: String,
    /// What stands in the place of a block that holds no text.
    pub block_left_out: String,
}

/// A test: what a name must mean.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    pub called: String,
    /// The tool, the parameter or the value.
    pub means: String,
}

/// Words next to a call-like text, in small letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Words {
    /// Of one who is about to act.
    pub acting: Vec<String>,
    /// Of one who explains.
    pub explaining: Vec<String>,
    /// Of a user who wants to see something.
    pub showing: Vec<String>,
    /// Of a user who wants to see a call, not to have it made.
    pub showing_calls: Vec<String>,
    /// What a model gives where it has nothing to give.
    pub nothing: Vec<String>,
    /// Of a user who is not content with what was done.
    pub correcting: Vec<String>,
}

impl Texts {
    /// Takes each text that another file has.
    fn replace_by(&mut self, over: Self) {
        for (text, over) in [
            (&mut self.json_answer, over.json_answer),
            (&mut self.json_again, over.json_again),
            (&mut self.image_left_out, over.image_left_out),
            (&mut self.block_left_out, over.block_left_out),
        ] {
            if !over.is_empty() {
                *text = over;
            }
        }
    }
}

impl Lexicon {
    /// The lexicon that is compiled in.
    ///
    /// # Errors
    /// Never for the files that are shipped; a test reads them.
    pub fn builtin() -> Result<Self, RuleError> {
        let mut whole = Self::default();
        for (file, text) in LEXICON_FILES {
            whole.join(super::parse::read(file, text)?);
        }
        Ok(whole)
    }

    /// Adds what another one knows. What is known stays known.
    pub fn join(&mut self, more: Self) {
        join_names(&mut self.tools, more.tools);
        join_names(&mut self.parameters, more.parameters);
        join_names(&mut self.values, more.values);
        self.words.acting.extend(more.words.acting);
        self.words.explaining.extend(more.words.explaining);
        self.words.showing.extend(more.words.showing);
        self.words.showing_calls.extend(more.words.showing_calls);
        self.words.nothing.extend(more.words.nothing);
        self.words.correcting.extend(more.words.correcting);
        self.secrets.extend(more.secrets);
        self.texts.replace_by(more.texts);
        self.tests.extend(more.tests);
    }

    /// The values that `value` may stand for, in order.
    pub fn values_called<'a>(&'a self, value: &'a str) -> impl Iterator<Item = &'a str> {
        holders(&self.values, value)
    }

    /// The lists that are not empty, by name, and what is in them.
    pub fn lists(&self) -> Vec<(&'static str, String)> {
        let names = |table: &BTreeMap<String, Vec<String>>| table.keys().cloned().collect::<Vec<_>>().join(" ");
        let words = &self.words;
        let words =
            [&words.acting, &words.explaining, &words.showing, &words.showing_calls, &words.nothing, &words.correcting];
        let words: usize = words.iter().map(|list| list.len()).sum();
        let said = if words == 0 { String::new() } else { format!("{words} words that tell talk from calls") };
        let lists = [
            ("tools", names(&self.tools)),
            ("parameters", names(&self.parameters)),
            ("values", names(&self.values)),
            ("words", said),
        ];
        lists.into_iter().filter(|(_, what)| !what.is_empty()).collect()
    }

    /// What does not hold of these tests.
    pub fn failures(&self, tests: &[Meaning]) -> Vec<String> {
        let holds = |test: &&Meaning| {
            let called = &test.called;
            let mut meant =
                self.tools_called(called).chain(self.parameters_called(called)).chain(self.values_called(called));
            meant.any(|name| name == test.means)
        };
        let wrong = tests.iter().filter(|test| !holds(test));
        wrong.map(|test| format!("`{}` does not mean `{}`", test.called, test.means)).collect()
    }

    /// The tools that `name` may stand for, in order of name.
    pub fn tools_called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        holders(&self.tools, name)
    }

    /// The parameters that `name` may stand for, in order of name.
    pub fn parameters_called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        holders(&self.parameters, name)
    }
}

impl Words {
    /// Whether a text announces an action, and explains nothing.
    pub fn announce(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        says(&text, &self.acting) && !says(&text, &self.explaining)
    }

    /// Whether a text explains, and announces nothing.
    pub fn explain(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        says(&text, &self.explaining) && !says(&text, &self.acting)
    }

    /// Whether a user asks to be shown something.
    pub fn ask_to_show(&self, prompt: &str) -> bool {
        says(&prompt.to_lowercase(), &self.showing) || self.ask_for_calls(prompt)
    }

    /// Whether a user asks to be shown a call.
    pub fn ask_for_calls(&self, prompt: &str) -> bool {
        says(&prompt.to_lowercase(), &self.showing_calls)
    }

    /// Whether a user corrects what was done before.
    pub fn correct(&self, prompt: &str) -> bool {
        says(&prompt.to_lowercase(), &self.correcting)
    }

    /// Whether a value says that there is none.
    pub fn is_nothing(&self, value: &str) -> bool {
        self.nothing.iter().any(|word| value.trim().eq_ignore_ascii_case(word))
    }
}

/// A space at the front of words is the beginning of a text, too.
fn says(text: &str, words: &[String]) -> bool {
    let begins = |words: &String| words.strip_prefix(' ').is_some_and(|words| text.starts_with(words));
    words.iter().any(|words| text.contains(words.as_str()) || begins(words))
}

fn join_names(known: &mut BTreeMap<String, Vec<String>>, more: BTreeMap<String, Vec<String>>) {
    for (name, others) in more {
        known.entry(name).or_default().extend(others);
    }
}

fn holders<'a>(table: &'a BTreeMap<String, Vec<String>>, name: &'a str) -> impl Iterator<Item = &'a str> {
    let means = move |other: &String| other.eq_ignore_ascii_case(name);
    table.iter().filter(move |(_, names)| names.iter().any(means)).map(|(holder, _)| holder.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_files_are_readable_and_answer() {
        let lexicon = Lexicon::builtin().unwrap();
        assert_eq!(lexicon.failures(&lexicon.tests), [""; 0]);
        assert_eq!(lexicon.tools_called("read_file").collect::<Vec<_>>(), ["Read"]);
        assert_eq!(lexicon.parameters_called("filename").collect::<Vec<_>>(), ["file_path", "notebook_path"]);
    }

    #[test]
    fn what_is_joined_is_known_beside_what_was() {
        let mut lexicon = Lexicon::builtin().unwrap();
        let more = "lexicon = \"mine\"\n[tools]\nRead = [\"lire\"]\n[words]\nacting = [\"je vais \"]\n";
        lexicon.join(toml::from_str(more).unwrap());
        assert_eq!(lexicon.tools_called("lire").chain(lexicon.tools_called("read_file")).count(), 2);
        assert!(lexicon.words.announce("Je vais lire.") && lexicon.words.announce("I'll read."));
    }

    #[test]
    fn acting_and_explaining_are_told_apart() {
        let words = Lexicon::builtin().unwrap().words;
        assert!(words.announce("I'll look at the file first."));
        assert!(!words.announce("Example input for the reviewer:"));
        assert!(words.explain("A call looks like this:"));
        assert!(!words.explain("Let me read the example file:"));
        assert!(words.ask_for_calls("Please show me an example call of Read"));
        assert!(!words.ask_to_show("Read a.txt"));
        assert!(!words.explain("Please select what you would like help with."));
    }
}
