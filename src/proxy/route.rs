//! Which request goes where.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming as Arriving;
use serde_json::json;

use super::account::{Times, settle};
use super::dashboard;
use super::exchange;
use super::facts;
use super::passthrough::{self, Incoming};
use super::reply::{self, ReplyBody};
use super::state::Proxy;
use crate::ledger::Outcome;
use crate::report::Report;
use crate::wire::{ErrorKind, WireError};

/// The largest body that is read, in bytes.
const LARGEST: usize = 32 << 20;

/// What is thrown away of a larger one, so that the client has sent it all and reads why it was refused.
const DRAINED: usize = 1 << 30;

/// Answers one request.
///
/// # Errors
/// Never: what goes wrong is an answer too.
pub(super) async fn route(proxy: Arc<Proxy>, request: Request<Arriving>) -> Result<Response<ReplyBody>, Infallible> {
    let (head, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err(error) => {
            settle(&proxy, Report::default(), Outcome::Refused, Times::begin());
            return Ok(reply::refuse(&error));
        }
    };
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let incoming = Incoming { path: plain_path(path).to_owned(), method: head.method, headers: head.headers, body };
    Ok(answer(proxy, incoming).await)
}

async fn answer(proxy: Arc<Proxy>, incoming: Incoming) -> Response<ReplyBody> {
    let path = incoming.path.split('?').next().unwrap_or_default().to_owned();
    match (incoming.method.clone(), path.trim_end_matches('/')) {
        (Method::POST, "/v1/messages") => exchange::messages(proxy, incoming).await,
        (Method::POST, "/v1/messages/count_tokens") => exchange::count_tokens(proxy, incoming).await,
        (Method::HEAD, "") | (Method::HEAD | Method::GET, "/api/hello") => ok(),
        (Method::GET, "/v1/models") => models(&proxy, incoming.headers.contains_key("anthropic-version")).await,
        (_, path) if path.starts_with("/api/event_logging") => reply::json(StatusCode::OK, &json!({})),
        (Method::GET, "/fanlight/health") => health(&proxy).await,
        (Method::GET, "/fanlight/metrics") => {
            reply::text(StatusCode::OK, "text/plain; version=0.0.4", proxy.metrics.render())
        }
        (Method::GET, path) if path.starts_with("/fanlight/") => {
            let query = incoming.path.split_once('?').map_or("", |(_, query)| query);
            match dashboard::answer(&proxy, path, query).await {
                Some(answer) => answer,
                None => passthrough::send(&proxy, incoming).await,
            }
        }
        _ => passthrough::send(&proxy, incoming).await,
    }
}

/// A base address that ends in `/v1` makes clients ask for `/v1/v1/…`.
fn plain_path(mut path: &str) -> &str {
    while path.starts_with("/v1/v1/") {
        path = &path[3..];
    }
    path
}

async fn read(mut body: Arriving) -> Result<Bytes, WireError> {
    let broke_off = |_| WireError::new(ErrorKind::InvalidRequest, "the request broke off");
    let mut bytes = Vec::with_capacity(body.size_hint().lower().min(LARGEST as u64) as usize);
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broke_off)?.into_data() else { continue };
        seen += data.remaining();
        if seen > DRAINED {
            break;
        } else if seen <= LARGEST {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
    }
    if seen > LARGEST {
        return Err(WireError::new(ErrorKind::RequestTooLarge, format!("the body is over {} MiB", LARGEST >> 20)));
    }
    Ok(bytes.into())
}

fn ok() -> Response<ReplyBody> {
    reply::text(StatusCode::OK, "text/plain", "")
}

/// The models of the server, in Anthropic's shape. Clients of that protocol list only names that have its maker in them, so
/// for them each model has a second one.
async fn models(proxy: &Proxy, of_anthropic: bool) -> Response<ReplyBody> {
    let server = match proxy.server().await {
        Ok(server) => server,
        Err(error) => return reply::refuse(&error.into()),
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

/// Whether the proxy and what it stands before are well.
async fn health(proxy: &Proxy) -> Response<ReplyBody> {
    let fault = proxy.rules_fault.load();
    let mut state = json!({"status": "ok", "upstream": proxy.upstream.address.to_string(), "rules_error": **fault});
    match proxy.model("").await {
        Ok(facts) => {
            state["model"] = json!(facts.name);
            state["window"] = json!(facts.window.tokens);
            state["window_source"] = json!(facts.window.source);
        }
        Err(error) => {
            state["status"] = json!("no model server");
            state["error"] = json!(error.to_string());
        }
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
