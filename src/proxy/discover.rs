//! Asks the model server what it is, which model it serves, and how large the window of that is.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::facts::{self, ModelFacts, ShowFacts};
use super::rendering::{self, Probe};
use super::reuse;
use super::upstream::{Upstream, UpstreamError, chain};
use crate::rules::{FoldChoice, Schedule};
use crate::tokens::{Window, WindowSource};
use crate::wire::{Dialect, ErrorKind, Fault, Refusal, WireError};

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

/// So long a question about the server may take.
const ANSWER: Duration = Duration::from_secs(10);

/// So long a model may take to be loaded.
const LOADING: Duration = Duration::from_secs(20 * 60);

/// A server that is loading or restarting is asked again after so long at first, then after twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// And is given up after so long in all.
const TROUBLE: Duration = Duration::from_secs(30);

/// Why it is not known what to serve.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DiscoverError {
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("the model server is not ready: {path} answered with status {status} ({said})")]
    NotReady { path: String, status: u16, said: String, retry_after: Option<String> },
    #[error("{}", several(.0))]
    SeveralModels(Vec<String>),
    #[error("the server has no model `{wanted}`{}", listed(.installed))]
    NoSuchModel { wanted: String, installed: Vec<String> },
    #[error("the server has no model; fetch one first, such as: ollama pull qwen2.5-coder:7b")]
    NoModel,
    #[error("nobody is asking the server any more; this is a fault of fanlight")]
    Lost,
}

impl From<DiscoverError> for WireError {
    fn from(error: DiscoverError) -> Self {
        let cause = chain(&error);
        let (kind, fault) = match error {
            DiscoverError::Upstream(error) => return error.into(),
            DiscoverError::NotReady { retry_after, .. } => {
                let busy = Self::new(ErrorKind::Overloaded, cause.clone()).by(Fault::Refused).caused(cause);
                return busy.retried_after(retry_after.unwrap_or_else(|| "5".into()));
            }
            DiscoverError::SeveralModels(_) => (ErrorKind::InvalidRequest, Fault::Request),
            DiscoverError::NoSuchModel { .. } | DiscoverError::NoModel => (ErrorKind::NotFound, Fault::Request),
            DiscoverError::Lost => (ErrorKind::Api, Fault::Own),
        };
        Self::new(kind, cause).by(fault)
    }
}

fn several(models: &[String]) -> String {
    format!("which model is to be served? name one with --model{}", listed(models))
}

fn listed(models: &[String]) -> String {
    let lines: Vec<String> = models.iter().map(|model| format!("\n  {model}")).collect();
    if lines.is_empty() { String::new() } else { format!("; there are:{}", lines.concat()) }
}

/// What a server is, and what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    pub dialect: Dialect,
    /// What Ollama says its version is; for people only.
    pub version: Option<String>,
    /// Names of all models that it can serve.
    pub installed: Vec<String>,
    /// The name that requests are mapped to; `None`: the server takes any name.
    pub served: Option<String>,
    /// The server has said so; else it is only what is left when it says nothing, and is asked for again.
    pub sure: bool,
}

/// How a server is asked again that is loading or restarting: ever more rarely, and not for ever.
struct Patience {
    began: Instant,
    pause: Duration,
}

impl Patience {
    fn new() -> Self {
        Self { began: Instant::now(), pause: FIRST_PAUSE }
    }

