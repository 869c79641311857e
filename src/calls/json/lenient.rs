//! The lenient reader: a descent that looks ahead only in what is there, so that a longer text never changes its mind.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

use super::{Fix, Reading};

/// How deep values may nest.
const DEEPEST: usize = 128;

/// Reads one value; see [`super::read`].
pub(super) fn read(text: &str, end: bool) -> Reading {
    let mut reader = Reader { text, at: 0, end, open: Vec::new(), supplied: false, fixes: BTreeSet::new() };
    match reader.value() {
        Ok(value) => Reading::Whole { value, used: reader.at, fixes: reader.fixes.into_iter().collect() },
        Err(Stop::Short) if !end => Reading::More,
        Err(_) => Reading::Bad,
    }
}

enum Stop {
    /// The text ended.
    Short,
    Bad,
}

type Step<T> = Result<T, Stop>;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    end: bool,
    /// The closers that are waited for.
    open: Vec<u8>,
    /// A closer was added where no other one showed that it had been forgotten. Once: what lacks more was cut off.
    supplied: bool,
    fixes: BTreeSet<Fix>,
}

/// What stands behind an item of an object or a list.
enum After {
    Comma,
    Close,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next byte; of a quote that is curly, or punctuation of full width, the plain one.
    fn peek(&self) -> Step<u8> {
        let byte = self.text.as_bytes().get(self.at).copied().ok_or(Stop::Short)?;
        Ok(if byte < 0x80 { byte } else { self.rest().chars().next().and_then(plain).unwrap_or(byte) })
    }

    /// Takes one sign of punctuation.
    fn take(&mut self) {
        let sign = self.rest().chars().next().unwrap_or(' ');
        self.at += sign.len_utf8();
        if !sign.is_ascii() {
            self.fix(Fix::WidePunctuation);
        }
    }

    /// Whether the text goes on with `word`; short when it ends before that is known.
    fn ahead(&self, word: &str) -> Step<bool> {
        let rest = self.rest();
        if rest.len() < word.len() && word.starts_with(rest) && !self.end {
            return Err(Stop::Short);
        }
        Ok(rest.starts_with(word))
    }

    fn fix(&mut self, fix: Fix) {
        self.fixes.insert(fix);
    }

