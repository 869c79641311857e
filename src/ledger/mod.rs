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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    #[test]
    fn the_page_asks_the_report_only_and_for_fields_that_are_there() {
        assert_eq!(PAGE.matches("fetch(").count(), 1);
        assert!(PAGE.contains("fetch(\"/fanlight/report\""));
        assert!(!PAGE.contains("https://") && !PAGE.contains("src="), "nothing comes from outside");
        let ledger = Ledger::new(None);
        ledger.record(Entry::default(), Report::default());
        let live = ledger.live();
        for field in ["before", "after", "over_window", "cached", "reported", "repairs", "dead", "local", "refused"] {
            assert!(PAGE.contains(&format!("s.{field}")) && !live["summary"][field].is_null(), "{field}");
        }
        for field in ["at_ms", "first_ms", "total_ms", "outcome", "prompt", "cached", "kind", "model", "channel"] {
            assert!(PAGE.contains(&format!(".{field}")) && live["recent"][0].get(field).is_some(), "{field}");
        }
    }
}
