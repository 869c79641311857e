//! One connection to the model server per exchange: to drop it is to stop the model.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, timeout};

use super::address::Address;
use super::upload::{BoxError, Upload};
use crate::wire::{ErrorKind, Refusal, WireError};

/// So long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// So long a server may be silent over an answer: a model on a slow machine reads a long prompt for many minutes.
pub(super) const SILENCE: Duration = Duration::from_secs(30 * 60);

/// The largest answer to a question about the server, in bytes.
const LARGEST_FACT: usize = 16 << 20;

/// How often a server may send us elsewhere on this machine.
const MOST_HOPS: usize = 3;

/// A model server.
#[derive(Debug, Clone)]
pub struct Upstream {
    pub address: Address,
    /// It has refused a schema that no grammar could be made of: from then on it gets the plainest ones.
    pub plain_schemas: Arc<AtomicBool>,
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpstreamError {
    #[error("cannot reach the model server at {address}: {source}; is it running?")]
    Unreachable { address: String, source: Arc<std::io::Error> },
    #[error("the model server at {address} broke off: {source}")]
    Broken { address: String, source: Arc<BoxError> },
    #[error("the model server at {address} did not answer within {seconds} s")]
    Silent { address: String, seconds: u64 },
    #[error("the model server at {address} sends on to {to} with status {status}; if that is it, say --upstream {to}")]
    Elsewhere { address: String, status: u16, to: String },
    #[error("the client did not send its request on")]
    ClientIsSlow,
}

/// A request for the model server; the path stands below its prefix.
pub struct Ask {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Upload,
}

/// The head of an answer, and its body as it comes.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: ReplyStream,
}

/// A body that holds its connection, and fails when it is silent for too long.
pub struct ReplyStream {
    body: Incoming,
    silence: Pin<Box<Sleep>>,
    _connection: Connection,
}

/// The task that drives a connection; it ends when this is dropped.
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Upstream {
    /// The server at this address.
    pub fn at(address: Address) -> Self {
        Self { address, plain_schemas: Arc::default() }
    }

    /// Sends a request and waits for the head of its answer, for at most `patience`.
    ///
    /// # Errors
    /// When the server cannot be reached, breaks off before it answers, or is silent.
    pub async fn send(&self, ask: Ask, patience: Duration) -> Result<Reply, UpstreamError> {
        let stream = self.connect().await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|source| self.broken(source))?;
        let connection = Connection(tokio::spawn(async move {
            let _ = connection.await;
        }));
        let answer = timeout(patience, sender.send_request(self.request(ask))).await;
        let answer = answer.map_err(|_| self.silent(patience))?.map_err(|source| self.broken(source))?;
        let (head, body) = answer.into_parts();
        let silence = Box::pin(tokio::time::sleep(SILENCE));
        let body = ReplyStream { body, silence, _connection: connection };
        Ok(Reply { status: head.status, headers: head.headers, body })
    }

    /// Sends JSON, and goes where the server sends it on to, as long as that is on this machine.
    ///
    /// # Errors
    /// As [`Self::send`]; and when the server sends it to another machine.
    pub async fn post(&self, path: &str, headers: &HeaderMap, body: &Bytes) -> Result<Reply, UpstreamError> {
        self.follow(Method::POST, path, headers, body, SILENCE).await
    }

    async fn follow(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: &Bytes,
        patience: Duration,
    ) -> Result<Reply, UpstreamError> {
        let (mut at, mut path) = (self.clone(), path.to_owned());
        for _ in 0..=MOST_HOPS {
            let body = Upload::whole(body.clone());
            let ask = Ask { method: method.clone(), path: path.clone(), headers: headers.clone(), body };
            let reply = at.send(ask, patience).await?;
            let Some(to) = reply.sends_on_to() else { return Ok(reply) };
            (at, path) = at.next_hop(&to).ok_or_else(|| self.elsewhere(&reply, to))?;
        }
        Err(UpstreamError::Elsewhere { address: self.address.to_string(), status: 310, to: path })
    }

    /// Where a redirection leads, if that is the same server or one on this machine.
    fn next_hop(&self, to: &str) -> Option<(Self, String)> {
        if to.starts_with('/') && !to.starts_with("//") {
            return Some((self.beside(Address { prefix: String::new(), ..self.address.clone() }), to.to_owned()));
        }
        let address = Address::parse(to).ok()?;
        let path = if address.prefix.is_empty() { "/".to_owned() } else { address.prefix.clone() };
        let near = address.authority == self.address.authority || address.is_loopback();
        near.then(|| (self.beside(Address { prefix: String::new(), ..address }), path))
    }

    /// The same server at another address.
    fn beside(&self, address: Address) -> Self {
        Self { address, ..self.clone() }
    }

    /// Asks with JSON or nothing, and reads the status and a JSON answer of moderate size; null where it is no JSON.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn json(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(u16, Value), UpstreamError> {
        let answer = self.json_within(SILENCE, method, path, body).await?;
        Ok((answer.status, answer.value))
    }

    /// As [`Self::json`], all within `patience`.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn json_within(
        &self,
        patience: Duration,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answered, UpstreamError> {
        let bytes = Bytes::from(body.map(Value::to_string).unwrap_or_default());
        let asking = async {
            let reply = self.follow(method, path, &json_headers(), &bytes, patience).await?;
            let (status, retry_after) = (reply.status.as_u16(), reply.retry_after());
            let read = Limited::new(reply.body, LARGEST_FACT).collect().await;
            let bytes = read.map_err(|source| self.broken_by(source))?.to_bytes();
            Ok(Answered { status, retry_after, value: serde_json::from_slice(&bytes).unwrap_or_default(), bytes })
        };
        timeout(patience, asking).await.unwrap_or_else(|_| Err(self.silent(patience)))
    }

    async fn connect(&self) -> Result<TcpStream, UpstreamError> {
        let unreachable =
            |source| UpstreamError::Unreachable { address: self.address.to_string(), source: Arc::new(source) };
        let connecting = timeout(CONNECT, TcpStream::connect(&self.address.authority));
        let stream = connecting.await.map_err(|_| unreachable(std::io::ErrorKind::TimedOut.into()))?;
        let stream = stream.map_err(unreachable)?;
        // Worth 43 ms a response where the server's last piece waits for our acknowledgement.
        stream.set_nodelay(true).map_err(unreachable)?;
        Ok(stream)
    }

    fn request(&self, ask: Ask) -> Request<Upload> {
        let mut request = Request::new(ask.body);
        *request.method_mut() = ask.method;
        *request.headers_mut() = ask.headers;
        let path = format!("{}{}", self.address.prefix, ask.path);
        *request.uri_mut() = path.parse().unwrap_or_default();
        request.headers_mut().remove(CONTENT_LENGTH);
        if let Ok(host) = HeaderValue::from_str(&self.address.authority) {
            request.headers_mut().insert(HOST, host);
        }
        request
    }

    fn broken(&self, source: hyper::Error) -> UpstreamError {
        self.broken_by(source.into())
    }

    fn broken_by(&self, source: BoxError) -> UpstreamError {
        if super::upload::is_slow(&*source) {
            return UpstreamError::ClientIsSlow;
        }
        UpstreamError::Broken { address: self.address.to_string(), source: Arc::new(source) }
    }

    fn silent(&self, patience: Duration) -> UpstreamError {
        UpstreamError::Silent { address: self.address.to_string(), seconds: patience.as_secs() }
    }

    fn elsewhere(&self, reply: &Reply, to: String) -> UpstreamError {
        UpstreamError::Elsewhere { address: self.address.to_string(), status: reply.status.as_u16(), to }
    }
}

