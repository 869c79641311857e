//! Versions of a client, and ranges of them.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// A dotted version of up to three numbers; what stands behind them is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Version(u32, u32, u32);

impl Version {
    /// Reads `2.1.15` or `2.1.15.ca2`; `None` unless it begins with three numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
        Some(Self(parts.next()??, parts.next()??, parts.next()??))
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a version; write three numbers, as in \"2.1.15\""))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The versions on which a rule was seen to match. There it must match; elsewhere it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    pub since: Option<Version>,
    pub until: Option<Version>,
}

impl Seen {
    /// Whether the rule must match on `version`. A rule without a range need not match anywhere.
    pub fn expects(&self, version: Option<Version>) -> bool {
        let Some(version) = version else { return false };
        let Some(since) = self.since else { return false };
        since <= version && self.until.is_none_or(|until| version <= until)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.since, self.until) {
            (Some(since), Some(until)) => write!(f, "{since} to {until}"),
            (Some(since), None) => write!(f, "from {since}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Option<Version> {
        Version::parse(text)
    }

    #[test]
    fn a_build_suffix_is_ignored() {
        assert_eq!(version("2.1.15.ca2"), version("2.1.15"));
        assert!(version("2.1.9") < version("2.1.15"));
        assert_eq!(version("2.1"), None);
    }

    #[test]
    fn a_rule_is_expected_only_inside_its_range() {
        let seen = Seen { since: version("2.1.50"), until: version("2.1.153") };
        assert!(seen.expects(version("2.1.50")) && seen.expects(version("2.1.153")));
        assert!(!seen.expects(version("2.1.154")) && !seen.expects(version("2.1.49")) && !seen.expects(None));
        assert!(!Seen::default().expects(version("2.1.50")));
    }
}
