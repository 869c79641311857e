//! Rendered messages of which pieces are taken out (the schedule *shift*).

use super::measure;
use crate::fold::{self, Kept, Shifted, Showing};
use crate::show::{Form, Shown};
use crate::tokens::Counter;
use crate::wire::Message;

/// Messages as they are first shown, and rendered.
pub(super) struct Rendered<'r> {
    pub form: &'r Form<'r>,
    pub messages: &'r [Message],
    pub shown: &'r [Vec<Shown>],
    /// The worked examples before some of them: they stand as long as the message stands whole.
    pub examples: &'r dyn Fn(usize) -> &'r [Shown],
    /// What stands before the first message.
    pub preamble: &'r str,
    /// So much stays of the beginning of a message, in tokens.
    pub beginning: usize,
    pub counter: &'r dyn Counter,
    pub markers: usize,
}

impl Rendered<'_> {
    fn beginning_of(&self, at: usize) -> Option<Vec<Shown>> {
        let short = fold::beginning(&self.messages[at], self.beginning)?;
        self.form.beginning(&self.shown[at], &short)
    }

    /// What is sent: all messages, or what was not taken out of them.
    pub(super) fn left(&self, shifted: Option<&Shifted>) -> Vec<Shown> {
        let mut left: Vec<Vec<Shown>> = match shifted {
            Some(shifted) => shifted.kept.iter().enumerate().map(|(at, kept)| self.kept(at, *kept)).collect(),
            None => self.shown.to_vec(),
        };
        for said in shifted.iter().flat_map(|shifted| &shifted.said) {
            let shown = std::mem::take(&mut left[said.message]);
            left[said.message] = self.form.headed_by(&said.text, shown);
        }
        if !self.preamble.is_empty() && !left.is_empty() {
            let shown = std::mem::take(&mut left[0]);
            left[0] = self.form.headed_by(self.preamble, shown);
        }
        let whole = |at: usize| shifted.is_none_or(|shifted| shifted.kept[at] == Kept::Whole);
        let examples = |at: usize| Some((self.examples)(at)).filter(|_| whole(at)).into_iter().flatten().cloned();
        left.into_iter().enumerate().flat_map(|(at, shown)| examples(at).chain(shown)).collect()
    }

    fn kept(&self, at: usize, kept: Kept) -> Vec<Shown> {
        match kept {
            Kept::Whole => self.shown[at].clone(),
            Kept::Beginning => self.beginning_of(at).unwrap_or_else(|| self.shown[at].clone()),
            Kept::Out => Vec::new(),
        }
    }
}

impl Showing for Rendered<'_> {
    fn beginning(&self, at: usize) -> Option<usize> {
        let shown = self.beginning_of(at)?;
        Some(measure::shown_tokens(&shown, self.counter, self.markers))
    }

    fn ingested(&self, at: usize) -> Option<&Message> {
        self.messages.get(at)
    }

    fn told(&self, text: &str) -> String {
        self.form.told_text(text)
    }
}
