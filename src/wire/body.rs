//! A body as it came, message by message. The next body of a history begins and ends with the same bytes: only what is
//! new in it has to be read.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::Xxh3;

use super::request::{Places, outer, read_message};
use super::{Message, Request, Unreadable};

/// A body that was read, and where in it each message ends.
#[derive(Debug)]
pub struct Body {
    bytes: Bytes,
    /// The offset of the bracket before the messages; `None` where they do not stand in one list.
    list: Option<usize>,
    /// The offsets behind each message.
    ends: Vec<usize>,
    /// The offset of the bracket behind the messages.
    close: usize,
    request: Arc<Request>,
    outside: u128,
}

impl Body {
    /// Reads a body of which nothing is known.
    ///
    /// # Errors
    /// As [`Request::parse`].
    pub fn read(bytes: Bytes) -> Result<Self, Unreadable> {
        let (request, places) = outer(&bytes)?;
        let (list, ends, close) = match places {
            Some(ends) => {
                around(&bytes, &ends).map_or((None, Vec::new(), 0), |(open, close)| (Some(open), ends.ends, close))
            }
            None => (None, Vec::new(), 0),
        };
        let outside = list.map_or(0, |open| outside(&bytes, open, close));
        Ok(Self { bytes, list, ends, close, request: request.into(), outside })
    }

    /// Reads a body that begins like this one; `None` where it does not, or not as bodies of one history do. What is
    /// read is what [`Body::read`] reads.
    pub fn next(&self, bytes: Bytes) -> Option<Self> {
        let known = self.shared(&bytes);
        self.next_behind(known, bytes)
    }

    /// The same, where it is known how many messages both share.
    pub fn next_behind(&self, known: usize, bytes: Bytes) -> Option<Self> {
        let open = self.list?;
        let mut at = *self.ends[..known].last()?;
        let mut ends = self.ends[..known].to_vec();
        let mut messages = self.request.messages[..known].to_vec();
        loop {
            at = skip_space(&bytes, at);
            match bytes.get(at)? {
                b']' => break,
                b',' => at = skip_space(&bytes, at + 1),
                _ => return None,
            }
            let (message, length) = message(&bytes[at..])?;
            at += length;
            // What differs only in what is not read stays the same message.
            let before = self.request.messages.get(messages.len()).filter(|before| **before == message);
            messages.push(before.cloned().unwrap_or(message));
            ends.push(at);
        }
        let (rest, outside) = self.outside_of(&bytes, open, at)?;
        Some(Self { list: Some(open), ends, close: at, request: Request { messages, ..rest }.into(), outside, bytes })
    }

    /// The request but for its messages, which stand between two brackets; read anew where it is not the known one.
    fn outside_of(&self, bytes: &Bytes, open: usize, close: usize) -> Option<(Request, u128)> {
        if bytes[close..] == self.bytes[self.close..] {
            return Some((self.request.without_messages(), self.outside));
        }
        let (rest, places) = outer(&[&bytes[..=open], &bytes[close..]].concat()).ok()?;
        (places.is_some() && rest.messages.is_empty()).then(|| (rest, outside(bytes, open, close)))
    }

    /// How many messages at the beginning of another body are surely those of this one.
    pub fn shared(&self, bytes: &[u8]) -> usize {
        let same = common_prefix(&self.bytes, bytes);
        self.ends.partition_point(|end| *end <= same)
    }

    pub fn request(&self) -> &Arc<Request> {
        &self.request
    }

    /// The request, to be changed in what does not depend on its bytes.
    pub fn request_mut(&mut self) -> &mut Request {
        Arc::make_mut(&mut self.request)
    }

    /// The hash of all that is no message; `None` where that cannot be told.
    pub fn outside(&self) -> Option<u128> {
        self.list.map(|_| self.outside)
    }

    /// Bytes of it.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// The brackets around the messages, where there are messages.
fn around(bytes: &[u8], places: &Places) -> Option<(usize, usize)> {
    let open = bytes[..places.start?].iter().rposition(|byte| !is_space(*byte))?;
    let close = skip_space(bytes, *places.ends.last()?);
    (bytes[open] == b'[' && bytes.get(close) == Some(&b']')).then_some((open, close))
}

/// The message at the beginning, and its length.
fn message(bytes: &[u8]) -> Option<(Message, usize)> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    let raw = values.next()?.ok()?;
    let message = bytes.starts_with(b"{").then(|| read_message(raw))??;
    Some((message, values.byte_offset()))
}

