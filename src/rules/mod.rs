//! The rule language: what to trim, how tools are shown, what a family of models needs. All of it is data.
//!
//! * a [`Pack`] knows one client: sections of its prompt, its tools, its reminders, its side requests
//! * a [`Profile`] knows one window tier
//! * a [`ModelProfile`] knows one family of models
//!
//! Built-in files stand in `rules/` of the repository and are compiled in; a user's files layer over them.

mod model;
mod models;
mod pack;
mod profile;

pub use model::{CallForm, ChannelKind, CheckProfile, Example, ExampleStep, ModelProfile, Sampling, ShowProfile};
pub use models::{MODEL_FILES, builtin_models, family_of};
pub use pack::{Pack, Role, Show, ToolRule};
pub use profile::{FoldProfile, HeadProfile, Profile};

/// All rules in force.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    pub packs: Vec<Pack>,
    pub profiles: Vec<Profile>,
    pub models: Vec<ModelProfile>,
}
