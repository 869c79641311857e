//! What is answered here, and what goes on untouched.

use serde_json::json;

use super::upstream::{Script, Upstream};
use super::{Door, client, good_events, request};

#[tokio::test]
async fn probes_and_reports_are_answered_here() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let get = async |method, path| client::send(door.address, method, path, &[], Vec::new()).await;
    assert_eq!(get("HEAD", "/").await.status, 200);
    assert_eq!(get("HEAD", "/api/hello").await.status, 200);
    assert_eq!(get("GET", "/v1/models").await.json()["data"], json!([]));
    assert_eq!(door.post("/api/event_logging/batch", "{}").await.status, 200);
    let health = get("GET", "/fanlight/health").await.json();
    assert_eq!(
        (&health["status"], &health["window"], &health["window_source"]),
        (&json!("ok"), &json!(8192), &json!("setting"))
    );
    assert!(get("GET", "/fanlight/metrics").await.text().contains("fanlight_requests_total 0"));
    assert!(get("GET", "/fanlight/ui").await.text().contains("<title>"));
    assert!(upstream.seen().is_empty());
    door.messages(&request(true)).await;
    assert!(get("GET", "/fanlight/metrics").await.text().contains("fanlight_requests_total 1"));
    assert_eq!(get("GET", "/fanlight/report").await.json()["summary"]["answered"], 1);
}

#[tokio::test]
async fn count_tokens_is_answered_here() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "one two three four"}]});
    assert_eq!(
        door.post("/v1/messages/count_tokens?beta=true", body.to_string()).await.json(),
        json!({"input_tokens": 4})
    );
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_doubled_version_in_the_path_is_understood() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    assert!(door.post("/v1/v1/messages?beta=true", request(true).to_string()).await.assert_whole());
}

#[tokio::test]
async fn everything_else_passes_through_with_the_right_host() {
    let upstream = Upstream::start([Script::refusal(418, "teapot")]).await;
    let door = Door::anthropic(&upstream).await;
    let own = format!("http://{}", door.address);
    let headers = [("origin", own.as_str()), ("x-mine", "kept")];
    let answer = client::send(door.address, "PUT", "/some/path?q=1", &headers, b"body".to_vec()).await;
    assert_eq!((answer.status, answer.text().as_str()), (418, "teapot"));
    let seen = &upstream.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.body.as_slice()),
        ("PUT", "/some/path?q=1", &b"body"[..])
    );
    assert_eq!(seen.headers["host"].to_str().unwrap(), upstream.address.to_string());
    assert_eq!(seen.headers["origin"].to_str().unwrap(), format!("http://{}", upstream.address));
    assert_eq!(seen.headers["x-mine"], "kept");
}

#[tokio::test]
async fn a_large_upload_passes_through_as_a_stream() {
    let upstream = Upstream::start([Script::refusal(201, "")]).await;
    let door = Door::anthropic(&upstream).await;
    let body = vec![7; 40 << 20];
    assert_eq!(door.post("/api/blobs/sha256:0", body.clone()).await.status, 201);
    assert!(upstream.seen()[0].body == body);
}

#[tokio::test]
async fn the_off_profile_touches_nothing() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let body = format!("{{ \"odd\" : 1, {}", &request(true).to_string()[1..]);
    let headers = [("x-fanlight-profile", "off")];
    let answer =
        client::send(door.address, "POST", "/v1/messages?beta=true", &headers, body.clone().into_bytes()).await;
    assert_eq!(answer.text(), good_events());
    assert_eq!(upstream.seen()[0].body, body.as_bytes());
}
