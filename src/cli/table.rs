//! Tables of tokens, with bars.

use std::io::Write;

use crate::report::Parts;

/// Columns of the longest bar.
const WIDTH: usize = 30;

/// Before and after, part by part.
pub(super) fn write_parts(out: &mut impl Write, before: &Parts, after: &Parts) -> std::io::Result<()> {
    let rows = [
        ("system", before.system, after.system),
        ("tools", before.tools, after.tools),
        ("messages", before.messages, after.messages),
        ("total", before.total, after.total),
    ];
    let most = before.total.max(after.total).max(1);
    writeln!(out, "{:<9} {:>8} {:>8}", "", "before", "after")?;
    for (name, was, is) in rows {
        let (long, short) = (columns(was, most), columns(is, most));
        let shadow = "░".repeat(long.saturating_sub(short));
        writeln!(out, "{name:<9} {was:>8} {is:>8}  {}{shadow}", "█".repeat(short))?;
    }
    Ok(())
}

/// The length of a bar, in columns; at least one for anything.
fn columns(tokens: usize, most: usize) -> usize {
    (tokens * WIDTH).div_ceil(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_sent_is_shown_as_a_shadow() {
        let mut out = Vec::new();
        write_parts(&mut out, &Parts::of(30, 0, 0), &Parts::of(10, 0, 0)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let system = text.lines().nth(1).unwrap();
        assert_eq!(system.matches('█').count(), 10);
        assert_eq!(system.matches('░').count(), 20);
    }

    #[test]
    fn nothing_is_an_empty_bar() {
        assert_eq!(columns(0, 10), 0);
    }
}
