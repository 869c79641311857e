//! Server-sent events: bytes into frames, wherever they are split, and frames into bytes.

use super::lines::{LineTooLong, Lines};

/// One event as it travels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The value of the `event:` line; empty where there is none.
    pub event: String,
    /// The values of the `data:` lines, joined by newlines.
    pub data: String,
}

/// Reads frames from a stream. Comments, ids and retry times are passed over. A line that is none of these was something
/// else before it was damaged: it is handed on as the data of a frame of its own, which nobody will be able to read.
#[derive(Debug, Default)]
pub struct SseReader {
    lines: Lines,
    begun: bool,
    frame: Gathering,
}

#[derive(Debug, Default)]
struct Gathering {
    event: String,
    data: Option<String>,
}

impl SseReader {
    /// Takes bytes; pushes every frame that is complete.
    ///
    /// # Errors
    /// When a line is too long.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Frame>) -> Result<(), LineTooLong> {
        let Self { lines, begun, frame } = self;
        lines.feed(bytes, |line| frame.line(without_mark(line, begun), out))
    }

    /// The stream is over: a frame whose blank line did not come any more counts, if its last line is whole or can be.
    pub fn finish(&mut self, out: &mut Vec<Frame>) {
        let rest = self.lines.rest();
        self.frame.line(without_mark(&rest, &mut self.begun), out);
        self.frame.line(b"", out);
    }
}

/// The line without a byte order mark, which may stand before the first one.
fn without_mark<'a>(line: &'a [u8], begun: &mut bool) -> &'a [u8] {
    if std::mem::replace(begun, true) { line } else { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) }
}

impl Gathering {
    fn line(&mut self, line: &[u8], out: &mut Vec<Frame>) {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            // Some servers keep a connection alive by an event without data; of any other, the data got lost.
            let lost = self.data.is_none() && !event.is_empty() && event != "ping";
            let data = self.data.take().or_else(|| lost.then(String::new));
            out.extend(data.map(|data| Frame { event, data }));
            return;
        }
        let Ok(line) = std::str::from_utf8(line) else {
            out.push(Frame { event: String::new(), data: String::from_utf8_lossy(line).into_owned() });
            return;
        };
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => self.data(value),
            // Older llama-servers report a fault so.
            "error" => out.push(Frame { event: "error".into(), data: value.to_owned() }),
            "" | "id" | "retry" => {}
            _ => out.push(Frame { event: String::new(), data: line.to_owned() }),
        }
    }

    fn data(&mut self, value: &str) {
        match &mut self.data {
            None => self.data = Some(value.to_owned()),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
        }
    }
}

impl Frame {
    /// Writes the frame as it travels.
    pub fn write(&self, out: &mut Vec<u8>) {
        if !self.event.is_empty() {
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(self.event.as_bytes());
            out.push(b'\n');
        }
        for line in self.data.split('\n') {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(parts: &[&[u8]]) -> Vec<Frame> {
        let (mut reader, mut out) = (SseReader::default(), Vec::new());
        for part in parts {
            reader.feed(part, &mut out).unwrap();
        }
        reader.finish(&mut out);
        out
    }

    fn frame(event: &str, data: &str) -> Frame {
        Frame { event: event.into(), data: data.into() }
    }

    #[test]
    fn comments_marks_and_other_fields_are_passed_over() {
        let text = b"\xEF\xBB\xBF: hello\n\nid: 7\nevent:ping\ndata:{}\nretry: 3\n\n:\n\ndata: a\ndata:  b\n\n";
        assert_eq!(read(&[text]), [frame("ping", "{}"), frame("", "a\n b")]);
    }

    #[test]
    fn an_event_whose_data_got_lost_is_seen() {
        assert_eq!(read(&[b"event: ping\n\ndata: x\n\n"]), [frame("", "x")]);
        assert_eq!(read(&[b"event: content_bl\n\ndata: x\n\n"]), [frame("content_bl", ""), frame("", "x")]);
    }

    #[test]
    fn a_line_that_is_no_field_is_seen() {
        assert_eq!(read(&[b"ta: {\"a\":1}\n\n"]), [frame("", "ta: {\"a\":1}")]);
        assert_eq!(read(&[b"error: {}\n\n"]), [frame("error", "{}")]);
        assert_eq!(read(&[b"data: a\xff\n\n"]), [frame("", "data: a\u{fffd}")]);
    }

    #[test]
    fn the_last_blank_line_may_be_missing() {
        assert_eq!(read(&[b"event: a\r\ndata: b"]), [frame("a", "b")]);
    }

    proptest! {
        #[test]
        fn split_anywhere(frames in proptest::collection::vec(("[a-z_]{0,8}", "[a-z:{}\" ä\u{1F600}]{0,12}"), 0..5), at in 0usize..200, crlf: bool) {
            let frames: Vec<Frame> = frames.iter().map(|(event, data)| frame(event, data)).collect();
            let mut bytes = Vec::new();
            for frame in &frames {
                frame.write(&mut bytes);
            }
            if crlf {
                bytes = String::from_utf8(bytes).unwrap().replace('\n', "\r\n").into_bytes();
            }
            let (a, b) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(read(&[a, b]), frames);
        }

        #[test]
        fn any_bytes_do_no_harm(bytes: Vec<u8>) {
            read(&[&bytes]);
        }
    }
}
