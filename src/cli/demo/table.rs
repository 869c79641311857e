//! What the demo prints. 80 columns; colours only where there is a terminal.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::tally::{Account, Tally, Turn};
use crate::ledger::Tokens;

pub(super) const STRONG: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
const SENT: Style = AnsiColor::Green.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Cells of the longest bar of a turn, and of a part.
const TURN_BAR: usize = 32;
const PART_BAR: usize = 34;

/// The first lines.
pub(super) fn opening(out: &mut impl Write, turns: usize, window: usize) -> io::Result<()> {
    let window = grouped(window as u64);
    writeln!(out)?;
    writeln!(out, "  {STRONG}fanlight demo{STRONG:#}   a coding session of {turns} turns; window {window} tokens")?;
    writeln!(out, "  {DIM}Sockets and proxy are real; the model is a stand-in that plays a script.{DIM:#}")?;
    writeln!(out)?;
    writeln!(out, "  turn   {SENT}█{SENT:#} sent {DIM}░ left out{DIM:#}{:>32}", "longest request: sent of all")
}

/// One turn, without the end of its line. `scale` is the number of tokens of a whole bar.
pub(super) fn turn(out: &mut impl Write, turn: &Turn, scale: u64) -> io::Result<()> {
    let bar = Bar { cells: TURN_BAR, scale, sent: turn.sent, received: turn.received };
    let numbers = format!("{:>6} of {:>6}", grouped(turn.sent), grouped(turn.received));
    let prompt = shortened(&turn.prompt, 17);
    write!(out, "  {:>4}   {bar} {numbers}  {DIM}{prompt}{DIM:#}", turn.number)
}

/// The table by part.
pub(super) fn parts(out: &mut impl Write, account: &Account) -> io::Result<()> {
    let each = |tokens: Tokens| tokens.divided(account.answered);
    let (before, after) = (each(account.before), each(account.after));
    writeln!(out)?;
    writeln!(
        out,
        "  {STRONG}{:<44}{:>10}{:>10}{:>10}{STRONG:#}",
        "tokens of a request, on average", "received", "sent", "saved"
    )?;
    for (name, received, sent) in [
        ("system", before.system, after.system),
        ("tools", before.tools, after.tools),
        ("messages", before.messages, after.messages),
        ("total", before.total, after.total),
    ] {
        let bar = Bar { cells: PART_BAR, scale: before.total, sent, received };
        let saved = saved(received, sent);
        writeln!(out, "  {name:<9}{bar} {:>10}{:>10}{saved:>10}", grouped(received), grouped(sent))?;
    }
    writeln!(out)
}

/// What else there is to say, each with its number.
pub(super) fn facts(out: &mut impl Write, account: &Account, tally: &Tally, window: usize) -> io::Result<()> {
    let (over, all) = (account.over_window, account.answered);
    let kept = grouped(window as u64 / 2 + 2);
    let without = [
        format!("{over} of {all} requests are longer than the window; Ollama"),
        format!("would cut each to about {kept} tokens, system prompt and"),
        "tools first, and answer with 200 as if nothing was missing".to_owned(),
    ];
    told(out, BAD, "without fanlight", &without)?;
    let cached = 100.0 * tally.cached as f64 / tally.prompts.max(1) as f64;
    let mut with = vec![
        format!(
            "longest prompt {} of {}, counted by the stand-in",
            grouped(tally.longest as u64),
            grouped(window as u64)
        ),
        format!(
            "{} of {} calls and {} of {} texts arrived as meant",
            tally.calls_arrived, tally.calls, tally.texts_arrived, tally.texts
        ),
        format!("history cut {} times; {cached:.1} % of the prompts stood in the", tally.cuts),
        format!("stand-in's cache, {} tokens had to be read", grouped((tally.prompts - tally.cached) as u64)),
    ];
    if tally.looks > 0 {
        with.push(format!("{} files were looked for before a change, by the proxy", tally.looks));
    }
    let style = if tally.all_arrived() && tally.longest <= window { GOOD } else { BAD };
    told(out, style, "with fanlight", &with)
}

