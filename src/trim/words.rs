//! Short forms of a text: its first sentence, its first words.

/// The first sentence of the first paragraph, without its mark at the end.
pub(super) fn first_sentence(text: &str) -> &str {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let end = line.find(". ").or_else(|| line.strip_suffix('.').map(str::len)).unwrap_or(line.len());
    &line[..end]
}

/// The first `count` words of the first sentence; nothing for 0.
pub(super) fn first_words(text: &str, count: usize) -> String {
    let sentence = first_sentence(text);
    let words: Vec<&str> = sentence.split_whitespace().take(count).collect();
    words.join(" ").trim_end_matches([',', ';', ':', '-', '—', '(']).trim_end().to_owned()
}

/// The line without its list mark and the space around it.
pub(super) fn bare(line: &str) -> &str {
    let line = line.trim();
    line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).unwrap_or(line)
}

/// The text without the lines that begin (list marks aside) with one of `starts`.
pub(super) fn without_lines(text: &str, starts: &[String]) -> String {
    if starts.is_empty() {
        return text.to_owned();
    }
    let stays = |line: &&str| !starts.iter().any(|start| bare(line).starts_with(start.as_str()));
    text.lines().filter(stays).collect::<Vec<_>>().join("\n")
}

/// Parts a text from what stands behind it and is not its own: from the second paragraph on, the first that begins
/// with none of `paragraphs`.
pub(super) fn own_part<'a>(text: &'a str, paragraphs: &[String]) -> (&'a str, &'a str) {
    let mut at = text.find("\n\n").unwrap_or(text.len());
    while at < text.len() {
        let start = at + (text[at..].len() - text[at..].trim_start().len());
        if !paragraphs.iter().any(|known| text[start..].starts_with(known.as_str())) {
            return (text[..at].trim_end(), text[start..].trim());
        }
        at = text[start..].find("\n\n").map_or(text.len(), |next| start + next);
    }
    (text, "")
}

/// At most one empty line in a row, no space at the ends of lines or of the text.
pub(super) fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_at_its_mark_or_at_the_line() {
        assert_eq!(first_sentence("\nReads a file. Then more.\nX"), "Reads a file");
        assert_eq!(first_sentence("Lists v1.2 files"), "Lists v1.2 files");
        assert_eq!(first_words("Reads a file, quickly. More", 3), "Reads a file");
        assert_eq!(first_words("Reads", 0), "");
    }

    #[test]
    fn named_lines_go_and_list_marks_do_not_matter() {
        assert_eq!(without_lines("a\n - drop me\nb", &["drop".into()]), "a\nb");
        assert_eq!(tidy("\n\na  \n\n\n\nb\n"), "a\n\nb");
    }
}
