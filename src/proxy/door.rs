//! Who may come in: Host, Origin and token of a request, looked at before any route.
//!
//! A page in a browser can send requests to this machine. What gives it away is the `Origin` that the browser adds, or,
//! where a foreign name was made to lead here, the `Host`. No route is worth an exception.

use std::fmt;
use std::net::IpAddr;

use http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Version};
use subtle::ConstantTimeEq;

use crate::wire::{ErrorKind, WireError};

/// Where clients may put their token beside `Authorization`.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a browser says of where a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Who is let in beside clients on this machine that name it by a loopback name.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// Names under which this proxy may be addressed: `box.lan`, `*.lan`, or `*` for any.
    pub hosts: Vec<String>,
    /// Origins of web pages that may use it: `https://page.example`, or `*` for any.
    pub origins: Vec<String>,
    /// What every request has to show; `None`: nothing.
    pub token: Option<Token>,
}

/// A secret that is compared in constant time and never printed.
#[derive(Clone)]
pub struct Token(String);

/// Why a request is turned away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Closed {
    #[error("the host {0:?} is not allowed here; if it is yours, start fanlight with --allow-host")]
    Host(String),
    #[error("pages of {0:?} may not use this proxy; to let them, start fanlight with --allow-origin")]
    Origin(String),
    #[error("this proxy wants its token, as `Authorization: Bearer` or `x-api-key`")]
    Token,
}

/// The page that a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// No page of a browser.
    Nobody,
    /// This proxy's own page.
    Own,
    /// One that the user allows.
    Allowed(HeaderValue),
}

impl Door {
    /// Lets a request in that came in at the address `at` of this machine, or says why not.
    pub(super) fn check(&self, head: &Parts, at: IpAddr) -> Result<From, Closed> {
        let host = self.host(head, at)?;
        let from = self.origin(&head.headers, host.as_ref())?;
        match &self.token {
            Some(token) if !shown(&head.headers).any(|shown| token.is(shown)) => Err(Closed::Token),
            _ => Ok(from),
        }
    }

    /// Whether a header carries the token of this door, which is nobody else's business.
    pub(super) fn is_own_token(&self, headers: &HeaderMap) -> bool {
        self.token.as_ref().is_some_and(|token| shown(headers).any(|shown| token.is(shown)))
    }

    fn host(&self, head: &Parts, at: IpAddr) -> Result<Option<Authority>, Closed> {
        let mut named: Vec<&[u8]> = head.headers.get_all(HOST).iter().map(HeaderValue::as_bytes).collect();
        named.extend(head.uri.authority().map(|authority| authority.as_str().as_bytes()));
        // HTTP/1.0 has no such header, and no browser speaks it.
        if named.is_empty() && head.version < Version::HTTP_11 {
            return Ok(None);
        }
        let foreign = |bytes: &[u8]| Closed::Host(excerpt(bytes));
        let mut own = None;
        for bytes in &named {
            let host = Authority::try_from(*bytes).map_err(|_| foreign(bytes))?;
            if host.as_str().contains('@') || !(is_loopback(host.host(), at) || allows(&self.hosts, host.host())) {
                return Err(foreign(bytes));
            }
            own = Some(host);
        }
        own.map(Some).ok_or_else(|| foreign(b""))
    }

    fn origin(&self, headers: &HeaderMap, host: Option<&Authority>) -> Result<From, Closed> {
        let mut from = From::Nobody;
        for origin in headers.get_all(ORIGIN) {
            from = self.page(origin, host).ok_or_else(|| Closed::Origin(excerpt(origin.as_bytes())))?;
        }
        // A picture or a script of a foreign page is asked for without an Origin; a link that somebody follows is no attack.
        let says = |name: &HeaderName, word: &str| headers.get(name).is_some_and(|value| value == word);
        let foreign = says(&FETCH_SITE, "cross-site") || says(&FETCH_SITE, "same-site");
        if from == From::Nobody && foreign && !says(&FETCH_MODE, "navigate") {
            return Err(Closed::Origin("a page that does not say its name".into()));
        }
        Ok(from)
    }

    fn page(&self, origin: &HeaderValue, host: Option<&Authority>) -> Option<From> {
        let text = origin.to_str().ok()?;
        let own = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        if host.is_some_and(|host| own.is_some_and(|own| own.eq_ignore_ascii_case(host.as_str()))) {
            return Some(From::Own);
        }
        let is_allowed = |allowed: &String| allowed == "*" || allowed.trim_end_matches('/').eq_ignore_ascii_case(text);
        self.origins.iter().any(is_allowed).then(|| From::Allowed(origin.clone()))
    }
}

impl Token {
    /// A token; `None` where it is blank.
    pub fn new(text: &str) -> Option<Self> {
        Some(text.trim()).filter(|text| !text.is_empty()).map(|text| Self(text.to_owned()))
    }

    fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Closed {
    /// The kind, for the log: each is said once.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Host(_) => "host",
            Self::Origin(_) => "origin",
            Self::Token => "token",
        }
    }
}

