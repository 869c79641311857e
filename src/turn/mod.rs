//! The state of one answer: what is heard, held, asked again, sent.

mod answer;
mod json_answer;
mod judge;
mod reply;
mod serve;

pub use answer::{Answer, Ask, Next};
