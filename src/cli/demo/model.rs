//! The stand-in for a model server: Ollama's protocol on loopback, with answers that were written down before.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::reading::{Cache, Read, rendered};
use super::session::Reply;
use super::speech::{lines, said};
use super::stream::Pieces;
use crate::tokens::Counter;

/// The name under which it plays the session; its family is one that is bound to a JSON Schema.
pub(super) const NAME: &str = "qwen2.5-coder:7b";
/// A name of no known family: such a model is not bound, and may write its calls as it likes.
pub(super) const FREE_NAME: &str = "some-coder:7b";

type Body = BoxBody<Bytes, Infallible>;

/// A stand-in that listens.
#[derive(Clone)]
pub(super) struct Model {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    window: usize,
    counter: Arc<dyn Counter>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: Reply,
    cache: Cache,
    reads: Vec<Read>,
}

impl Model {
    /// Starts to listen on a free port of loopback.
    pub(super) async fn start(
        name: &'static str,
        window: usize,
        counter: Arc<dyn Counter>,
    ) -> std::io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let model = Self { shared: Arc::new(Shared { name, window, counter, state: Mutex::default() }) };
        tokio::spawn(model.clone().accept(listener));
        Ok((model, address))
    }

    /// What it says from now on.
    pub(super) fn will_say(&self, reply: Reply) {
        self.lock().next = reply;
    }

    /// The prompts that it was given since it was last asked.
    pub(super) fn take_reads(&self) -> Vec<Read> {
        std::mem::take(&mut self.lock().reads)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn accept(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().serve(stream));
        }
    }

    async fn serve(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let model = self.clone();
            async move { Ok::<_, Infallible>(model.answer(request).await) }
        });
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        match (head.method, head.uri.path()) {
            (Method::GET, "/api/version") => whole(&json!({"version": "0.34.0"})),
            (Method::GET, "/api/tags" | "/api/ps") => whole(&self.loaded()),
            (Method::POST, "/api/show") => whole(&facts()),
            (Method::POST, "/api/generate") => whole(&json!({"model": self.shared.name, "response": "", "done": true})),
            (Method::POST, "/api/chat") => self.chat(&body),
            _ => Response::builder().status(StatusCode::NOT_FOUND).body(full(Bytes::new())).unwrap_or_default(),
        }
    }

    fn loaded(&self) -> Value {
        json!({"models": [{
            "name": self.shared.name, "model": self.shared.name, "context_length": self.shared.window,
            "details": {"family": "qwen2", "families": ["qwen2"], "parameter_size": "7.6B"},
        }]})
    }

    fn chat(&self, body: &Value) -> Response<Body> {
        let prompt = rendered(body);
        if body["_debug_render_only"] == true {
            return whole(&json!({"model": self.shared.name, "_debug_info": {"rendered_template": prompt.join("\n")}}));
        }
        let mut state = self.lock();
        let (content, calls) = said(body, &state.next);
        let read = state.cache.read(prompt, self.shared.counter.as_ref());
        state.reads.push(read);
        let reply = format!("assistant\n{content}{}", calls.as_ref().map(Value::to_string).unwrap_or_default());
        let produced = self.shared.counter.count(&reply);
        state.cache.keep_reply(reply);
        let lines = lines(self.shared.name, &content, calls, read, produced);
        if body["stream"] == false { unstreamed(&lines, content) } else { streamed(lines) }
    }
}

fn facts() -> Value {
    json!({
        "template": "{{ if .Tools }}{{ .Tools }}{{ end }}{{ range .Messages }}{{ .Role }}{{ .Content }}{{ end }}",
        "parameters": "", "modelfile": "", "capabilities": ["completion", "tools"],
        "details": {"family": "qwen2", "families": ["qwen2"], "parameter_size": "7.6B"},
        "model_info": {"general.architecture": "qwen2", "qwen2.context_length": 32768},
    })
}

fn whole(value: &Value) -> Response<Body> {
    Response::new(full(Bytes::from(value.to_string())))
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).boxed()
}

fn unstreamed(lines: &[Value], content: String) -> Response<Body> {
    let mut last = lines.last().cloned().unwrap_or_default();
    last["message"]["content"] = content.into();
    whole(&last)
}

fn streamed(lines: Vec<Value>) -> Response<Body> {
    let (sender, pieces) = mpsc::channel(4);
    tokio::spawn(async move {
        for line in lines {
            if sender.send(Bytes::from(format!("{line}\n"))).await.is_err() {
                return;
            }
            // A piece goes out before the next is made; a pause would only measure how busy the machine is.
            tokio::task::yield_now().await;
        }
    });
    Response::new(Pieces(pieces).boxed())
}
