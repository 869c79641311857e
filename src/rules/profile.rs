//! Settings for one window tier.

use schemars::JsonSchema;
use serde::Deserialize;

/// How much is kept in a window of this size.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
    /// Names with a common server (`mcp__server__…`) are written as a group when there are more of them than this.
    pub group_names_above: usize,
    /// Whether our own words stand behind a parked tool's name.
    pub index_words: bool,
    /// The most worked examples of the model's family that stand in the head.
    pub examples: usize,
    /// Words of the description behind each item of a list such as that of skills; 0 for names alone.
    pub list_words: usize,
}

/// A row of [`HeadProfile::unknown_tool_words`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WordsRow {
    pub up_to: usize,
    pub words: usize,
}

impl HeadProfile {
    /// Words for each of `tools` parked tools that no rule names.
    pub fn words_for(&self, tools: usize) -> usize {
        self.unknown_tool_words.iter().find(|row| tools <= row.up_to).map_or(0, |row| row.words)
    }
}

impl Default for HeadProfile {
    fn default() -> Self {
        Self {
            detail: 2,
            off: false,
            unknown_section: 200,
            unknown_tool_words: Vec::new(),
            group_names_above: 64,
            index_words: true,
            examples: usize::MAX,
            list_words: 0,
        }
    }
}

/// How results are paged and old steps folded. Read by `fold`. Shares are percents of the history budget H.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FoldProfile {
    /// What stands after a cut, all together, is at most this.
    pub keep: usize,
    /// But digest and views may have at least this, however long the newest step is.
    pub least: usize,
    /// Of it, steps that stay verbatim; the newest step always stays.
    pub tail: usize,
    /// Typed prompts in the digest, verbatim.
    pub prompts: usize,
    /// One line a call in the digest.
    pub journal: usize,
    /// The accounts of paths.
    pub paths: usize,
    /// The present text of the files in work.
    pub views: usize,
    /// The present text of a file that is changed after a cut, behind the result.
    pub again: usize,
    /// How many files have a view.
    pub files: usize,
    /// A result longer than this is paged at its first appearance.
    pub page: usize,
    /// All results of one step together.
    pub step: usize,
    /// What a call says, its long inputs shortened.
    pub call: usize,
    /// What commands print is crushed where it is long: lines that repeat themselves are said once.
    pub crush: bool,
    /// What always stands before the first prompt: environment, the user's standing instructions.
    pub preamble: usize,
    /// Lines of a view carry their numbers.
    pub line_numbers: bool,
    /// How pieces are taken out, where the server keeps the cache of text behind a hole.
    pub shift: ShiftProfile,
}

/// The schedule *shift*. Worths are weights of a token against one of any other kind; none is negative.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ShiftProfile {
    /// A cut frees this share of H beyond what it must.
    pub free: usize,
    /// What stays between two holes of one cut has at least so many tokens: the server's smallest chunk.
    pub chunk: usize,
    /// So many tokens stay of the beginning of a result, or of an answer.
    pub beginning: usize,
    /// What a cut says of the calls that went, at most this share of H.
    pub said: usize,
    /// What a cut says of typed prompts that went, word for word, at most this share of H.
    pub prompts: usize,
    /// At this age, in tokens of the history, text is worth half of what it was.
    pub half: usize,
    /// Of a file's text, so many percent of its age is the time since the file was last named, not since the text came.
    pub by_file: usize,
    /// The present text of a file that was edited and does not stand any more, behind the edit: at most this share of H.
    pub again: usize,
    /// But not where more than so many percent of that are missing.
    pub dense: usize,
    pub worth: Worth,
}

/// What a token of each kind is worth.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Worth {
    /// What the user typed.
    pub prompt: usize,
    /// An answer without a call.
    pub answer: usize,
    /// What a tool without a role answered: reports of agents among them.
    pub report: usize,
    /// A file as it was read.
    pub read: usize,
    /// Of that, what stands newer elsewhere: in percent of `read`.
    pub superseded: usize,
    /// What a command printed.
    pub run: usize,
    /// What a search or a listing found.
    pub search: usize,
    /// The result of an edit or a write.
    pub done: usize,
    /// An error that is not cured yet.
    pub error: usize,
    /// The calls themselves: an edit, a write, any other.
    pub edit: usize,
    pub write: usize,
    pub call: usize,
}

impl Default for ShiftProfile {
    fn default() -> Self {
        Self {
            free: 6,
            chunk: 16,
            beginning: 24,
            said: 1,
            prompts: 10,
            half: 4000,
            by_file: 50,
            again: 10,
            dense: 200,
            worth: Worth::default(),
        }
    }
}

impl Default for Worth {
    fn default() -> Self {
        Self {
            prompt: 2000,
            answer: 60,
            report: 120,
            read: 100,
            superseded: 10,
            run: 15,
            search: 40,
            done: 30,
            error: 100,
            edit: 40,
            write: 80,
            call: 100,
        }
    }
}

impl Default for FoldProfile {
    fn default() -> Self {
        Self {
            keep: 40,
            least: 20,
            tail: 15,
            prompts: 15,
            journal: 8,
            paths: 8,
            views: 20,
            again: 10,
            files: 5,
            page: 50,
            step: 60,
            call: 25,
            crush: true,
            preamble: 20,
            line_numbers: false,
            shift: ShiftProfile::default(),
        }
    }
}
