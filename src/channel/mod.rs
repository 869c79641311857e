//! How tools are shown to a model, and how its calls are read back, healed, checked and guarded.

mod answer;
mod bind;
mod body;
mod change;
mod check;
mod choice;
mod edit;
mod guard;
pub mod heal;
mod json;
mod objection;
mod own;
mod paths;
pub mod read;
mod repair;
mod reply;
mod results;
mod rewrite;
mod schema;
mod show;
mod situation;
mod tool_text;
mod unbind;
mod verdict;
mod write;

pub use answer::{Answer, Ask, Next};
pub use body::{Envelope, body};
pub use choice::Choice;
pub use paths::Folder;
pub use repair::{Piece, Repaired, repair};
pub use results::Notes;
pub use show::{Form, Shown, ShownHead, Speaker};
pub use situation::Situation;

/// The name under which a constrained model gives its final answer.
pub(crate) const ANSWER: &str = "Answer";
