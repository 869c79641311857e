//! The checks of a reply, as data: what each says, why it is safe, where it was measured and where it is on.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::RuleError;

/// The file that is compiled in: (path below `rules/`, text).
pub const CHECKS_FILE: (&str, &str) = ("checks.toml", include_str!("../../rules/checks.toml"));

/// All checks of a reply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Checks {
    /// The name of the file, of no further meaning.
    #[serde(rename = "checks")]
    pub name: String,
    /// The most that the model is asked again within one turn of the client.
    pub asks: Option<usize>,
    #[serde(rename = "check")]
    pub rules: Vec<CheckRule>,
}

/// One check. A file of one's own gives only what is to be other than before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckRule {
    pub id: String,
    /// What the model is told; `{file}`, `{tool}` and the like are filled in.
    pub says: Option<String>,
    /// What the user is told.
    pub note: Option<String>,
    /// What stands behind a result from then on.
    pub hint: Option<String>,
    /// Why it takes nothing right for wrong.
    pub why: Option<String>,
    /// On which models and data it was tried.
    pub measured: Option<String>,
    /// The families on which it is on; none: all.
    pub families: Option<Vec<String>>,
    /// Thresholds, by name.
    pub limits: BTreeMap<String, usize>,
    pub off: Option<bool>,
}

impl Checks {
    /// The checks that are compiled in.
    ///
    /// # Errors
    /// Never for the file that is shipped; a test reads it.
    pub fn builtin() -> Result<Self, RuleError> {
        super::parse::read(CHECKS_FILE.0, CHECKS_FILE.1)
    }

    /// The check of this id, where it is on for this family.
    pub fn on(&self, id: &str, family: &str) -> Option<&CheckRule> {
        self.rule(id).filter(|rule| rule.is_on(family))
    }

    /// The check of this id, on or off.
    pub fn rule(&self, id: &str) -> Option<&CheckRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// So often the model may be asked again within one turn of the client.
    pub fn asks(&self) -> usize {
        self.asks.unwrap_or(0)
    }

    /// Lays other checks over these: what they say counts, what they leave out stays.
    pub fn join(&mut self, over: Self) {
        self.asks = over.asks.or(self.asks);
        for rule in over.rules {
            match self.rules.iter_mut().find(|known| known.id == rule.id) {
                Some(known) => known.join(rule),
                None => self.rules.push(rule),
            }
        }
    }
}

impl CheckRule {
    /// Whether it is on for this family.
    pub fn is_on(&self, family: &str) -> bool {
        let named = |families: &Vec<String>| families.iter().any(|name| name == family);
        self.off != Some(true) && self.families.as_ref().is_none_or(named)
    }

    /// A threshold; 0 where there is none.
    pub fn limit(&self, name: &str) -> usize {
        self.limits.get(name).copied().unwrap_or(0)
    }

    /// What it does, in a line.
    pub fn in_a_line(&self) -> String {
        let on = match (&self.families, self.off) {
            (_, Some(true)) => "off".to_owned(),
            (Some(families), _) => format!("on for {}", families.join(" ")),
            (None, _) => "on".to_owned(),
        };
        format!("{on}: {}", self.why.as_deref().unwrap_or_default())
    }

    fn join(&mut self, over: Self) {
        self.says = over.says.or(self.says.take());
        self.note = over.note.or(self.note.take());
        self.hint = over.hint.or(self.hint.take());
        self.why = over.why.or(self.why.take());
        self.measured = over.measured.or(self.measured.take());
        self.families = over.families.or(self.families.take());
        self.limits.extend(over.limits);
        self.off = over.off.or(self.off);
    }
}

/// A text with `{name}` filled in, once: what is filled in is not looked into.
pub fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, behind) = rest.split_at(start);
        out.push_str(before);
        let known = values.iter().find_map(|(name, value)| {
            let after = behind[1..].strip_prefix(name)?.strip_prefix('}')?;
            Some((*value, after))
        });
        let (value, after) = known.unwrap_or(("{", &behind[1..]));
        out.push_str(value);
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_says_why_it_is_safe_and_where_it_was_measured() {
        for rule in Checks::builtin().unwrap().rules {
            assert!(rule.why.is_some() && rule.measured.is_some(), "{}", rule.id);
            assert!(rule.says.is_some() || rule.note.is_some(), "{}", rule.id);
        }
    }

    #[test]
    fn what_is_filled_in_is_not_looked_into() {
        assert_eq!(filled("{a} and {b} of {c}", &[("a", "{b}"), ("b", "2")]), "{b} and 2 of {c}");
    }

    #[test]
    fn a_file_of_ones_own_switches_one_off_and_leaves_the_rest() {
        let mut checks = Checks::builtin().unwrap();
        let before = checks.rule("empty-answer").unwrap().clone();
        checks.join(toml::from_str("checks = \"mine\"\n[[check]]\nid = \"empty-answer\"\noff = true\n").unwrap());
        assert!(checks.on("empty-answer", "any").is_none());
        assert_eq!(checks.rule("empty-answer").unwrap().says, before.says);
        assert!(checks.on("edit-text-absent", "any").is_some());
    }
}
