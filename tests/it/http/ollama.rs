//! The Ollama dialect: what goes up, what comes back.

use serde_json::json;

use super::upstream::{Script, Upstream};
use super::{Door, good_lines, request};

#[tokio::test]
async fn lines_become_events() {
    let upstream = Upstream::start([Script::lines(good_lines())]).await;
    let door = Door::ollama(&upstream).await;
    let answer = door.messages(&request(true)).await;
    assert!(answer.assert_whole());
    assert_eq!(answer.said(), "Wörds, few.");
    let seen = upstream.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/api/chat"));
    assert_eq!(upstream.bodies()[0]["options"]["num_ctx"], 8192);
    assert_eq!(upstream.bodies()[0]["stream"], true);
}

#[tokio::test]
async fn a_call_that_ollama_threw_away_is_not_an_error() {
    let refusal = json!({"error": "error parsing tool call: raw='some {\"words\"', err=unexpected end of JSON input"});
    let upstream = Upstream::start([Script::refusal(500, refusal.to_string())]).await;
    let door = Door::ollama(&upstream).await;
    let answer = door.messages(&request(true)).await;
    assert!(answer.assert_whole());
    assert!(answer.said().contains("some"), "{}", answer.said());
}

#[tokio::test]
async fn a_silent_cut_raises_an_alarm() {
    let cut = good_lines().replace("\"prompt_eval_count\":100", "\"prompt_eval_count\":4098");
    let upstream = Upstream::start([Script::lines(cut)]).await;
    let door = Door::ollama(&upstream).await;
    let mut body = request(true);
    body["messages"][0]["content"] = "a word and another ".repeat(1_300).into();
    let answer = door.messages(&body).await;
    assert!(answer.assert_whole() && answer.said().contains("--num-ctx"));
    assert_eq!(door.proxy.metrics.cuts_by_server.get(), 1);
    door.messages(&request(true)).await;
    assert_eq!(door.proxy.metrics.cuts_by_server.get(), 1);
}

#[tokio::test]
async fn two_doors_send_the_same_bytes() {
    let mut sent = Vec::new();
    for _ in 0..2 {
        let upstream = Upstream::start([Script::lines(good_lines())]).await;
        let door = Door::ollama(&upstream).await;
        door.messages(&request(true)).await;
        door.messages(&request(true)).await;
        sent.extend(upstream.seen().into_iter().map(|seen| seen.body));
    }
    assert!(sent.iter().all(|body| *body == sent[0]));
}

#[tokio::test]
async fn a_schema_that_the_engine_refuses_is_sent_once_more_in_plain_and_then_never_again() {
    let refusal = json!({"error": "failed to parse grammar"});
    let upstream = Upstream::start([Script::refusal(400, refusal.to_string()), Script::lines(good_lines())]).await;
    let door = Door::ollama(&upstream).await;
    for _ in 0..2 {
        assert!(door.messages(&request(true)).await.assert_whole());
    }
    assert_eq!(upstream.seen().iter().filter(|seen| seen.path == "/api/chat").count(), 3);
}

#[tokio::test]
async fn a_schema_that_is_refused_in_plain_too_is_an_error() {
    let refusal = json!({"error": "failed to parse grammar"});
    let upstream = Upstream::start([Script::refusal(400, refusal.to_string())]).await;
    let door = Door::ollama(&upstream).await;
    door.messages(&request(true)).await.assert_error();
    assert_eq!(upstream.seen().iter().filter(|seen| seen.path == "/api/chat").count(), 2);
}
