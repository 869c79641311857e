//! What browsers have to be told: which pages may read an answer, and what our own page may do.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::door::From;
use super::reply::{self, ReplyBody};

/// The answer to a browser that asks whether a page that the user allows may send a request.
pub(super) fn preflight(head: &Parts, from: &From) -> Option<Response<ReplyBody>> {
    let method = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD).filter(|_| head.method == Method::OPTIONS)?;
    if !matches!(from, From::Allowed(_)) {
        return None;
    }
    let mut response = reply::text(StatusCode::NO_CONTENT, "text/plain", "");
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
    headers.extend(
        head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS).map(|names| (ACCESS_CONTROL_ALLOW_HEADERS, names.clone())),
    );
    let_read(&mut response, from);
    Some(response)
}

/// Lets a page that the user allows read the answer.
pub(super) fn let_read(response: &mut Response<ReplyBody>, from: &From) {
    if let From::Allowed(origin) = from {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    }
}

/// What the parts of our own page may do: load from this proxy, and ask it; nothing else.
pub(super) fn restrict(response: &mut Response<ReplyBody>) {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
        connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let fixed: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    response.headers_mut().extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
}