/// An answer to a question about the server.
#[derive(Debug, Clone)]
pub struct Answered {
    pub status: u16,
    /// What the server says of when to ask again, as it says it.
    pub retry_after: Option<String>,
    /// Null where the body is no JSON.
    pub value: Value,
    pub bytes: Bytes,
}

/// The headers of a JSON request.
pub(super) fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

impl Reply {
    /// Reads the rest as an error.
    pub async fn refusal(self) -> Refusal {
        let (status, retry_after) = (self.status.as_u16(), self.retry_after());
        let refusal = match Limited::new(self.body, 1 << 20).collect().await {
            Ok(body) => Refusal::read(status, &body.to_bytes()),
            Err(_) => Refusal::read(status, b""),
        };
        refusal.retried_after(retry_after)
    }

    /// Whether the answer is one JSON document, not a stream.
    pub fn is_whole_json(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        kind.starts_with("application/json")
    }

    fn retry_after(&self) -> Option<String> {
        self.headers.get(RETRY_AFTER).and_then(|after| after.to_str().ok()).map(str::to_owned)
    }

    fn sends_on_to(&self) -> Option<String> {
        let to = self.headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
        self.status.is_redirection().then(|| to.unwrap_or_else(|| "nowhere".into()))
    }
}

impl From<UpstreamError> for WireError {
    fn from(error: UpstreamError) -> Self {
        let (kind, fault) = match &error {
            UpstreamError::ClientIsSlow => (ErrorKind::Timeout, crate::wire::Fault::SlowClient),
            UpstreamError::Unreachable { .. } => (ErrorKind::Api, crate::wire::Fault::Unreachable),
            UpstreamError::Broken { .. } => (ErrorKind::Api, crate::wire::Fault::BrokenOff),
            UpstreamError::Silent { .. } => (ErrorKind::Api, crate::wire::Fault::Silent),
            UpstreamError::Elsewhere { .. } => (ErrorKind::Api, crate::wire::Fault::Redirected),
        };
        Self::new(kind, error.to_string()).by(fault).caused(chain(&error))
    }
}

/// An error and all its causes, for the log.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

impl Body for ReplyStream {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.silence.as_mut().reset(Instant::now() + SILENCE);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        self.silence.as_mut().poll(cx).map(|()| Some(Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
