//! `fanlight stats`: what the ledger knows.

use std::io::{self, Write};
use std::path::PathBuf;

use anstyle::Style;
use clap::Args;
use jiff::{Span, Timestamp};

use super::{Format, Outcome, Usage};
use crate::folders;
use crate::ledger::{Found, Pair, Summary, read_since};

/// Say what was saved, beside what the server says that it read.
#[derive(Debug, Args)]
pub(super) struct Stats {
    /// How far back: `7d`, `24h`, `30m`.
    #[arg(long, default_value = "7d", value_name = "TIME")]
    since: Span,
    /// Where the ledger lies [default: $XDG_STATE_HOME/fanlight].
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const STRONG: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

impl Stats {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let folder = self
            .ledger
            .clone()
            .or_else(folders::state)
            .ok_or_else(|| Usage("no home folder: say --ledger DIR".into()))?;
        let found = read_since(&folder, self.start()?)?;
        let summary = Summary::of(&found.entries);
        let mut out = anstream::stdout().lock();
        match self.format {
            Format::Json => writeln!(out, "{}", serde_json::to_string(&summary)?)?,
            Format::Text => print(&mut out, &summary, &found, &self.since)?,
        }
        Ok(Outcome::Good)
    }

    /// The moment from which on exchanges count. A day has 24 hours.
    fn start(&self) -> anyhow::Result<Timestamp> {
        let seconds = self.since.abs().total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours()))?;
        let back = jiff::SignedDuration::try_from_secs_f64(seconds)?;
        Ok(Timestamp::now().checked_sub(back)?)
    }
}

fn print(out: &mut impl Write, summary: &Summary, found: &Found, since: &Span) -> io::Result<()> {
    writeln!(out, "{STRONG}{} exchanges{STRONG:#} in the last {since:#}", summary.exchanges)?;
    if found.unreadable > 0 {
        writeln!(out, "{DIM}{} lines of the ledger could not be read{DIM:#}", found.unreadable)?;
    }
    if summary.exchanges == 0 {
        return Ok(());
    }
    outcomes(out, summary)?;
    tokens(out, summary)?;
    facts(out, summary)
}

fn outcomes(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let counted = [
        ("answered by a model", summary.answered),
        ("answered here", summary.local),
        ("refused as too long", summary.refused),
        ("passed through", summary.passed_through),
        ("failed upstream", summary.failed),
        ("hung up", summary.cancelled),
    ];
    let said: Vec<String> =
        counted.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{count} {word}")).collect();
    writeln!(out, "{}\n", said.join(", "))
}

fn tokens(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let (before, after) = (summary.before, summary.after);
    writeln!(
        out,
        "{DIM}{:<10}{:>14}{:>14}{:>11}{:>11}{DIM:#}",
        "tokens", "received", "sent", "reduction", "retention"
    )?;
    for (name, received, sent) in [
        ("system", before.system, after.system),
        ("tools", before.tools, after.tools),
        ("messages", before.messages, after.messages),
        ("total", before.total, after.total),
    ] {
        let kept = share(sent, received);
        writeln!(
            out,
            "{name:<10}{received:>14}{sent:>14}{:>11}{:>11}",
            percent(kept.map(|k| 100.0 - k)),
            percent(kept)
        )?;
    }
    writeln!(out)
}

fn facts(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    writeln!(out, "sent, counted as what was received (o200k) {}", less(&summary.sent))?;
    if summary.shadow.exchanges > 0 {
        writeln!(out, "in shadow, this would have been sent    {}", less(&summary.shadow))?;
    }
    writeln!(out, "longer than the window when they came   {} of {}", summary.over_window, summary.answered)?;
    writeln!(out, "with folded history                     {} of {}", summary.folded, summary.answered)?;
    writeln!(out, "prompt tokens, server against our count {}", against(&summary.reported))?;
    writeln!(out, "from the server's cache                 {}", of_prompts(&summary.cached))?;
    let repairs: Vec<String> = summary.repairs.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    writeln!(out, "repairs                                 {}", or_none(&repairs))?;
    let dead: Vec<String> = summary.dead.iter().cloned().collect();
    writeln!(out, "rules that matched nothing              {}", or_none(&dead))
}

/// What was sent of what was received, on one scale.
fn less(pair: &Pair) -> String {
    match pair.percent() {
        None => "unknown".to_owned(),
        Some(percent) => format!("{} of {} ({:.1} % less)", pair.part, pair.whole, 100.0 - percent),
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1} %"))
}

fn against(pair: &Pair) -> String {
    match pair.percent() {
        None => "unknown: the server said nothing".to_owned(),
        Some(percent) => {
            format!("{} to {} ({:+.1} %, {} exchanges)", pair.part, pair.whole, percent - 100.0, pair.exchanges)
        }
    }
}

fn of_prompts(pair: &Pair) -> String {
    match pair.percent() {
        None => "unknown: the server said nothing".to_owned(),
        Some(percent) => format!("{percent:.1} % of {} prompt tokens ({} exchanges)", pair.whole, pair.exchanges),
    }
}

fn or_none(list: &[String]) -> String {
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Entry, Tokens};

    fn text(entries: &[Entry]) -> String {
        let mut out = Vec::new();
        let since: Span = "7d".parse().unwrap();
        print(&mut out, &Summary::of(entries), &Found::default(), &since).unwrap();
        anstream::adapter::strip_bytes(&out).into_vec().into_iter().map(char::from).collect()
    }

    #[test]
    fn nothing_saved_is_shown_as_zero() {
        let tokens = Tokens { system: 10, tools: 0, messages: 30, total: 40 };
        let shown = text(&[Entry { before: tokens, after: tokens, ..Entry::default() }]);
        assert!(shown.contains("total                 40            40      0.0 %    100.0 %"), "{shown}");
        assert!(shown.contains("server against our count unknown"), "{shown}");
    }

    #[test]
    fn more_sent_than_received_is_a_negative_reduction() {
        let entry = Entry {
            before: Tokens { total: 100, ..Tokens::default() },
            after: Tokens { total: 110, ..Tokens::default() },
            ..Entry::default()
        };
        assert!(text(&[entry]).contains("-10.0 %"));
    }

    #[test]
    fn an_empty_ledger_says_so() {
        assert!(text(&[]).starts_with("0 exchanges in the last 7d"));
    }
}
