//! Text with line numbers, as clients show files: `     1→text` and `1\ttext`.

/// The lines of a numbered listing, with their numbers, up to the first line that is not of it. Empty when the text
/// is no listing. Text that follows the listing (reminders of the client) is not part of it.
pub fn numbered_lines(text: &str) -> Vec<(usize, &str)> {
    let mut lines: Vec<(usize, &str)> = Vec::new();
    for line in text.split('\n') {
        match split_number(line) {
            Some((number, rest)) if lines.last().is_none_or(|last| last.0 + 1 == number) => lines.push((number, rest)),
            _ if lines.is_empty() && line.trim().is_empty() => {}
            _ => break,
        }
    }
    lines
}

/// The text without line numbers, when every line has one; else as it is.
pub fn strip_numbers(text: &str) -> String {
    let lines = numbered_lines(text);
    if lines.is_empty() || lines.len() < text.trim_matches('\n').split('\n').count() {
        return text.to_owned();
    }
    lines.iter().map(|line| line.1).collect::<Vec<_>>().join("\n")
}

/// `  12→text` or `12\ttext`, split into number and text.
fn split_number(line: &str) -> Option<(usize, &str)> {
    let trimmed = line.trim_start_matches(' ');
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &trimmed[digits..];
    let text = rest.strip_prefix('→').or_else(|| rest.strip_prefix('\t'))?;
    Some((trimmed[..digits].parse().ok()?, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_what_follows_is_left_out() {
        assert_eq!(numbered_lines("     9→a\n    10→\tb\n\n<note>x</note>"), [(9, "a"), (10, "\tb")]);
        assert_eq!(numbered_lines("1\tfn x() {\n2\t}"), [(1, "fn x() {"), (2, "}")]);
    }

    #[test]
    fn plain_text_is_no_listing() {
        assert!(numbered_lines("hello\n1\tx").is_empty());
        assert_eq!(strip_numbers("a\n1\tx"), "a\n1\tx");
        assert_eq!(strip_numbers("1\tx\n2\ty"), "x\ny");
    }
}