    /// Waits until it is time to ask again.
    ///
    /// # Errors
    /// The error itself, where asking again is of no use any more.
    async fn wait(&mut self, error: DiscoverError) -> Result<(), DiscoverError> {
        let DiscoverError::NotReady { path, status, .. } = &error else { return Err(error) };
        if self.began.elapsed() + self.pause >= TROUBLE {
            return Err(error);
        }
        debug!(path, status, "the server is not ready; asking again");
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// Finds out what the server is and which model it serves.
///
/// # Errors
/// When it cannot be reached, does not get ready, or there is no telling which model is meant.
pub(super) async fn server(upstream: &Upstream, wishes: &Wishes) -> Result<ServerFacts, DiscoverError> {
    let mut patience = Patience::new();
    loop {
        match ask_server(upstream, wishes).await {
            Err(error) => patience.wait(error).await?,
            facts => return facts,
        }
    }
}

async fn ask_server(upstream: &Upstream, wishes: &Wishes) -> Result<ServerFacts, DiscoverError> {
    let version = ollama_version(upstream).await?;
    let dialect = wishes.dialect.unwrap_or(if version.is_some() { Dialect::Ollama } else { Dialect::Anthropic });
    let (list, loaded) = if version.is_some() { ("/api/tags", "/api/ps") } else { ("/v1/models", "/v1/models") };
    let installed = facts::names_of(&get(upstream, list).await?);
    let sure = version.is_some() || !installed.is_empty() || wishes.dialect.is_some();
    let loaded = facts::names_of(&get(upstream, loaded).await?);
    let served = choose(wishes.model.as_deref(), &installed, &loaded, version.is_some())?;
    Ok(ServerFacts { dialect, version, installed, served, sure })
}

/// `GET /api/version` answers: it is Ollama.
async fn ollama_version(upstream: &Upstream) -> Result<Option<String>, DiscoverError> {
    Ok(get(upstream, "/api/version").await?.get("version").and_then(Value::as_str).map(facts::plain))
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
/// As [`server`].
pub(super) async fn model(
    upstream: &Upstream,
    server: &ServerFacts,
    name: Option<&str>,
    wishes: &Wishes,
) -> Result<ModelFacts, DiscoverError> {
    let mut patience = Patience::new();
    loop {
        match ask_model(upstream, server, name, wishes).await {
            Err(error) => patience.wait(error).await?,
            facts => return facts,
        }
    }
}

async fn ask_model(
    upstream: &Upstream,
    server: &ServerFacts,
    name: Option<&str>,
    wishes: &Wishes,
) -> Result<ModelFacts, DiscoverError> {
    let asked = name.filter(|_| server.version.is_some());
    let (show, told) = match asked {
        Some(name) => {
            let show = ask(upstream, Method::POST, "/api/show", Some(&json!({ "model": name })), ANSWER).await?;
            (ShowFacts::read(&show), show.is_object())
        }
        None => (ShowFacts::of_props(&get(upstream, "/props").await?), true),
    };
    let sure = server.sure && told;
    let window = window(upstream, server, name, &show, wishes).await?;
    if window.source == WindowSource::Assumed {
        warn!("the window of the model is not known; {} tokens are assumed. Say it with --num-ctx", window.tokens);
    }
    let sure = sure && window.source != WindowSource::Assumed;
    Ok(ModelFacts { name: name.map(str::to_owned), window, dialect: server.dialect, show, sure })
}

/// What the user says, else the Modelfile, else what is loaded, else 4096.
async fn window(
    upstream: &Upstream,
    server: &ServerFacts,
    name: Option<&str>,
    show: &ShowFacts,
    wishes: &Wishes,
) -> Result<Window, DiscoverError> {
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
async fn ollama_window(upstream: &Upstream, name: &str) -> Result<Option<usize>, DiscoverError> {
    if let Some(tokens) = facts::loaded_window(&get(upstream, "/api/ps").await?, name) {
        return Ok(Some(tokens));
    }
    info!(model = name, "loading the model to learn its window");
    let load = json!({"model": name, "keep_alive": facts::KEEP_ALIVE, "stream": false});
    ask(upstream, Method::POST, "/api/generate", Some(&load), LOADING).await?;
    Ok(facts::loaded_window(&get(upstream, "/api/ps").await?, name))
}

async fn other_window(upstream: &Upstream, name: Option<&str>) -> Result<Option<usize>, DiscoverError> {
    if let Some(tokens) = facts::window_of_props(&get(upstream, "/props").await?) {
        return Ok(Some(tokens));
    }
    let Some(name) = name else { return Ok(None) };
    if let Some(tokens) = facts::window_of_models(&get(upstream, "/v1/models").await?, name) {
        return Ok(Some(tokens));
    }
    Ok(facts::window_of_models(&get(upstream, "/api/v0/models").await?, name))
}

/// Whether the server still says what it said of a window that it was loaded with, by the question that costs it least.
///
/// # Errors
/// When the server cannot be reached, or is not ready.
pub(super) async fn still_so(
    upstream: &Upstream,
    server: &ServerFacts,
    model: &ModelFacts,
) -> Result<bool, DiscoverError> {
    let Some(name) = model.name.as_deref().filter(|_| server.version.is_some()) else {
        let installed = facts::names_of(&get(upstream, "/v1/models").await?);
        let same = installed == server.installed;
        return Ok(same && other_window(upstream, model.name.as_deref()).await? == Some(model.window.tokens));
    };
    Ok(facts::loaded_window(&get(upstream, "/api/ps").await?, name) == Some(model.window.tokens))
}

/// The probe as the server renders it; `None` where the server cannot say. A model that is loaded stays as it is loaded.
///
/// # Errors
/// When the server cannot be reached.
pub(super) async fn rendered(
    upstream: &Upstream,
    model: &ModelFacts,
    probe: &Probe,
) -> Result<Option<String>, DiscoverError> {
    let Some(name) = &model.name else { return Ok(None) };
    let loaded = facts::loaded_window(&get(upstream, "/api/ps").await?, name);
    let body = probe.body(loaded.unwrap_or(model.window.tokens));
    let answer = upstream.json_within(LOADING, Method::POST, "/api/chat", Some(&body)).await?;
    Ok(rendering::rendered(&answer.value).map(str::to_owned))
}

/// How histories are to be cut for a model: whether the server keeps the cache of text behind a hole. `None`: it does not
/// say.
///
/// # Errors
/// When the server cannot be reached.
pub(super) async fn schedule(upstream: &Upstream, model: &ModelFacts) -> Result<Option<Schedule>, DiscoverError> {
    let Some(name) = &model.name else { return Ok(None) };
    let loaded = facts::loaded_window(&get(upstream, "/api/ps").await?, name);
    let window = loaded.unwrap_or(model.window.tokens);
    let probe = reuse::Probe { dialect: model.dialect, model: name, window };
    let [whole, holed] = probe.bodies();
    upstream.json_within(LOADING, Method::POST, probe.path(), Some(&whole)).await?;
    let answer = upstream.json_within(LOADING, Method::POST, probe.path(), Some(&holed)).await?;
    Ok(reuse::judge(model.dialect, &answer.value))
}

/// The JSON at a path; null where the server has none.
async fn get(upstream: &Upstream, path: &str) -> Result<Value, DiscoverError> {
    ask(upstream, Method::GET, path, None, ANSWER).await
}

/// The answer to a question. Only a 200 is a fact. A server that does not know the question knows nothing: null. One that
/// fails at it may know better later.
async fn ask(
    upstream: &Upstream,
    method: Method,
    path: &str,
    body: Option<&Value>,
    patience: Duration,
) -> Result<Value, DiscoverError> {
    let answer = upstream.json_within(patience, method, path, body).await?;
    match answer.status {
        200 => Ok(answer.value),
        408 | 425 | 429 | 500.. => {
            let said = match Refusal::read(answer.status, &answer.bytes) {
                Refusal::Error(error) => facts::plain(&error.message),
                Refusal::LostCall(_) | Refusal::Unparsed(_) => String::new(),
            };
            let path = path.to_owned();
            Err(DiscoverError::NotReady { path, status: answer.status, said, retry_after: answer.retry_after })
        }
        _ => Ok(Value::Null),
    }
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
