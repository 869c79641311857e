//! Very many clients at once, and bodies that are too large together: everybody gets an answer.

use super::upstream::{Script, Upstream};
use super::{Door, good_events, request};

/// A body of about 95 KB, most of it tools that are parked.
fn large(number: usize) -> String {
    let mut body = request(true);
    body["messages"][0]["content"] = format!("Say something short, {number}.").into();
    let tool = |at: usize| {
        let schema = serde_json::json!({"type": "object", "properties": {"path": {"type": "string", "description": "x ".repeat(400)}}});
        serde_json::json!({"name": format!("mcp__tide__tool_{at}"), "description": "Does a thing.", "input_schema": schema})
    };
    body["tools"] = (0..100).map(tool).collect::<Vec<_>>().into();
    body.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_256_at_once_none_is_lost() {
    let upstream = Upstream::start([Script::events(good_events()).after(50)]).await;
    let door = Door::anthropic(&upstream).await;
    let clients: Vec<_> = (0..256)
        .map(|number| {
            let (at, body) = (door.address, large(number));
            tokio::spawn(async move {
                super::client::send(at, "POST", "/v1/messages", &[], body.into_bytes()).await.assert_whole()
            })
        })
        .collect();
    for client in clients {
        assert!(client.await.unwrap());
    }
    assert_eq!(door.proxy.ledger.summary().answered, 256);
}
