//! Who knows what a tool does.

use std::collections::BTreeMap;

use crate::rules::{Role, RuleSet};

/// Tells the role of a tool by its name.
pub trait Roles {
    /// What the tool does; `None` when no rule says it.
    fn role(&self, tool: &str) -> Option<&Role>;
}

impl Roles for BTreeMap<String, Role> {
    fn role(&self, tool: &str) -> Option<&Role> {
        self.get(tool)
    }
}

impl Roles for RuleSet {
    fn role(&self, tool: &str) -> Option<&Role> {
        Self::role(self, tool)
    }
}
