//! A client that sends a request and reads the whole answer.

use std::net::SocketAddr;
use std::time::Duration;

use fanlight::wire::{Frame, SseReader};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// No test takes longer: a hang is a failure.
const LONGEST: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The connection broke before the body was whole.
    pub(super) broken: bool,
}

/// Sends a request and waits for all of the answer.
pub(super) async fn send(
    at: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> Answer {
    tokio::time::timeout(LONGEST, exchange(at, method, path, headers, body)).await.expect("an answer, not a hang")
}

async fn exchange(at: SocketAddr, method: &str, path: &str, headers: &[(&'static str, &str)], body: Vec<u8>) -> Answer {
    let stream = TcpStream::connect(at).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", at.to_string());
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(bytes::Bytes::from(body))).unwrap();
    let (head, mut incoming) = sender.send_request(request).await.unwrap().into_parts();
    let mut answer = Answer { status: head.status.as_u16(), headers: head.headers, body: Vec::new(), broken: false };
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(frame) => answer.body.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Err(_) => answer.broken = true,
        }
    }
    answer
}

impl Answer {
    /// An answer as it travelled, with a chunked body; broken where its last chunk is missing.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&bytes[..end]);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Self { status, headers: HeaderMap::new(), body: Vec::new(), broken: false };
        let mut rest = &bytes[end + 4..];
        if !head.to_lowercase().contains("transfer-encoding: chunked") {
            answer.body = rest.to_vec();
            return answer;
        }
        loop {
            let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let size =
                std::str::from_utf8(&rest[..line]).ok().and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
            let Some(size) = size.filter(|size| rest.len() >= line + 1 + size + 2) else { break answer.broken = true };
            if size == 0 {
                break;
            }
            answer.body.extend_from_slice(&rest[line + 1..][..size]);
            rest = &rest[line + 1 + size + 2..];
        }
        answer
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn events(&self) -> Vec<Value> {
        let (mut reader, mut frames): (SseReader, Vec<Frame>) = (SseReader::default(), Vec::new());
        reader.feed(&self.body, &mut frames).unwrap();
        frames.iter().map(|frame| serde_json::from_str(&frame.data).unwrap()).collect()
    }

    /// The visible text of a streamed answer.
    pub(super) fn said(&self) -> String {
        self.events().iter().filter_map(|event| event["delta"]["text"].as_str().map(str::to_owned)).collect()
    }

    /// That this is a whole answer as a client takes it: an error with its status, or a stream whose blocks are closed
    /// and that ends with `message_stop` or one `error`. Says which: true for a message.
    pub(super) fn assert_whole(&self) -> bool {
        assert!(!self.broken, "the connection broke after {}", self.text());
        if self.status != 200 {
            self.assert_error();
            return false;
        }
        let events = self.events();
        let count = |name: &str| events.iter().filter(|event| event["type"] == name).count();
        assert_eq!(count("content_block_start"), count("content_block_stop"), "{}", self.text());
        let last = events.last().unwrap_or_else(|| panic!("an empty stream"));
        if last["type"] == "error" {
            assert!(!last["error"]["message"].as_str().unwrap().is_empty());
            return false;
        }
        assert_eq!((&last["type"], count("message_start"), count("message_delta")), (&"message_stop".into(), 1, 1));
        true
    }

    /// That this is an error in Anthropic's shape.
    pub(super) fn assert_error(&self) -> Value {
        let error = self.json();
        assert_eq!(error["type"], "error", "{error}");
        assert!(error["error"]["type"].is_string() && error["error"]["message"].is_string(), "{error}");
        assert!(self.status >= 400);
        error["error"].clone()
    }
}