/// Lines with a word before the first.
pub(super) fn told(out: &mut impl Write, style: Style, word: &str, lines: &[String]) -> io::Result<()> {
    for (at, line) in lines.iter().enumerate() {
        let word = if at == 0 { word } else { "" };
        writeln!(out, "  {style}{word:<18}{style:#} {}", line.trim_end())?;
    }
    Ok(())
}

/// The last lines.
pub(super) fn closing(out: &mut impl Write, took: Duration) -> io::Result<()> {
    writeln!(out, "\n  {DIM}{:.1} s. With a model of yours:{DIM:#} fanlight run -- claude\n", took.as_secs_f64())
}

/// A bar of two parts on one scale: what was sent, and what was received but not sent.
struct Bar {
    cells: usize,
    scale: u64,
    sent: u64,
    received: u64,
}

impl Bar {
    /// Cells for a number of tokens; something is never nothing.
    fn cells(&self, tokens: u64) -> usize {
        let exact = tokens as f64 * self.cells as f64 / self.scale.max(1) as f64;
        (exact.round() as usize).clamp(usize::from(tokens > 0), self.cells)
    }
}

impl std::fmt::Display for Bar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sent = self.cells(self.sent);
        let left_out = self.cells(self.received).saturating_sub(sent);
        let empty = self.cells - sent - left_out;
        write!(f, "{SENT}{}{SENT:#}{DIM}{}{DIM:#}{}", "█".repeat(sent), "░".repeat(left_out), " ".repeat(empty))
    }
}

/// What was saved in percent, negative where more was sent than received.
fn saved(received: u64, sent: u64) -> String {
    if received == 0 {
        return "-".to_owned();
    }
    format!("{:.1} %", 100.0 - 100.0 * sent as f64 / received as f64)
}

/// A number with its thousands divided by commas.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The beginning of a text, on one line and at most `width` characters long.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let cut: String = line.chars().take(width - 1).collect();
    format!("{}…", cut.trim_end())
}

/// A text in lines of at most `width` characters, divided at blanks where there are any.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let word: Vec<char> = word.chars().collect();
        for piece in word.chunks(width) {
            let last = lines.last().map_or(0, |line| line.chars().count());
            if last > 0 && last + piece.len() > width {
                lines.push(String::new());
            }
            lines.last_mut().into_iter().for_each(|line| line.extend(piece));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: &[u8]) -> String {
        String::from_utf8(anstream::adapter::strip_bytes(bytes).into_vec()).unwrap()
    }

    fn tokens(system: u64, tools: u64, messages: u64) -> Tokens {
        Tokens { system, tools, messages, total: system + tools + messages }
    }

    #[test]
    fn everything_fits_eighty_columns() {
        let account = Account {
            answered: 65,
            before: tokens(250_000, 950_000, 1_300_000),
            after: tokens(30_000, 40_000, 300_000),
            over_window: 65,
        };
        let tally = Tally { longest: 8100, prompts: 400_000, cached: 380_000, cuts: 12, calls: 51, ..Tally::default() };
        let long = Turn { number: 14, prompt: "word ".repeat(40), received: 39_999, sent: 7777 };
        let mut out = Vec::new();
        opening(&mut out, 14, 8192).unwrap();
        turn(&mut out, &long, 40_000).unwrap();
        parts(&mut out, &account).unwrap();
        facts(&mut out, &account, &tally, 8192).unwrap();
        for line in plain(&out).lines() {
            assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        }
    }

    #[test]
    fn a_bar_is_as_long_as_its_number() {
        let bar = Bar { cells: 10, scale: 100, sent: 20, received: 70 };
        assert_eq!(plain(bar.to_string().as_bytes()), "██░░░░░   ");
    }

    #[test]
    fn nothing_saved_is_zero_and_more_sent_is_negative() {
        assert_eq!(saved(10, 10), "0.0 %");
        assert_eq!(saved(10, 11), "-10.0 %");
        assert_eq!(saved(0, 3), "-");
    }

    #[test]
    fn long_words_and_long_lines_are_divided() {
        assert_eq!(wrapped("ab cd efghijk l", 6), ["ab cd ", "efghij", "k l"]);
    }

    #[test]
    fn thousands_are_divided() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
    }
}