fn outside(bytes: &[u8], open: usize, close: usize) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(&open.to_le_bytes());
    hash.update(&bytes[..open]);
    hash.update(&bytes[close..]);
    hash.digest128()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| is_space(**byte)).count()
}

/// How many bytes both begin with. Whole blocks are compared at once.
fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    const BLOCK: usize = 4096;
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let same = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    same + one[same..].iter().zip(&other[same..]).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn body(messages: &[Value], behind: &str) -> Bytes {
        let messages: Vec<String> = messages.iter().map(Value::to_string).collect();
        format!(
            r#"{{"model":"m", "messages": [ {} ] ,"system":"s","tools":[{{"name":"T"}}]{behind}}}"#,
            messages.join(" , ")
        )
        .into()
    }

    fn user(text: &str, marked: bool) -> Value {
        let mut block = json!({"type": "text", "text": text});
        if marked {
            block["cache_control"] = json!({"type": "ephemeral"});
        }
        json!({"role": "user", "content": [block]})
    }

    fn same(one: &Body, other: &Body) -> bool {
        one.request == other.request
            && one.ends == other.ends
            && (one.list, one.close) == (other.list, other.close)
            && one.outside == other.outside
    }

    #[test]
    fn what_is_known_is_not_read_again_and_a_mark_is_no_news() {
        let one = Body::read(body(&[user("a", false), user("b", true)], "")).unwrap();
        let next = body(&[user("a", false), user("b", false), user("c", true)], "");
        let two = one.next(next.clone()).unwrap();
        assert!(same(&two, &Body::read(next).unwrap()));
        assert_eq!(one.shared(&two.bytes), 1);
        let is = |at: usize| one.request.messages[at].content.is(&two.request.messages[at].content);
        assert!(is(0) && is(1));
        assert_eq!(one.outside(), two.outside());
    }

    #[test]
    fn a_body_of_another_shape_is_read_anew() {
        let one = Body::read(body(&[user("a", false), user("b", false)], "")).unwrap();
        let broken = |text: &str| one.next(Bytes::from(text.to_owned())).is_none();
        let text = String::from_utf8(one.bytes.to_vec()).unwrap();
        assert!(broken(&text[..text.len() - 1]), "no end");
        assert!(broken(&text.replace(" ] ", " , ] ")), "a comma too many");
        assert!(broken(&text.replace(" ] ", " , 1 ] ")), "no message");
        assert!(broken(&text.replace("\"system\":\"s\"", "\"system\":1")), "a system text that is none");
        assert!(broken(&text.replace("\"system\":\"s\"", "\"messages\":[]")), "two lists");
        assert!(broken("{}"));
    }

    #[test]
    fn two_lists_and_none_are_never_gone_on_from() {
        for text in [
            r#"{"messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}"#,
            "{}",
            r#"{"messages":[]}"#,
        ] {
            let body = Body::read(text.into()).unwrap();
            assert_eq!((body.outside(), body.next(text.into()).is_none()), (None, true), "{text}");
        }
    }

    proptest! {
        /// Whatever body came before, a body is read as if none had.
        #[test]
        fn what_came_before_only_makes_it_fast(
            one in proptest::collection::vec(("[ab\\\\\"é\u{1F600}]{0,3}", any::<bool>()), 0..6),
            other in proptest::collection::vec(("[ab\\\\\"é\u{1F600}]{0,3}", any::<bool>()), 0..6),
            common in 0..6_usize, behind in "(,\"max_tokens\":[12])?", cut in any::<Option<u8>>(),
        ) {
            let common = common.min(one.len());
            let values = |list: &[(String, bool)]| list.iter().map(|(text, marked)| user(text, *marked)).collect::<Vec<_>>();
            let first = values(&one);
            let second = [&first[..common], &values(&other)[..]].concat();
            let before = Body::read(body(&first, "")).unwrap();
            let mut bytes = body(&second, &behind).to_vec();
            if let Some(cut) = cut {
                bytes.truncate(usize::from(cut));
            }
            let bytes = Bytes::from(bytes);
            if let Some(next) = before.next(bytes.clone()) {
                prop_assert!(same(&next, &Body::read(bytes).unwrap()));
            }
        }
    }
}
