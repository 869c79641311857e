//! Answers of every kind, whole and cut.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::upstream::{Piece, Script, Upstream};
use super::{Door, good_events, good_lines, request};

fn cut_at(bytes: &[u8], at: usize) -> Script {
    Script { pieces: vec![Piece::Bytes(bytes[..at].to_vec()), Piece::Cut], ..Script::events("") }
}

#[tokio::test]
async fn a_stream_comes_out_as_it_went_in() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.messages(&request(true)).await;
    assert!(answer.assert_whole());
    assert_eq!(answer.said(), "Wörds, few.");
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    assert!(
        answer.headers.contains_key("x-fanlight-tokens-in") && answer.headers.contains_key("x-fanlight-tokens-out")
    );
}

#[tokio::test]
async fn a_client_that_does_not_stream_gets_one_message() {
    for (stream, upstream) in [
        (json!(false), Upstream::start([Script::events(good_events())]).await),
        (Value::Null, Upstream::start([Script::events(good_events())]).await),
    ] {
        let door = Door::anthropic(&upstream).await;
        let mut body = request(false);
        body["stream"] = stream;
        let message = door.messages(&body).await.json();
        assert_eq!(message["content"], json!([{"type": "text", "text": "Wörds, few."}]));
        assert_eq!((&message["type"], &message["stop_reason"]), (&json!("message"), &json!("end_turn")));
        assert_eq!(message["model"], "claude-test");
    }
}

