//! All rules in force, and the questions that are asked of them.

use std::sync::Arc;

use super::{Checks, Example, Lexicon, MessageKinds, ModelProfile, Pack, Profile, Role, ToolRule, family_of};

/// All rules in force.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    pub packs: Vec<Pack>,
    pub profiles: Vec<Profile>,
    pub models: Vec<ModelProfile>,
    pub lexicon: Arc<Lexicon>,
    pub checks: Arc<Checks>,
    /// What the clients of all packs write in the user's name.
    pub messages: Arc<MessageKinds>,
    /// Worked examples; the first of two that are equally near is taken.
    pub examples: Vec<Example>,
}

impl RuleSet {
    /// The rule for the tool that has, or had, this name in any client.
    pub fn tool(&self, name: &str) -> Option<&ToolRule> {
        self.packs.iter().find_map(|pack| pack.tool(name))
    }

    /// What the tool of this name does to files.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.tool(name)?.role.as_ref()
    }

    /// The profile that was asked for by name, else the one of the window's tier: the smallest that reaches up to it,
    /// or the largest there is.
    pub fn profile(&self, window: usize, name: Option<&str>) -> Option<&Profile> {
        if let Some(profile) = name.and_then(|name| self.profiles.iter().find(|profile| profile.name == name)) {
            return Some(profile);
        }
        let tiers = || self.profiles.iter().filter_map(|profile| profile.up_to.map(|up_to| (up_to, profile)));
        let reaching = tiers().filter(|(up_to, _)| window <= *up_to).min_by_key(|(up_to, _)| *up_to);
        reaching.or_else(|| tiers().max_by_key(|(up_to, _)| *up_to)).map(|(_, profile)| profile)
    }

    /// The profile of the family that a served model belongs to.
    pub fn model(&self, name: &str) -> Option<&ModelProfile> {
        family_of(&self.models, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_chooses_the_smallest_profile_that_reaches_it() {
        let rules = RuleSet::builtin();
        let named = |window, name| rules.profile(window, name).map(|profile| profile.name.clone());
        assert_eq!(named(4096, None).as_deref(), Some("tiny"));
        assert_eq!(named(4097, None).as_deref(), Some("small"));
        assert_eq!(named(16_384, None).as_deref(), Some("medium"));
        assert_eq!(named(200_000, None).as_deref(), Some("large"));
        assert_eq!(named(4096, Some("off")).as_deref(), Some("off"));
    }

    #[test]
    fn a_tool_is_found_by_each_of_its_names() {
        let rules = RuleSet::builtin();
        assert!(matches!(rules.role("Read"), Some(Role::Read { .. })));
        assert!(matches!(rules.role("Bash"), Some(Role::Run { .. })));
        assert_eq!(rules.tool("Task").map(|rule| &rule.names), rules.tool("Agent").map(|rule| &rule.names));
        assert!(rules.tool("NoSuchTool").is_none());
    }

    #[test]
    fn every_model_name_has_a_profile() {
        let rules = RuleSet::builtin();
        assert!(rules.model("qwen2.5-coder:7b").is_some());
        assert!(rules.model("something-new").is_some());
    }
}
