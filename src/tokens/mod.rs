//! Counting tokens, and what a window leaves room for.

mod budget;
mod counter;
mod family;
mod memo;
mod o200k;
mod qwen;

pub use budget::{Budget, Window, WindowSource};
pub use counter::{Counter, O200k};
pub use family::{Family, FamilyCounter, Vocabulary};
pub use memo::Memo;