impl std::convert::From<&Closed> for WireError {
    fn from(closed: &Closed) -> Self {
        let kind = if *closed == Closed::Token { ErrorKind::Authentication } else { ErrorKind::Permission };
        Self::new(kind, closed.to_string())
    }
}

/// What a request shows as its token.
fn shown(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
    });
    bearer.chain(headers.get_all(API_KEY).iter().map(HeaderValue::as_bytes))
}

/// Whether a host is this machine by a name that no name server can make foreign, or the address that the request came to.
fn is_loopback(host: &str, at: IpAddr) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        let address = address.to_canonical();
        return address.is_loopback() || address == at.to_canonical();
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn allows(hosts: &[String], host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    hosts.iter().map(|allowed| allowed.to_ascii_lowercase()).any(|allowed| match allowed.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => suffix.starts_with('.') && host.ends_with(suffix),
        None => host == allowed,
    })
}

/// The beginning of what was sent, for the message.
fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 5));

    fn check(door: &Door, headers: &[(&str, &str)]) -> Result<From, Closed> {
        let mut request = http::Request::builder().uri("/api/pull");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        door.check(&request.body(()).unwrap().into_parts().0, AT)
    }

    #[test]
    fn closed_to_foreign_hosts() {
        for host in [
            "localhost",
            "LOCALHOST:11435",
            "a.localhost.",
            "127.0.0.1:1",
            "127.8.8.8",
            "[::1]:2",
            "192.168.1.5:3",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(check(&Door::default(), &[("host", host)]), Ok(From::Nobody), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "192.168.1.6",
            "0.0.0.0:11435",
            "",
            "a b",
            "[::2]",
            "notlocalhost",
        ] {
            assert!(matches!(check(&Door::default(), &[("host", host)]), Err(Closed::Host(_))), "{host}");
        }
        assert!(check(&Door::default(), &[]).is_err());
        assert!(check(&Door::default(), &[("host", "localhost"), ("host", "evil.example")]).is_err());
    }

    #[test]
    fn a_host_in_the_request_line_counts_too() {
        let head =
            |uri: &str| http::Request::builder().uri(uri).header("host", "localhost").body(()).unwrap().into_parts().0;
        assert!(Door::default().check(&head("http://evil.example/api/tags"), AT).is_err());
        assert!(Door::default().check(&head("http://127.0.0.1/api/tags"), AT).is_ok());
    }

    #[test]
    fn names_that_the_user_allows() {
        let door = Door { hosts: vec!["box.lan".into(), "*.internal".into()], ..Door::default() };
        let open = |host: &str| check(&door, &[("host", host)]).is_ok();
        assert!(open("BOX.lan:11435") && open("docker.internal"));
        assert!(!open("mybox.lan") && !open("internal") && !open("evilinternal"));
        assert!(check(&Door { hosts: vec!["*".into()], ..Door::default() }, &[("host", "any.example")]).is_ok());
    }

    #[test]
    fn closed_to_foreign_origins() {
        let door = Door { origins: vec!["https://good.example/".into()], ..Door::default() };
        let from = |origin: &str| check(&door, &[("host", "localhost:11435"), ("origin", origin)]);
        assert_eq!(from("http://localhost:11435"), Ok(From::Own));
        assert_eq!(from("https://good.example"), Ok(From::Allowed(HeaderValue::from_static("https://good.example"))));
        for origin in [
            "http://evil.example",
            "null",
            "",
            "http://localhost:3000",
            "http://localhost",
            "https://good.example.evil",
            "file://",
        ] {
            assert!(matches!(from(origin), Err(Closed::Origin(_))), "{origin}");
        }
    }

    #[test]
    fn what_a_foreign_page_asks_for_without_its_name_is_refused_and_a_link_is_not() {
        let asks = |site: &str, mode: &str| {
            check(&Door::default(), &[("host", "localhost"), ("sec-fetch-site", site), ("sec-fetch-mode", mode)])
        };
        assert!(asks("cross-site", "no-cors").is_err() && asks("same-site", "no-cors").is_err());
        assert!(
            asks("cross-site", "navigate").is_ok()
                && asks("same-origin", "cors").is_ok()
                && asks("none", "navigate").is_ok()
        );
    }

    #[test]
    fn closed_without_the_token() {
        let door = Door { token: Token::new(" s3cret\n"), ..Door::default() };
        let shows = |name: &str, value: &str| check(&door, &[("host", "localhost"), (name, value)]).is_ok();
        assert!(
            shows("authorization", "Bearer s3cret")
                && shows("authorization", "bearer  s3cret")
                && shows("x-api-key", "s3cret")
        );
        assert!(
            !shows("authorization", "s3cret")
                && !shows("authorization", "Basic s3cret")
                && !shows("x-api-key", "s3cre")
        );
        assert!(!shows("x-api-key", "s3crets") && !shows("cookie", "s3cret"));
        assert_eq!(check(&door, &[("host", "localhost")]), Err(Closed::Token));
        assert!(!format!("{door:?}").contains("s3cret"));
        assert!(Token::new(" \n").is_none());
    }
}
