//! Counting tokens, and what a window leaves room for.

mod budget;
mod counter;

pub use budget::{Budget, Window, WindowSource};
pub use counter::{Counter, Family, O200k};
