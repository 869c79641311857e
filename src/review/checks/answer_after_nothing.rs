//! An answer straight after a call that was to change a file and, by what is known of it, did not.

use crate::history::{Act, Files, History};
use crate::review::{Case, Check, Objection, Said};

pub(super) struct AnswerAfterNothing;

impl Check for AnswerAfterNothing {
    fn id(&self) -> &'static str {
        "answer-after-nothing"
    }

    fn object(&self, case: &Case<'_>) -> Option<Objection> {
        let Said::Answer = case.said else { return None };
        let (at, last) = case.last()?;
        let before: History<'_> = case.history.before(at);
        let path = match &last.act {
            Act::Write { path, content } if last.ok() && has_text(&before.files, path, content) => *path,
            // A refusal of anybody else is no evidence: it says nothing of the text.
            Act::Edit { path, swaps } if last.failed() => {
                let swap = swaps.first()?;
                let view = before.files.view(path)?;
                (swap.old == swap.new || view.lacks(swap.old)).then_some(*path)?
            }
            _ => return None,
        };
        Some(case.objection(self.id(), &[("file", case.shown(path)), ("tool", &last.call.name)]))
    }
}

fn has_text(files: &Files, path: &str, content: &str) -> bool {
    files.view(path).is_some_and(|view| view.is_certainly(content))
}
