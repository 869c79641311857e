//! Which request goes where, once the door has let it in.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming as Arriving;
use serde_json::json;
use tracing::warn;

use super::account::{Times, settle};
use super::dashboard;
use super::door::Closed;
use super::exchange::{self, Incoming};
use super::facts;
use super::passthrough::{self, Head};
use super::reply::{self, ReplyBody};
use super::state::Proxy;
use super::upload::Upload;
use super::{body, browser};
use crate::ledger::Outcome;
use crate::report::Report;
use crate::wire::{ErrorKind, WireError};

/// So long the state of health waits for what is not known yet.
const HEALTH: Duration = Duration::from_millis(700);

/// Answers one request that came in at the address `at` of this machine.
///
/// # Errors
/// Never: what goes wrong is an answer too.
pub(super) async fn route(
    proxy: Arc<Proxy>,
    at: SocketAddr,
    request: Request<Arriving>,
) -> Result<Response<ReplyBody>, Infallible> {
    let (parts, body) = request.into_parts();
    let from = match proxy.settings.door.check(&parts, at.ip()) {
        Ok(from) => from,
        Err(closed) => return Ok(turn_away(&proxy, &closed)),
    };
    if let Some(allowed) = browser::preflight(&parts, &from) {
        return Ok(allowed);
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let head =
        Head { path: plain_path(path).to_owned(), method: parts.method, headers: parts.headers, from: from.clone() };
    let mut response = answer(proxy, head, body).await;
    browser::let_read(&mut response, &from);
    Ok(response)
}

async fn answer(proxy: Arc<Proxy>, head: Head, body: Arriving) -> Response<ReplyBody> {
    let path = head.path.split('?').next().unwrap_or_default().to_owned();
    match (&head.method, path.trim_end_matches('/')) {
        (&Method::POST, "/v1/messages") => match read(&proxy, head, body).await {
            Ok(incoming) => exchange::messages(proxy, incoming).await,
            Err(refused) => refused,
        },
        (&Method::POST, "/v1/messages/count_tokens") => match read(&proxy, head, body).await {
            Ok(incoming) => exchange::count_tokens(proxy, incoming).await,
            Err(refused) => refused,
        },
        (&Method::HEAD, "") | (&Method::HEAD | &Method::GET, "/api/hello") => ok(),
        (&Method::GET, "/v1/models") => models(&proxy, head.headers.contains_key("anthropic-version")).await,
        (_, path) if path.starts_with("/api/event_logging") => reply::json(StatusCode::OK, &json!({})),
        (&Method::GET, "/fanlight/health") => health(&proxy).await,
        (&Method::GET, "/fanlight/metrics") => {
            reply::text(StatusCode::OK, "text/plain; version=0.0.4", proxy.metrics.render())
        }
        (&Method::GET, path) if path.starts_with("/fanlight/") => {
            let query = head.path.split_once('?').map_or("", |(_, query)| query);
            match dashboard::answer(&proxy, path, query).await {
                Some(mut answer) => {
                    browser::restrict(&mut answer);
                    answer
                }
                None => passthrough::send(&proxy, head, Upload::coming(body)).await,
            }
        }
        (&Method::CONNECT, _) => reply::refuse(&WireError::new(ErrorKind::InvalidRequest, "nothing is tunnelled here")),
        _ => passthrough::send(&proxy, head, Upload::coming(body)).await,
    }
}

/// Says why somebody is not let in: to him each time, in the log once a kind.
fn turn_away(proxy: &Proxy, closed: &Closed) -> Response<ReplyBody> {
    proxy.metrics.turned_away.add(1);
    if proxy.is_news(&format!("closed to {}", closed.kind())) {
        warn!(kind = closed.kind(), "a request was turned away at the door: {closed}");
    }
    reply::refuse(&WireError::from(closed))
}

/// A base address that ends in `/v1` makes clients ask for `/v1/v1/…`.
fn plain_path(mut path: &str) -> &str {
    while path.starts_with("/v1/v1/") {
        path = &path[3..];
    }
    path
}

async fn read(proxy: &Proxy, head: Head, body: Arriving) -> Result<Incoming, Response<ReplyBody>> {
    match body::read(body, &proxy.memory).await {
        Ok((body, held)) => Ok(Incoming { head, body, held }),
        Err(error) => {
            settle(proxy, Report::default(), Outcome::Refused, Times::begin());
            Err(reply::refuse(&proxy.tell(error)))
        }
    }
}

fn ok() -> Response<ReplyBody> {
    reply::text(StatusCode::OK, "text/plain", "")
}

/// The models of the server, in Anthropic's shape. Clients of that protocol list only names that have its maker in them, so
/// for them each model has a second one.
async fn models(proxy: &Proxy, of_anthropic: bool) -> Response<ReplyBody> {
    let server = match proxy.server().await {
        Ok(server) => server,
        Err(error) => return reply::refuse(&proxy.tell(error.into())),
    };
    let names =
        if server.installed.is_empty() { server.served.iter().cloned().collect() } else { server.installed.clone() };
    let entry = |name: &String| json!({"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"});
    let mut data: Vec<serde_json::Value> = names.iter().map(entry).collect();
    if of_anthropic {
        data.extend(names.iter().map(|name| {
            let id = format!("{}{name}", facts::ALIAS);
            json!({"type": "model", "id": id, "display_name": name, "description": "local, through fanlight", "created_at": "1970-01-01T00:00:00Z"})
        }));
    }
    reply::json(
        StatusCode::OK,
        &json!({"data": data, "has_more": false, "first_id": names.first(), "last_id": names.last()}),
    )
}

/// Whether the proxy and what it stands before are well. It answers whatever the server does, and says what is not known.
async fn health(proxy: &Proxy) -> Response<ReplyBody> {
    let fault = proxy.rules_fault.load();
    let mut state = json!({"status": "ok", "upstream": proxy.upstream.address.to_string(), "rules_error": **fault});
    let known = match tokio::time::timeout(HEALTH, proxy.model("")).await {
        Ok(Ok(facts)) => Some(facts),
        Ok(Err(error)) => {
            state["status"] = json!("no model server");
            state["error"] = json!(error.to_string());
            None
        }
        Err(_) => {
            state["status"] = json!("no answer");
            state["error"] = json!("the model server was asked and has not answered yet");
            proxy.model_known()
        }
    };
    match known {
        Some(facts) => {
            state["model"] = json!(facts.name);
            state["window"] = json!(facts.window.tokens);
            state["window_source"] = json!(facts.window.source);
        }
        None => state["unknown"] = json!(["model", "window"]),
    }
    reply::json(StatusCode::OK, &state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_version_is_read_as_one() {
        assert_eq!(plain_path("/v1/v1/messages?beta=true"), "/v1/messages?beta=true");
        assert_eq!(plain_path("/v1/messages"), "/v1/messages");
    }
}
