//! What a shell command may have changed, judged by its words. Errs on the side of "may have".

use std::sync::LazyLock;

use regex::Regex;

/// Commands that change whatever files they name.
static CHANGES_NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s;&|(])(?:sed\s+(?:-[A-Za-z]*\s+)*-[A-Za-z]*i|perl\s+-[A-Za-z]*i|mv|cp|rm|tee|patch|truncate|touch|dd|install|python3?|node|ruby|perl|awk)(?-u:\b)|>").ok()
});

/// Commands that may change any file of the tree.
static CHANGES_ANY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u:\b)git\s+(?:-C\s+\S+\s+)?(?:checkout|switch|restore|reset|stash|pull|merge|rebase|apply|am|cherry-pick|revert|clean)(?-u:\b)|(?-u:\b)(?:go\s?fmt|gofmt\s+-[A-Za-z]*w|goimports\s+-[A-Za-z]*w|cargo\s+fmt|rustfmt|prettier|black|ruff\s+format|clang-format\s+-i|go\s+generate|go\s+mod\s+tidy)(?-u:\b)|--fix(?-u:\b)|--write(?-u:\b)|codemod",
    )
    .ok()
});

/// What a command may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Nothing,
    /// The files that it names.
    Named,
    /// Any file.
    Any,
}

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// How far the changes of this command may reach.
pub(super) fn reach(command: &str) -> Reach {
    if matches(&CHANGES_ANY, command) {
        Reach::Any
    } else if matches(&CHANGES_NAMED, command) {
        Reach::Named
    } else {
        Reach::Nothing
    }
}

impl Reach {
    /// Whether a command of this reach may have changed the file at `path`.
    pub(super) fn covers(self, command: &str, path: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Named => command.contains(path.rsplit('/').next().unwrap_or(path)),
            Self::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_change(command: &str, path: &str) -> bool {
        reach(command).covers(command, path)
    }

    #[test]
    fn in_place_edits_and_tree_wide_commands_change_files() {
        assert!(may_change("sed -i 's/a/b/' src/x.rs", "/p/src/x.rs"));
        assert!(may_change("cat > src/x.rs <<EOF", "/p/src/x.rs"));
        assert!(may_change("git checkout main", "/p/src/x.rs"));
    }

    #[test]
    fn looking_changes_nothing() {
        assert!(!may_change("sed -n 1,10p src/x.rs", "/p/src/x.rs"));
        assert!(!may_change("git diff src/x.rs", "/p/src/x.rs"));
        assert!(!may_change("sed -i s/a/b/ src/y.rs", "/p/src/x.rs"));
    }
}
