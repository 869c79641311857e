//! The page of a running proxy: its files, what is under way, and the answers to its questions. Nothing that it loads comes
//! from elsewhere, and no script stands in its markup.

mod events;
mod past;
mod underway;

use std::sync::Arc;

use http::{Response, StatusCode};
use tokio::sync::watch;

use super::reply::{self, ReplyBody};
use super::state::Proxy;

pub(super) use self::underway::Underway;

/// The files of the page: name, kind, content.
const FILES: [(&str, &str, &str); 6] = [
    ("", "text/html; charset=utf-8", include_str!("page.html")),
    ("/page.css", "text/css; charset=utf-8", include_str!("page.css")),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("page.js")),
    ("/icon.svg", "image/svg+xml", include_str!("icon.svg")),
    ("/uplot.css", "text/css; charset=utf-8", include_str!("vendor/uplot.css")),
    ("/uplot.js", "text/javascript; charset=utf-8", include_str!("vendor/uplot.js")),
];

/// What those who look at the page are told about.
#[derive(Debug)]
pub struct Dashboard {
    underway: underway::List,
    /// Counts the exchanges that are over.
    settled: watch::Sender<u64>,
    closing: watch::Sender<bool>,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self { underway: underway::List::default(), settled: watch::Sender::new(0), closing: watch::Sender::new(false) }
    }
}

impl Dashboard {
    /// An exchange is over and in the ledger.
    pub(super) fn settled(&self) {
        self.settled.send_modify(|count| *count += 1);
    }

    /// Ends the streams of events: they would keep an ending proxy waiting.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }
}

/// Answers what the page asks; `None`: that is no question of the page.
pub(super) async fn answer(proxy: &Arc<Proxy>, path: &str, query: &str) -> Option<Response<ReplyBody>> {
    match path {
        "/fanlight/report" => Some(reply::json(StatusCode::OK, &report(proxy))),
        "/fanlight/events" => Some(events::stream(proxy.clone())),
        "/fanlight/history" => Some(past::history(proxy, query).await),
        "/fanlight/exchange" => Some(past::exchange(proxy, query)),
        _ => {
            let name = path.strip_prefix("/fanlight/ui")?;
            let (_, kind, content) = FILES.iter().find(|(file, _, _)| *file == name)?;
            Some(reply::text(StatusCode::OK, kind, *content))
        }
    }
}

/// What was done so far, and what is wrong with the rules and with how the server renders.
fn report(proxy: &Proxy) -> serde_json::Value {
    let mut live = proxy.ledger.live();
    live["rendering"] = serde_json::json!(**proxy.rendering.load());
    live["rules_error"] = serde_json::json!(**proxy.rules_fault.load());
    live["server_cuts"] = serde_json::json!(proxy.metrics.cuts_by_server.get());
    live
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Entry, History, Ledger};
    use crate::report::Report;

    const PAGE: &str = FILES[0].2;
    const SCRIPT: &str = FILES[2].2;

    #[test]
    fn nothing_comes_from_outside_and_no_script_stands_in_the_markup() {
        for part in PAGE.split("<script").skip(1) {
            let (head, rest) = part.split_once('>').unwrap();
            assert!(head.contains("src=\"/fanlight/ui/") && rest.starts_with("</script>"), "{head}");
        }
        for text in [PAGE, SCRIPT, FILES[1].2] {
            let mut text = text.replace("http://www.w3.org/", "");
            text.retain(|c| !c.is_whitespace());
            assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("url("));
        }
        assert!(!PAGE.contains("style=") && !PAGE.contains(" on") && !SCRIPT.contains("innerHTML"));
        for file in PAGE.split("/fanlight/ui/").skip(1) {
            let name = format!("/{}", file.split('"').next().unwrap());
            assert!(FILES.iter().any(|(file, _, _)| *file == name), "{name}");
        }
    }

    #[test]
    fn the_page_asks_for_fields_that_are_there() {
        let ledger = Ledger::new(None);
        ledger.record(Entry::default(), Report::default());
        let live = ledger.live();
        let history = serde_json::to_value(History::of(&crate::ledger::Question::default(), &ledger.recent())).unwrap();
        for field in ["before", "after", "over_window", "cached", "repairs", "local", "refused", "sent", "folded"] {
            assert!(SCRIPT.contains(&format!("s.{field}")) && !history["summary"][field].is_null(), "{field}");
        }
        for field in ["at_ms", "first_ms", "total_ms", "outcome", "prompt", "cached", "kind", "model", "channel"] {
            assert!(SCRIPT.contains(&format!(".{field}")) && live["recent"][0].get(field).is_some(), "{field}");
        }
    }

    #[test]
    fn every_id_that_the_script_looks_for_is_in_the_page() {
        for part in SCRIPT.split("at(\"").skip(1).chain(SCRIPT.split("fill(\"").skip(1)) {
            let id = part.split('"').next().unwrap();
            assert!(PAGE.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }
}
