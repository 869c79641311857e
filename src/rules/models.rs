//! The built-in families of models, and which of them a served model belongs to.

use globset::Glob;

use super::ModelProfile;

/// The built-in files: (name, text). The first whose names match is taken; the last takes every name.
pub const MODEL_FILES: &[(&str, &str)] = &[
    ("qwen2.5-coder-small", include_str!("../../rules/models/qwen2.5-coder-small.toml")),
    ("qwen2.5-coder", include_str!("../../rules/models/qwen2.5-coder.toml")),
    ("qwen3-coder", include_str!("../../rules/models/qwen3-coder.toml")),
    ("qwen3", include_str!("../../rules/models/qwen3.toml")),
    ("llama3", include_str!("../../rules/models/llama3.toml")),
    ("gpt-oss", include_str!("../../rules/models/gpt-oss.toml")),
    ("mistral", include_str!("../../rules/models/mistral.toml")),
    ("gemma", include_str!("../../rules/models/gemma.toml")),
    ("glm", include_str!("../../rules/models/glm.toml")),
    ("deepseek", include_str!("../../rules/models/deepseek.toml")),
    ("granite", include_str!("../../rules/models/granite.toml")),
    ("lfm", include_str!("../../rules/models/lfm.toml")),
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

    /// A server may turn out to have a Go template for any of them, and then it is never native.
    #[test]
    fn every_family_can_be_prompted() {
        for model in builtin_models().unwrap() {
            let show = &model.show;
            assert!(
                ["{call}", "TOOL"].iter().any(|call| show.instructions.contains(call))
                    && show.result.contains("{text}"),
                "{}",
                model.family
            );
        }
    }

    #[test]
    fn every_file_is_in_the_list() {
        for (name, text) in MODEL_FILES {
            assert!(text.contains(&format!("family = \"{name}\"")), "{name}");
        }
    }

    #[test]
    fn a_served_name_finds_its_family() {
        let models = builtin_models().unwrap();
        let family = |name| family_of(&models, name).unwrap().family.as_str();
        assert_eq!(family("qwen2.5-coder:1.5b"), "qwen2.5-coder-small");
        assert_eq!(family("qwen2.5-coder:32b"), "qwen2.5-coder");
        assert_eq!(family("hf.co/someone/Qwen2.5-Coder-7B-GGUF:Q4"), "qwen2.5-coder");
        assert_eq!(family("qwen3-coder:30b"), "qwen3-coder");
        assert_eq!(family("qwen3:8b"), "qwen3");
        assert_eq!(family("llama3.1:8b-instruct"), "llama3");
        assert_eq!(family("devstral:24b"), "mistral");
        assert_eq!(family("gpt-oss:20b"), "gpt-oss");
        assert_eq!(family("something-else"), "default");
    }
}
