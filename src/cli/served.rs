//! What is served now, for commands that only look: from a running fanlight, else from what Ollama has loaded. Nothing is
//! loaded for it.

use std::time::Duration;

use http::Method;
use serde_json::Value;

use crate::proxy::{Address, Upstream};

/// A server on this machine answers at once, or is not there.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is served; unknown parts are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    pub model: Option<String>,
    pub window: Option<usize>,
}

/// Asks both. `None`: nothing is served, or nobody says.
///
/// # Errors
/// When there can be no runtime.
pub(super) fn ask() -> std::io::Result<Option<Served>> {
    let said = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let (fanlight, server) = (said("FANLIGHT_LISTEN", "127.0.0.1:11435"), said("FANLIGHT_UPSTREAM", "127.0.0.1:11434"));
    Ok(super::runtime()?.block_on(async {
        match get(&fanlight, "/fanlight/health").await.as_ref().and_then(of_health) {
            Some(served) => Some(served),
            None => get(&server, "/api/ps").await.as_ref().and_then(of_loaded),
        }
    }))
}

async fn get(address: &str, path: &str) -> Option<Value> {
    let upstream = Upstream::at(Address::parse(address).ok()?);
    let asked = upstream.json(Method::GET, path, None);
    let (status, value) = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
    (status == 200).then_some(value)
}

fn of_health(health: &Value) -> Option<Served> {
    let window = health["window"].as_u64()? as usize;
    Some(Served { model: health["model"].as_str().map(str::to_owned), window: Some(window) })
}

/// The only model that is loaded; of several nobody can say which is meant.
fn of_loaded(ps: &Value) -> Option<Served> {
    let [only] = ps["models"].as_array()?.as_slice() else { return None };
    let window = only["context_length"].as_u64().map(|tokens| tokens as usize);
    Some(Served { model: only["name"].as_str().map(str::to_owned), window })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_running_proxy_or_the_only_loaded_model_says_what_is_served() {
        let served = Some(Served { model: Some("q:7b".into()), window: Some(8192) });
        assert_eq!(of_health(&json!({"status": "ok", "model": "q:7b", "window": 8192})), served);
        assert_eq!(of_health(&json!({"status": "no model server"})), None);
        let model = json!({"name": "q:7b", "context_length": 8192});
        assert_eq!(of_loaded(&json!({"models": [model]})), served);
        assert_eq!(of_loaded(&json!({"models": [model, model]})), None);
    }
}
