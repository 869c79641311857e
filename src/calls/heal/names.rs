//! Which tool a name means. Never by a part of it: `TodoWrite` is not `Write`.

use crate::rules::Lexicon;
use crate::wire::Tool;

use super::Repair;

/// The tool that `name` means, and what had to be mended in it.
///
/// The whole name counts; then the name without the marks that parsers leave on it; then another case; then separators
/// aside; then a known alias. Each of these only when exactly one tool answers.
pub fn tool_called<'a>(name: &str, tools: &'a [Tool], lexicon: &Lexicon) -> Option<(&'a Tool, Option<Repair>)> {
    if let Some(tool) = tools.iter().find(|tool| tool.name == name) {
        return Some((tool, None));
    }
    let bare = without_marks(name);
    if let Some(tool) = tools.iter().find(|tool| tool.name == bare) {
        return Some((tool, Some(Repair::NameMarks)));
    }
    let by_case = only(tools.iter().filter(|tool| tool.name.eq_ignore_ascii_case(bare)));
    let by_letters = || only(tools.iter().filter(|tool| !bare.is_empty() && letters(&tool.name).eq(letters(bare))));
    if let Some(tool) = by_case.or_else(by_letters) {
        return Some((tool, Some(Repair::NameCase)));
    }
    let meant = |tool: &&Tool| lexicon.tools_called(bare).any(|called| called.eq_ignore_ascii_case(&tool.name));
    only(tools.iter().filter(meant)).map(|tool| (tool, Some(Repair::NameAlias)))
}

/// The names of the tools that are nearest to an unknown one, at most six.
pub fn nearest<'a>(name: &str, tools: &'a [Tool]) -> Vec<&'a str> {
    let wanted: String = letters(without_marks(name)).collect();
    let mut ranked: Vec<(usize, &str)> = tools
        .iter()
        .map(|tool| (distance(&wanted, &letters(&tool.name).collect::<String>()), tool.name.as_str()))
        .collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    ranked.into_iter().take(6).map(|(_, name)| name).collect()
}

/// The name without control tokens, call syntax, an index or a namespace of the wire.
fn without_marks(name: &str) -> &str {
    let name = name.trim().trim_matches(['"', '\'', '`']);
    let name = ["functions.", "function.", "tools.", "tool.", "call:"]
        .iter()
        .fold(name, |name, prefix| name.strip_prefix(prefix).unwrap_or(name));
    let end = name.find(['<', '(', '{', '[', ' ', '\n', '\t']).unwrap_or(name.len());
    let name = &name[..end];
    match name.rsplit_once(':') {
        Some((before, after)) if !before.is_empty() && (before == after || is_index(after)) => before,
        _ => name,
    }
}

fn is_index(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ' ')).map(|c| c.to_ascii_lowercase())
}

fn only<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// How many letters differ (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = line + 1;
        for (column, b) in other.iter().enumerate() {
            let replaced = before + usize::from(a != *b);
            before = row[column + 1];
            row[column + 1] = replaced.min(before + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tools(names: &[&str]) -> Vec<Tool> {
        let tool = |name: &&str| Tool {
            name: (*name).to_owned(),
            description: "".into(),
            input_schema: json!({}).into(),
            defer_loading: false,
            server_type: None,
        };
        names.iter().map(tool).collect()
    }

    #[test]
    fn names_are_found_by_the_whole_of_them() {
        let tools = tools(&["Read", "Write", "TodoWrite", "Bash", "mcp__db__query"]);
        let lexicon = Lexicon::builtin().unwrap();
        let cases = [
            ("Read", Some(("Read", None))),
            ("read", Some(("Read", Some(Repair::NameCase)))),
            ("todo_write", Some(("TodoWrite", Some(Repair::NameCase)))),
            ("Read<|channel|>commentary", Some(("Read", Some(Repair::NameMarks)))),
            ("functions.Bash:0", Some(("Bash", Some(Repair::NameMarks)))),
            ("read_file", Some(("Read", Some(Repair::NameAlias)))),
            ("bash", Some(("Bash", Some(Repair::NameCase)))),
            ("mcp__db__query", Some(("mcp__db__query", None))),
            ("Todo", None),
            ("NotebookWrite", None),
            ("query", None),
            ("", None),
        ];
        for (name, expected) in cases {
            let found = tool_called(name, &tools, &lexicon).map(|(tool, repair)| (tool.name.as_str(), repair));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn the_nearest_names_come_first() {
        assert_eq!(nearest("Reed", &tools(&["Bash", "Read", "TodoWrite"]))[0], "Read");
    }
}
