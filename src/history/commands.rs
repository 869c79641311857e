//! What a shell command may have changed, judged by its words. Errs on the side of "may have".

use std::sync::LazyLock;

use regex::Regex;

/// Commands that change whatever files they name.
static CHANGES_NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s;&|(])(?:sed\s+(?:-\w*\s+)*-\w*i|perl\s+-\w*i|mv|cp|rm|tee|patch|truncate|touch|dd|install|python3?|node|ruby|perl|awk)\b|>").ok()
});

/// Commands that may change any file of the tree.
static CHANGES_ANY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\bgit\s+(?:-C\s+\S+\s+)?(?:checkout|switch|restore|reset|stash|pull|merge|rebase|apply|am|cherry-pick|revert|clean)\b|\b(?:go\s?fmt|gofmt\s+-\w*w|goimports\s+-\w*w|cargo\s+fmt|rustfmt|prettier|black|ruff\s+format|clang-format\s+-i|go\s+generate|go\s+mod\s+tidy)\b|--fix\b|--write\b|codemod",
    )
    .ok()
});

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// Whether this command may have changed the file at `path`.
pub(super) fn may_change(command: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches(&CHANGES_ANY, command) || (command.contains(name) && matches(&CHANGES_NAMED, command))
}

/// Whether this command may change anything that it names, or anything at all.
pub(super) fn may_change_something(command: &str) -> bool {
    matches(&CHANGES_ANY, command) || matches(&CHANGES_NAMED, command)
}

#[cfg(test)]
mod tests {
    use super::*;

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
