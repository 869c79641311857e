//! The same conversation gives the same bytes: twice through one proxy, and through another after it.

use std::fs;

use serde_json::Value;

use super::upstream::{Script, Upstream};
use super::{Door, good_events, good_lines};
use crate::repository;

/// The last request of a session, as a client sends it.
const LONGEST: &str = "requests/lean/loop.json";

/// All requests of a session: one before each answer, and the last.
fn session() -> Vec<String> {
    let file = fs::read_to_string(repository().join("fixtures").join(LONGEST)).unwrap();
    let whole: Value = serde_json::from_str(&file).unwrap();
    let messages = whole["messages"].as_array().unwrap();
    let ends = (1..=messages.len()).filter(|at| messages.get(*at).is_none_or(|next| next["role"] == "assistant"));
    let cut = |end: usize| {
        let mut body = whole.clone();
        body["messages"] = messages[..end].into();
        body.to_string()
    };
    ends.map(cut).collect()
}

/// What went upstream, a body a request.
async fn sent(door: &Door, upstream: &Upstream) -> Vec<Vec<u8>> {
    let before = upstream.seen().len();
    for body in session() {
        assert!(door.post("/v1/messages", body).await.assert_whole());
    }
    upstream.seen().drain(before..).map(|seen| seen.body).collect()
}

#[tokio::test]
async fn the_same_conversation_gives_the_same_bytes_again_and_after_a_restart() {
    for ollama in [true, false] {
        let script = if ollama { Script::lines(good_lines()) } else { Script::events(good_events()) };
        let upstream = Upstream::start([script]).await;
        let start = async || if ollama { Door::ollama(&upstream).await } else { Door::anthropic(&upstream).await };
        let first = start().await;
        let once = sent(&first, &upstream).await;
        assert!(once.len() > 5 && once.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(sent(&first, &upstream).await == once, "again");
        drop(first);
        assert!(sent(&start().await, &upstream).await == once, "after a restart");
    }
}
