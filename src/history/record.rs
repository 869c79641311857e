//! What was done to one path.

/// What a call did to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    Read,
    Edited,
    Written,
    Searched,
    Listed,
}

impl Deed {
    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Edited => "edited",
            Self::Written => "written",
            Self::Searched => "searched",
            Self::Listed => "listed",
        }
    }
}

/// The account of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub path: String,
    /// How often each was done with success: read, edited, written, searched, listed.
    pub done: [usize; 5],
    /// How many calls on it failed.
    pub failed: usize,
    /// The last call: what it did, and whether it succeeded.
    pub last: (Deed, bool),
    /// The message of the last call.
    pub touched: usize,
}

impl Record {
    pub(super) fn new(path: &str) -> Self {
        Self { path: path.to_owned(), done: [0; 5], failed: 0, last: (Deed::Read, true), touched: 0 }
    }

    pub(super) fn note(&mut self, deed: Deed, ok: bool, message: usize) {
        if ok {
            self.done[deed as usize] += 1;
        } else {
            self.failed += 1;
        }
        self.last = (deed, ok);
        self.touched = message;
    }

    /// Edited or written with success.
    pub fn changed(&self) -> bool {
        self.done[Deed::Edited as usize] + self.done[Deed::Written as usize] > 0
    }

    /// Whether anything was ever done to it as a file.
    pub fn is_file(&self) -> bool {
        self.changed() || self.done[Deed::Read as usize] > 0
    }
}
