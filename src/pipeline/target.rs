//! The model that a request is for, and how it is spoken to.

use std::sync::Arc;

use crate::rules::{ChannelKind, ExampleProfile, ModelProfile, Sampling, Schedule, ShowProfile};
use crate::tokens::Window;
use crate::wire::Dialect;

/// The model that a request is for.
#[derive(Debug, Clone)]
pub struct Target {
    /// The served model's name, as upstream knows it.
    pub model: String,
    pub profile: Arc<ModelProfile>,
    pub window: Window,
    pub dialect: Dialect,
    /// The name of a window profile that was asked for; else it is chosen by the window.
    pub profile_name: Option<String>,
    /// How its history is cut.
    pub schedule: Schedule,
}

/// The same in all that decides what is sent; the profile of a model is made once for each set of rules.
impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        let Self { model, profile, window, dialect, profile_name, schedule } = self;
        Arc::ptr_eq(profile, &other.profile)
            && (model, window, dialect, profile_name, schedule)
                == (&other.model, &other.window, &other.dialect, &other.profile_name, &other.schedule)
    }
}

impl Target {
    /// The same model, and of its family nothing but how it counts: the dialect's own fields, no sampler, no checks.
    #[must_use]
    pub fn untouched(&self) -> Self {
        let plain = ModelProfile {
            ollama: ChannelKind::Native,
            anthropic: ChannelKind::Native,
            sampling: Sampling::default(),
            show: ShowProfile::default(),
            unreviewed: true,
            examples: ExampleProfile::default(),
            ..ModelProfile::clone(&self.profile)
        };
        Self { profile: plain.into(), ..self.clone() }
    }

    /// The same model for a request without tools: nothing is said of calls. Past ones are told as the family writes them.
    #[must_use]
    pub fn without_tools(&self) -> Self {
        let prompted = |kind| if kind == ChannelKind::Constrained { ChannelKind::Prompted } else { kind };
        let profile = ModelProfile::clone(&self.profile);
        let show = profile.show.clone();
        let plain = ModelProfile {
            ollama: prompted(profile.ollama),
            anthropic: prompted(profile.anthropic),
            show: ShowProfile { bound_form: None, lines: false, own_tools: false, ..show },
            examples: ExampleProfile::default(),
            ..profile
        };
        Self { profile: plain.into(), ..self.clone() }
    }

    /// How this model is shown tools over this dialect.
    pub fn channel(&self) -> ChannelKind {
        match self.dialect {
            Dialect::Ollama => self.profile.ollama,
            Dialect::Anthropic => self.profile.anthropic,
        }
    }
}
