//! A tool's name, and its arguments behind it as words: `NAME key=value key="a b"`. A value without quotes goes up to the
//! next key of the tool, or the end of its line.

use serde_json::{Map, Value};

use super::format::{Format, Found, Look, Opening, Seen};
use super::name_json::lines;
use super::scan::{Scan, Step, Stop};
use crate::calls::heal::typed;

/// `NAME key=value`.
pub(super) struct NameWords;

impl Format for NameWords {
    fn openings(&self) -> &'static [Opening] {
        &[Opening::Name]
    }

    fn read(&self, seen: &Seen<'_>) -> Look {
        // In the midst of other lines it is a log.
        if seen.is_awaited() { lines(seen, one).unwrap_or_else(Look::from) } else { Look::Not }
    }
}

fn one(scan: &mut Scan<'_>, found: &mut Found) -> Step<()> {
    let name = scan.name()?.trim_end_matches(':');
    if !scan.seen.scope.knows(name) {
        return Err(Stop::Not);
    }
    let space = scan.word(char::is_whitespace)?;
    if space.is_empty() || space.contains("\n\n") {
        return Err(Stop::Not);
    }
    let mut input = Map::new();
    loop {
        let key = key(scan, name)?.ok_or(Stop::Not)?;
        let value = value(scan, name, key, found)?;
        input.insert(key.to_owned(), value);
        let mut ahead = *scan;
        ahead.space();
        if ahead.over() || self::key(&mut ahead.clone(), name)?.is_none() {
            break;
        }
        *scan = ahead;
    }
    found.open = scan.over();
    found.add(name, Value::Object(input));
    Ok(())
}

/// Takes `KEY=` where the tool has such a parameter.
fn key<'a>(scan: &mut Scan<'a>, tool: &str) -> Step<Option<&'a str>> {
    let key = scan.word(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))?;
    let known = !key.is_empty() && scan.seen.scope.has_parameter(tool, key);
    Ok((known && scan.eat("=")?).then_some(key))
}

fn value(scan: &mut Scan<'_>, tool: &str, key: &str, found: &mut Found) -> Step<Value> {
    if matches!(scan.next()?, Some('"' | '\'' | '{' | '[')) {
        let mut quoted = *scan;
        let mut repairs = Vec::new();
        match quoted.literal(&mut repairs) {
            Ok(value) if quoted.rest().starts_with(char::is_whitespace) || quoted.over() => {
                *scan = quoted;
                return Ok(value);
            }
            Ok(_) if quoted.rest().is_empty() => return Err(Stop::Short),
            Err(stop) if stop != Stop::Not => return Err(stop),
            _ => {}
        }
    }
    let text = bare(scan, tool)?;
    found.repairs.push("unquoted-text");
    Ok(typed(text, scan.seen.scope.parameter(tool, key)))
}

/// Takes text up to the next key of the tool on this line, or the end of the line.
fn bare<'a>(scan: &mut Scan<'a>, tool: &str) -> Step<&'a str> {
    let rest = scan.rest();
    let line = match rest.find('\n') {
        Some(end) => &rest[..end],
        None if scan.seen.end => rest,
        None => return Err(Stop::Inside),
    };
    let is_key = |at: &usize| {
        let word = &line[at + 1..];
        let end = word.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(word.len());
        word[end..].starts_with('=') && scan.seen.scope.has_parameter(tool, &word[..end])
    };
    let end = line.match_indices(' ').map(|(at, _)| at).find(is_key).unwrap_or(line.len());
    scan.at += end;
    let text = line[..end].trim_end();
    if text.is_empty() { Err(Stop::Not) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn words_behind_a_name() {
        check(&[
            ("Bash command=ls", &[r#"Bash{"command":"ls"}"#]),
            ("Read limit=20", &["!Read"]),
            (
                "Bash command=\"ls -la\" description='list all'",
                &[r#"Bash{"command":"ls -la","description":"list all"}"#],
            ),
            ("Bash: command=ls -la a=b timeout=5", &[r#"Bash{"command":"ls -la a=b","timeout":5}"#]),
            ("Read file_path=/a b/ç.txt limit=20\n", &[r#"Read{"file_path":"/a b/ç.txt","limit":20}"#]),
            ("Read\nfile_path=a.txt\nlimit=20", &[r#"Read{"file_path":"a.txt","limit":20}"#]),
            (
                "I'll look.\n\nRead file_path=a\nRead file_path=b",
                &["I'll look.", r#"Read{"file_path":"a"}"#, r#"Read{"file_path":"b"}"#],
            ),
        ]);
    }

    #[test]
    fn words_that_are_none() {
        let texts = [
            "Bash colour=red",
            "Bash command=",
            "Read file_path=a.txt\nis how it is written in the log.",
            "Read more about key=value pairs.",
            "The log says:\nBash command=ls",
        ];
        for text in texts {
            check(&[(text, &[text])]);
        }
    }
}
