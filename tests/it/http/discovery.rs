//! What a server is, which model it serves, how large its window is.

use fanlight::proxy::{DiscoverError, Wishes};
use fanlight::tokens::WindowSource;
use fanlight::wire::Dialect;
use serde_json::json;

use super::upstream::{Script, Upstream};
use super::{Door, good_lines};

async fn ollama(installed: &[&str], loaded: &[(&str, usize)], parameters: &str) -> Upstream {
    let upstream = Upstream::start([Script::lines(good_lines())]).await;
    upstream.fact("/api/version", json!({"version": "0.0.0"}));
    let models: Vec<_> = installed.iter().map(|name| json!({"name": name, "model": name})).collect();
    upstream.fact("/api/tags", json!({ "models": models }));
    let models: Vec<_> = loaded.iter().map(|(name, n)| json!({"name": name, "context_length": n})).collect();
    upstream.fact("/api/ps", json!({ "models": models }));
    let show = json!({"parameters": parameters, "template": "{{ .Prompt }}", "modelfile": "", "model_info": {"x.context_length": 131_072}});
    upstream.fact("/api/show", show);
    upstream
}

async fn window(upstream: &Upstream, wishes: Wishes) -> (Option<String>, usize, WindowSource, Dialect) {
    let door = Door::before(upstream.address, wishes).await;
    let facts = door.proxy.model("claude-any").await.unwrap();
    (facts.name.clone(), facts.window.tokens, facts.window.source, facts.dialect)
}

#[tokio::test]
async fn an_ollama_is_known_by_its_answer_and_its_window_by_what_is_loaded() {
    let upstream = ollama(&["a:latest", "b:latest"], &[("b:latest", 4096)], "").await;
    let found = window(&upstream, Wishes::default()).await;
    assert_eq!(found, (Some("b:latest".into()), 4096, WindowSource::Loaded, Dialect::Ollama));
}

#[tokio::test]
async fn the_modelfile_comes_before_what_is_loaded_and_the_setting_before_all() {
    let upstream = ollama(&["a:latest"], &[("a:latest", 4096)], "num_ctx    16384").await;
    assert_eq!(window(&upstream, Wishes::default()).await.1, 16384);
    let setting = Wishes { num_ctx: Some(2048), ..Wishes::default() };
    assert_eq!(window(&upstream, setting).await.2, WindowSource::Setting);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_4096() {
    let upstream = Upstream::start([Script::lines("")]).await;
    let found = window(&upstream, Wishes::default()).await;
    assert_eq!(found, (None, 4096, WindowSource::Assumed, Dialect::Anthropic));
}

#[tokio::test]
async fn a_llama_server_tells_by_its_properties() {
    let upstream = Upstream::start([Script::lines("")]).await;
    upstream.fact("/props", json!({"default_generation_settings": {"n_ctx": 8192}}));
    upstream.fact("/v1/models", json!({"data": [{"id": "m.gguf", "meta": {"n_ctx_train": 32768}}]}));
    let found = window(&upstream, Wishes::default()).await;
    assert_eq!(found, (Some("m.gguf".into()), 8192, WindowSource::Loaded, Dialect::Anthropic));
}

#[tokio::test]
async fn several_models_and_no_choice_is_a_question_to_the_user() {
    let upstream = ollama(&["a:latest", "b:latest"], &[], "").await;
    let door = Door::before(upstream.address, Wishes::default()).await;
    let Err(DiscoverError::SeveralModels(models)) = door.proxy.model("claude-any").await else { panic!("a question") };
    assert_eq!(models, ["a:latest", "b:latest"]);
}

#[tokio::test]
async fn a_model_that_the_server_has_is_taken_by_its_own_name() {
    let upstream = ollama(&["a:latest", "b:latest"], &[("b:latest", 4096)], "num_ctx 8192").await;
    let door = Door::before(upstream.address, Wishes::default()).await;
    assert_eq!(door.proxy.model("a").await.unwrap().name.as_deref(), Some("a:latest"));
    assert_eq!(door.proxy.model("claude-any").await.unwrap().name.as_deref(), Some("b:latest"));
}
