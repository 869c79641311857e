//! The client's side: sends a request to the proxy, and reads the stream that comes back.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::session::Reply;
use crate::wire::{Block, Blocks, Delta, End, EventDecoder, Message, Role, SseReader};

/// Sends `POST /v1/messages` and gives the answer as the client would keep it.
///
/// # Errors
/// When the proxy cannot be reached, refuses, or breaks off.
pub(super) async fn ask(proxy: SocketAddr, body: &Value) -> anyhow::Result<Reply> {
    let (status, bytes) = fetch(proxy, Method::POST, "/v1/messages?beta=true", body.to_string()).await?;
    if status != 200 {
        bail!("the proxy answered {status}: {}", String::from_utf8_lossy(&bytes));
    }
    Ok(Reply::from_message(&message(&bytes)?))
}

/// The answer to a `GET`, as JSON.
///
/// # Errors
/// When there is none.
pub(super) async fn get(proxy: SocketAddr, path: &str) -> anyhow::Result<Value> {
    let (_, bytes) = fetch(proxy, Method::GET, path, String::new()).await?;
    serde_json::from_slice(&bytes).with_context(|| format!("GET {path}"))
}

async fn fetch(proxy: SocketAddr, method: Method, path: &str, body: String) -> anyhow::Result<(u16, Bytes)> {
    let stream = TcpStream::connect(proxy).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", proxy.to_string())
        .header("content-type", "application/json")
        .header("anthropic-version", "2023-06-01")
        .body(Full::new(Bytes::from(body)))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

/// The message that a stream of events adds up to.
fn message(stream: &[u8]) -> anyhow::Result<Message> {
    let (mut reader, mut frames) = (SseReader::default(), Vec::new());
    reader.feed(stream, &mut frames)?;
    reader.finish(&mut frames);
    let (mut decoder, mut deltas) = (EventDecoder::default(), Vec::new());
    let end = frames.iter().find_map(|frame| decoder.on_frame(frame, &mut deltas));
    match end.unwrap_or_else(|| decoder.on_close(&mut deltas)) {
        End::Complete { .. } => Ok(gathered(deltas)),
        End::Failed(error) => bail!("the answer broke off: {error}"),
    }
}

fn gathered(deltas: Vec<Delta>) -> Message {
    let mut message = Message { role: Role::Assistant, content: Blocks::default() };
    for delta in deltas {
        match (delta, message.content.last_mut()) {
            (Delta::Text(more), Some(Block::Text(text))) => *text += &more,
            (Delta::Text(text), _) => message.content.push(Block::Text(text)),
            (Delta::Call(call), _) => message.content.push(Block::ToolUse(call)),
            _ => {}
        }
    }
    message
}
