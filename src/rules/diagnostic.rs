//! What is wrong with a rule file, and where.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// A fault in a rule file. `Display` shows the line with a caret, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The name of the file, as it was given.
    pub file: String,
    /// The text of the file.
    pub text: String,
    /// Where it is, in bytes.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl RuleError {
    pub(super) fn new(file: &str, text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let (file, text, message) = (file.to_owned(), text.to_owned(), message.into());
        Self { file, text, span, message, remedy: None }
    }

    /// A fault of the value that is written as `quoted` somewhere in the file.
    pub(super) fn at_value(file: &str, text: &str, value: &str, message: impl Into<String>) -> Self {
        let start = text.find(value).unwrap_or(0);
        let end = if start == 0 && !text.starts_with(value) { 0 } else { start + value.len() };
        Self::new(file, text, start..end, message)
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The line on which it is, from 1.
    pub fn line(&self) -> usize {
        1 + self.text.bytes().take(self.span.start).filter(|byte| *byte == b'\n').count()
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let annotation = AnnotationKind::Primary.span(self.span.clone());
        let snippet = Snippet::source(&self.text).path(&self.file).annotation(annotation);
        let mut groups = vec![Group::with_title(Level::ERROR.primary_title(&self.message)).element(snippet)];
        if let Some(remedy) = &self.remedy {
            groups.push(Group::with_title(Level::HELP.secondary_title(remedy)));
        }
        f.write_str(&Renderer::plain().render(&groups))
    }
}

impl std::error::Error for RuleError {}
