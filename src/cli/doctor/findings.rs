//! What was found: a line each, with a remedy where something is wrong.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::{Value, json};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Grade {
    Ok,
    /// Worth knowing; a session works all the same.
    Warning,
    /// Something will not work.
    Problem,
}

#[derive(Debug, Serialize)]
struct Finding {
    grade: Grade,
    subject: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// All findings, in the order in which they were made.
#[derive(Debug)]
pub(super) struct Findings {
    /// Each is printed at once: some take a while.
    printed: bool,
    list: Vec<Finding>,
}

impl Findings {
    pub(super) fn new(printed: bool) -> Self {
        Self { printed, list: Vec::new() }
    }

    pub(super) fn good(&mut self, subject: &'static str, text: impl Into<String>) {
        self.add(Finding { grade: Grade::Ok, subject, text: text.into(), remedy: None });
    }

    pub(super) fn warn(&mut self, subject: &'static str, text: impl Into<String>, remedy: &str) {
        self.add(Finding { grade: Grade::Warning, subject, text: text.into(), remedy: Some(remedy.to_owned()) });
    }

    pub(super) fn problem(&mut self, subject: &'static str, text: impl Into<String>, remedy: &str) {
        self.add(Finding { grade: Grade::Problem, subject, text: text.into(), remedy: Some(remedy.to_owned()) });
    }

    fn add(&mut self, finding: Finding) {
        if self.printed {
            // A reader that has gone misses nothing.
            let _ = finding.print(&mut anstream::stdout().lock());
        }
        self.list.push(finding);
    }

    pub(super) fn has_problem(&self) -> bool {
        self.list.iter().any(|finding| finding.grade == Grade::Problem)
    }

    /// `{"ok":bool,"findings":[{grade, subject, text, remedy?}]}`.
    pub(super) fn to_value(&self) -> Value {
        json!({"ok": !self.has_problem(), "findings": self.list})
    }
}

impl Finding {
    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        let (word, style) = match self.grade {
            Grade::Ok => ("ok", Style::new().fg_color(Some(AnsiColor::Green.into()))),
            Grade::Warning => ("warning", Style::new().fg_color(Some(AnsiColor::Yellow.into()))),
            Grade::Problem => ("problem", Style::new().fg_color(Some(AnsiColor::Red.into())).bold()),
        };
        let text = self.text.replace('\n', "\n                  ");
        writeln!(out, "{style}{word:<8}{style:#}{:<9} {text}", self.subject)?;
        match &self.remedy {
            Some(remedy) => writeln!(out, "                  → {remedy}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_wrong_has_a_remedy_and_only_a_problem_is_a_no() {
        let mut findings = Findings::new(false);
        findings.good("a", "b");
        findings.warn("c", "d", "e");
        assert!(!findings.has_problem());
        findings.problem("f", "g", "h");
        assert_eq!(
            findings.to_value(),
            json!({"ok": false, "findings": [
                {"grade": "ok", "subject": "a", "text": "b"},
                {"grade": "warning", "subject": "c", "text": "d", "remedy": "e"},
                {"grade": "problem", "subject": "f", "text": "g", "remedy": "h"}]})
        );
    }
}
