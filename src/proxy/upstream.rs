//! One connection to the model server per exchange: to drop it is to stop the model.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::address::Address;
use crate::wire::{ErrorKind, Refusal, WireError};

/// A model server.
#[derive(Debug, Clone)]
pub struct Upstream {
    pub address: Address,
    /// It has refused a schema that no grammar could be made of: from then on it gets the plainest ones.
    pub plain_schemas: Arc<AtomicBool>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("cannot reach the model server at {address}: {source}")]
    Unreachable { address: String, source: std::io::Error },
    #[error("the model server at {address} broke off: {source}")]
    Broken { address: String, source: hyper::Error },
}

/// A request for the model server; the path stands below its prefix.
pub struct Ask {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The head of an answer, and its body as it comes.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: ReplyStream,
}

/// A body that holds its connection.
pub struct ReplyStream {
    body: Incoming,
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

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// When the server cannot be reached, or breaks off before it answers.
    pub async fn send(&self, ask: Ask) -> Result<Reply, UpstreamError> {
        let broken = |source| UpstreamError::Broken { address: self.address.to_string(), source };
        let stream = self.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let connection = Connection(tokio::spawn(async move {
            let _ = connection.await;
        }));
        let answer = sender.send_request(self.request(ask)).await.map_err(broken)?;
        let (head, body) = answer.into_parts();
        Ok(Reply { status: head.status, headers: head.headers, body: ReplyStream { body, _connection: connection } })
    }

    /// Sends JSON and reads a JSON answer of moderate size.
    ///
    /// # Errors
    /// When the server cannot be reached or breaks off.
    pub async fn json(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(u16, Value), UpstreamError> {
        let bytes = body.map(Value::to_string).unwrap_or_default();
        let ask = Ask { method, path: path.to_owned(), headers: json_headers(), body: bytes.into() };
        let reply = self.send(ask).await?;
        let status = reply.status.as_u16();
        let bytes = reply
            .body
            .collect()
            .await
            .map_err(|source| UpstreamError::Broken { address: self.address.to_string(), source })?;
        Ok((status, serde_json::from_slice(&bytes.to_bytes()).unwrap_or_default()))
    }

    async fn connect(&self) -> Result<TcpStream, UpstreamError> {
        let unreachable = |source| UpstreamError::Unreachable { address: self.address.to_string(), source };
        let stream = TcpStream::connect(&self.address.authority).await.map_err(unreachable)?;
        // Worth 43 ms a response where the server's last piece waits for our acknowledgement.
        stream.set_nodelay(true).map_err(unreachable)?;
        Ok(stream)
    }

    fn request(&self, ask: Ask) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(ask.body));
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
}

/// The headers of a JSON request.
pub(super) fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

impl Reply {
    /// Reads the rest as an error.
    pub async fn refusal(self) -> Refusal {
        let status = self.status.as_u16();
        match http_body_util::Limited::new(self.body, 1 << 20).collect().await {
            Ok(body) => Refusal::read(status, &body.to_bytes()),
            Err(_) => Refusal::read(status, b""),
        }
    }

    /// Whether the answer is one JSON document, not a stream.
    pub fn is_whole_json(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        kind.starts_with("application/json")
    }
}

impl From<UpstreamError> for WireError {
    fn from(error: UpstreamError) -> Self {
        Self::new(ErrorKind::Api, error.to_string())
    }
}

impl Body for ReplyStream {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
