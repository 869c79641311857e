//! `fanlight repair`: reads and heals the calls in answers that stand in a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::demo::session::Session;
use super::{Outcome, Usage, rule_files};
use crate::calls::read::Quotes;
use crate::calls::{Piece, repair};
use crate::rules::Lexicon;
use crate::wire::{Block, Request};

/// Read and heal the tool calls in model answers
///
/// Plain text in: what a model wrote; the tools are those of --tools, else usual ones. Or:
///
/// JSON lines {id, tools: [{name, input_schema}], text | chunks: […]} in; {id, content: […], stop_reason, repairs: […]}
/// out. A line may also have `thinking`, `messages` (what the model may quote) and `stop_reason: "max_tokens"`.
#[derive(Debug, Args)]
pub(super) struct Repair {
    /// Plain text or JSON lines; standard input without it
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// A request whose tools are meant by a plain text, as `serve --record` keeps it
    #[arg(long, value_name = "REQUEST.json")]
    tools: Option<PathBuf>,
    /// Rule files or folders over the built-in ones
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
}

impl Repair {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let input: Box<dyn BufRead> = match &self.input {
            Some(path) => {
                Box::new(BufReader::new(File::open(path).with_context(|| format!("cannot open {}", path.display()))?))
            }
            None => Box::new(io::stdin().lock()),
        };
        let lexicon = rule_files::load(&self.rules)?.lexicon;
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut lines = input.lines();
        let first = first_line(&mut lines)?;
        if !is_row(&first) {
            let rest: Vec<String> = lines.collect::<io::Result<_>>()?;
            let text = first + "\n" + &rest.join("\n");
            let row = json!({"id": null, "tools": self.tools()?, "text": text.trim()});
            let answer = answer(&row.to_string(), &lexicon).map_err(Usage)?;
            writeln!(out, "{}", serde_json::to_string_pretty(&answer)?)?;
            out.flush()?;
            return Ok(Outcome::Good);
        }
        for (at, line) in std::iter::once(Ok(first)).chain(lines).enumerate() {
            let line = line?;
            if !line.trim().is_empty() {
                let answer = answer(&line, &lexicon).map_err(|error| Usage(format!("line {}: {error}", at + 1)))?;
                writeln!(out, "{answer}")?;
            }
        }
        out.flush()?;
        Ok(Outcome::Good)
    }
}

impl Repair {
    /// The tools that a plain text may call.
    fn tools(&self) -> anyhow::Result<Value> {
        let Some(path) = &self.tools else { return Ok(Session::load()?.request(&[])["tools"].take()) };
        let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let request: Value =
            serde_json::from_slice(&text).map_err(|error| Usage(format!("{}: {error}", path.display())))?;
        Ok(request["tools"].clone())
    }
}

/// The first line that is not empty.
fn first_line(lines: &mut impl Iterator<Item = io::Result<String>>) -> io::Result<String> {
    lines
        .find(|line| !line.as_ref().is_ok_and(|line| line.trim().is_empty()))
        .transpose()
        .map(Option::unwrap_or_default)
}

/// Whether a line is meant as a row; a call that a model wrote as JSON is none.
fn is_row(line: &str) -> bool {
    let row: Value = serde_json::from_str(line).unwrap_or_default();
    ["id", "tools", "text", "chunks"].iter().any(|key| row.get(key).is_some())
}

/// The answer to one line.
fn answer(line: &str, lexicon: &Arc<Lexicon>) -> Result<Value, String> {
    let row: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let request = request_of(&row)?;
    let quotes = Quotes::new(request.messages.as_slice(), []);
    let chunks = chunks_of(&row)?;
    let thinking = row.get("thinking").and_then(Value::as_str).map(Piece::Thinking);
    let pieces: Vec<Piece<'_>> = thinking.into_iter().chain(chunks.into_iter().map(Piece::Text)).collect();
    let cut = row.get("stop_reason").and_then(Value::as_str) == Some("max_tokens");
    let repaired = repair(&request.tools, &quotes, lexicon, &pieces, cut);
    let content: Vec<Value> = repaired.content.iter().map(Block::to_value).collect();
    Ok(json!({
        "id": row.get("id").cloned().unwrap_or_default(),
        "content": content,
        "stop_reason": repaired.stop_reason,
        "repairs": repaired.repairs,
    }))
}

/// The tools and messages of a line, read as those of a request.
fn request_of(row: &Value) -> Result<Request, String> {
    let part = |name: &str| row.get(name).cloned().unwrap_or_else(|| json!([]));
    let body = json!({"model": "", "tools": part("tools"), "messages": part("messages")});
    Request::parse(body.to_string().as_bytes()).map_err(|error| error.0)
}

fn chunks_of(row: &Value) -> Result<Vec<&str>, String> {
    if let Some(text) = row.get("text").and_then(Value::as_str) {
        return Ok(vec![text]);
    }
    let chunks = row.get("chunks").and_then(Value::as_array).ok_or("neither `text` nor `chunks`")?;
    chunks.iter().map(|chunk| chunk.as_str().ok_or_else(|| "a chunk is not text".to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: &str = r#"[{"name":"Read","input_schema":{"type":"object","properties":{"file_path":{"type":"string"}},"required":["file_path"]}}]"#;

    fn content(rest: &str) -> Value {
        let line = format!(r#"{{"id":7,"tools":{TOOLS},{rest}}}"#);
        let mut answer = answer(&line, &Lexicon::builtin().unwrap().into()).unwrap();
        assert_eq!(answer["id"], 7);
        answer["content"].take()
    }

    #[test]
    fn chunks_give_what_the_whole_text_gives() {
        let whole =
            content(r#""text":"Look. <tool_call>{\"name\":\"read\",\"arguments\":{\"path\":\"a\"}}</tool_call>""#);
        let parts = content(
            r#""chunks":["Look. <tool_","call>{\"name\":\"read\",\"argum","ents\":{\"path\":\"a\"}}</tool_call>"]"#,
        );
        assert_eq!(whole, parts);
        let call = json!({"type": "tool_use", "id": "call_0", "name": "Read", "input": {"file_path": "a"}});
        assert_eq!(whole, json!([{"type": "text", "text": "Look."}, call]));
    }

    #[test]
    fn a_quotation_of_the_messages_is_text() {
        let call = r#"{\"name\":\"Read\",\"arguments\":{\"file_path\":\"a\"}}"#;
        let quoted = content(&format!(r#""text":"{call}","messages":[{{"role":"user","content":"say {call}"}}]"#));
        assert_eq!(quoted[0]["type"], "text");
    }

    #[test]
    fn a_text_of_a_model_is_no_row_even_if_it_is_json() {
        assert!(is_row(r#"{"id":1}"#) && is_row(r#"{"text":"x"}"#));
        assert!(!is_row("I go.") && !is_row(r#"{"name":"Read","arguments":{}}"#) && !is_row(""));
    }

    #[test]
    fn a_line_that_is_no_row_is_wrong_usage() {
        assert!(answer(r#"{"id":1}"#, &Arc::default()).is_err());
    }
}
