//! What is not ours goes on byte for byte.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, ORIGIN, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Method, Response};
use http_body_util::BodyExt;

use super::reply::{self, ReplyBody};
use super::state::Proxy;
use super::upstream::Ask;

/// A request of the client, read whole.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Headers that belong to one connection.
const HOP_BY_HOP: [HeaderName; 8] =
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH];

/// Sends a request on as it is, and the answer back as it comes.
pub(super) async fn send(proxy: &Arc<Proxy>, incoming: Incoming) -> Response<ReplyBody> {
    let mut headers = without_hops(incoming.headers);
    // A model server on loopback refuses other hosts and any foreign origin.
    headers.remove(HOST);
    headers.remove(ORIGIN);
    let ask = Ask { method: incoming.method, path: incoming.path, headers, body: incoming.body };
    match proxy.upstream.send(ask).await {
        Ok(answer) => {
            let mut response = Response::new(answer.body.map_err(Into::into).boxed_unsync());
            *response.status_mut() = answer.status;
            *response.headers_mut() = without_hops(answer.headers);
            response
        }
        Err(error) => reply::refuse(&error.into()),
    }
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
    use http::HeaderValue;

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
