//! Settings for one window tier.

use serde::Deserialize;

/// How much is kept in a window of this size.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: String,
    /// The largest window, in tokens, for which it is chosen; `None` for one that is only chosen by name.
    #[serde(default)]
    pub up_to: Option<usize>,
    #[serde(default)]
    pub head: HeadProfile,
    #[serde(default)]
    pub fold: FoldProfile,
}

/// What of the system text and tools is kept. Read by `trim`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadProfile {}

/// How results are paged and old steps folded. Read by `fold`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FoldProfile {}
