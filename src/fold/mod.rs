//! Paging, crush, digest, and the fold that makes old steps fit.
//!
//! [`ingest`] shortens each message at its first appearance, by its own bytes. [`fold`] then walks the messages from
//! the first and, only where the next prompt would not fit, cuts: the oldest steps become a digest. Both look at
//! nothing but the messages up to the one in hand, so what is sent for a history is a prefix of what is sent for a
//! longer one, except at a cut.

mod again;
mod compose;
mod crush;
mod cut;
mod digest;
mod estimate;
mod facts;
mod handle;
mod ingest;
mod input;
mod journal;
mod memo;
mod page;
mod parallel;
mod paths;
#[cfg(test)]
mod promises;
mod shift;
mod state;
mod summary;
mod views;

pub use again::ShownAgain;
pub use cut::{Folded, TooLong, fold};
pub use handle::{page, recall};
pub use ingest::{ingest, ingest_from, shorten_preamble};
pub use input::FoldInput;
pub use memo::FoldMemo;
pub use shift::{Kept, Said, Shifted, Showing, beginning};
pub use summary::summary;
