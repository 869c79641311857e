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

/// Commands that only look, whatever their arguments: after them a file is as it was.
const LOOKING: [&str; 35] = [
    "[", "basename", "cat", "cd", "cmp", "comm", "cut", "date", "df", "diff", "dirname", "du", "echo", "false", "file",
    "grep", "head", "hostname", "id", "ls", "nl", "printf", "ps", "pwd", "rg", "sleep", "stat", "tail", "test", "tr",
    "true", "uname", "wc", "which", "whoami",
];

/// Commands of git that only look.
const GIT_LOOKING: [&str; 8] = ["blame", "diff", "grep", "log", "ls-files", "rev-parse", "show", "status"];

/// Whether a command is known to change no file. What is not known may.
pub(super) fn harmless(command: &str) -> bool {
    let quiet = command.replace("2>&1", "").replace("2>/dev/null", "").replace(">/dev/null", "");
    if quiet.contains(['>', '`']) || quiet.contains("$(") || quiet.contains("<(") {
        return false;
    }
    quiet.split(['\n', ';', '|', '&']).map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let mut words = part.split_whitespace();
        match (words.next(), words.next()) {
            (Some("git"), Some(what)) => GIT_LOOKING.contains(&what) && !part.contains("--output"),
            (Some("find"), _) => !["-delete", "-exec", "-ok", "-fprint", "-fls"].iter().any(|act| part.contains(act)),
            (Some("sort"), _) => !part.split_whitespace().any(|word| word.starts_with('-') && word.contains('o')),
            (Some("sed"), Some("-n")) => !part.contains(" -i") && !part.contains("--in-place") && !part.contains('w'),
            (Some(word), _) => LOOKING.contains(&word),
            (None, _) => true,
        }
    })
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
    fn only_what_is_known_to_look_is_harmless() {
        for command in [
            "ls -la",
            "cat a.txt | grep b 2>/dev/null",
            "cd src && git status",
            "sed -n 1,9p a",
            "find . -name x; wc -l y",
        ] {
            assert!(harmless(command), "{command}");
        }
        for command in [
            "make fmt",
            "npm test",
            "cat a > b",
            "ls; ./go",
            "find . -delete",
            "git stash",
            "sed -i s/a/b/ f",
            "echo $(rm f)",
            "x=1 ls",
            "sed -n 'w out' a",
            "sort -uo a a",
            "env X=1 ./gen",
            "uniq a b",
            "python3 a.py",
        ] {
            assert!(!harmless(command), "{command}");
        }
    }

    #[test]
    fn looking_changes_nothing() {
        assert!(!may_change("sed -n 1,10p src/x.rs", "/p/src/x.rs"));
        assert!(!may_change("git diff src/x.rs", "/p/src/x.rs"));
        assert!(!may_change("sed -i s/a/b/ src/y.rs", "/p/src/x.rs"));
    }
}
