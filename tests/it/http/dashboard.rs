//! The page of a running proxy: what it asks, what it is told, and what shadow changes (nothing).

use std::time::Duration;

use fanlight::proxy::{Address, Settings};
use fanlight::wire::Dialect;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::upstream::{Script, Upstream};
use super::{Door, client, good_events, request, wishes};

#[tokio::test]
async fn the_page_asks_for_sums_lists_and_one_exchange() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    door.messages(&request(true)).await;
    let get = async |path: &str| client::send(door.address, "GET", path, &[], Vec::new()).await;
    for name in ["", "/page.css", "/page.js", "/icon.svg", "/uplot.js", "/uplot.css"] {
        assert_eq!(get(&format!("/fanlight/ui{name}")).await.status, 200, "{name}");
    }
    let history = get("/fanlight/history?since=0&bucket=60000&limit=5&words=&kind=").await.json();
    assert_eq!((&history["found"], &history["buckets"][0]["exchanges"]), (&json!(1), &json!(1)));
    let entry = &history["list"][0];
    let one = get(&format!("/fanlight/exchange?at={}&took={}", entry["at_ms"], entry["total_ms"])).await.json();
    assert_eq!((&one["recorded"], &one["recording"]), (&json!([]), &json!(false)));
    assert!(one["report"]["rules"].is_array());
    assert_eq!(get("/fanlight/history?since=0&kind=nothing&limit=5").await.json()["found"], 0);
}

/// Reads events until one has this in it.
async fn read_until(stream: &mut TcpStream, words: &str) -> String {
    let mut heard = String::new();
    let reading = async {
        let mut piece = [0; 4096];
        while !heard.contains(words) {
            let length = stream.read(&mut piece).await.unwrap();
            assert!(length > 0, "the stream has ended: {heard}");
            heard.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("the event comes");
    heard
}

#[tokio::test]
async fn the_page_is_told_what_happens_and_keeps_no_proxy_from_ending() {
    let upstream = Upstream::start([Script::events(good_events()).after(300)]).await;
    let mut door = Door::anthropic(&upstream).await;
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream.write_all(b"GET /fanlight/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    let head = read_until(&mut stream, "event: now\ndata: []").await;
    assert!(head.contains("text/event-stream") && head.contains("\"answered\":0"), "{head}");
    door.messages(&request(true)).await;
    let heard = read_until(&mut stream, "\"answered\":1").await;
    assert!(heard.contains("\"said\":null"), "the request under way was told of: {heard}");
    let _ = door.end.take().unwrap().send(());
    tokio::time::timeout(Duration::from_secs(5), door.task).await.expect("an open page does not hold the end").unwrap();
}

#[tokio::test]
async fn in_shadow_the_request_goes_as_it_came_and_is_accounted_for() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let address = Address::parse(&upstream.address.to_string()).unwrap();
    let settings = Settings { shadow: true, ..Settings::before(address, wishes(Dialect::Anthropic)) };
    let door = Door::with(settings).await;
    let body = request(true).to_string();
    let answer = door.post("/v1/messages", body.clone()).await;
    assert_eq!(answer.text(), good_events());
    let sent = upstream.seen().into_iter().find(|seen| seen.path.starts_with("/v1/messages")).unwrap();
    assert_eq!(sent.body, body.as_bytes());
    let summary = door.proxy.ledger.summary();
    assert_eq!((summary.answered, summary.passed_through, summary.shadow.exchanges), (0, 1, 1));
    assert_eq!(summary.sent.whole, 0, "nothing was saved");
}

#[tokio::test]
async fn a_list_for_anthropics_protocol_has_names_that_its_clients_take() {
    let models = json!({"data": [{"id": "q:7b"}]});
    let upstream = Upstream::start([Script::events(good_events())]).await;
    upstream.fact("/v1/models", models);
    let door = Door::anthropic(&upstream).await;
    let ids = async |headers: &[(&'static str, &str)]| {
        let list = client::send(door.address, "GET", "/v1/models", headers, Vec::new()).await.json();
        let ids = list["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]).await, ["q:7b"]);
    assert_eq!(ids(&[("anthropic-version", "2023-06-01")]).await, ["q:7b", "anthropic/q:7b"]);
}
