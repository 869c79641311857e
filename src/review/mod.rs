//! Replies held against the history: what is evidence that a reply is wrong, and what the model is told then.

pub(crate) mod check;
mod edit;
pub(crate) mod loops;
mod objection;
mod rewrite;
