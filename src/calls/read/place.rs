//! Where in the answer the reader stands: the line so far, the fence it is in, what was said before.

/// The longest part of a line that is remembered, in bytes.
const REMEMBERED: usize = 400;

/// What is known of the text that was passed on so far.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The present line up to here.
    line: String,
    /// The last line before it that is not blank.
    before: String,
    /// The marker of the fence that is open.
    fence: Option<String>,
    /// A document of markup was begun.
    markup: bool,
    /// Control tokens were spoken of.
    tokens: bool,
    /// Nothing visible so far, calls aside.
    blank: bool,
    /// Nothing but space since the last call.
    after_call: bool,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            line: String::new(),
            before: String::new(),
            fence: None,
            markup: false,
            tokens: false,
            blank: true,
            after_call: false,
        }
    }
}

impl Place {
    /// The beginning of a fenced block that is read on its own.
    pub(super) fn in_block() -> Self {
        Self { fence: Some("```".into()), ..Self::default() }
    }

    /// Takes note of text that was passed on.
    pub(super) fn pass(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.blank = false;
            self.after_call = false;
        }
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                self.end_line();
            }
            self.line.push_str(part);
            self.forget();
        }
    }

    /// Takes note of a call that was read here.
    pub(super) fn pass_call(&mut self) {
        self.line.clear();
        self.after_call = true;
    }

    /// Whether nothing visible was said so far.
    pub(super) fn leads(&self) -> bool {
        self.blank
    }

    /// Whether an object here would stand at the start of a line, or behind another call.
    pub(super) fn starts_line(&self) -> bool {
        self.line.is_empty() || (self.blank || self.after_call) && self.line.trim().is_empty()
    }

    /// Whether nothing but space stands between a call and this place.
    pub(super) fn follows_call(&self) -> bool {
        self.after_call
    }

    /// Whether the text here is inside of a fenced block.
    pub(super) fn in_fence(&self) -> bool {
        self.fence.is_some()
    }

    /// Whether the line so far quotes what comes: code, a table, a quotation.
    pub(super) fn quotes(&self) -> bool {
        let line = self.line.trim_start();
        line.starts_with(['|', '>'])
            || ['`', '"'].iter().any(|quote| line.matches(*quote).count() % 2 == 1)
            || self.line.ends_with(['"', '\'', '`', '“', '„', '«', '('])
    }

    /// Whether the text so far speaks of control tokens.
    pub(super) fn speaks_of_tokens(&self) -> bool {
        self.tokens || speaks_of_tokens(&self.line)
    }

    /// Whether the line so far holds this quotation mark, as one that may be open.
    pub(super) fn holds(&self, quote: char) -> bool {
        self.line.contains(quote)
    }

    /// Whether prose of this line leads into what comes, with its sentence still open.
    pub(super) fn in_sentence(&self) -> bool {
        let line = self.line.trim_end();
        self.line.ends_with([' ', '\t'])
            && !line.is_empty()
            && !line.ends_with(['.', '!', '?', ':', '…', '>', '。', '：'])
    }

    /// Whether there is prose on this line.
    pub(super) fn has_prose(&self) -> bool {
        !self.line.trim().is_empty()
    }

    /// Whether this place is inside of a document of markup, or of an element with attributes, which is no wrapper of calls.
    pub(super) fn in_markup(&self) -> bool {
        let before = self.said_before().trim();
        let element = before.starts_with('<') && before.ends_with('>') && !before.starts_with("</");
        self.markup || !self.blank && element && before.contains("=\"")
    }

    /// The last words before this place: this line, or the one before it.
    pub(super) fn said_before(&self) -> &str {
        if self.line.trim().is_empty() { &self.before } else { &self.line }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.turn_fence(line.trim_start());
        self.tokens |= speaks_of_tokens(&line);
        self.markup |= line.starts_with("<?xml") || line.starts_with("<!DOCTYPE");
        if !line.trim().is_empty() {
            self.before = line;
        }
    }

    fn turn_fence(&mut self, line: &str) {
        let ticks = line.len() - line.trim_start_matches('`').len();
        let waves = line.len() - line.trim_start_matches('~').len();
        let marker = &line[..ticks.max(waves)];
        match &self.fence {
            None if marker.len() >= 3 && !line[marker.len()..].contains('`') => self.fence = Some(marker.to_owned()),
            Some(open) if marker.starts_with(open.as_str()) && line.trim_end() == marker => self.fence = None,
            _ => {}
        }
    }

    fn forget(&mut self) {
        if self.line.len() > 2 * REMEMBERED {
            let mut cut = self.line.len() - REMEMBERED;
            while !self.line.is_char_boundary(cut) {
                cut += 1;
            }
            self.line.drain(..cut);
        }
    }
}

fn speaks_of_tokens(line: &str) -> bool {
    line.contains("<|") || line.contains("<｜")
}
