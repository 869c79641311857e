//! What of a file an edit can name: the schema of an edit whose old text is one that stands there.

use serde_json::{Value, json};

use crate::history::{Line, View};
use crate::rules::Role;
use crate::show::bind::any_of;

/// The most texts that a model is given to choose from.
const CHOICES: usize = 120;

/// The most places of several lines among them.
const PLACES: usize = 8;

/// An edit of one file.
pub(super) struct Narrowed<'a> {
    pub(super) role: Option<&'a Role>,
    pub(super) shown: &'a str,
}

impl Narrowed<'_> {
    /// The arguments that can be right: this path, one of these texts, and whether all of its places are meant.
    pub(super) fn arguments(&self, choices: &[(Vec<String>, bool)]) -> Option<Value> {
        let Some(Role::Edit { path, old, new, all }) = self.role else { return None };
        let fits = choices.iter().filter(|(texts, every)| !texts.is_empty() && (!every || all.is_some()));
        let kinds = fits.map(|(texts, every)| {
            let mut properties = json!({path: {"enum": [self.shown]}, old: {"enum": texts}, new: {"type": "string"}});
            let mut required = vec![path, old, new];
            if let (true, Some(all)) = (*every, all) {
                properties[all] = json!({"enum": [true]});
                required.push(all);
            }
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
        });
        any_of(kinds.collect())
    }
}

/// The lines that stand once in what is known.
pub(super) fn single_lines(view: &View) -> Vec<String> {
    let lines = view.lines().map(|line| &line.text);
    lines.filter(|line| !line.trim().is_empty() && view.occurrences(line) == 1).take(CHOICES).cloned().collect()
}

/// The places of as many lines as `old` has, of which most stand in it: those that are most like it first.
pub(super) fn near(view: &View, old: &str) -> Vec<String> {
    let wanted: Vec<String> = old.trim().lines().map(plain).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(usize, String)> = Vec::new();
    for segment in &view.segments {
        for lines in segment.lines.windows(wanted.len()) {
            let alike = lines.iter().zip(&wanted).filter(|(line, want)| plain(&line.text) == **want).count();
            let text = joined(lines);
            if alike * 2 >= wanted.len() && (wanted.len() > 1 || alike == 1) && view.occurrences(&text) == 1 {
                found.push((wanted.len() - alike, text));
            }
        }
    }
    found.sort_by_key(|(apart, _)| *apart);
    found.into_iter().take(PLACES).map(|(_, text)| text).collect()
}

fn joined(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// A line without the space around it, with one kind of quotes.
fn plain(line: &str) -> String {
    line.trim().replace('\'', "\"")
}
