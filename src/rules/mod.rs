//! The rule language: what to trim, how tools are shown, what a family of models needs. All of it is data.
//!
//! * a [`Pack`] knows one client: sections of its prompt, its tools, its reminders, its side requests
//! * a [`Profile`] knows one window tier
//! * a [`ModelProfile`] knows one family of models
//! * an [`Example`] shows weak models how work is done
//!
//! Built-in files stand in `rules/` of the repository and are compiled in; a user's files layer over them.

mod builtin;
mod case;
mod checks;
mod diagnostic;
mod entries;
mod examples;
mod layer;
mod lexicon;
mod message;
mod model;
mod models;
mod pack;
mod parse;
mod profile;
mod set;
mod shape;
mod version;

pub use builtin::{BUILTIN, BuiltinFile};
pub use case::Case;
pub use checks::{CHECKS_FILE, CheckRule, Checks, filled};
pub use diagnostic::RuleError;
pub use entries::{Entry, source_of};
pub use examples::{EXAMPLE_FILES, Example, ExampleFile, ExampleStep};
pub use lexicon::{LEXICON_FILES, Lexicon, Meaning, Texts, Words};
pub use message::{Keep, MessageKinds, MessageRule};
pub use model::{
    CallForm, ChannelKind, ExampleProfile, FoldChoice, ModelProfile, Sampling, Schedule, ShowProfile, ThinkingForm,
};
pub use models::{MODEL_FILES, builtin_models, family_of};
pub use pack::{
    LineRule, Only, Pack, Param, Paths, ReminderAction, ReminderRule, Role, SectionAction, SectionRule, Show,
    SideAction, SideRule, ToolRule,
};
pub use profile::{FoldProfile, HeadProfile, Profile, ShiftProfile, WordsRow, Worth};
pub use set::RuleSet;
pub use shape::rule_file_schema;
pub use version::{Seen, Version};
