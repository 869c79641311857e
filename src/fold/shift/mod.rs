//! The schedule *shift*: for servers that keep the cache of text behind a hole.
//!
//! The window is kept nearly full. When the next step would not fit, just enough of what is worth least is taken out, in
//! the middle too: a whole step, or the end of a message. What went is said at the head of the step that did not fit.
//! Nothing is ever put in front of text that stays. A walk from the first message, as in the other schedule.

mod again;
mod beginning;
mod choose;
#[cfg(test)]
mod promises;
mod tell;
mod walk;
mod worth;

pub use beginning::beginning;
pub(super) use walk::State;
pub(super) use walk::fold;

/// What became of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kept {
    #[default]
    Whole,
    /// Its end is gone.
    Beginning,
    Out,
}

/// Text that a cut has put at the head of the newest message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The index of that message.
    pub message: usize,
    pub text: std::sync::Arc<str>,
}

/// What the walk has taken out, and what it has said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shifted {
    /// One for each message.
    pub kept: Vec<Kept>,
    /// In the order of the messages; those that are out are not among them.
    pub said: Vec<Said>,
}

/// How messages look where they are rendered.
pub trait Showing {
    /// Tokens of the beginning of a message; `None` where it has no end that can go.
    fn beginning(&self, message: usize) -> Option<usize>;

    /// A message as it was ingested.
    fn ingested(&self, message: usize) -> Option<&crate::wire::Message>;

    /// A text of the digest as this model is told it.
    fn told(&self, text: &str) -> String;
}
