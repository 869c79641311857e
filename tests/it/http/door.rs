//! The promise "closed": who is not let in, whatever the route, and what goes no further than the proxy.

use fanlight::proxy::{self, Address, Settings, Token};
use fanlight::wire::Dialect;

use super::client::{self, Answer};
use super::upstream::{Script, Upstream};
use super::{Door, good_events, request, wishes};

/// Every kind of route, and the root.
const ROUTES: [(&str, &str); 12] = [
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("GET", "/v1/models"),
    ("HEAD", "/"),
    ("GET", "/fanlight/health"),
    ("GET", "/fanlight/metrics"),
    ("GET", "/fanlight/report"),
    ("GET", "/fanlight/ui"),
    ("POST", "/api/pull"),
    ("DELETE", "/api/delete"),
    ("OPTIONS", "/api/create"),
    ("POST", "/api/event_logging/batch"),
];

async fn with(upstream: &Upstream, door: proxy::Door, forward_credentials: bool) -> Door {
    let address = Address::parse(&upstream.address.to_string()).unwrap();
    let settings = Settings::before(address, wishes(Dialect::Anthropic));
    Door::with(Settings { door, forward_credentials, ..settings }).await
}

async fn ask(door: &Door, route: (&str, &str), headers: &[(&'static str, &str)]) -> Answer {
    let body = if route.0 == "POST" { request(true).to_string() } else { String::new() };
    client::send(door.address, route.0, route.1, headers, body.into_bytes()).await
}

#[tokio::test]
async fn closed_to_a_foreign_host_or_origin_whatever_the_route() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let foreign: [&[(&'static str, &str)]; 4] = [
        &[("host", "evil.example")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
    ];
    for headers in foreign {
        for route in ROUTES {
            let answer = ask(&door, route, headers).await;
            assert_eq!(answer.status, 403, "{route:?} {headers:?}");
        }
    }
    assert!(upstream.seen().is_empty());
    assert_eq!(door.proxy.metrics.turned_away.get(), (foreign.len() * ROUTES.len()) as u64);
    assert_eq!(ask(&door, ("POST", "/v1/messages"), &[("host", "localhost:1")]).await.status, 200);
}

#[tokio::test]
async fn closed_without_the_token_whatever_the_route() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = with(&upstream, proxy::Door { token: Token::new("s3cret"), ..proxy::Door::default() }, true).await;
    for route in ROUTES {
        assert_eq!(ask(&door, route, &[]).await.status, 401, "{route:?}");
        assert_eq!(ask(&door, route, &[("authorization", "Bearer wrong!")]).await.status, 401, "{route:?}");
    }
    assert!(upstream.seen().is_empty());
    for shown in [("authorization", "Bearer s3cret"), ("x-api-key", "s3cret")] {
        assert_eq!(ask(&door, ("POST", "/v1/messages"), &[shown]).await.status, 200);
        assert_eq!(ask(&door, ("POST", "/api/pull"), &[shown]).await.status, 200);
    }
    let seen = upstream.seen();
    assert!(seen.len() == 4 && seen.iter().all(|seen| !format!("{:?}", seen.headers).contains("s3cret")));
}

#[tokio::test]
async fn no_credential_goes_upstream_unasked() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let shown = [("authorization", "Bearer t"), ("x-api-key", "k"), ("cookie", "a=b")];
    for (asked, kept) in [(false, 0), (true, 3)] {
        let door = with(&upstream, proxy::Door::default(), asked).await;
        for route in [("POST", "/v1/messages"), ("POST", "/api/pull")] {
            assert_eq!(ask(&door, route, &shown).await.status, 200);
            let seen = upstream.seen().pop().unwrap();
            let found = shown.iter().filter(|(name, _)| seen.headers.contains_key(*name)).count();
            assert_eq!(found, kept, "{route:?}, asked for: {asked}");
        }
    }
}

#[tokio::test]
async fn a_page_that_the_user_allows_may_ask_and_read() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let good = "http://localhost:3000";
    let door = with(&upstream, proxy::Door { origins: vec![good.into()], ..proxy::Door::default() }, false).await;
    let asks = [("origin", good), ("access-control-request-method", "POST"), ("access-control-request-headers", "x-a")];
    let preflight = ask(&door, ("OPTIONS", "/v1/messages"), &asks).await;
    assert_eq!(preflight.status, 204);
    for (name, value) in [("origin", good), ("methods", "POST"), ("headers", "x-a")] {
        assert_eq!(preflight.headers[&format!("access-control-allow-{name}")], value);
    }
    assert!(upstream.seen().is_empty());
    let answer = ask(&door, ("POST", "/v1/messages"), &[("origin", good)]).await;
    assert_eq!((answer.status, &answer.headers["access-control-allow-origin"]), (200, &good.parse().unwrap()));
    ask(&door, ("POST", "/api/pull"), &[("origin", good)]).await;
    assert_eq!(upstream.seen().pop().unwrap().headers["origin"], good, "the server judges by itself");
    assert_eq!(ask(&door, ("POST", "/v1/messages"), &[("origin", "http://localhost:3001")]).await.status, 403);
}

#[tokio::test]
async fn the_page_may_run_its_own_scripts_and_nothing_else() {
    let upstream = Upstream::start([Script::events(good_events())]).await;
    let door = Door::anthropic(&upstream).await;
    let page = ask(&door, ("GET", "/fanlight/ui"), &[]).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    for script in page.text().split("<script").skip(1) {
        assert!(script.starts_with(" src=\"/fanlight/"), "{script}");
    }
}
