//! Counting tokens, and what a window leaves room for.

mod budget;
mod counter;
mod family;
mod image;
mod memo;
mod o200k;
mod qwen;

pub use budget::{Budget, Window, WindowSource};
pub use counter::{Counter, O200k};
pub use family::{Family, FamilyCounter, Vocabulary};
pub use image::{ImageTokens, image_size};
pub use memo::Memo;
