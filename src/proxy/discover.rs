//! Asks the model server what it is, which model it serves, and how large the window of that is.

use http::Method;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::facts::{self, ModelFacts, ShowFacts};
use super::rendering::{self, Probe};
use super::reuse;
use super::upstream::{Upstream, UpstreamError};
use crate::rules::{FoldChoice, Schedule};
use crate::tokens::{Window, WindowSource};
use crate::wire::Dialect;

/// How long Ollama is to keep a model loaded.
pub(super) const KEEP_ALIVE: &str = "30m";

/// What the user has said; the server is asked about the rest.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    pub dialect: Option<Dialect>,
    pub num_ctx: Option<usize>,
    pub model: Option<String>,
    /// How histories are cut, whatever the rules say of the model; `Auto`: as a probe of the server finds. `None`: as the rules
    /// say, and no probe.
    pub fold: Option<FoldChoice>,
}

/// Why it is not known what to serve.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("{}", several(.0))]
    SeveralModels(Vec<String>),
    #[error("the server has no model `{wanted}`{}", listed(.installed))]
    NoSuchModel { wanted: String, installed: Vec<String> },
    #[error("the server has no model; fetch one first, such as: ollama pull qwen2.5-coder:7b")]
    NoModel,
}

fn several(models: &[String]) -> String {
    format!("which model is to be served? name one with --model{}", listed(models))
}

fn listed(models: &[String]) -> String {
    let lines: Vec<String> = models.iter().map(|model| format!("\n  {model}")).collect();
    if lines.is_empty() { String::new() } else { format!("; there are:{}", lines.concat()) }
}

/// What a server is, and what it has.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    pub dialect: Dialect,
    /// What Ollama says its version is; for people only.
    pub version: Option<String>,
    /// Names of all models that it can serve.
    pub installed: Vec<String>,
    /// The name that requests are mapped to; `None`: the server takes any name.
    pub served: Option<String>,
}

/// Finds out what the server is and which model it serves.
///
/// # Errors
/// When it cannot be reached, or there is no telling which model is meant.
pub(super) async fn server(upstream: &Upstream, wishes: &Wishes) -> Result<ServerFacts, DiscoverError> {
    let version = ollama_version(upstream).await?;
    let dialect = wishes.dialect.unwrap_or(if version.is_some() { Dialect::Ollama } else { Dialect::Anthropic });
    let (list, loaded) = if version.is_some() { ("/api/tags", "/api/ps") } else { ("/v1/models", "/v1/models") };
    let installed = facts::names_of(&get(upstream, list).await?);
    let loaded = facts::names_of(&get(upstream, loaded).await?);
    let served = choose(wishes.model.as_deref(), &installed, &loaded, version.is_some())?;
    Ok(ServerFacts { dialect, version, installed, served })
}

/// `GET /api/version` answers: it is Ollama.
async fn ollama_version(upstream: &Upstream) -> Result<Option<String>, UpstreamError> {
    Ok(get(upstream, "/api/version").await?.get("version").and_then(Value::as_str).map(str::to_owned))
}

/// The model named, else the only one loaded, else the only one installed.
fn choose(
    wanted: Option<&str>,
    installed: &[String],
    loaded: &[String],
    strict: bool,
) -> Result<Option<String>, DiscoverError> {
    if let Some(wanted) = wanted {
        let known = installed.iter().find(|name| facts::same_model(name, wanted));
        return match known {
            Some(name) => Ok(Some(name.clone())),
            None if strict => Err(DiscoverError::NoSuchModel { wanted: wanted.into(), installed: installed.to_vec() }),
            None => Ok(Some(wanted.to_owned())),
        };
    }
    match (loaded, installed) {
        ([only], _) | (_, [only]) => Ok(Some(only.clone())),
        (_, []) if strict => Err(DiscoverError::NoModel),
        (_, []) => Ok(None),
        _ => Err(DiscoverError::SeveralModels(installed.to_vec())),
    }
}

/// Finds out about one model.
///
/// # Errors
/// When the server cannot be reached.
pub(super) async fn model(
    upstream: &Upstream,
    server: &ServerFacts,
    name: Option<&str>,
    wishes: &Wishes,
) -> Result<ModelFacts, UpstreamError> {
    let show = match (name, &server.version) {
        (Some(name), Some(_)) => show(upstream, name).await?,
        _ => ShowFacts::of_props(&get(upstream, "/props").await?),
    };
    let window = window(upstream, server, name, &show, wishes).await?;
    if window.source == WindowSource::Assumed {
        warn!("the window of the model is not known; {} tokens are assumed. Say it with --num-ctx", window.tokens);
    }
    Ok(ModelFacts { name: name.map(str::to_owned), window, dialect: server.dialect, show })
}

async fn show(upstream: &Upstream, name: &str) -> Result<ShowFacts, UpstreamError> {
    let (_, show) = upstream.json(Method::POST, "/api/show", Some(&json!({ "model": name }))).await?;
    Ok(ShowFacts::read(&show))
}