#[tokio::test]
async fn usage_is_on_the_clients_scale_and_never_zero() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.messages(&request(true)).await;
    let events = answer.events();
    let total =
        |usage: &Value| usage["input_tokens"].as_u64().unwrap() + usage["cache_read_input_tokens"].as_u64().unwrap();
    let usage = &events[events.len() - 2]["usage"];
    let counted =
        door.post("/v1/messages/count_tokens", request(true).to_string()).await.json()["input_tokens"].clone();
    assert_eq!(json!(total(usage)), counted);
    assert_eq!(json!(total(&events[0]["message"]["usage"])), counted);
    // The server had 60 of 100 in its cache.
    assert_eq!(usage["cache_read_input_tokens"], total(usage) * 60 / 100);
    assert!(usage["output_tokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn cut_at_any_byte_the_client_gets_a_whole_answer() {
    let sample = good_events().into_bytes();
    let scripts: Vec<Script> = (0..sample.len()).map(|at| cut_at(&sample, at)).collect();
    let upstream = Upstream::start(scripts).await;
    let door = Door::anthropic(&upstream).await;
    let mut complete = 0;
    for _ in 0..sample.len() {
        complete += usize::from(door.messages(&request(true)).await.assert_whole());
    }
    // From the end of the last line that says why the model stopped, the blank one after it included or not.
    let stop_was_said = good_events().find("\n\nevent: message_stop").unwrap();
    assert_eq!(complete, sample.len() - stop_was_said);
}

#[tokio::test]
async fn cut_ollama_lines_end_in_an_error_too() {
    let sample = good_lines().into_bytes();
    let scripts: Vec<Script> = (0..sample.len()).map(|at| cut_at(&sample, at)).collect();
    let upstream = Upstream::start(scripts).await;
    let door = Door::ollama(&upstream).await;
    for at in 0..sample.len() {
        let whole = door.messages(&request(true)).await.assert_whole();
        assert_eq!(whole, at == sample.len() - 1, "cut at {at}");
    }
}

#[tokio::test]
async fn cut_at_any_byte_a_document_is_a_message_or_an_error() {
    for (ollama, sample) in [(false, good_events()), (true, good_lines())] {
        let scripts = (0..sample.len()).map(|at| cut_at(sample.as_bytes(), at));
        let upstream = Upstream::start(scripts).await;
        let door = if ollama { Door::ollama(&upstream).await } else { Door::anthropic(&upstream).await };
        for at in 0..sample.len() {
            let answer = door.messages(&request(false)).await;
            assert!(!answer.broken, "cut at {at}");
            if answer.status == 200 {
                assert_eq!(answer.json()["stop_reason"], "end_turn", "cut at {at}");
            } else {
                answer.assert_error();
            }
        }
    }
}

#[tokio::test]
async fn a_clean_end_in_the_middle_is_no_message() {
    let text = good_events();
    let upstream = Upstream::start([Script::events(&text[..text.find("event: message_delta").unwrap()])]).await;
    let door = Door::anthropic(&upstream).await;
    assert!(!door.messages(&request(true)).await.assert_whole());
    let whole = door.messages(&request(false)).await;
    assert_eq!(whole.assert_error()["type"], "api_error");
}

#[tokio::test]
async fn hanging_up_stops_the_model_within_a_second() {
    for stream in [true, false] {
        for begun in [true, false] {
            let script = if begun { Script::events(&good_events()[..400]) } else { Script::events("") };
            let upstream = Upstream::start([script.and(Piece::Wait(15_000))]).await;
            let door = Door::anthropic(&upstream).await;
            let mut client = TcpStream::connect(door.address).await.unwrap();
            let body = request(stream).to_string();
            let head = format!(
                "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            client.write_all(head.as_bytes()).await.unwrap();
            if stream {
                client.read_u8().await.unwrap();
            } else {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            let left = Instant::now();
            drop(client);
            while upstream.hung_up().is_none() && left.elapsed() < Duration::from_secs(3) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let took = upstream.hung_up().expect("upstream was left").duration_since(left);
            assert!(took < Duration::from_secs(1), "stream {stream}, begun {begun}: {took:?}");
        }
    }
}

#[tokio::test]
async fn text_comes_as_it_is_produced() {
    let text = good_events();
    let (first, rest) = text.split_at(text.find("event: content_block_stop").unwrap());
    let script = Script::events(first).and(Piece::Wait(3_000)).and(Piece::Bytes(rest.into()));
    let upstream = Upstream::start([script]).await;
    let door = Door::anthropic(&upstream).await;
    let began = Instant::now();
    let mut client = TcpStream::connect(door.address).await.unwrap();
    let body = request(true).to_string();
    let head = format!("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    client.write_all(head.as_bytes()).await.unwrap();
    let (mut seen, mut part) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&seen).contains("few.") {
        let n = client.read(&mut part).await.unwrap();
        seen.extend_from_slice(&part[..n]);
    }
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
}

#[tokio::test]
async fn ids_of_calls_are_unique_even_where_upstreams_are_not() {
    let call = |index: u64| {
        [
            json!({"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "id": "toolu_always_the_same_id", "name": "Look", "input": {}}}),
            json!({"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": format!("{{\"at\":{index}}}")}}),
            json!({"type": "content_block_stop", "index": index}),
        ]
    };
    let tail =
        [json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}), json!({"type": "message_stop"})];
    let events = call(0).into_iter().chain(call(1)).chain(tail);
    let text = events.map(|event| format!("data: {event}\n\n")).collect::<Vec<_>>().concat();
    let upstream = Upstream::start([Script::events(text)]).await;
    let door = Door::anthropic(&upstream).await;
    let mut body = request(true);
    let schema = json!({"type": "object", "properties": {"at": {"type": "number"}}});
    body["tools"] = json!([{"name": "Look", "description": "Looks.", "input_schema": schema}]);
    let events = door.messages(&body).await.events();
    let ids: Vec<&str> = events.iter().filter_map(|event| event["content_block"]["id"].as_str()).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let message = json!({"id": "m", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "whole"}],
        "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 1}});
    let upstream = Upstream::start([Script::refusal(200, message.to_string())]).await;
    let door = Door::anthropic(&upstream).await;
    let answer = door.messages(&request(true)).await;
    assert!(answer.assert_whole());
    assert_eq!(answer.said(), "whole");
}

#[tokio::test]
async fn at_the_end_running_answers_are_let_end() {
    let text = good_events();
    let (first, rest) = text.split_at(400);
    let script = Script::events(first).and(Piece::Wait(700)).and(Piece::Bytes(rest.into()));
    let upstream = Upstream::start([script]).await;
    let mut door = Door::anthropic(&upstream).await;
    let (end, address) = (door.end.take().unwrap(), door.address);
    let body = request(true);
    let (answer, ()) = tokio::join!(door.messages(&body), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        end.send(()).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(TcpStream::connect(address).await.is_err(), "no new connection");
    });
    assert!(answer.assert_whole());
    tokio::time::timeout(Duration::from_secs(5), door.task).await.unwrap().unwrap();
}
