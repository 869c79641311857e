//! Whatever a server, a network or a client does: the client gets a whole message or a whole error, nothing is left
//! behind, and the counters agree with what the clients saw.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fanlight::wire::Dialect;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::client::Answer;
use super::{Door, client, request};
use crate::seeded::Seeded;

/// Faults a dialect, and how many at once.
const FAULTS: usize = 500;
const AT_ONCE: usize = 8;
const SEED: u64 = 20_261_127;

/// What the model says when it is let.
const WORDS: [&str; 8] = ["One ", "twö ", "three ", "four\n", "five ", "\u{1F600} ", "seven ", "eight."];

/// What happens to one exchange.
#[derive(Debug, Clone, PartialEq)]
enum Fault {
    None,
    /// The connection ends or is reset after so many bytes of the answer.
    CutAt(usize),
    /// A piece loses its second half.
    HalfPiece(usize),
    /// Something else stands before a piece.
    Garbage(usize, &'static [u8]),
    /// Nothing comes any more behind a piece; the client gives up.
    Stall(usize),
    /// Nothing comes for a while.
    Pause(usize),
    /// Another status than 200.
    Status(u16, &'static str),
    /// No HTTP at all.
    NoHttp(&'static [u8]),
    /// Byte by byte.
    Drip,
    /// The client reads a byte now and then.
    SlowClient,
    /// The client leaves after so many bytes.
    ClientLeaves(usize),
    /// The server says that it has another window from now on.
    OtherWindow(usize),
    /// Every question about the server fails once.
    NotReady,
}

const GARBAGE: [&[u8]; 7] = [
    b"\xff\xfe\x00",
    b"<html>502</html>\n\n",
    b"null\n\n",
    b"{\"message\":\n\n",
    b"data: {\n\n",
    b"[1,2\n\n",
    b"event: x\n\n",
];
const NO_HTTP: [&[u8]; 4] =
    [b"", b"\x16\x03\x01", b"HTTP/9.9 what\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"];
const STATUSES: [(u16, &str); 8] = [
    (500, r#"{"error":"llama runner process has terminated"}"#),
    (503, r#"{"error":"server busy, please try again. maximum pending requests exceeded"}"#),
    (429, "slow down"),
    (404, r#"{"error":"model 'm' not found"}"#),
    (400, r#"{"error":{"type":"exceed_context_size_error","message":"x","n_prompt_tokens":9000,"n_ctx":4096}}"#),
    (307, ""),
    (502, "<html>bad gateway</html>"),
    (500, ""),
];

fn fault(chance: &mut Seeded, bytes: usize) -> Fault {
    let piece = chance.below(WORDS.len() + 2);
    match chance.below(16) {
        0 => Fault::None,
        1..=3 => Fault::CutAt(chance.below(bytes)),
        4 | 5 => Fault::HalfPiece(piece),
        6 | 7 => Fault::Garbage(piece, GARBAGE[chance.below(GARBAGE.len())]),
        8 => Fault::Stall(piece),
        9 => Fault::Pause(piece),
        10 => {
            let (status, body) = *chance.pick(&STATUSES);
            Fault::Status(status, body)
        }
        11 => Fault::NoHttp(NO_HTTP[chance.below(NO_HTTP.len())]),
        12 => Fault::Drip,
        13 if chance.once_in(2) => Fault::SlowClient,
        13 => Fault::ClientLeaves(chance.below(bytes)),
        14 => Fault::OtherWindow(*chance.pick(&[4096, 8192, 16_384])),
        _ => Fault::NotReady,
    }
}

/// A good answer in its pieces.
fn pieces(dialect: Dialect) -> Vec<String> {
    let line = |value: Value| format!("{value}\n");
    let event = |value: Value| format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap());
    match dialect {
        Dialect::Ollama => {
            let word = |word: &&str| line(json!({"message": {"role": "assistant", "content": word}, "done": false}));
            let end = json!({"message": {"content": ""}, "done": true, "done_reason": "stop", "eval_count": 8});
            WORDS.iter().map(word).chain([line(end)]).collect()
        }
        Dialect::Anthropic => {
            let start = json!({"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 9}}});
            let open =
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
            let word = |word: &&str| {
                event(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}))
            };
            let close = json!({"type": "content_block_stop", "index": 0});
            let why =
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 8}});
            let ends = [close, why, json!({"type": "message_stop"})].map(event);
            [start, open].map(event).into_iter().chain(WORDS.iter().map(word)).chain(ends).collect()
        }
    }
}

/// A server without manners.
#[derive(Clone)]
struct Server {
    dialect: Dialect,
    window: Arc<AtomicUsize>,
    not_ready: Arc<AtomicUsize>,
    /// Faults by the number of the exchange that stands in its prompt.
    faults: Arc<Vec<Fault>>,
    open: Arc<AtomicUsize>,
}

impl Server {
    async fn start(dialect: Dialect, faults: Vec<Fault>) -> (SocketAddr, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let window = Arc::new(AtomicUsize::new(8192));
        let server = Self { dialect, window, not_ready: Arc::default(), faults: faults.into(), open: Arc::default() };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = accepting.clone();
                tokio::spawn(async move {
                    server.open.fetch_add(1, Ordering::SeqCst);
                    let _ = server.serve(stream).await;
                    server.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        (address, server)
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let (head, body) = read_request(&mut stream).await?;
        let path = head.split(' ').nth(1).unwrap_or_default();
        let generates = path == "/api/chat" || path == "/v1/messages";
        if !generates || body.contains("_debug_render_only") {
            return self.tell(&mut stream, path).await;
        }
        let number: usize = body.split("number ").nth(1).unwrap().split('.').next().unwrap().parse().unwrap();
        self.answer(&mut stream, &self.faults[number].clone()).await
    }

    /// Answers a question about itself.
    async fn tell(&self, stream: &mut TcpStream, path: &str) -> std::io::Result<()> {
        let window = self.window.load(Ordering::SeqCst);
        let ollama = self.dialect == Dialect::Ollama;
        let models = json!({"models": [{"name": "m:latest", "model": "m:latest", "context_length": window}]});
        let fact = match path {
            "/api/version" if ollama => json!({"version": "0.0.0"}),
            "/api/tags" | "/api/ps" if ollama => models,
            "/api/show" if ollama => json!({"template": "{{ .Prompt }}", "parameters": "", "capabilities": ["tools"]}),
            "/props" if !ollama => json!({"default_generation_settings": {"n_ctx": window}}),
            "/v1/models" if !ollama => json!({"data": [{"id": "m"}]}),
            _ => Value::Null,
        };
        let refuses = self.not_ready.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        let status = if refuses {
            503
        } else if fact.is_null() {
            404
        } else {
            200
        };
        let body = fact.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await
    }

    async fn answer(&self, stream: &mut TcpStream, fault: &Fault) -> std::io::Result<()> {
        match fault {
            Fault::Status(status, body) => {
                let head = format!(
                    "HTTP/1.1 {status} X\r\nlocation: http://elsewhere.example/\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                return stream.write_all(head.as_bytes()).await;
            }
            Fault::NoHttp(bytes) => return stream.write_all(bytes).await,
            Fault::OtherWindow(window) => self.window.store(*window, Ordering::SeqCst),
            Fault::NotReady => self.not_ready.store(2, Ordering::SeqCst),
            _ => {}
        }
        let kind = if self.dialect == Dialect::Ollama { "application/x-ndjson" } else { "text/event-stream" };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut sent = 0;
        for (at, piece) in pieces(self.dialect).into_iter().enumerate() {
            let mut bytes = piece.into_bytes();
            match fault {
                Fault::HalfPiece(half) if *half == at => {
                    bytes.truncate(bytes.len() / 2);
                    bytes.extend_from_slice(if self.dialect == Dialect::Ollama { b"\n" } else { b"\n\n" });
                }
                Fault::Garbage(before, garbage) if *before == at => stream.write_all(garbage).await?,
                Fault::Stall(before) if *before == at => {
                    // Until the proxy hangs up.
                    let _ = stream.read(&mut [0]).await;
                    return Ok(());
                }
                Fault::Pause(before) if *before == at => tokio::time::sleep(Duration::from_millis(30)).await,
                Fault::CutAt(cut) if sent + bytes.len() > *cut => {
                    return stream.write_all(&bytes[..cut.saturating_sub(sent).min(bytes.len())]).await;
                }
                _ => {}
            }
            sent += bytes.len();
            if *fault == Fault::Drip {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                }
            } else {
                stream.write_all(&bytes).await?;
            }
        }
        Ok(())
    }
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<(String, String)> {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok((head.to_owned(), body.to_owned()));
            }
        }
        let mut part = vec![0; 16_384];
        match stream.read(&mut part).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => seen.extend_from_slice(&part[..n]),
        }
    }
}

/// What clients saw.
#[derive(Debug, Default)]
struct Seen {
    whole: usize,
    errors: usize,
    left: usize,
}

/// One exchange as its client sees it.
async fn exchange(door: SocketAddr, number: usize, fault: &Fault, stream: bool) -> Option<Answer> {
    let mut body = request(stream);
    body["messages"][0]["content"] = format!("Say number {number}.").into();
    let body = body.to_string();
    match fault {
        Fault::Stall(_) => leave(door, &body, usize::MAX).await,
        Fault::ClientLeaves(after) => leave(door, &body, *after).await,
        Fault::SlowClient => return Some(slowly(door, &body).await),
        _ => return Some(client::send(door, "POST", "/v1/messages", &[], body.into_bytes()).await),
    }
    None
}

async fn begin(door: SocketAddr, body: &str) -> TcpStream {
    let mut client = TcpStream::connect(door).await.unwrap();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();
    client
}

/// A client that goes after so many bytes, or when nothing has come for a while.
async fn leave(door: SocketAddr, body: &str, after: usize) {
    let mut client = begin(door, body).await;
    let mut seen = 0;
    let mut part = [0; 64];
    while seen < after {
        match tokio::time::timeout(Duration::from_millis(100), client.read(&mut part)).await {
            Ok(Ok(n)) if n > 0 => seen += n,
            _ => break,
        }
    }
}

/// A client that reads a little at a time.
async fn slowly(door: SocketAddr, body: &str) -> Answer {
    let mut client = begin(door, body).await;
    let (mut seen, mut part) = (Vec::new(), [0; 97]);
    loop {
        match client.read(&mut part).await.unwrap() {
            0 => break,
            n => seen.extend_from_slice(&part[..n]),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Answer::of_bytes(&seen)
}

/// That an answer is whole, and if it is a message, that nothing of it is missing.
fn judge(number: usize, fault: &Fault, stream: bool, answer: &Answer, seen: &Mutex<Seen>) {
    let mut seen = seen.lock().unwrap();
    let place = format!("{number} {fault:?} {}", answer.text());
    let said = if stream {
        answer.assert_whole().then(|| answer.said())
    } else {
        assert!(!answer.broken, "{place}");
        let document = answer.json();
        let is_message = answer.status == 200 && document["type"] == "message";
        assert!(is_message || document["error"]["message"].is_string(), "{place}");
        is_message.then(|| document["content"][0]["text"].as_str().unwrap_or_default().to_owned())
    };
    if let Some(said) = said {
        assert_eq!(said, WORDS.concat(), "{place}");
        seen.whole += 1;
    } else {
        assert!(![Fault::None, Fault::Drip, Fault::SlowClient].contains(fault), "{place}");
        seen.errors += 1;
    }
}

async fn chaos(dialect: Dialect) {
    let mut chance = Seeded::new(SEED);
    let bytes = pieces(dialect).concat().len();
    let faults: Vec<Fault> = (0..FAULTS).map(|_| fault(&mut chance, bytes)).collect();
    let (address, server) = Server::start(dialect, faults.clone()).await;
    let door = Door::before(address, fanlight::proxy::Wishes::default()).await;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let faults = Arc::new(faults);
    let next = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (faults, next, seen, at) = (faults.clone(), next.clone(), seen.clone(), door.address);
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(fault) = faults.get(number) else { return };
                    let stream = number % 3 != 0;
                    match exchange(at, number, fault, stream).await {
                        Some(answer) => judge(number, fault, stream, &answer, &seen),
                        None => seen.lock().unwrap().left += 1,
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    for _ in 0..400 {
        if server.open.load(Ordering::SeqCst) == 0 && alive() <= before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(server.open.load(Ordering::SeqCst), 0, "connections to the server are left");
    assert!(alive() <= before, "{} tasks are left, {before} were there", alive());

    let (seen, summary) = (seen.lock().unwrap(), door.proxy.ledger.summary());
    assert_eq!(seen.whole + seen.errors + seen.left, FAULTS);
    // A request of a client that left may not have come.
    assert!((FAULTS - seen.left..=FAULTS).contains(&(summary.exchanges as usize)), "{seen:?} {summary:?}");
    assert_eq!(summary.failed + summary.refused, door.proxy.metrics.failed.get() + door.proxy.metrics.refused.get());
    // Who left may have been answered already, or may not.
    let (failed, whole) = ((summary.failed + summary.refused) as usize, summary.answered as usize);
    assert!((seen.errors..=seen.errors + seen.left).contains(&failed), "{seen:?} {summary:?}");
    assert!((seen.whole..=seen.whole + seen.left).contains(&whole), "{seen:?} {summary:?}");
    assert!(seen.whole > FAULTS / 8 && seen.errors > FAULTS / 8 && seen.left > 10, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_an_ollama_answer_is_whole_or_an_error() {
    chaos(Dialect::Ollama).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_an_answer_of_events_is_whole_or_an_error() {
    chaos(Dialect::Anthropic).await;
}
