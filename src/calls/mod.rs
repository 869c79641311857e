//! Text to calls: what a model wrote, read in whatever format, and healed to fit the client's schema. Knows no history.

pub mod heal;
pub(crate) mod json;
pub mod read;
mod repair;
pub(crate) mod unbind;

pub use repair::{Piece, Repaired, repair};

/// The name under which a constrained model gives its final answer.
pub(crate) const ANSWER: &str = "Answer";
