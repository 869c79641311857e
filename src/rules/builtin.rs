//! The rule files for clients and windows that are compiled in (those for models: `models.rs`). A test keeps the list as the directory is.

/// A rule file of the repository.
#[derive(Debug, Clone, Copy)]
pub struct BuiltinFile {
    /// Its path below `rules/`.
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        /// All built-in rule files but those for models, in the order in which they are layered.
        pub const BUILTIN: &[BuiltinFile] =
            &[$(BuiltinFile { name: $name, text: include_str!(concat!("../../rules/", $name)) }),*];
    };
}

builtin! {
    "clients/messages.toml",
    "clients/prompt.toml",
    "clients/reminders.toml",
    "clients/side.toml",
    "clients/tools.toml",
    "profiles/large.toml",
    "profiles/medium.toml",
    "profiles/off.toml",
    "profiles/small.toml",
    "profiles/tiny.toml",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_list_is_the_directory() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut found = Vec::new();
        for folder in ["clients", "profiles"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|end| end == "toml") {
                    found.push(format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap()));
                }
            }
        }
        found.sort();
        assert_eq!(found, BUILTIN.iter().map(|file| file.name).collect::<Vec<_>>());
    }

    #[test]
    fn each_can_be_read() {
        for file in BUILTIN {
            RuleSet::default().layer(file.name, file.text).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
