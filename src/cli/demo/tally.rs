//! What the demo adds up: what the proxy received and sent, and what the stand-in says it read.

use serde::Deserialize;

use super::reading::Read;
use crate::ledger::Tokens;

/// The sums of a running proxy, as `/fanlight/report` gives them.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Account {
    pub(super) answered: u64,
    pub(super) before: Tokens,
    pub(super) after: Tokens,
    pub(super) over_window: u64,
}

/// What one turn of the user came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Turn {
    pub(super) number: usize,
    pub(super) prompt: String,
    /// Tokens of the longest request of the turn, as it came and as it was sent.
    pub(super) received: u64,
    pub(super) sent: u64,
}

/// What is counted over the whole session.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) requests: u64,
    /// How often the proxy looked at a file before the model changed it.
    pub(super) looks: usize,
    pub(super) calls: usize,
    pub(super) calls_arrived: usize,
    pub(super) texts: usize,
    pub(super) texts_arrived: usize,
    /// The longest prompt that the stand-in was given, by its own count.
    pub(super) longest: usize,
    /// All prompts, and the part of them that stood in its cache.
    pub(super) prompts: usize,
    pub(super) cached: usize,
    /// How often the history was cut, as the last report says.
    pub(super) cuts: u64,
}

impl Tally {
    /// Adds the prompts that the stand-in was given.
    pub(super) fn add_reads(&mut self, reads: &[Read]) {
        for read in reads {
            self.longest = self.longest.max(read.prompt);
            self.prompts += read.prompt;
            self.cached += read.cached;
        }
    }

    /// Whether every answer reached the client as it was meant.
    pub(super) fn all_arrived(&self) -> bool {
        self.calls == self.calls_arrived && self.texts == self.texts_arrived
    }

    /// Adds an answer of the model, and whether the client got what was meant.
    pub(super) fn add_answer(&mut self, is_call: bool, arrived: bool) {
        let (all, good) = if is_call {
            (&mut self.calls, &mut self.calls_arrived)
        } else {
            (&mut self.texts, &mut self.texts_arrived)
        };
        *all += 1;
        *good += usize::from(arrived);
    }
}
