//! What a model server says of itself and its models. Pure reading of its answers; `discover` asks.

use serde_json::Value;

use crate::pipeline::Target;
use crate::rules::{ChannelKind, ModelProfile, RuleSet, ThinkingForm, family_of};
use crate::tokens::Window;
use crate::wire::Dialect;

/// How long Ollama is to keep a model loaded.
pub(super) const KEEP_ALIVE: &str = "30m";

/// What is known of a model that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// Its name, as the server knows it; `None`: the server takes any name.
    pub name: Option<String>,
    pub window: Window,
    pub dialect: Dialect,
    pub show: ShowFacts,
    /// The server has said so; else a part of it is assumed, and is asked for again.
    pub sure: bool,
}

/// What `/api/show` says of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShowFacts {
    /// `num_ctx` of the Modelfile.
    pub num_ctx: Option<usize>,
    /// Strings at which a reply ends, by the Modelfile. A request that names some of its own takes their place.
    pub stop: Vec<String>,
    /// Other names under which its family may be known: what it was made from, its architecture.
    pub kin: Vec<String>,
    /// Ollama renders it by a Go template, which breaks tool lists and swallows calls.
    pub go_template: bool,
    pub capabilities: Vec<String>,
    /// These are not all of them: only what is there counts.
    pub partial: bool,
}

/// What a llama-server, a vLLM or an LM Studio says of its window.
pub(super) fn window_of_props(props: &Value) -> Option<usize> {
    let paths = ["/default_generation_settings/n_ctx", "/n_ctx"];
    paths.iter().find_map(|path| number(props.pointer(path)))
}

/// The window in a list of models: llama-server's `meta.n_ctx`, vLLM's `max_model_len`, LM Studio's
/// `loaded_context_length`. Never what the model was trained for.
pub(super) fn window_of_models(models: &Value, name: &str) -> Option<usize> {
    let entry = entries(models).into_iter().find(|entry| id_of(entry) == Some(name))?;
    ["/meta/n_ctx", "/max_model_len", "/loaded_context_length"].iter().find_map(|path| number(entry.pointer(path)))
}

/// The names in a list of models, in the server's order: OpenAI's shape, or Ollama's `/api/tags` and `/api/ps`.
pub(super) fn names_of(models: &Value) -> Vec<String> {
    entries(models).into_iter().filter_map(|entry| id_of(entry).map(plain)).collect()
}

/// What a server says, on one line: a name must not be able to write into the log by itself.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// What `/api/ps` says is loaded for a model, in tokens.
pub(super) fn loaded_window(ps: &Value, name: &str) -> Option<usize> {
    let entry = entries(ps).into_iter().find(|entry| id_of(entry).is_some_and(|id| same_model(id, name)))?;
    number(entry.get("context_length"))
}

/// What stands before a name in lists for clients of Anthropic's protocol.
pub(super) const ALIAS: &str = "anthropic/";

/// Ollama's names: no tag means `latest`. A name of [`ALIAS`] is the model's own.
pub(super) fn same_model(a: &str, b: &str) -> bool {
    let (a, b) = (a.strip_prefix(ALIAS).unwrap_or(a), b.strip_prefix(ALIAS).unwrap_or(b));
    a.strip_suffix(":latest").unwrap_or(a) == b.strip_suffix(":latest").unwrap_or(b)
}

impl ShowFacts {
    /// What this model is to be asked with: its own ends beside ours, and of thinking what it can, as Ollama refuses to ask
    /// for more.
    fn adapt(&self, family: &mut ModelProfile) {
        let sampling = &mut family.sampling;
        sampling.stop.extend(self.stop.iter().filter(|end| !sampling.stop.contains(*end)).cloned().collect::<Vec<_>>());
        let can = |what: &str| self.capabilities.iter().any(|capability| capability == what);
        if can("vision") || !(self.capabilities.is_empty() || self.partial) {
            family.images = can("vision");
        }
        match (can("thinking"), family.thinking) {
            // An old server says nothing of its models.
            _ if self.capabilities.is_empty() || self.partial => {}
            (true, ThinkingForm::None) => family.thinking = ThinkingForm::Switch,
            (true, _) => {}
            (false, _) => family.thinking = ThinkingForm::None,
        }
    }

