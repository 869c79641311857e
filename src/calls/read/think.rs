//! Thinking that stands in the text, between tags at its very beginning.

/// A part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Thought(String),
    Text(String),
}

/// The tags in which families think.
const TAGS: [(&str, &str); 20] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<thoughts>", "</thoughts>"),
    ("<reflection>", "</reflection>"),
    ("<reason>", "</reason>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("<ifm|think>", "</ifm|think>"),
    ("<longcat_think>", "</longcat_think>"),
    ("<|think:start|>", "<|think:end|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|channel|>analysis<|message|>", END),
    ("<|start|>assistant<|channel|>analysis<|message|>", END),
    ("to=self<|message|>", "<|eom|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel>", "<channel|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
];

/// The mark that ends thinking of gpt-oss, and the one of the next message, which ends it where the first was left out.
const END: &str = "<|end|>";
const NEXT: &str = "<|start|>";

/// How thinking begins where a server has eaten the marks of gpt-oss, with its first word behind it without a space; and
/// what is left of the mark at its end: an answer, or a call.
pub(super) const GLUED: &str = "analysis";
pub(super) const GLUED_ANSWER: &str = "assistantfinal";
pub(super) const GLUED_CALL: &str = "assistantcommentary";

/// Splits thinking from text as it streams.
#[derive(Debug, Clone, Default)]
pub(super) struct Think {
    state: State,
    /// White space at the very beginning, which may be in front of thinking or of text.
    space: String,
    held: String,
    /// So much of it holds none of the marks that are waited for.
    searched: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Nothing visible so far.
    #[default]
    Start,
    /// Inside, up to this tag.
    Inside(&'static str),
    /// Thinking, if what is left of a mark comes.
    Glued,
    /// Past the closing tag, before any text.
    Closed,
    /// All that follows is text.
    Past,
}

impl Think {
    /// Inside of thinking that the template has opened.
    pub(super) fn open() -> Self {
        Self { state: State::Inside("</think>"), ..Self::default() }
    }

    /// Takes text; pushes what is known to be one or the other.
    pub(super) fn take(&mut self, text: &str, out: &mut Vec<Piece>) {
        self.held.push_str(text);
        while self.step(out) {}
    }

    /// Takes the end: what was held back is what it looks like.
    pub(super) fn end(&mut self, out: &mut Vec<Piece>) {
        let held = std::mem::take(&mut self.space) + &std::mem::take(&mut self.held);
        push(out, held, matches!(self.state, State::Inside(_)));
    }

    fn step(&mut self, out: &mut Vec<Piece>) -> bool {
        match self.state {
            State::Past => {
                push(out, std::mem::take(&mut self.space) + &std::mem::take(&mut self.held), false);
                false
            }
            State::Closed => self.closed(),
            State::Start => self.start(),
            State::Inside(tag) => self.inside(tag, out),
            State::Glued => self.glued(out),
        }
    }

    /// Drops the white space behind the closing tag; more thinking may follow.
    fn closed(&mut self) -> bool {
        self.held = self.held.trim_start().to_owned();
        if self.held.is_empty() {
            return false;
        }
        self.state = State::Start;
        true
    }

    fn start(&mut self) -> bool {
        let text = self.held.trim_start();
        if text.len() < self.held.len() {
            let text = text.to_owned();
            self.space.push_str(&self.held[..self.held.len() - text.len()]);
            self.held = text;
        }
        let text = self.held.as_str();
        let mut marks = TAGS
            .iter()
            .map(|(open, _)| *open)
            .chain([GLUED_ANSWER, GLUED_CALL])
            .chain(TAGS.iter().map(|(_, close)| *close));
        if marks.any(|mark| mark.starts_with(text) && mark.len() > text.len()) || GLUED.starts_with(text) {
            return false;
        }
        if begins_glued(text) || text.starts_with(GLUED_ANSWER) || text.starts_with(GLUED_CALL) {
            self.state = State::Glued;
            return true;
        }
        // The template has opened the thinking, and there was none.
        if let Some(rest) = TAGS.iter().find_map(|(_, close)| text.strip_prefix(close)) {
            self.held = rest.to_owned();
            self.space.clear();
            self.state = State::Closed;
            return true;
        }
        let tag = TAGS.iter().filter(|(open, _)| text.starts_with(open)).max_by_key(|(open, _)| open.len());
        if let Some((open, close)) = tag {
            self.held = text[open.len()..].to_owned();
            self.space.clear();
            self.state = State::Inside(close);
        } else {
            self.state = State::Past;
        }
        true
    }

    fn inside(&mut self, tag: &'static str, out: &mut Vec<Piece>) -> bool {
        let next = if tag == END { self.held.find(NEXT).map(|at| (at, at)) } else { None };
        let close = self.held.find(tag).map(|at| (at, at + tag.len()));
        if let Some((end, rest)) = close.into_iter().chain(next).min() {
            let rest = self.held.split_off(rest);
            self.held.truncate(end);
            push(out, std::mem::replace(&mut self.held, rest), true);
            self.state = State::Closed;
            return true;
        }
        let part = |mark: &str| (1..mark.len()).rev().find(|length| self.held.ends_with(&mark[..*length]));
        let keep = part(tag).into_iter().chain(part(NEXT).filter(|_| tag == END)).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - keep);
        push(out, std::mem::replace(&mut self.held, rest), true);
        false
    }
}

/// Whether a text is thinking from its first word on, as far as that shows.
pub(super) fn begins_glued(text: &str) -> bool {
    let first = text.strip_prefix(GLUED).and_then(|rest| rest.chars().next());
    first.is_some_and(|c| c.is_uppercase() || c.is_ascii_digit() || matches!(c, '"' | '“' | '`' | '<'))
}

impl Think {
    /// Waits for what is left of a mark; without it, all of this is text.
    fn glued(&mut self, out: &mut Vec<Piece>) -> bool {
        let from = self.searched;
        let answer = self.held[from..].find(GLUED_ANSWER).map(|at| (from + at, from + at + GLUED_ANSWER.len()));
        let call = self.held[from..].find(GLUED_CALL).map(|at| (from + at, from + at + "assistant".len()));
        let Some((end, next)) = answer.into_iter().chain(call).min() else {
            let overlap = self.held.len().saturating_sub(GLUED_CALL.len());
            self.searched = (0..=overlap).rev().find(|at| self.held.is_char_boundary(*at)).unwrap_or(0).max(from);
            return false;
        };
        let rest = self.held.split_off(next);
        let said = &self.held[..end];
        push(out, said.strip_prefix(GLUED).unwrap_or(said).to_owned(), true);
        self.space.clear();
        self.held = rest;
        self.state = State::Past;
        true
    }
}

fn push(out: &mut Vec<Piece>, text: String, thought: bool) {
    if !text.is_empty() {
        out.push(if thought { Piece::Thought(text) } else { Piece::Text(text) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(parts: &[&str]) -> (String, String) {
        let mut think = Think::default();
        let mut pieces = Vec::new();
        for part in parts {
            think.take(part, &mut pieces);
        }
        think.end(&mut pieces);
        pieces.into_iter().fold((String::new(), String::new()), |(mut thought, mut text), piece| {
            match piece {
                Piece::Thought(part) => thought.push_str(&part),
                Piece::Text(part) => text.push_str(&part),
            }
            (thought, text)
        })
    }

    #[test]
    fn thinking_is_split_off_at_any_cut() {
        let whole = "\n<think>a < b</think>yes";
        for at in 0..=whole.len() {
            assert_eq!(split(&[&whole[..at], &whole[at..]]), ("a < b".into(), "yes".into()), "{at}");
        }
    }

    #[test]
    fn the_next_message_ends_thinking() {
        let whole = "<|channel|>analysis<|message|>So.<|start|>assistant";
        for at in 0..=whole.len() {
            assert_eq!(split(&[&whole[..at], &whole[at..]]), ("So.".into(), "<|start|>assistant".into()), "{at}");
        }
    }

    #[test]
    fn marks_that_a_server_has_eaten_are_seen_by_what_is_left() {
        let cases = [
            ("analysisWe ask \"why?\"assistantfinalfour", "We ask \"why?\"", "four"),
            ("analysisWe read.assistantcommentary to=x", "We read.", "commentary to=x"),
            ("assistantfinalfour", "", "four"),
            ("analysis of it", "", "analysis of it"),
            ("analysisResults is a name", "", "analysisResults is a name"),
            ("analysis", "", "analysis"),
        ];
        for (whole, thought, text) in cases {
            for at in 0..=whole.len() {
                assert_eq!(split(&[&whole[..at], &whole[at..]]), (thought.into(), text.into()), "{whole} at {at}");
            }
        }
    }

    #[test]
    fn a_tag_in_the_middle_is_text() {
        assert_eq!(split(&["the <think> tag"]), (String::new(), "the <think> tag".into()));
    }
}
