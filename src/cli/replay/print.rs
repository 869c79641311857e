//! What a replay found, for people and for machines.

use std::io::Write;

use serde_json::{Value, json};

use super::grounding::Share;
use super::measure::{Missed, Row};

/// One array of objects, one for every history and window.
pub(super) fn json(rows: &[Row]) -> Value {
    rows.iter().map(object).collect()
}

fn object(row: &Row) -> Value {
    json!({
        "session": row.session,
        "window": row.window,
        "requests": row.requests,
        "refused": row.refused,
        "fit_violations": row.fit_violations,
        "prefill_amplification": rounded(row.amplification(), 1000.0),
        "prefill_amplification_shift": rounded(row.shifted_amplification(), 1000.0),
        "cuts": row.cuts,
        "unplanned_breaks": row.unplanned_breaks,
        "tokens_before": row.tokens_before,
        "tokens_after": row.tokens_after,
        "grounding": {
            "path": percent(row.grounding.path),
            "old_string": percent(row.grounding.old_string),
            "value": percent(row.grounding.value),
        },
        "artifact_recall": percent(row.artifacts),
        "last_status": percent(row.status),
        "prompts": {"verbatim": percent(row.prompts.0), "told": percent(row.prompts.1)},
    })
}

fn percent(share: Share) -> Value {
    share.percent().map_or(Value::Null, |percent| json!(rounded(percent, 100.0)))
}

fn rounded(number: f64, to: f64) -> f64 {
    (number * to).round() / to
}

/// A line for one history and window.
pub(super) fn line(out: &mut impl Write, row: &Row) -> std::io::Result<()> {
    writeln!(
        out,
        "{:<44} {:>6} {:>5} requests {:>12} → {:>10} tokens ({:>5.1} % less)  {:>3} cuts  read ×{:.2}{}",
        shortened(&row.session, 44),
        row.window,
        row.requests,
        row.tokens_before,
        row.tokens_after,
        saved(row.tokens_before, row.tokens_after),
        row.cuts,
        row.amplification(),
        if row.refused > 0 { format!("  {} refused", row.refused) } else { String::new() },
    )
}

/// What it comes to, a paragraph a window.
pub(super) fn summary(out: &mut impl Write, rows: &[Row]) -> std::io::Result<()> {
    let mut windows: Vec<usize> = rows.iter().map(|row| row.window).collect();
    windows.sort_unstable();
    windows.dedup();
    for window in windows {
        let of_window: Vec<&Row> = rows.iter().filter(|row| row.window == window).collect();
        write_window(out, window, &of_window)?;
    }
    Ok(())
}

fn write_window(out: &mut impl Write, window: usize, rows: &[&Row]) -> std::io::Result<()> {
    let mean = |of: fn(&Row) -> f64| rows.iter().map(|row| of(row)).sum::<f64>() / rows.len().max(1) as f64;
    let mut all = Row::default();
    for row in rows {
        all.add(row);
    }
    let (before, after) = (all.tokens_before, all.tokens_after);
    writeln!(out, "\nIn a window of {window}: {} requests of {} sessions", all.requests, rows.len())?;
    writeln!(out, "  sent      {after} tokens instead of {before} ({:.1} % less)", saved(before, after))?;
    writeln!(
        out,
        "  fit       {} refused, {} sent that do not fit, {} unplanned prefix breaks, {} cuts",
        all.refused, all.fit_violations, all.unplanned_breaks, all.cuts
    )?;
    writeln!(
        out,
        "  read      {:.2} times the least that a server must read; {:.2} where it keeps text behind a hole (mean of sessions)",
        mean(Row::amplification),
        mean(Row::shifted_amplification)
    )?;
    write_kept(out, &all)
}

fn write_kept(out: &mut impl Write, all: &Row) -> std::io::Result<()> {
    let share = |share: Share| share.percent().map_or("-".to_owned(), |percent| format!("{percent:.1} %"));
    writeln!(
        out,
        "  kept      of what the next real call needed: paths {}, texts to replace {}, all values {}",
        share(all.grounding.path),
        share(all.grounding.old_string),
        share(all.grounding.value)
    )?;
    writeln!(
        out,
        "  known     of the past: paths {}, last states {}, typed prompts {} ({} verbatim)",
        share(all.artifacts),
        share(all.status),
        share(all.prompts.1),
        share(all.prompts.0)
    )
}

/// A line for everything that was needed and not sent.
pub(super) fn missed(rows: &[Row]) -> String {
    let line = |row: &Row, missed: &Missed| {
        let Missed { request, kind, tool, age, item } = missed;
        format!("{}\t{}\t{request}\t{kind:?}\t{tool}\t{age}\t{}\n", row.window, row.session, Value::from(item.as_str()))
    };
    rows.iter().flat_map(|row| row.missed.iter().map(move |missed| line(row, missed))).collect()
}

fn saved(before: usize, after: usize) -> f64 {
    if before == 0 { 0.0 } else { before.saturating_sub(after) as f64 * 100.0 / before as f64 }
}

fn shortened(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        name.to_owned()
    } else {
        format!("…{}", name.chars().skip(length + 1 - width).collect::<String>())
    }
}
