//! The built-in families of models, and which of them a served model belongs to.

use globset::Glob;

use super::ModelProfile;

/// The built-in files: (name, text). The first whose names match is taken; the last takes every name.
pub const MODEL_FILES: &[(&str, &str)] = &[
    ("qwen2.5-coder", include_str!("../../rules/models/qwen2.5-coder.toml")),
    ("default", include_str!("../../rules/models/default.toml")),
];

/// Reads the built-in families, in the order in which they are asked.
///
/// # Errors
/// When a file does not say what a family needs; a test keeps the built-in ones readable.
pub fn builtin_models() -> Result<Vec<ModelProfile>, toml::de::Error> {
    MODEL_FILES.iter().map(|(_, text)| toml::from_str(text)).collect()
}

/// The first family among `models` that knows the served model's name.
pub fn family_of<'a>(models: &'a [ModelProfile], served: &str) -> Option<&'a ModelProfile> {
    let served = served.to_ascii_lowercase();
    let knows = |glob: &String| Glob::new(glob).is_ok_and(|glob| glob.compile_matcher().is_match(&served));
    models.iter().find(|model| model.names.iter().any(knows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_family_can_be_read_and_says_what_was_measured() {
        for model in builtin_models().unwrap() {
            assert!(!model.measured.is_empty(), "{}", model.family);
        }
    }

    #[test]
    fn a_served_name_finds_its_family() {
        let models = builtin_models().unwrap();
        let family = |name| family_of(&models, name).unwrap().family.as_str();
        assert_eq!(family("qwen2.5-coder:1.5b"), "qwen2.5-coder");
        assert_eq!(family("hf.co/someone/Qwen2.5-Coder-7B-GGUF:Q4"), "qwen2.5-coder");
        assert_eq!(family("something-else"), "default");
    }
}
