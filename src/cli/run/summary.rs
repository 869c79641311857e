//! What a session cost, and what it would have cost: five lines, on one scale.

use std::fmt::Write;
use std::time::Duration;

use super::super::numbers::{grouped, span};
use crate::ledger::Summary;

/// The lines that stand on the terminal when the client has ended.
pub(super) fn words(summary: &Summary, took: Duration) -> String {
    let Summary { answered, local, sent, .. } = summary;
    if summary.exchanges == 0 {
        return "fanlight: the client asked nothing\n".to_owned();
    }
    let mut first = format!("fanlight: {answered} answered by the model, {local} here");
    for (count, word) in [(summary.refused, "refused"), (summary.failed, "failed"), (summary.cancelled, "given up")] {
        if count > 0 {
            let _ = write!(first, ", {count} {word}");
        }
    }
    let mut out = format!("{first}, in {}\n", span(took));
    let mut line = |label: &str, text: String| {
        let _ = writeln!(out, "  {label:<9} {text}");
    };
    let percent = sent.percent().map_or_else(String::new, |percent| format!(", {:.1} % less", 100.0 - percent));
    line("received", format!("{} tokens from the client (o200k)", grouped(sent.whole)));
    line("sent", format!("{} tokens to the model{percent}", grouped(sent.part)));
    let cached = summary.cached.percent().map_or_else(
        || "unknown: the server does not say".to_owned(),
        |percent| format!("{percent:.1} % of what the server counted"),
    );
    line("cached", cached);
    if summary.shadow.exchanges > 0 {
        let percent = summary.shadow.percent().map_or(0.0, |percent| 100.0 - percent);
        line(
            "shadow",
            format!("all went as it came; {percent:.1} % of {} tokens would not have", grouped(summary.shadow.whole)),
        );
    }
    let repairs: u64 = summary.repairs.values().sum();
    let Summary { over_window, folded, .. } = summary;
    line("helped", format!("{over_window} longer than the window, {folded} folded, {repairs} repairs"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Entry, Tokens};

    #[test]
    fn what_was_saved_is_said_on_one_scale_and_in_five_lines() {
        let tokens = |total| Tokens { total, ..Tokens::default() };
        let entry = Entry { before: tokens(10_000), after: tokens(1500), after_o200k: 1000, ..Entry::default() };
        let said = words(&Summary::of([&entry, &entry]), Duration::from_secs(75));
        assert_eq!(said.lines().count(), 5, "{said}");
        assert!(said.contains("2 answered by the model, 0 here, in 1 min 15 s\n"), "{said}");
        assert!(
            said.contains("received  20,000 tokens") && said.contains("2,000 tokens to the model, 90.0 % less"),
            "{said}"
        );
    }

    #[test]
    fn a_session_without_a_request_claims_nothing() {
        assert_eq!(words(&Summary::default(), Duration::from_secs(1)), "fanlight: the client asked nothing\n");
    }
}
