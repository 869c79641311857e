//! The proxy on real sockets, before a server that does as it is told.

mod bad_input;
mod chaos;
mod client;
mod dashboard;
mod discovery;
mod door;
mod ollama;
mod overload;
mod patience;
mod restarts;
mod routes;
mod same_bytes;
mod streams;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;

use fanlight::ledger::Ledger;
use fanlight::proxy::{Address, Proxy, Settings, Wishes, run};
use fanlight::rules::RuleSet;
use fanlight::wire::Dialect;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use client::Answer;
use upstream::Upstream;

/// A running proxy.
struct Door {
    address: SocketAddr,
    proxy: Arc<Proxy>,
    end: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Door {
    async fn before(upstream: SocketAddr, wishes: Wishes) -> Self {
        Self::with(Settings::before(Address::parse(&upstream.to_string()).unwrap(), wishes)).await
    }

    async fn with(settings: Settings) -> Self {
        Self::of(Proxy::new(settings, RuleSet::builtin(), Ledger::new(None)).unwrap()).await
    }

    async fn of(proxy: Proxy) -> Self {
        let proxy = Arc::new(proxy);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(run(listener, proxy.clone(), async {
            let _ = ended.await;
        }));
        Self { address, proxy, end: Some(end), task }
    }

    /// Before a server that speaks the Messages API, with a window of 8192.
    async fn anthropic(upstream: &Upstream) -> Self {
        Self::before(upstream.address, wishes(Dialect::Anthropic)).await
    }

    /// Before an Ollama, with a window of 8192.
    async fn ollama(upstream: &Upstream) -> Self {
        Self::before(upstream.address, wishes(Dialect::Ollama)).await
    }

    async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        client::send(self.address, "POST", path, &[], body.into()).await
    }

    async fn messages(&self, body: &Value) -> Answer {
        self.post("/v1/messages?beta=true", body.to_string()).await
    }
}

fn wishes(dialect: Dialect) -> Wishes {
    Wishes { dialect: Some(dialect), num_ctx: Some(8192), model: None, fold: None }
}

/// A small request of a client.
fn request(stream: bool) -> Value {
    json!({"model": "claude-test", "max_tokens": 64, "stream": stream, "system": "You help.",
        "messages": [{"role": "user", "content": "Say something short."}]})
}

/// A good answer, as a stream of Anthropic events.
pub(crate) fn good_events() -> String {
    let events = [
        json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "content": [],
            "usage": {"input_tokens": 40, "cache_read_input_tokens": 60, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Wörds, "}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "few."}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
        json!({"type": "message_stop"}),
    ];
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect::<Vec<_>>()
        .concat()
}

/// A good answer, as Ollama's lines.
pub(crate) fn good_lines() -> String {
    let lines = [
        json!({"message": {"role": "assistant", "content": "Wörds, "}, "done": false}),
        json!({"message": {"content": "few."}, "done": false}),
        json!({"message": {"content": ""}, "done": true, "done_reason": "stop", "prompt_eval_count": 100,
            "prompt_eval_cached_count": 60, "eval_count": 5}),
    ];
    lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat()
}
