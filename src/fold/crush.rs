//! Crush: what repeats itself in a log is said once. Fixed thresholds, by the text's own bytes.

use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;

use super::facts::is_fact;

/// So many lines of one shape in a row are shortened.
const RUN: usize = 6;
/// How many of such a run stay at each end.
const KEEP: usize = 2;
/// A run of base64 or hex of at least so many bytes is cut.
const BLOB: usize = 256;
/// So many elements of a JSON array in a row are shortened.
const ARRAY: usize = 8;

static ANSI: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)").ok());

/// Terminal codes go, and of a line that a carriage return wrote over only the last state stays.
pub(super) fn clean(text: &str) -> String {
    let text = match ANSI.as_ref() {
        Some(ansi) if text.contains('\x1b') => ansi.replace_all(text, ""),
        _ => text.into(),
    };
    if !text.contains('\r') {
        return text.into_owned();
    }
    let last = |line: &str| line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_owned();
    text.split('\n').map(last).collect::<Vec<_>>().join("\n")
}

/// Says repeated lines once, cuts blobs, shortens JSON arrays. Facts stay.
pub(super) fn crush(text: &str) -> String {
    if let Some(json) = crush_json(text) {
        return json;
    }
    let lines: Vec<String> = text.split('\n').map(cut_blobs).collect();
    let mut out: Vec<String> = Vec::with_capacity(lines.len());
    let mut at = 0;
    while at < lines.len() {
        let end = run_end(&lines, at);
        if end - at >= RUN {
            push_run(&lines[at..end], &mut out);
        } else {
            out.extend_from_slice(&lines[at..end]);
        }
        at = end;
    }
    out.join("\n")
}

fn push_run(run: &[String], out: &mut Vec<String>) {
    out.extend_from_slice(&run[..KEEP]);
    let middle = &run[KEEP..run.len() - KEEP];
    out.push(format!("[{} more lines like these]", middle.len()));
    out.extend_from_slice(&run[run.len() - KEEP..]);
}

/// The end of the run of lines that have the shape of the line at `at`.
fn run_end(lines: &[String], at: usize) -> usize {
    let shape = shape(&lines[at]);
    if is_fact(&lines[at]) || shape.len() < 4 {
        return at + 1;
    }
    let same = |line: &&String| !is_fact(line) && self::shape(line) == shape;
    at + 1 + lines[at + 1..].iter().take_while(same).count()
}

/// A line without what varies from one log line to the next: digits, and all but the letters' first words.
fn shape(line: &str) -> String {
    let mut shape = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '0'..='9' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            '=' | '#' | '█' | '░' | '▉'..='▏' | '━' | '╸' if shape.ends_with('=') => {}
            '=' | '#' | '█' | '░' | '▉'..='▏' | '━' | '╸' => shape.push('='),
            c => shape.push(c),
        }
    }
    shape
}

/// Cuts long runs of base64 or hex in a line.
fn cut_blobs(line: &str) -> String {
    if line.len() < BLOB {
        return line.to_owned();
    }
    let is_blob = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_blob) {
        let end = rest[start..].find(|c| !is_blob(c)).map_or(rest.len(), |end| start + end);
        let blob = &rest[start..end];
        if blob.len() >= BLOB {
            out.push_str(&rest[..start + 32]);
            let _ = write!(out, "…[{} bytes]", blob.len());
        } else {
            out.push_str(&rest[..end]);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// The longest JSON that is read to be shortened, in bytes.
const LARGEST_JSON: usize = 1 << 20;

/// A text that is one JSON array or object, with its long arrays shortened; `None` when nothing was shortened.
fn crush_json(text: &str) -> Option<String> {
    let trimmed = text.trim();
    // Read, it takes up many times its size.
    if !trimmed.starts_with(['[', '{']) || trimmed.len() > LARGEST_JSON {
        return None;
    }
    let mut value: serde_json::Value = serde_json::from_str(trimmed).ok()?;
    let pretty = trimmed.contains('\n');
    shorten(&mut value).then(|| if pretty { format!("{value:#}") } else { value.to_string() })
}

/// Shortens long arrays of like objects, at any depth; whether there was one.
fn shorten(value: &mut serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(fields) => fields.values_mut().fold(false, |any, field| shorten(field) | any),
        serde_json::Value::Array(items) => {
            let mut any = items.iter_mut().fold(false, |any, item| shorten(item) | any);
            if items.len() >= ARRAY {
                any |= drop_middle(items);
            }
            any
        }
        _ => false,
    }
}

/// Drops elements from the third on; those that state an error stay, and so do the last two.
fn drop_middle(items: &mut Vec<serde_json::Value>) -> bool {
    let until = items.len() - KEEP;
    let mut kept = Vec::new();
    let mut dropped = 0;
    for (at, item) in std::mem::take(items).into_iter().enumerate() {
        if at < KEEP + 1 || at >= until || is_fact(&item.to_string()) || states_error(&item) {
            kept.push(item);
        } else {
            dropped += 1;
        }
    }
    let note = serde_json::Value::String(format!("[{dropped} more elements like these]"));
    kept.insert(kept.len() - KEEP, note);
    *items = kept;
    dropped > 0
}

fn states_error(item: &serde_json::Value) -> bool {
    let text = item.to_string().to_lowercase();
    ["error", "fail", "fatal", "panic"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_codes_and_overwritten_progress_go() {
        assert_eq!(clean("\x1b[32mok\x1b[0m\n 10%\r 50%\r100%\r\nend"), "ok\n100%\nend");
    }

    #[test]
    fn a_run_is_said_once_and_the_fact_in_it_stays() {
        let mut lines: Vec<String> = (0..100).map(|n| format!("Downloading crate {n} of 100")).collect();
        lines[50] = "error: could not download".into();
        let crushed = crush(&lines.join("\n"));
        assert!(crushed.lines().count() <= 11, "{crushed}");
        assert!(crushed.contains("error: could not download"));
        assert!(crushed.contains("[46 more lines like these]"));
    }

    #[test]
    fn a_json_array_keeps_its_ends_and_its_errors() {
        let items: Vec<String> =
            (0..50).map(|n| format!(r#"{{"id":{n},"state":"{}"}}"#, if n == 20 { "failed" } else { "ok" })).collect();
        let crushed = crush(&format!("[{}]", items.join(",")));
        assert!(crushed.len() < 250, "{crushed}");
        assert!(crushed.contains(r#"{"id":20,"state":"failed"}"#));
        assert!(crushed.contains(r#"{"id":49,"#));
    }

    #[test]
    fn a_blob_is_cut() {
        let crushed = crush(&format!("data:{} end", "QUJD".repeat(200)));
        assert!(crushed.len() < 80, "{crushed}");
        assert!(crushed.ends_with("[800 bytes] end"));
    }
}
