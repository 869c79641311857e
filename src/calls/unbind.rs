//! The reading of a bound reply: `{"name": …, "arguments": {…}}`, or `{NAME: {…}}` where it is keyed. The text of an answer streams out of the JSON as it
//! is produced; a call is held until it is whole. Sans-IO.

use serde_json::Value;

use crate::calls::ANSWER;
use crate::rules::CallForm;

/// What a bound reply turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    /// An answer; its text has gone out. `whole` is false when it was cut.
    Answer { whole: bool },
    /// A call: name and arguments.
    Call(String, Value),
    /// A call that was cut by length, with its name where that could be read.
    Cut(Option<String>),
    /// Not a bound reply at all: the server did not bind it. The text as it came.
    Unbound(String),
}

/// The state of one bound reply.
#[derive(Debug)]
pub(crate) struct Unbind {
    /// The name is the only key.
    keyed: bool,
    seen: String,
    /// Bytes of `seen` that have been read as the text of an answer.
    at: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// It is not yet known what it is.
    Opening,
    /// Inside the text of an answer.
    Text,
    /// The text has ended.
    Ended,
    /// A call, or something else.
    Held,
}

impl Unbind {
    pub(crate) fn new(form: CallForm) -> Self {
        Self { keyed: form == CallForm::Keyed, seen: String::new(), at: 0, state: State::Opening }
    }

    /// Takes a piece; gives the text that the client may have now.
    pub(crate) fn on_text(&mut self, piece: &str) -> String {
        self.seen.push_str(piece);
        if self.state == State::Opening {
            (self.state, self.at) = opening(&self.seen, self.keyed);
        }
        if self.state == State::Text { self.read_text() } else { String::new() }
    }

    /// The end of the reply.
    pub(crate) fn on_end(self) -> Bound {
        match self.state {
            State::Text => Bound::Answer { whole: false },
            State::Ended => Bound::Answer { whole: true },
            State::Opening | State::Held => held(self.seen, self.keyed),
        }
    }

    /// Reads the JSON string on from `at`, as far as whole characters go.
    fn read_text(&mut self) -> String {
        let mut out = String::new();
        while self.state == State::Text {
            let rest = &self.seen[self.at..];
            let plain = rest.find(['\\', '"']).unwrap_or(rest.len());
            out.push_str(&rest[..plain]);
            let next = rest.as_bytes().get(plain).copied();
            self.at += plain;
            match next {
                Some(b'"') => self.state = State::Ended,
                Some(_) if self.read_escape(&mut out) => {}
                _ => break,
            }
        }
        out
    }

    /// Reads the escape at `at`; false when it has not come whole.
    fn read_escape(&mut self, out: &mut String) -> bool {
        let rest = &self.seen[self.at..];
        let Some(length) = escape_length(rest) else { return false };
        let literal = format!("\"{}\"", &rest[..length]);
        match serde_json::from_str::<String>(&literal) {
            Ok(text) => out.push_str(&text),
            Err(_) if rest.starts_with("\\u") => out.push('\u{fffd}'),
            Err(_) => out.push_str(&rest[..length]),
        }
        self.at += length;
        true
    }
}

/// The bytes of the escape that `text` starts with, a surrogate pair being one; `None` when more must come.
fn escape_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if *bytes.get(1)? != b'u' {
        return text[1..].chars().next().map(|c| 1 + c.len_utf8());
    }
    let unit = u16::from_str_radix(text.get(2..6)?, 16);
    match unit {
        Ok(0xD800..=0xDBFF) if bytes.len() < 12 && b"\\u".starts_with(&bytes[6..bytes.len().min(8)]) => None,
        Ok(0xD800..=0xDBFF) if text[6..].starts_with("\\u") => Some(12),
        _ => Some(6),
    }
}

/// Whether `seen` opens an answer, and where its text begins.
fn opening(seen: &str, keyed: bool) -> (State, usize) {
    let name = &format!("\"{ANSWER}\"");
    let named = ["{", "\"name\"", ":", name, ",", "\"arguments\"", ":", "{", "\"text\"", ":", "\""];
    let parts = if keyed { &["{", name, ":", "\""] } else { named.as_slice() };
    let mut at = 0;
    for part in parts {
        at += seen[at..].len() - seen[at..].trim_start().len();
        let rest = &seen[at..];
        if part.starts_with(rest) && rest.len() < part.len() {
            return (State::Opening, 0);
        }
        if !rest.starts_with(part) {
            return (State::Held, 0);
        }
        at += part.len();
    }
    (State::Text, at)
}