    /// Reads what a llama-server says of itself in `/props`: whether the model sees.
    pub(super) fn of_props(props: &Value) -> Self {
        let sees = props.pointer("/modalities/vision").and_then(Value::as_bool);
        // It says nothing of thinking: the family's word stands.
        let vision = sees.unwrap_or(false).then(|| "vision".to_owned());
        Self { capabilities: vision.into_iter().collect(), partial: true, ..Self::default() }
    }

    /// Reads the answer of `/api/show`.
    pub fn read(show: &Value) -> Self {
        let text = |key: &str| show.get(key).and_then(Value::as_str).unwrap_or_default();
        // A parser of its own reads the calls of its family, and only where the tools were sent.
        let own = |line: &str| ["RENDERER ", "PARSER "].iter().any(|word| line.trim_start().starts_with(word));
        let renderer = text("modelfile").lines().any(own);
        let kin = ["/details/parent_model", "/model_info/general.basename", "/details/family"];
        let kin = kin.iter().filter_map(|path| show.pointer(path)?.as_str()).filter(|name| !name.is_empty());
        let capabilities = show.get("capabilities").and_then(Value::as_array);
        Self {
            num_ctx: values(text("parameters"), "num_ctx").find_map(|value| value.parse().ok()),
            stop: values(text("parameters"), "stop").map(unquoted).collect(),
            kin: kin.map(str::to_owned).collect(),
            go_template: !renderer && is_go_template(text("template")),
            capabilities: capabilities.into_iter().flatten().filter_map(|c| c.as_str().map(str::to_owned)).collect(),
            partial: false,
        }
    }
}

impl ModelFacts {
    /// The model as a request for it is planned.
    pub fn target(&self, rules: &RuleSet, asked: &str, profile: Option<String>) -> Option<Target> {
        let model = self.name.clone().unwrap_or_else(|| asked.to_owned());
        let mut family = self.family(&rules.models, &model)?.clone();
        if self.show.go_template && family.ollama == ChannelKind::Native {
            family.ollama = ChannelKind::Prompted;
        }
        self.show.adapt(&mut family);
        Some(Target {
            model,
            schedule: family.fold.decided(None),
            profile: family.into(),
            window: self.window,
            dialect: self.dialect,
            profile_name: profile,
        })
    }

    /// The first family, but for the one that takes every name, that knows the model or its kin.
    fn family<'a>(&self, models: &'a [ModelProfile], name: &str) -> Option<&'a ModelProfile> {
        let names = || std::iter::once(name).chain(self.show.kin.iter().map(String::as_str));
        let known =
            names().filter_map(|name| family_of(models, name)).find(|family| !family.names.contains(&"*".into()));
        known.or_else(|| family_of(models, name))
    }
}

fn entries(models: &Value) -> Vec<&Value> {
    let list = models.get("data").or_else(|| models.get("models")).and_then(Value::as_array);
    list.into_iter().flatten().collect()
}

fn id_of(entry: &Value) -> Option<&str> {
    ["id", "name", "model"].iter().find_map(|key| entry.get(key)?.as_str())
}

fn number(value: Option<&Value>) -> Option<usize> {
    value?.as_u64().filter(|n| *n > 0).map(|n| n as usize)
}

/// A model that brings a Jinja template is rendered by the engine, and has its calls read there.
fn is_go_template(template: &str) -> bool {
    template.contains("{{") && !template.contains("{%")
}

/// The values of the Modelfile's parameters of one name, from lines such as `num_ctx 8192`.
fn values<'a>(parameters: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let words = parameters.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
    words.filter(move |(word, _)| *word == name).map(|(_, value)| value.trim())
}

