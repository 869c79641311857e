//! A rule file, read as what it says it is; what is wrong with it is shown at its place.

use serde::de::DeserializeOwned;

use super::RuleError;

pub(super) fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, RuleError> {
    toml::from_str(text).map_err(|error| {
        let fault = RuleError::new(file, text, error.span().unwrap_or(0..0), error.message());
        if error.message().starts_with("unknown") {
            return fault.remedy("see the field table in rules/README.md, or `fanlight rules schema`");
        }
        fault
    })
}
