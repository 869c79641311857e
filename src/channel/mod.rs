//! How tools are shown to a model, and how its calls are read back, healed, checked and guarded.

mod answer;
mod body;
mod show;
mod tool_text;
mod write;

pub use answer::{Answer, Ask, Next};
pub use body::{Envelope, body};
pub use show::{Form, Shown, ShownHead, Speaker};

/// The name under which a constrained model gives its final answer.
pub(crate) const ANSWER: &str = "Answer";
