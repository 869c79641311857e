//! Other names that models use for tools and parameters.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Names that stand for another one. An alias only counts where the client offers what it stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Aliases {
    /// A tool of the client, and what models call it.
    pub tools: BTreeMap<String, Vec<String>>,
    /// A parameter of the client, and what models call it.
    pub parameters: BTreeMap<String, Vec<String>>,
}

impl Aliases {
    /// The aliases that are compiled in.
    ///
    /// # Errors
    /// Never for the file that is shipped; a test reads it.
    pub fn builtin() -> Result<Self, toml::de::Error> {
        toml::from_str(include_str!("../../rules/aliases.toml"))
    }

    /// The aliases that are compiled in, read once.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Aliases> = LazyLock::new(|| Aliases::builtin().unwrap_or_default());
        &SHARED
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

fn holders<'a>(table: &'a BTreeMap<String, Vec<String>>, name: &'a str) -> impl Iterator<Item = &'a str> {
    let means = move |other: &String| other.eq_ignore_ascii_case(name);
    table.iter().filter(move |(_, names)| names.iter().any(means)).map(|(holder, _)| holder.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_readable_and_answers() {
        let aliases = Aliases::builtin().unwrap();
        assert_eq!(aliases.tools_called("read_file").collect::<Vec<_>>(), ["Read"]);
        assert_eq!(aliases.parameters_called("filename").collect::<Vec<_>>(), ["file_path", "notebook_path"]);
    }
}
