//! Paths below the working folder: shown relative to it, sent to the client absolute.

use serde_json::Value;

use crate::rules::Role;

/// The working folder of a session, absolute, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(String);

impl Folder {
    /// `None` when `path` is not absolute, or is the root.
    pub fn new(path: &str) -> Option<Self> {
        let path = path.trim_end_matches('/');
        (path.starts_with('/') && path.len() > 1).then(|| Self(path.to_owned()))
    }

    /// The path as it is shown.
    pub fn relative<'a>(&self, path: &'a str) -> &'a str {
        match path.strip_prefix(&self.0) {
            Some("") => ".",
            Some(rest) => rest.strip_prefix('/').unwrap_or(path),
            None => path,
        }
    }

    /// The path as it is sent.
    pub fn absolute(&self, path: &str) -> String {
        let path = path.strip_prefix("./").unwrap_or(path);
        match path {
            "" | "." => self.0.clone(),
            _ if path.starts_with('/') || path.starts_with('~') => path.to_owned(),
            _ => format!("{}/{path}", self.0),
        }
    }

    /// A text with every path below the folder made relative.
    pub fn relative_in(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(&self.0) {
            let after = &rest[at + self.0.len()..];
            let inside = rest[..at].chars().next_back().is_some_and(is_path) || after.starts_with(is_name);
            out.push_str(&rest[..at]);
            match (inside, after.strip_prefix('/')) {
                (false, Some(below)) if below.starts_with(is_name) => rest = below,
                (false, _) => {
                    out.push('.');
                    rest = after;
                }
                (true, _) => {
                    out.push_str(&self.0);
                    rest = after;
                }
            }
        }
        out + rest
    }
}

/// The parameter of this role that holds a path.
pub(crate) fn parameter(role: &Role) -> Option<&str> {
    match role {
        Role::Read { path, .. } | Role::Edit { path, .. } | Role::Write { path, .. } => Some(path),
        Role::Search { path, .. } | Role::List { path, .. } => path.as_deref(),
        Role::Run { .. } => None,
    }
}

/// Rewrites the path of an input, where its role has one.
pub(crate) fn map_path(input: &Value, role: Option<&Role>, change: impl Fn(&str) -> String) -> Value {
    let mut input = input.clone();
    let key = role.and_then(parameter);
    if let Some(Value::String(path)) = key.and_then(|key| input.get_mut(key)) {
        *path = change(path);
    }
    input
}

/// A path that stands in quotes, without them; `None` where there are none around it.
pub(crate) fn in_quotes(path: &str) -> Option<&str> {
    let quote = path.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inner = path.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.trim().is_empty() && !inner.contains(quote)).then_some(inner)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn is_path(c: char) -> bool {
    is_name(c) || c == '/'
}

/// The last part of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_comes_back_as_it_was() {
        let folder = Folder::new("/home/me/work/").unwrap();
        for path in
            ["/home/me/work/a.txt", "/home/me/work/src/b.rs", "/home/me/work", "/etc/hosts", "/home/me/workshop/x"]
        {
            assert_eq!(folder.absolute(folder.relative(path)), path);
        }
    }

    #[test]
    fn only_the_folder_itself_is_taken_out_of_a_text() {
        let folder = Folder::new("/w/a").unwrap();
        assert_eq!(
            folder.relative_in("/w/a/x.txt, /w/ab/y, /z/w/a/q and (/w/a)."),
            "x.txt, /w/ab/y, /z/w/a/q and (.)."
        );
        assert_eq!(folder.relative_in("cd /w/a && ls"), "cd . && ls");
    }

    #[test]
    fn quotes_around_a_path_are_found() {
        assert_eq!(in_quotes("\"/a b/c\""), Some("/a b/c"));
        for path in ["/a", "\"a", "a\"", "\"a\" and \"b\"", "\"\"", "'"] {
            assert_eq!(in_quotes(path), None, "{path}");
        }
    }

    #[test]
    fn a_folder_is_absolute() {
        assert_eq!((Folder::new("a/b"), Folder::new("/")), (None, None));
    }
}
