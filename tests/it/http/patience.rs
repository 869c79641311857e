//! Early refusals keep their status; late ones end the stream; a slow model is waited for.

use serde_json::json;

use super::upstream::{Piece, Script, Upstream};
use super::{Door, good_events, request};

#[tokio::test]
async fn an_early_refusal_keeps_its_status() {
    let cases = [
        (404, json!({"error": "model 'x' not found"}), 404, "not_found_error"),
        (
            429,
            json!({"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}),
            429,
            "rate_limit_error",
        ),
        (503, json!({"error": "busy"}), 529, "overloaded_error"),
        (500, json!({"error": {"message": "oh"}}), 500, "api_error"),
    ];
    for (status, body, wanted, kind) in cases {
        let upstream = Upstream::start([Script::refusal(status, body.to_string()).after(200)]).await;
        let door = Door::anthropic(&upstream).await;
        for stream in [true, false] {
            let answer = door.messages(&request(stream)).await;
            assert_eq!((answer.status, answer.assert_error()["type"].as_str()), (wanted, Some(kind)));
        }
    }
}

#[tokio::test]
async fn a_prompt_that_the_engine_refuses_is_told_in_the_words_on_which_clients_compact() {
    let engine = json!({"error": {"code": 400, "message": "request (9000 tokens) exceeds the available context size (8192 tokens)",
        "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 8192}});
    let upstream = Upstream::start([Script::refusal(400, engine.to_string())]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.messages(&request(true)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.assert_error()["message"], "prompt is too long: 9000 tokens > 8192 maximum");
}

#[tokio::test]
async fn a_late_refusal_ends_a_stream_that_has_begun() {
    let upstream = Upstream::start([Script::refusal(500, r#"{"error":"no memory"}"#).after(1_400)]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.messages(&request(true)).await;
    assert_eq!(answer.status, 200);
    let events = answer.events();
    assert_eq!(events[0], json!({"type": "ping"}));
    assert_eq!(events[1], json!({"type": "error", "error": {"type": "api_error", "message": "no memory"}}));
}

#[tokio::test]
async fn a_late_answer_is_preceded_by_a_ping() {
    let upstream = Upstream::start([Script::events(good_events()).after(1_400)]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.messages(&request(true)).await;
    assert!(answer.assert_whole());
    let kinds: Vec<_> = answer.events().iter().take(2).map(|event| event["type"].clone()).collect();
    assert_eq!(kinds, ["ping", "message_start"]);
}

#[tokio::test]
async fn an_error_in_the_middle_closes_what_is_open() {
    let text = good_events();
    let begun = &text[..text.find("event: content_block_stop").unwrap()];
    let error =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n";
    let script = Script::events(begun).and(Piece::Bytes(error.into()));
    let upstream = Upstream::start([script]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.messages(&request(true)).await;
    assert!(!answer.assert_whole());
    assert_eq!(answer.events().last().unwrap()["error"]["type"], "overloaded_error");
}