fn held(seen: String, keyed: bool) -> Bound {
    match serde_json::from_str::<Value>(&seen) {
        Ok(Value::Object(map)) if keyed && map.len() == 1 => match map.into_iter().next() {
            Some((name, arguments)) if arguments.is_object() => Bound::Call(name, arguments),
            _ => Bound::Unbound(seen),
        },
        Ok(Value::Object(mut map)) => match (map.remove("name"), map.remove("arguments")) {
            (Some(Value::String(name)), Some(arguments)) => Bound::Call(name, arguments),
            _ => Bound::Unbound(seen),
        },
        Err(error) if error.is_eof() && seen.trim_start().starts_with('{') => {
            Bound::Cut(if keyed { key_of(&seen) } else { name_of(&seen) })
        }
        _ => Bound::Unbound(seen),
    }
}

/// The name in a call that was cut off behind it.
pub(crate) fn name_of(seen: &str) -> Option<String> {
    let rest = seen.split_once("\"name\"")?.1.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The key that a cut call starts with.
fn key_of(seen: &str) -> Option<String> {
    let rest = seen.trim_start().strip_prefix('{')?.trim_start().strip_prefix('"')?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(pieces: &[&str]) -> (String, Bound) {
        read_as(CallForm::Json, pieces)
    }

    fn read_as(form: CallForm, pieces: &[&str]) -> (String, Bound) {
        let mut unbind = Unbind::new(form);
        let text = pieces.iter().map(|piece| unbind.on_text(piece)).collect();
        (text, unbind.on_end())
    }

    #[test]
    fn the_text_of_an_answer_streams() {
        let mut unbind = Unbind::new(CallForm::Json);
        assert_eq!(unbind.on_text("{\"name\": \"Ans"), "");
        assert_eq!(unbind.on_text("wer\", \"arguments\": {\"text\": \"It is"), "It is");
        assert_eq!(unbind.on_text(" 4\\"), " 4");
        assert_eq!(unbind.on_text("n2.\"}}"), "\n2.");
        assert_eq!(unbind.on_end(), Bound::Answer { whole: true });
    }

    #[test]
    fn a_call_is_held_until_it_is_whole() {
        let (text, bound) = read(&["{\"name\": \"Look\", \"argu", "ments\": {\"at\": 1}}"]);
        assert_eq!((text.as_str(), bound), ("", Bound::Call("Look".into(), json!({"at": 1}))));
    }

    #[test]
    fn what_is_cut_is_never_completed() {
        assert_eq!(read(&["{\"name\": \"Look\", \"arguments\": {\"at\": "]).1, Bound::Cut(Some("Look".into())));
        assert_eq!(
            read(&["{\"name\":\"Answer\",\"arguments\":{\"text\":\"so f"]),
            ("so f".into(), Bound::Answer { whole: false })
        );
    }

    #[test]
    fn a_keyed_reply_has_its_name_as_its_key() {
        let read = |pieces: &[&str]| read_as(CallForm::Keyed, pieces);
        assert_eq!(read(&["{\"Ans", "wer\":\"It is", " 4.\"}"]), ("It is 4.".into(), Bound::Answer { whole: true }));
        assert_eq!(read(&["{\"Look\": {\"at\": 1}}"]).1, Bound::Call("Look".into(), json!({"at": 1})));
        assert_eq!(read(&["{\"Look\": {\"at\": "]).1, Bound::Cut(Some("Look".into())));
        assert_eq!(read(&["{\"Look\": 1}"]).1, Bound::Unbound("{\"Look\": 1}".into()));
    }

    #[test]
    fn what_no_schema_bound_is_given_back() {
        assert_eq!(read(&["Hello", " there"]).1, Bound::Unbound("Hello there".into()));
    }

    /// The same JSON in ASCII alone.
    fn escaped(json: &str) -> String {
        let unit = |unit: u16| if unit < 128 { String::from(unit as u8 as char) } else { format!("\\u{unit:04x}") };
        json.encode_utf16().map(unit).collect::<Vec<_>>().concat()
    }

    proptest! {
        #[test]
        fn every_split_gives_the_same_text(text in any::<String>(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6), ascii in any::<bool>(), keyed in any::<bool>()) {
            let form = if keyed { CallForm::Keyed } else { CallForm::Json };
            let mut whole = crate::show::call_text::answer(form, &text);
            if ascii {
                whole = escaped(&whole);
            }
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).filter(|at| whole.is_char_boundary(*at)).collect();
            ends.extend([0, whole.len()]);
            ends.sort_unstable();
            let pieces: Vec<&str> = ends.windows(2).map(|pair| &whole[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read_as(form, &pieces), (text, Bound::Answer { whole: true }));
        }
    }
}
