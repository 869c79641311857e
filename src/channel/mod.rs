//! How tools are shown to a model, and how its calls are read back, healed, checked and guarded.

mod answer;
mod show;

pub use answer::{Answer, Ask, Next};
pub use show::{Form, Shown, ShownHead, Speaker};
