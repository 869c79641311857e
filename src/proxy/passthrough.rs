//! What is not ours goes on byte for byte.

use std::sync::Arc;
use std::time::Duration;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderName, ORIGIN, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Response};
use http_body_util::BodyExt;

use super::door::{API_KEY, From};
use super::reply::{self, ReplyBody};
use super::state::Proxy;
use super::upload::Upload;
use super::upstream::Ask;

/// The head of a request of the client.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
    /// The page that it comes from.
    pub from: From,
}

/// Headers that belong to one connection.
const HOP_BY_HOP: [HeaderName; 8] =
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH];

/// What a client shows to prove who it is.
const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, API_KEY, COOKIE];

/// So long a server may work on what it was sent before it says a word: a model is fetched, or made.
const PATIENCE: Duration = Duration::from_secs(6 * 60 * 60);

/// Sends a request on as it is, and the answer back as it comes.
pub(super) async fn send(proxy: &Arc<Proxy>, head: Head, body: Upload) -> Response<ReplyBody> {
    let headers = headers_for(proxy, &head);
    let ask = Ask { method: head.method, path: head.path, headers, body };
    match proxy.upstream.send(ask, PATIENCE).await {
        Ok(answer) => {
            let mut response = Response::new(answer.body.boxed_unsync());
            *response.status_mut() = answer.status;
            *response.headers_mut() = without_hops(answer.headers);
            response
        }
        Err(error) => reply::refuse(&proxy.tell(error.into())),
    }
}

/// The headers as the server gets them. It judges by itself what comes from the pages that the user allows; our own page
/// is to it as one of its own.
fn headers_for(proxy: &Proxy, head: &Head) -> HeaderMap {
    let mut headers = without_hops(head.headers.clone());
    headers.remove(HOST);
    if head.from == From::Own {
        let own = HeaderValue::from_str(&format!("http://{}", proxy.upstream.address.authority));
        headers.remove(ORIGIN);
        headers.extend(own.ok().map(|own| (ORIGIN, own)));
    }
    let credentials = credentials(proxy, &head.headers);
    for name in &CREDENTIALS {
        headers.remove(name);
    }
    headers.extend(credentials);
    headers
}

/// What of a client's credentials goes on: nothing, unless the user says so; our own token never.
pub(super) fn credentials(proxy: &Proxy, headers: &HeaderMap) -> HeaderMap {
    if !proxy.settings.forward_credentials || proxy.settings.door.is_own_token(headers) {
        return HeaderMap::new();
    }
    CREDENTIALS.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone()))).collect()
}

fn without_hops(mut headers: HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_the_connection_stay_behind() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("connection", "close, x-mine"), ("x-mine", "1"), ("keep-alive", "5"), ("accept", "*/*")]
        {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let left = without_hops(headers);
        assert_eq!(left.keys().collect::<Vec<_>>(), ["accept"]);
    }
}
