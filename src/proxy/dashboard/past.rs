//! What the page asks about the past: sums and lists from the ledger, and one exchange in full.

use std::sync::Arc;

use http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::reply::{self, ReplyBody};
use super::super::state::Proxy;
use crate::ledger::{History, Question, read_since};
use crate::wire::{ErrorKind, WireError};

/// The most exchanges that are listed at once.
const MOST_LISTED: usize = 500;

/// Answers `/fanlight/history?since=MS&bucket=MS&limit=N&words=…&kind=…&outcome=…`. With `start`, from what this proxy did
/// since its start; else from the ledger's files.
pub(super) async fn history(proxy: &Arc<Proxy>, query: &str) -> Response<ReplyBody> {
    let question = question(query);
    let folder = proxy.ledger.folder().filter(|_| get(query, "start").is_none());
    let Some(folder) = folder.map(ToOwned::to_owned) else {
        let mut history = History::of(&question, &proxy.ledger.recent());
        // Older ones have left the memory; the sums are of all.
        history.summary = proxy.ledger.summary();
        return answer(&history, 0);
    };
    let since = Timestamp::from_millisecond(question.since_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let read = tokio::task::spawn_blocking(move || {
        read_since(&folder, since).map(|found| (History::of(&question, &found.entries), found.unreadable))
    });
    match read.await {
        Ok(Ok((history, unreadable))) => answer(&history, unreadable),
        Ok(Err(error)) => reply::refuse(&WireError::new(ErrorKind::Api, format!("the ledger cannot be read: {error}"))),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn answer(history: &History, unreadable: usize) -> Response<ReplyBody> {
    let mut value = json!(history);
    value["unreadable"] = json!(unreadable);
    reply::json(StatusCode::OK, &value)
}

fn question(query: &str) -> Question {
    let number = |name: &str| get(query, name).and_then(|value| value.parse::<i64>().ok()).unwrap_or_default();
    let said = |name: &str| get(query, name).filter(|value| !value.is_empty());
    Question {
        since_ms: number("since"),
        bucket_ms: number("bucket").max(0),
        limit: (number("limit").max(0) as usize).min(MOST_LISTED),
        words: said("words").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        kind: said("kind"),
        outcome: said("outcome").and_then(|name| serde_json::from_value(json!(name)).ok()),
        folded: said("folded").is_some(),
        repaired: said("repaired").is_some(),
    }
}

/// Answers `/fanlight/exchange?at=MS&took=MS`: the report of an exchange where it is still known, and its bodies where they
/// are recorded.
pub(super) fn exchange(proxy: &Proxy, query: &str) -> Response<ReplyBody> {
    let number = |name: &str| get(query, name).and_then(|value| value.parse::<i64>().ok()).unwrap_or_default();
    let found = proxy.ledger.find(number("at"), number("took") as u64);
    let (report, record) = found.map_or((None, None), |(entry, report)| (report, entry.record));
    let recorded: Vec<Value> = match (&proxy.recorder, record) {
        (Some(recorder), Some(number)) => {
            let bodies = recorder.bodies(number);
            bodies.into_iter().map(|(name, body)| json!({"name": name, "body": body})).collect()
        }
        _ => Vec::new(),
    };
    let recording = proxy.recorder.is_some();
    reply::json(StatusCode::OK, &json!({"report": report, "recorded": recorded, "recording": recording}))
}

/// One value of a query, decoded.
fn get(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| decoded(value))
    })
}

/// Percent signs and plus signs as a browser writes them.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let coded = (*first == b'%').then(|| text_of(more.get(..2)?)).flatten();
        if let Some(byte) = coded {
            bytes.push(byte);
            rest = &more[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = more;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn text_of(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Outcome;

    #[test]
    fn a_query_is_read_as_a_browser_writes_it() {
        let question = question("since=5&words=a%20b+c%C3%A9&outcome=passed_through&kind=&limit=9999&folded=1");
        assert_eq!((question.since_ms, question.limit, question.folded), (5, MOST_LISTED, true));
        assert_eq!(question.words, ["a", "b", "cé"]);
        assert_eq!((question.outcome, question.kind), (Some(Outcome::PassedThrough), None));
        assert_eq!(decoded("100%"), "100%");
    }
}
