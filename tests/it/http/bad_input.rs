//! What nobody should send, and what becomes of it: an answer, always.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::upstream::{Script, Upstream};
use super::{Door, client, good_events, request};

#[tokio::test]
async fn what_is_not_json_goes_through_byte_for_byte() {
    let upstream = Upstream::start([Script::refusal(400, "upstream's own words")]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.post("/v1/messages?beta=true", "this is no JSON \u{1F600}").await;
    assert_eq!((answer.status, answer.text().as_str()), (400, "upstream's own words"));
    let seen = upstream.seen();
    assert_eq!(seen[0].body, "this is no JSON \u{1F600}".as_bytes());
    assert_eq!(seen[0].path, "/v1/messages?beta=true");
}

#[tokio::test]
async fn what_is_not_json_and_may_not_fit_is_refused() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.post("/v1/messages", vec![b'x'; 3 * 8192 + 3]).await;
    assert_eq!((answer.status, answer.assert_error()["type"].as_str()), (400, Some("invalid_request_error")));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn wrong_types_are_not_ours_to_judge() {
    let upstream = Upstream::start([Script::refusal(400, "no")]).await;
    let door = Door::anthropic(&upstream).await;
    let bodies = [
        json!([]),
        json!(null),
        json!("text"),
        json!({"model": 7, "messages": []}),
        json!({"model": "m", "messages": {}}),
        json!({"model": "m", "messages": [{"role": "wizard", "content": "x"}]}),
        json!({"model": "m", "messages": [{"role": "user", "content": 7}]}),
        json!({"model": "m", "messages": ["x"]}),
        json!({"model": "m", "messages": [], "system": 7}),
        json!({"model": "m", "messages": [], "tools": {"a": 1}}),
        json!({"model": "m", "messages": [], "tools": [{"description": "no name"}]}),
    ];
    for body in &bodies {
        let answer = door.messages(body).await;
        assert_eq!((answer.status, answer.text().as_str()), (400, "no"), "{body}");
    }
    let sent: Vec<_> = upstream.bodies();
    assert_eq!(sent, bodies);
}

#[tokio::test]
async fn odd_but_readable_bodies_get_an_answer() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    for body in [
        json!({}),
        json!({"model": "m", "stream": true, "messages": []}),
        json!({"model": "m", "stream": "yes", "max_tokens": "many", "messages": null}),
        json!({"model": "m", "stream": true, "messages": [{"role": "assistant", "content": []}, {"role": "assistant", "content": null}]}),
        json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "orphan"}]}]}),
        json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": [{"type": "tool_result"}, 7, null]}]}),
    ] {
        let answer = door.messages(&body).await;
        assert!([200, 400].contains(&answer.status), "{body}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_and_the_client_reads_why() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.post("/v1/messages", vec![b' '; 100 << 20]).await;
    assert_eq!((answer.status, answer.assert_error()["type"].as_str()), (413, Some("request_too_large")));
    assert!(upstream.seen().is_empty());
    assert!(door.messages(&request(true)).await.assert_whole());
}

#[tokio::test]
async fn half_a_request_harms_nobody_else() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    for half in [
        "POST /v1/mess",
        "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"model\":",
        "\r\n\0\x7f",
    ] {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        drop(stream);
    }
    assert!(door.messages(&request(true)).await.assert_whole());
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn an_upstream_that_is_down_is_named() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let door = Door::before(nobody, super::wishes(fanlight::wire::Dialect::Anthropic)).await;
    for stream in [true, false] {
        let answer = door.messages(&request(stream)).await;
        let error = answer.assert_error();
        assert_eq!((answer.status, error["type"].as_str()), (500, Some("api_error")));
        assert!(error["message"].as_str().unwrap().contains(&nobody.to_string()), "{error}");
    }
    let health = client::send(door.address, "GET", "/fanlight/health", &[], Vec::new()).await;
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("no model server")));
}

#[tokio::test]
async fn a_lone_half_of_an_emoji_is_read() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"cut \ud83d"}]}"#;
    assert!(door.post("/v1/messages", body).await.assert_whole());
}
