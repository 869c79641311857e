//! Whether a web page could use the model: a request with a foreign Host must be refused, by us and by the server.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::door::DoorArgs;
use super::findings::Findings;
use crate::proxy::Proxy;

/// A name that no one has on this machine.
const FOREIGN: &str = "fanlight.invalid";

const PATIENCE: Duration = Duration::from_secs(5);

/// Who else could use the proxy, were it started with these settings.
pub(super) fn look_at_settings(args: &DoorArgs, findings: &mut Findings) {
    match args.door().and_then(|door| args.risk(&door)) {
        Ok(None) => findings.good("listen", args.words()),
        Ok(Some(risk)) => findings.warn("listen", risk, "set a token: --token-file, or FANLIGHT_TOKEN"),
        Err(error) => findings.problem("listen", format!("{error:#}"), "or listen on 127.0.0.1 only"),
    }
}

/// Whether our own door is closed.
pub(super) async fn look_at_ours(authority: &str, findings: &mut Findings) {
    match status(authority, "/fanlight/health").await {
        Some(400..=499) => findings.good("door", "a request with a foreign Host is refused"),
        Some(_) => findings.problem(
            "door",
            "a request with a foreign Host is answered: any web page could use the model",
            "run a newer fanlight",
        ),
        None => {}
    }
}

/// Whether the server's is.
pub(super) async fn look_upstream(proxy: &Proxy, findings: &mut Findings) {
    if status(&proxy.upstream.address.authority, "/api/version").await == Some(200) {
        let text = "it answers a request with a foreign Host: any web page could use it";
        findings.warn("server", text, "let it listen on 127.0.0.1 only (OLLAMA_HOST), and set no OLLAMA_ORIGINS=*");
    }
}

/// The status of an answer to a request with a foreign Host; `None`: no answer.
async fn status(authority: &str, path: &str) -> Option<u16> {
    let ask = async {
        let mut stream = TcpStream::connect(authority).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {FOREIGN}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut head = [0; 16];
        stream.read_exact(&mut head).await.ok()?;
        std::str::from_utf8(&head).ok()?.split(' ').nth(1)?.get(..3)?.parse().ok()
    };
    tokio::time::timeout(PATIENCE, ask).await.ok()?
}
