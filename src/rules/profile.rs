//! Settings for one window tier.

use serde::Deserialize;

/// How much is kept in a window of this size.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    #[serde(rename = "profile")]
    pub name: String,
    /// The largest window, in tokens, for which it is chosen; `None` for one that is only chosen by name.
    #[serde(default)]
    pub up_to: Option<usize>,
    #[serde(default)]
    pub head: HeadProfile,
    #[serde(default)]
    pub fold: FoldProfile,
}

/// What of the system text and tools is kept. Read by `trim`. All limits are absolute.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadProfile {
    /// From 1 (tiny) up: what rules mean by `from`. A rule speaks of a level, never of a window.
    pub detail: u8,
    /// Nothing is trimmed; only what no model can take is made regular.
    pub off: bool,
    /// A section that no rule names is kept whole up to this many tokens (o200k), else by heading and first sentence.
    pub unknown_section: usize,
    /// Words of the client's description for a parked tool that no rule names, by how many such tools there are:
    /// the first row whose `up_to` is not less decides; beyond the last row there are none.
    pub unknown_tool_words: Vec<WordsRow>,
    /// Whether our own words stand behind a parked tool's name.
    pub index_words: bool,
    /// Words of the description behind each item of a list such as that of skills; 0 for names alone.
    pub list_words: usize,
}

/// A row of [`HeadProfile::unknown_tool_words`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordsRow {
    pub up_to: usize,
    pub words: usize,
}

impl Default for HeadProfile {
    fn default() -> Self {
        Self {
            detail: 2,
            off: false,
            unknown_section: 200,
            unknown_tool_words: Vec::new(),
            index_words: true,
            list_words: 0,
        }
    }
}

/// How results are paged and old steps folded. Read by `fold`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FoldProfile {}