    /// Skips white space and comments; true when a blank line was among it.
    fn space(&mut self) -> Step<bool> {
        let mut newlines = 0;
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            newlines += rest[..blank].matches('\n').count();
            self.at += blank;
            match self.peek() {
                Ok(b'/') => self.comment()?,
                Ok(b'#') => self.line_comment(),
                _ => return Ok(newlines > 1),
            }
        }
    }

    fn comment(&mut self) -> Step<()> {
        if self.ahead("//")? {
            self.line_comment();
        } else if self.ahead("/*")? {
            let length = self.rest().find("*/").ok_or(Stop::Short)?;
            self.at += length + 2;
            self.fix(Fix::Comment);
        } else {
            return Err(Stop::Bad);
        }
        Ok(())
    }

    fn line_comment(&mut self) {
        let rest = self.rest();
        self.at += rest.find('\n').unwrap_or(rest.len());
        self.fix(Fix::Comment);
    }

    fn value(&mut self) -> Step<Value> {
        if self.open.len() >= DEEPEST {
            return Err(Stop::Bad);
        }
        self.space()?;
        match self.peek()? {
            b'{' => self.object(),
            b'[' => self.list(b']'),
            b'(' => {
                self.fix(Fix::Tuple);
                self.list(b')')
            }
            quote @ (b'"' | b'\'') => self.string(quote).map(Value::String),
            b'-' | b'+' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self) -> Step<Value> {
        self.at += 1;
        self.open.push(b'}');
        let mut map = Map::new();
        loop {
            self.space()?;
            if self.peek()? == b'}' {
                self.close(!map.is_empty());
                return Ok(Value::Object(map));
            }
            let key = self.key()?;
            self.space()?;
            if self.peek()? != b':' {
                return Err(Stop::Bad);
            }
            self.take();
            let value = self.value()?;
            map.insert(key, value);
            if matches!(self.after(b'}')?, After::Close) {
                return Ok(Value::Object(map));
            }
        }
    }

    fn list(&mut self, closer: u8) -> Step<Value> {
        self.at += 1;
        self.open.push(closer);
        let mut items = Vec::new();
        loop {
            self.space()?;
            if self.peek()? == closer {
                self.close(!items.is_empty());
                return Ok(Value::Array(items));
            }
            items.push(self.value()?);
            if matches!(self.after(closer)?, After::Close) {
                return Ok(Value::Array(items));
            }
        }
    }

    fn close(&mut self, after_comma: bool) {
        self.at += 1;
        self.open.pop();
        if after_comma {
            self.fix(Fix::TrailingComma);
        }
    }

    /// What follows an item: a comma, the closer, or a place where the closer can only have been forgotten.
    fn after(&mut self, closer: u8) -> Step<After> {
        let item_ends = self.at;
        let blank_line = self.space()?;
        match self.peek() {
            Ok(b',') => {
                self.take();
                return Ok(After::Comma);
            }
            Ok(next) if next == closer => {
                self.close(false);
                return Ok(After::Close);
            }
            Ok(next) if self.closes_outer(next) => {}
            Err(Stop::Short) if self.end && !self.supplied => self.supplied = true,
            Ok(next) if !self.supplied && self.ends_text(next, blank_line)? => self.supplied = true,
            Err(Stop::Short) if !self.end => return Err(Stop::Short),
            _ => return Err(Stop::Bad),
        }
        self.at = item_ends;
        self.open.pop();
        self.fix(Fix::MissingCloser);
        Ok(After::Close)
    }

    /// Whether this is the closer of something further out, so that the one of the present item was left out.
    fn closes_outer(&self, next: u8) -> bool {
        self.open.split_last().is_some_and(|(_, outer)| outer.contains(&next))
    }

    /// Whether the JSON is over here: a closing tag, the end of a fence, or a new paragraph.
    fn ends_text(&self, next: u8, blank_line: bool) -> Step<bool> {
        match next {
            b'<' => Ok(self.ahead("</")? || self.ahead("<|")?),
            b'`' => self.ahead("```"),
            _ => Ok(blank_line && next.is_ascii_alphabetic()),
        }
    }

    fn key(&mut self) -> Step<String> {
        match self.peek()? {
            quote @ (b'"' | b'\'') => self.string(quote),
            first if first.is_ascii_alphabetic() || first == b'_' => {
                let name = self.name()?.to_owned();
                self.fix(Fix::BareKey);
                Ok(name)
            }
            _ => Err(Stop::Bad),
        }
    }

    fn name(&mut self) -> Step<&'a str> {
        let rest = self.rest();
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let length = rest.find(|c| !inside(c)).or(self.end.then_some(rest.len())).ok_or(Stop::Short)?;
        self.at += length;
        Ok(&rest[..length])
    }

    fn word(&mut self) -> Step<Value> {
        let name = self.name()?;
        let (value, python) = match name {
            "true" => (Value::Bool(true), false),
            "false" => (Value::Bool(false), false),
            "null" => (Value::Null, false),
            "True" => (Value::Bool(true), true),
            "False" => (Value::Bool(false), true),
            "None" => (Value::Null, true),
            _ => return Err(Stop::Bad),
        };
        if python {
            self.fix(Fix::PythonLiteral);
        }
        Ok(value)
    }

    fn number(&mut self) -> Step<Value> {
        let rest = self.rest();
        let inside = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        let length = rest.find(|c| !inside(c)).or(self.end.then_some(rest.len())).ok_or(Stop::Short)?;
        self.at += length;
        let digits = rest[..length].strip_prefix('+').unwrap_or(&rest[..length]);
        if let Ok(number) = digits.parse::<Number>() {
            return Ok(Value::Number(number));
        }
        let number = without_leading_zeros(digits).and_then(|digits| digits.parse::<Number>().ok()).ok_or(Stop::Bad)?;
        self.fix(Fix::LeadingZero);
        Ok(Value::Number(number))
    }

    fn string(&mut self, quote: u8) -> Step<String> {
        if !self.rest().starts_with(char::from(quote)) {
            return self.curly();
        }
        self.at += 1;
        if quote == b'\'' {
            self.fix(Fix::SingleQuotes);
        }
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let stop = |c: char| c == char::from(quote) || c == '\\' || (c < ' ');
            let length = rest.find(stop).ok_or(Stop::Short)?;
            out.push_str(&rest[..length]);
            self.at += length;
            match self.peek()? {
                b'\\' => self.escape(&mut out)?,
                byte if byte == quote => {
                    self.at += 1;
                    return Ok(out);
                }
                control => {
                    self.at += 1;
                    self.fix(Fix::RawControl);
                    out.push(char::from(control));
                }
            }
        }
    }

    /// A string in curly quotes: up to one behind which something of JSON stands, as there may be others in the text.
    fn curly(&mut self) -> Step<String> {
        self.take();
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let stop = |c: char| c == '\\' || matches!(plain(c), Some(b'"' | b'\''));
            let length = rest.find(stop).ok_or(Stop::Short)?;
            out.push_str(&rest[..length]);
            self.at += length;
            if self.peek()? == b'\\' {
                self.escape(&mut out)?;
                continue;
            }
            let quote = self.rest().chars().next().unwrap_or('"');
            let behind = self.rest()[quote.len_utf8()..].trim_start();
            let next = behind.chars().next();
            if next.is_none() && !self.end {
                return Err(Stop::Short);
            }
            let closes = next.is_none_or(|c| matches!(plain(c).map_or(c, char::from), ':' | ',' | '}' | ']'));
            self.at += quote.len_utf8();
            if closes {
                return Ok(out);
            }
            out.push(quote);
        }
    }

    fn escape(&mut self, out: &mut String) -> Step<()> {
        let escaped = self.rest().chars().nth(1).ok_or(Stop::Short)?;
        let plain = match escaped {
            'u' => return self.unicode(out),
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '"' | '\\' | '/' => escaped,
            '\'' => {
                self.fix(Fix::SingleQuotes);
                '\''
            }
            _ => {
                self.fix(Fix::InvalidEscape);
                out.push('\\');
                escaped
            }
        };
        self.at += 1 + escaped.len_utf8();
        out.push(plain);
        Ok(())
    }

    fn unicode(&mut self, out: &mut String) -> Step<()> {
        let Some(high) = self.code_unit(self.at)? else {
            self.fix(Fix::InvalidEscape);
            out.push_str("\\u");
            self.at += 2;
            return Ok(());
        };
        if !(0xD800..0xE000).contains(&high) {
            self.at += 6;
            out.extend(char::from_u32(u32::from(high)));
            return Ok(());
        }
        let low = if high < 0xDC00 { self.code_unit(self.at + 6)? } else { None };
        let pair = low.and_then(|low| char::decode_utf16([high, low]).next()?.ok());
        if pair.is_none() {
            self.fix(Fix::LoneSurrogate);
        }
        self.at += if pair.is_some() { 12 } else { 6 };
        out.push(pair.unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(())
    }

    /// The code unit of a `\uXXXX` at this place; `None` when there is none.
    fn code_unit(&self, at: usize) -> Step<Option<u16>> {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let begins = rest.iter().take(2).eq(b"\\u".iter().take(rest.len()));
        if rest.len() < 6 && begins && rest.iter().skip(2).all(u8::is_ascii_hexdigit) && !self.end {
            return Err(Stop::Short);
        }
        let digits = rest.get(..6).and_then(|unit| unit.strip_prefix(b"\\u"));
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        Ok(digits.and_then(|digits| u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()))
    }
}

/// The plain sign for a curly quote, or for punctuation of full width.
fn plain(sign: char) -> Option<u8> {
    Some(match sign {
        '“' | '”' | '„' | '＂' => b'"',
        '‘' | '’' => b'\'',
        '：' => b':',
        '，' => b',',
        _ => return None,
    })
}

fn without_leading_zeros(digits: &str) -> Option<String> {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let short = digits.trim_start_matches('0');
    (short.len() < digits.len() && short.starts_with(|c: char| c.is_ascii_digit())).then(|| format!("{sign}{short}"))
}
