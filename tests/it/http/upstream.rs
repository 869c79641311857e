//! A model server that does as it is told: drips, waits, cuts, refuses; and keeps what it was sent.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// One piece of an answer.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    Wait(u64),
    /// The connection breaks.
    Cut,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    /// Milliseconds before the head.
    pub(super) delay: u64,
    pub(super) pieces: Vec<Piece>,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

#[derive(Default)]
struct State {
    scripts: VecDeque<Script>,
    /// Answers by path, for everything that is no generation.
    facts: Vec<(&'static str, Value)>,
    seen: Vec<Seen>,
    hung_up: Option<Instant>,
}

/// The server. Scripts are played in order; the last one repeats.
#[derive(Clone)]
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Script {
    pub(super) fn events(text: impl Into<String>) -> Self {
        Self { status: 200, kind: "text/event-stream", delay: 0, pieces: vec![Piece::Bytes(text.into().into_bytes())] }
    }

    pub(super) fn lines(text: impl Into<String>) -> Self {
        Self { kind: "application/x-ndjson", ..Self::events(text) }
    }

    pub(super) fn refusal(status: u16, body: impl Into<String>) -> Self {
        Self { status, kind: "application/json", ..Self::events(body) }
    }

    pub(super) fn after(self, delay: u64) -> Self {
        Self { delay, ..self }
    }

    pub(super) fn and(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }
}

impl Upstream {
    pub(super) async fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { scripts: scripts.into_iter().collect(), ..State::default() }));
        let upstream = Self { address, state };
        let accepting = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let upstream = accepting.clone();
                let service = service_fn(move |request| upstream.clone().answer(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        upstream
    }

    /// What it answers at a path, without a script.
    pub(super) fn fact(&self, path: &'static str, value: Value) {
        let facts = &mut self.state.lock().unwrap().facts;
        facts.retain(|(known, _)| *known != path);
        facts.push((path, value));
    }

    /// The generations that were asked for.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    pub(super) fn bodies(&self) -> Vec<Value> {
        self.seen().iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect()
    }

    /// When a client left before its answer was whole.
    pub(super) fn hung_up(&self) -> Option<Instant> {
        self.state.lock().unwrap().hung_up
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Coming>, std::io::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes().to_vec();
        let path = head.uri.to_string();
        let script = self.script(Seen { method: head.method.to_string(), path, headers: head.headers, body });
        let guard = Leaving { upstream: self, done: false };
        tokio::time::sleep(Duration::from_millis(script.delay)).await;
        let (pieces, coming) = mpsc::channel::<Result<Frame<Bytes>, std::io::Error>>(1);
        tokio::spawn(async move {
            let mut guard = guard;
            for piece in script.pieces {
                let sent = match piece {
                    Piece::Bytes(bytes) => pieces.send(Ok(Frame::data(bytes.into()))).await.is_ok(),
                    Piece::Wait(ms) => tokio::select! {
                        () = tokio::time::sleep(Duration::from_millis(ms)) => true,
                        () = pieces.closed() => false,
                    },
                    Piece::Cut => pieces.send(Err(std::io::Error::other("cut"))).await.is_ok(),
                };
                if !sent {
                    return;
                }
            }
            guard.done = true;
        });
        let answer = Response::builder().status(script.status).header("content-type", script.kind);
        Ok(answer.body(Coming(coming)).unwrap())
    }

    fn script(&self, seen: Seen) -> Script {
        let mut state = self.state.lock().unwrap();
        let fact = state.facts.iter().find(|(path, _)| *path == seen.path).map(|(_, value)| value.to_string());
        if let Some(fact) = fact {
            return Script::refusal(200, fact);
        }
        let probe = ["/api/version", "/api/tags", "/api/ps", "/api/show", "/props", "/v1/models", "/api/v0/models"];
        if probe.contains(&seen.path.as_str()) || (seen.method == "GET" && state.scripts.is_empty()) {
            return Script::refusal(404, "404 page not found");
        }
        state.seen.push(seen);
        if state.scripts.len() > 1 { state.scripts.pop_front().unwrap() } else { state.scripts[0].clone() }
    }
}

/// Notes when an answer is dropped before its end.
struct Leaving {
    upstream: Upstream,
    done: bool,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if !self.done {
            self.upstream.state.lock().unwrap().hung_up = Some(Instant::now());
        }
    }
}

/// A body of pieces that come over a channel.
pub(super) struct Coming(mpsc::Receiver<Result<Frame<Bytes>, std::io::Error>>);

impl http_body::Body for Coming {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(cx)
    }
}
