//! `fanlight statusline`: one line for the status line of Claude Code, from what the proxy says of the last request.

use std::io::{Read, Write};
use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::Value;

use super::Outcome;
use super::numbers::grouped;
use crate::ledger::Entry;
use crate::proxy::{Address, Upstream};

/// Print one line for the client's status line: window used, saved, cache, tokens a second
///
/// In the client's settings: {"statusLine": {"type": "command", "command": "fanlight statusline"}}; or for one session:
/// fanlight run --statusline claude
#[derive(Debug, Args)]
pub(super) struct Statusline {
    /// Where the proxy listens.
    #[arg(long, value_name = "URL", env = "ANTHROPIC_BASE_URL", default_value = "http://127.0.0.1:11435")]
    proxy: String,
    /// Print nothing; exit status 1 when the proxy does not answer.
    #[arg(long)]
    check: bool,
}

/// The client asks often, and waits.
const PATIENCE: Duration = Duration::from_millis(900);

impl Statusline {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        if self.check {
            let report = super::runtime()?.block_on(report(&self.proxy));
            return Ok(if report.is_some() { Outcome::Good } else { Outcome::No });
        }
        // The client says who it is; what it needs to know stands in its environment.
        let _ = std::io::stdin().lock().take(1 << 20).read_to_end(&mut Vec::new());
        let report = super::runtime()?.block_on(report(&self.proxy));
        let line = report.map_or_else(|| format!("fanlight: no answer at {}", self.proxy), |report| line(&report));
        writeln!(std::io::stdout().lock(), "{line}")?;
        Ok(Outcome::Good)
    }
}

async fn report(proxy: &str) -> Option<Value> {
    let upstream = Upstream::at(Address::parse(proxy).ok()?);
    let asked = upstream.json(Method::GET, "/fanlight/report", None);
    let (status, report) = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
    (status == 200 && report.get("summary").is_some()).then_some(report)
}

/// What is worth a line: of the newest request that a model answered, and of the session.
fn line(report: &Value) -> String {
    let recent: Vec<Entry> = serde_json::from_value(report["recent"].clone()).unwrap_or_default();
    let Some(last) = recent.iter().rev().find(|entry| entry.after.total > 0 && entry.kind == "main").or(recent.last())
    else {
        return "fanlight: no request yet".to_owned();
    };
    let mut parts = vec![last.model.clone()];
    if let Some(percent) = (100 * last.after.total).checked_div(last.window) {
        parts.push(format!("window {} of {} ({percent} %)", grouped(last.after.total), grouped(last.window)));
    }
    let (part, whole) = (report["summary"]["sent"]["part"].as_u64(), report["summary"]["sent"]["whole"].as_u64());
    if let (Some(part), Some(whole @ 1..)) = (part, whole) {
        parts.push(format!("{} % saved", 100 - (100 * part / whole).min(100)));
    }
    if let (Some(cached), Some(prompt @ 1..)) = (last.cached, last.prompt) {
        parts.push(format!("{} % cached", 100 * cached / prompt));
    }
    let writing = last.total_ms.saturating_sub(last.first_ms.unwrap_or(last.total_ms));
    if let Some(output) = last.output.filter(|_| writing > 200) {
        parts.push(format!("{:.0} tok/s", output as f64 * 1000.0 / writing as f64));
    }
    if last.cuts > 0 {
        parts.push(format!("{} cuts", last.cuts));
    }
    parts.extend(warning(report));
    parts.join(" · ")
}

/// What is wrong, in a few words; the page and `doctor` say more.
fn warning(report: &Value) -> Option<String> {
    if report["server_cuts"].as_u64().is_some_and(|cuts| cuts > 0) {
        return Some("! the server cuts prompts: fanlight doctor".into());
    }
    if report["rules_error"].is_string() {
        return Some("! broken rule file".into());
    }
    let failed = report["summary"]["failed"].as_u64().unwrap_or_default();
    (failed > 0).then(|| format!("! {failed} failed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry() -> Value {
        json!({"kind": "main", "model": "q:7b", "window": 8192, "after": {"system": 0, "tools": 0, "messages": 0, "total": 4096},
            "prompt": 4000, "cached": 3000, "output": 100, "first_ms": 1000, "total_ms": 6000})
    }

    #[test]
    fn the_line_is_of_the_last_main_request_and_short() {
        let mut side = entry();
        side["kind"] = json!("title");
        let report = json!({"recent": [entry(), side], "summary": {"sent": {"part": 10, "whole": 200}, "failed": 0}});
        let line = line(&report);
        assert_eq!(line, "q:7b · window 4,096 of 8,192 (50 %) · 95 % saved · 75 % cached · 20 tok/s");
    }

    #[test]
    fn what_is_unknown_is_left_out_and_what_is_wrong_is_said() {
        let bare = json!({"kind": "main", "model": "m"});
        let report = json!({"recent": [bare], "server_cuts": 2, "summary": {"failed": 1}});
        assert_eq!(line(&report), "m · ! the server cuts prompts: fanlight doctor");
        assert_eq!(line(&json!({"recent": []})), "fanlight: no request yet");
    }
}