/// What the user says, else the Modelfile, else what is loaded, else 4096.
async fn window(
    upstream: &Upstream,
    server: &ServerFacts,
    name: Option<&str>,
    show: &ShowFacts,
    wishes: &Wishes,
) -> Result<Window, UpstreamError> {
    let at = |tokens, source| Window { tokens, source };
    // Through Ollama's `/v1/messages` a window cannot be set: there the setting is only a claim, and the user's to make.
    if let Some(tokens) = wishes.num_ctx {
        return Ok(at(tokens, WindowSource::Setting));
    }
    if let Some(tokens) = show.num_ctx {
        return Ok(at(tokens, WindowSource::Modelfile));
    }
    let loaded = match (name, &server.version) {
        (Some(name), Some(_)) => ollama_window(upstream, name).await?,
        _ => other_window(upstream, name).await?,
    };
    Ok(loaded.map_or(at(4096, WindowSource::Assumed), |tokens| at(tokens, WindowSource::Loaded)))
}

/// What `/api/ps` says; a model that is not loaded is loaded first.
async fn ollama_window(upstream: &Upstream, name: &str) -> Result<Option<usize>, UpstreamError> {
    if let Some(tokens) = facts::loaded_window(&get(upstream, "/api/ps").await?, name) {
        return Ok(Some(tokens));
    }
    info!(model = name, "loading the model to learn its window");
    let load = json!({"model": name, "keep_alive": KEEP_ALIVE, "stream": false});
    upstream.json(Method::POST, "/api/generate", Some(&load)).await?;
    Ok(facts::loaded_window(&get(upstream, "/api/ps").await?, name))
}

async fn other_window(upstream: &Upstream, name: Option<&str>) -> Result<Option<usize>, UpstreamError> {
    if let Some(tokens) = facts::window_of_props(&get(upstream, "/props").await?) {
        return Ok(Some(tokens));
    }
    let Some(name) = name else { return Ok(None) };
    if let Some(tokens) = facts::window_of_models(&get(upstream, "/v1/models").await?, name) {
        return Ok(Some(tokens));
    }
    Ok(facts::window_of_models(&get(upstream, "/api/v0/models").await?, name))
}

/// The probe as the server renders it; `None` where the server cannot say. A model that is loaded stays as it is loaded.
///
/// # Errors
/// When the server cannot be reached.
pub(super) async fn rendered(
    upstream: &Upstream,
    model: &ModelFacts,
    probe: &Probe,
) -> Result<Option<String>, UpstreamError> {
    let Some(name) = &model.name else { return Ok(None) };
    let loaded = facts::loaded_window(&get(upstream, "/api/ps").await?, name);
    let body = probe.body(loaded.unwrap_or(model.window.tokens));
    let (_, answer) = upstream.json(Method::POST, "/api/chat", Some(&body)).await?;
    Ok(rendering::rendered(&answer).map(str::to_owned))
}

/// How histories are to be cut for a model: whether the server keeps the cache of text behind a hole. `None`: it does not
/// say.
///
/// # Errors
/// When the server cannot be reached.
pub(super) async fn schedule(upstream: &Upstream, model: &ModelFacts) -> Result<Option<Schedule>, UpstreamError> {
    let Some(name) = &model.name else { return Ok(None) };
    let loaded = facts::loaded_window(&get(upstream, "/api/ps").await?, name);
    let window = loaded.unwrap_or(model.window.tokens);
    let probe = reuse::Probe { dialect: model.dialect, model: name, window };
    let [whole, holed] = probe.bodies();
    upstream.json(Method::POST, probe.path(), Some(&whole)).await?;
    let (_, answer) = upstream.json(Method::POST, probe.path(), Some(&holed)).await?;
    Ok(reuse::judge(model.dialect, &answer))
}

/// The JSON at a path; null where the server has none.
async fn get(upstream: &Upstream, path: &str) -> Result<Value, UpstreamError> {
    let (status, value) = upstream.json(Method::GET, path, None).await?;
    Ok(if status == 200 { value } else { Value::Null })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_one_loaded_is_served_then_the_one_installed() {
        let (a, b, ab) = (names(&["a:latest"]), names(&["b"]), names(&["a:latest", "b"]));
        assert_eq!(choose(None, &ab, &b, true).unwrap(), Some("b".into()));
        assert_eq!(choose(None, &a, &[], true).unwrap(), Some("a:latest".into()));
        assert_eq!(choose(Some("a"), &ab, &b, true).unwrap(), Some("a:latest".into()));
        assert_eq!(choose(None, &[], &[], false).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_told_is_said_with_the_list() {
        let ab = names(&["a", "b"]);
        let error = choose(None, &ab, &[], true).unwrap_err().to_string();
        assert!(error.contains("--model") && error.contains("\n  a\n  b"), "{error}");
        assert!(matches!(choose(Some("c"), &ab, &[], true), Err(DiscoverError::NoSuchModel { .. })));
        assert!(matches!(choose(None, &[], &[], true), Err(DiscoverError::NoModel)));
    }
}
