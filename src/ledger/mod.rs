//! The record of exchanges, append-only, and its questions.
//!
//! One line of JSON an exchange, a file a month, in the user's state folder. Numbers, names of models and kinds of
//! repairs; never prompt content. Writing happens on a thread of its own: an exchange never waits for a disk.

mod entry;
mod file;
mod history;
mod live;
mod summary;

pub use entry::{Entry, Outcome, Tokens};
pub use file::{Found, read_since};
pub use history::{Bucket, History, Question};
pub use live::Ledger;
pub use summary::{Pair, Summary};
