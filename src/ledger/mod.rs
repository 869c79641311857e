//! The record of exchanges, append-only, and its questions.
//!
//! One line of JSON an exchange, a file a month, in the user's state folder. Numbers, names of models and kinds of
//! repairs; never prompt content. Writing happens on a thread of its own: an exchange never waits for a disk.

mod entry;
mod file;
mod live;
mod summary;

pub use entry::{Entry, Outcome, Tokens};
pub use file::{Found, folder, read_since};
pub use live::Ledger;
pub use summary::{Pair, Summary};

/// The page that shows the live report; it asks `/fanlight/report` and nothing else.
pub const PAGE: &str = include_str!("page.html");
