//! A server that is started anew, with another model or another window; one that is not ready yet; one that is stuck.

use fanlight::proxy::Wishes;
use serde_json::{Value, json};

use super::upstream::{Script, Upstream};
use super::{Door, client, good_lines, request};

fn models(name: &str, window: usize) -> Value {
    json!({"models": [{"name": name, "model": name, "context_length": window}]})
}

/// An Ollama that has loaded this model with this window.
fn tells(upstream: &Upstream, name: &str, window: usize) {
    upstream.fact("/api/version", json!({"version": "0.0.0"}));
    upstream.fact("/api/tags", models(name, window));
    upstream.fact("/api/ps", models(name, window));
    upstream.fact("/api/show", json!({"template": "{{ .Prompt }}", "parameters": ""}));
}

async fn asked(upstream: &Upstream, door: &Door) -> (Value, Value) {
    // What was learned a moment ago is believed for that moment.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(door.messages(&request(true)).await.assert_whole());
    let body = upstream.bodies().pop().unwrap();
    (body["model"].clone(), body["options"]["num_ctx"].clone())
}

#[tokio::test]
async fn another_window_is_noticed_and_planned_for() {
    let upstream = Upstream::start([Script::lines(good_lines())]).await;
    tells(&upstream, "a:latest", 16_384);
    let door = Door::before(upstream.address, Wishes::default()).await;
    assert_eq!(asked(&upstream, &door).await, (json!("a:latest"), json!(16_384)));
    tells(&upstream, "a:latest", 4096);
    assert_eq!(asked(&upstream, &door).await, (json!("a:latest"), json!(4096)));
}

#[tokio::test]
async fn a_model_that_is_gone_gives_way_to_the_one_that_is_there() {
    let gone = Script::refusal(404, r#"{"error":"model 'a:latest' not found"}"#);
    let upstream = Upstream::start([Script::lines(good_lines()), gone, Script::lines(good_lines())]).await;
    tells(&upstream, "a:latest", 8192);
    upstream.fact("/api/show", json!({"template": "{{ .Prompt }}", "parameters": "num_ctx 8192"}));
    let door = Door::before(upstream.address, Wishes::default()).await;
    assert_eq!(asked(&upstream, &door).await.0, "a:latest");
    tells(&upstream, "b:latest", 8192);
    assert_eq!(asked(&upstream, &door).await.0, "b:latest");
    assert_eq!(upstream.seen().len(), 3, "asked for the old one, told that it is gone, asked for the new one");
}

#[tokio::test]
async fn a_server_that_is_down_is_named_by_health_with_what_is_not_known() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let door = Door::before(nobody, Wishes::default()).await;
    let health = client::send(door.address, "GET", "/fanlight/health", &[], Vec::new()).await.json();
    assert_eq!((&health["status"], &health["unknown"]), (&json!("no model server"), &json!(["model", "window"])));
}
