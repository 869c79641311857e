//! The shape of rule files as a JSON Schema, for editors.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use super::{Checks, ExampleFile, Lexicon, ModelProfile, Pack, Profile};

/// A rule file is one of these.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, clippy::large_enum_variant)]
enum RuleFile {
    Pack(Pack),
    Profile(Profile),
    Model(ModelProfile),
    Lexicon(Lexicon),
    Checks(Checks),
    Examples(ExampleFile),
}

/// The JSON Schema of a rule file.
pub fn rule_file_schema() -> Value {
    let mut schema = schema_for!(RuleFile).to_value();
    schema["title"] = "A rule file of fanlight".into();
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_file_fits_the_schema() {
        let validator = jsonschema::validator_for(&rule_file_schema()).unwrap();
        for file in super::super::BUILTIN {
            let value: Value = toml::from_str(file.text).unwrap();
            assert!(validator.is_valid(&value), "{}", file.name);
        }
        for (name, text) in super::super::LEXICON_FILES {
            assert!(validator.is_valid(&toml::from_str::<Value>(text).unwrap()), "{name}");
        }
        assert!(validator.is_valid(&toml::from_str::<Value>(super::super::CHECKS_FILE.1).unwrap()));
        for (name, text) in super::super::EXAMPLE_FILES {
            assert!(validator.is_valid(&toml::from_str::<Value>(text).unwrap()), "{name}");
        }
        assert!(!validator.is_valid(&serde_json::json!({"client": "c", "nonsense": 1})));
    }
}
