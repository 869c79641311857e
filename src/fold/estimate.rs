//! A guess at tokens from bytes alone, for thresholds that must not cost a count.

/// Tokens of `text`, guessed: a digit is one, four bytes of other ASCII are one, and so are two and a half of the rest.
pub(super) fn estimate(text: &str) -> usize {
    let mut digits = 0;
    let mut wide = 0;
    for byte in text.bytes() {
        digits += usize::from(byte.is_ascii_digit());
        wide += usize::from(!byte.is_ascii());
    }
    let plain = text.len() - digits - wide;
    digits + plain * 10 / 37 + wide * 2 / 5
}

/// The longest beginning of `text` that is at most about `tokens`, at a character boundary.
pub(super) fn prefix(text: &str, tokens: usize) -> &str {
    if estimate(text) <= tokens {
        return text;
    }
    let mut end = (tokens * 37 / 10).min(text.len());
    while end > 0 && (!text.is_char_boundary(end) || estimate(&text[..end]) > tokens) {
        end = if text.is_char_boundary(end) { end - (end / 16).max(1) } else { end - 1 };
    }
    &text[..end]
}

/// The text, or its beginning and three dots when it is longer than `bytes`.
pub(super) fn ellipsis(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut end = bytes.saturating_sub(3);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_never_longer_than_asked() {
        for text in ["abcdefghij".repeat(50), "0123456789".repeat(50), "höhere Türme ".repeat(50)] {
            for tokens in [0, 1, 7, 100] {
                assert!(estimate(prefix(&text, tokens)) <= tokens);
            }
        }
    }
}
