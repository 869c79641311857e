//! One line a call: what was done, to what, and how it ended.

use super::estimate::ellipsis;
use super::facts::is_fact;
use super::handle;
use crate::history::{Act, Call};

/// The longest part of a command or pattern in a line, in bytes.
const COMMAND: usize = 160;
/// The longest fact in a line, in bytes.
const FACT: usize = 120;
/// How many facts a line quotes.
const FACTS: usize = 3;

/// The line of one call.
pub(super) fn line(call: &Call<'_>) -> String {
    let what = subject(call);
    let outcome = outcome(call);
    format!("{} {} {what}{outcome}", handle::of_message(call.message), call.call.name)
}

fn subject(call: &Call<'_>) -> String {
    match &call.act {
        Act::Read { path, offset, limit } => format!("{}{}", name(path), range(*offset, *limit)),
        Act::Edit { path, .. } | Act::Write { path, .. } => name(path).to_owned(),
        Act::Run { command } => ellipsis(&one_line(command), COMMAND),
        Act::Search { pattern, path } | Act::List { pattern, path } => {
            let place = path.map(|path| format!(" in {}", name(path))).unwrap_or_default();
            format!("{}{place}", ellipsis(&one_line(pattern), COMMAND))
        }
        Act::Other => ellipsis(&one_line(&words(&call.call.input)), COMMAND / 2),
    }
}

fn name(path: &str) -> &str {
    path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path)
}

fn range(offset: Option<usize>, limit: Option<usize>) -> String {
    match (offset, limit) {
        (None, None) => String::new(),
        (offset, Some(limit)) => {
            let first = offset.unwrap_or(1).max(1);
            format!(":{first}-{}", first + limit.max(1) - 1)
        }
        (Some(offset), None) => format!(":{offset}-"),
    }
}

/// How it ended: `ok` is not said; an error is, and the facts of what a command printed.
fn outcome(call: &Call<'_>) -> String {
    if call.result.is_none() {
        return " (no result)".to_owned();
    }
    let text = call.result_text();
    let plain_error = || text.lines().map(str::trim).find(|line| !line.is_empty()).map(|line| ellipsis(line, FACT));
    let mut facts: Vec<String> = match call.act {
        Act::Run { .. } | Act::Other => {
            text.lines().filter(|line| is_fact(line)).map(|line| ellipsis(line.trim(), FACT)).take(FACTS).collect()
        }
        _ => Vec::new(),
    };
    if call.failed() && facts.is_empty() {
        facts.extend(plain_error());
    }
    match (call.failed(), facts.is_empty()) {
        (true, _) => format!(" FAILED: {}", facts.join(" | ")),
        (false, true) => String::new(),
        (false, false) => format!(": {}", facts.join(" | ")),
    }
}

/// The texts of an input, one after the other.
fn words(input: &serde_json::Value) -> String {
    let fields = input.as_object().into_iter().flat_map(|fields| fields.values());
    fields.filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(" ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