/// A value without the quotes in which strings are listed.
fn unquoted(value: &str) -> String {
    serde_json::from_str(value).unwrap_or_else(|_| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Sampling;
    use crate::tokens::WindowSource;
    use serde_json::json;

    #[test]
    fn the_training_length_is_never_a_window() {
        let models = json!({"data": [{"id": "m", "meta": {"n_ctx_train": 131_072}, "context_length": 131_072}]});
        assert_eq!(window_of_models(&models, "m"), None);
        let show = ShowFacts::read(&json!({"model_info": {"qwen2.context_length": 32768}, "parameters": "stop \"x\""}));
        assert_eq!(show.num_ctx, None);
    }

    #[test]
    fn windows_as_servers_report_them() {
        assert_eq!(window_of_props(&json!({"default_generation_settings": {"n_ctx": 8192}})), Some(8192));
        let vllm = json!({"data": [{"id": "m", "max_model_len": 16384}]});
        assert_eq!(window_of_models(&vllm, "m"), Some(16384));
        let ps = json!({"models": [{"name": "q:latest", "context_length": 4096}]});
        assert_eq!(loaded_window(&ps, "q"), Some(4096));
        assert_eq!(loaded_window(&ps, "r"), None);
    }

    #[test]
    fn a_name_for_anthropics_clients_is_the_model_of_that_name() {
        assert!(same_model("q:latest", "anthropic/q") && same_model("q:7b", "q:7b"));
        assert!(!same_model("q:7b", "anthropic/q"));
    }

    #[test]
    fn a_modelfile_is_read() {
        let show = ShowFacts::read(&json!({
            "parameters": "num_ctx                        8192\nstop    \"<|im_end|>\"", "template": "{{ .Prompt }}",
            "modelfile": "FROM x\nTEMPLATE {{ .Prompt }}", "details": {"family": "qwen2", "parent_model": ""},
            "capabilities": ["completion", "tools"]}));
        assert_eq!((show.num_ctx, show.go_template), (Some(8192), true));
        assert_eq!(
            (show.kin.clone(), show.capabilities.clone()),
            (vec!["qwen2".to_owned()], vec!["completion".into(), "tools".into()])
        );
        assert_eq!(show.stop, ["<|im_end|>"]);
        let rendered = json!({"template": "{{ .Prompt }}", "modelfile": "RENDERER qwen3-coder\nPARSER qwen3-coder"});
        assert!(!ShowFacts::read(&rendered).go_template);
        let jinja = json!({"template": "{%- if tools %}{{ tools | tojson }}{% endif %}", "modelfile": "TEMPLATE {{ .Prompt }}"});
        assert!(!ShowFacts::read(&jinja).go_template);
    }

    #[test]
    fn a_model_keeps_its_own_ends_and_is_asked_to_think_only_where_it_can() {
        use ThinkingForm::{Levels, None as Never, Switch};
        let ours = || Sampling { stop: vec!["END".into()], ..Sampling::default() };
        let family = |thinking| ModelProfile { thinking, sampling: ours(), ..ModelProfile::default() };
        let show = ShowFacts { stop: vec!["<|im_end|>".into(), "END".into()], ..ShowFacts::default() };
        let adapted = |thinking, capabilities: &[&str]| {
            let capabilities = capabilities.iter().map(|name| (*name).to_owned()).collect();
            let mut family = family(thinking);
            ShowFacts { capabilities, ..show.clone() }.adapt(&mut family);
            family
        };
        assert_eq!(adapted(Never, &[]).sampling.stop, vec!["END".to_owned(), "<|im_end|>".into()]);
        for (family, says, expected) in [
            (Switch, vec![], Switch),
            (Switch, vec!["completion"], Never),
            (Never, vec!["completion", "thinking"], Switch),
            (Levels, vec!["thinking"], Levels),
        ] {
            assert_eq!(adapted(family, &says).thinking, expected, "{family:?} {says:?}");
        }
    }

    #[test]
    fn a_family_is_known_by_its_kin_and_a_template_is_never_native() {
        let rules = RuleSet::builtin();
        let window = Window { tokens: 4096, source: WindowSource::Assumed };
        let show = ShowFacts { kin: vec!["qwen2.5-coder:7b".into()], go_template: true, ..ShowFacts::default() };
        let facts = ModelFacts { name: Some("mine".into()), window, dialect: Dialect::Ollama, show, sure: true };
        let target = facts.target(&rules, "claude-x", None).unwrap();
        assert_eq!((target.model.as_str(), target.profile.family.as_str()), ("mine", "qwen2.5-coder"));
        assert_ne!(target.profile.ollama, ChannelKind::Native);
    }
}
