//! Bytes into lines, wherever they are split: `\n`, `\r` and `\r\n` end a line.

use memchr::memchr2;

/// The longest line that is kept, in bytes: a Write of a large file is one line.
pub const LONGEST_LINE: usize = 16 << 20;

/// A line is longer than [`LONGEST_LINE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of the answer is longer than 16 MiB")]
pub struct LineTooLong;

/// Gathers bytes into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: Vec<u8>,
    /// The last byte was `\r`: a `\n` that follows belongs to it.
    after_cr: bool,
}

impl Lines {
    /// Takes bytes; calls `each` with every line that is complete, without its end.
    ///
    /// # Errors
    /// When a line gets too long. What was pending is dropped.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), LineTooLong> {
        if self.after_cr && !bytes.is_empty() {
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            self.after_cr = false;
        }
        while let Some(end) = memchr2(b'\n', b'\r', bytes) {
            self.emit(&bytes[..end], &mut each);
            let cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.after_cr = cr && bytes.is_empty();
            if cr {
                bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            }
        }
        self.keep(bytes)
    }

    /// What stands after the last line end.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pending)
    }

    fn emit(&mut self, tail: &[u8], each: &mut impl FnMut(&[u8])) {
        if self.pending.is_empty() {
            return each(tail);
        }
        self.pending.extend_from_slice(tail);
        each(&self.pending);
        self.pending.clear();
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), LineTooLong> {
        if self.pending.len() + bytes.len() > LONGEST_LINE {
            self.pending = Vec::new();
            return Err(LineTooLong);
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(parts: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for part in parts {
            lines.feed(part, |line| seen.push(String::from_utf8_lossy(line).into_owned())).unwrap();
        }
        seen.push(String::from_utf8_lossy(&lines.rest()).into_owned());
        seen
    }

    #[test]
    fn every_line_end_counts_once() {
        assert_eq!(split(&[b"a\nb\rc\r\n\r\nd"]), ["a", "b", "c", "", "d"]);
        assert_eq!(split(&[b"a\r", b"\nb"]), ["a", "b"]);
        assert_eq!(split(&[b"a\r", b"b"]), ["a", "b"]);
        assert_eq!(split(&[b"a\r", b"", b"\nb"]), ["a", "b"]);
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let mut lines = Lines::default();
        let chunk = vec![b'x'; 1 << 20];
        let fed: Vec<_> = (0..17).map(|_| lines.feed(&chunk, |_| ())).collect();
        assert_eq!(fed[15], Ok(()));
        assert_eq!(fed[16], Err(LineTooLong));
    }

    proptest! {
        #[test]
        fn where_bytes_are_split_makes_no_difference(text in "[ab\r\n]{0,40}", at in 0usize..40) {
            let at = at.min(text.len());
            let (a, b) = text.as_bytes().split_at(at);
            prop_assert_eq!(split(&[a, b]), split(&[text.as_bytes()]));
        }
    }
}
