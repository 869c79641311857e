//! Streams of model servers, as they come, and what the client gets of them: `fixtures/streams/*.md`.
//!
//! A file is prose with pairs of blocks. ```` ```upstream DIALECT MODEL ```` holds the bytes of an answer;
//! ```` ```upstream text MODEL REASON ```` what the model wrote until it stopped for that reason, which is streamed in
//! Ollama's lines. ```` ```client ```` is what comes out: `text "…"`, `call NAME {…}`, `stop REASON`, `error KIND`, `ask again`.
//! Each pair is played in pieces of several sizes: how bytes are divided on their way must not matter.

use std::fs;

use fanlight::pipeline::{Plan, Planned, Setup, plan};
use fanlight::rules::RuleSet;
use fanlight::tokens::{Window, WindowSource};
use fanlight::turn::Next;
use fanlight::wire::{ChatDecoder, Delta, Dialect, End, EventDecoder, Request, SseReader};
use serde_json::json;

use crate::repository;

/// Sizes of the pieces in which a stream is played, in bytes.
const PIECES: [usize; 4] = [1, 7, 64, usize::MAX];

/// One pair of blocks.
struct Case {
    place: String,
    dialect: Dialect,
    model: String,
    upstream: String,
    client: String,
}

fn cases() -> Vec<Case> {
    let mut files: Vec<_> =
        fs::read_dir(repository().join("fixtures/streams")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|path| read(&path.display().to_string(), &fs::read_to_string(path).unwrap())).collect()
}

fn read(place: &str, text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("```upstream ") {
        let (info, after) = after.split_once('\n').unwrap();
        let (upstream, after) = after.split_once("```").unwrap();
        let (_, after) = after.split_once("```client\n").expect("every upstream block has its client block");
        let (client, after) = after.split_once("```").unwrap();
        let words: Vec<&str> = info.split(' ').collect();
        let (dialect, upstream) = match words[..] {
            ["anthropic", _] => (Dialect::Anthropic, upstream.to_owned()),
            ["ollama", _] => (Dialect::Ollama, upstream.to_owned()),
            ["text", _, reason] => (Dialect::Ollama, written(upstream.trim_end_matches('\n'), 9, reason)),
            _ => panic!("{place}: {info}"),
        };
        let place = format!("{place}, {}", cases.len() + 1);
        cases.push(Case { place, dialect, model: words[1].into(), upstream, client: client.into() });
        rest = after;
    }
    cases
}

/// A plan for the first request of the older client.
fn planned(setup: &Setup, case: &Case) -> Box<Plan> {
    let body = fs::read(repository().join("fixtures/requests/classic/hello.json")).unwrap();
    let window = Window { tokens: 8192, source: WindowSource::Setting };
    let target = setup.target(&case.model, window, case.dialect).unwrap();
    match plan(setup, &target, &Request::parse(&body).unwrap().into()).unwrap() {
        Planned::Send(plan) => plan,
        Planned::Answer { text, .. } => panic!("answered here: {text}"),
    }
}

/// Decodes an answer that comes in pieces.
fn decoded(case: &Case, piece: usize, mut on: impl FnMut(Delta)) -> End {
    let mut deltas = Vec::new();
    let mut end = None;
    let bytes = case.upstream.as_bytes();
    let pieces = bytes.chunks(piece.min(bytes.len().max(1)));
    if case.dialect == Dialect::Ollama {
        let mut decoder = ChatDecoder::default();
        for piece in pieces {
            end = end.or(decoder.feed(piece, &mut deltas).unwrap());
            deltas.drain(..).for_each(&mut on);
        }
        end = end.or_else(|| Some(decoder.on_close(&mut deltas)));
    } else {
        let (mut reader, mut decoder, mut frames) = (SseReader::default(), EventDecoder::default(), Vec::new());
        for piece in pieces {
            reader.feed(piece, &mut frames).unwrap();
            for frame in frames.drain(..) {
                end = end.or_else(|| decoder.on_frame(&frame, &mut deltas));
            }
            deltas.drain(..).for_each(&mut on);
        }
        end = end.or_else(|| Some(decoder.on_close(&mut deltas)));
    }
    deltas.drain(..).for_each(&mut on);
    end.unwrap()
}

fn played(plan: &Plan, case: &Case, piece: usize) -> String {
    let mut answer = plan.answer();
    let mut out = Vec::new();
    let end = decoded(case, piece, |delta| answer.on_delta(delta, &mut out));
    let next = answer.on_end(end, &mut out);
    let mut lines = spoken(&out);
    lines.push(match next {
        Next::Finish { stop, .. } => format!("stop {}", stop.as_str()),
        Next::Ask(_) => "ask again".to_owned(),
        Next::Fail(error) => format!("error {}", error.kind.as_str()),
    });
    lines.join("\n")
}

/// What the client gets, a line a block.
fn spoken(deltas: &[Delta]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut text = String::new();
    for delta in deltas {
        if let Delta::Text(more) = delta {
            text += more;
            continue;
        }
        flush(&mut text, &mut lines);
        match delta {
            Delta::Call(call) => lines.push(format!("call {} {}", call.name, call.input)),
            Delta::Thinking(thought) => lines.push(format!("thinking {thought:?}")),
            other => lines.push(format!("{other:?}")),
        }
    }
    flush(&mut text, &mut lines);
    lines
}

fn flush(text: &mut String, lines: &mut Vec<String>) {
    if !text.is_empty() {
        lines.push(format!("text {}", serde_json::Value::from(std::mem::take(text))));
    }
}

#[test]
fn every_stream_reaches_the_client_as_its_file_says() {
    let setup = Setup::new(RuleSet::builtin());
    let cases = cases();
    assert!(cases.len() >= 8, "only {} streams were found", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let plan = planned(&setup, case);
        for piece in PIECES {
            let got = played(&plan, case, piece);
            if got != case.client.trim() {
                wrong.push(format!("{} in pieces of {piece}:\n{got}\nwanted:\n{}", case.place, case.client));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The texts of `fixtures/clean`, each as an answer of a model.
fn clean() -> Vec<(String, String)> {
    let folder = repository().join("fixtures/clean");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn text_that_talks_about_calls_stays_text_byte_for_byte() {
    let setup = Setup::new(RuleSet::builtin());
    let texts = clean();
    assert!(texts.len() >= 6);
    for (place, text) in texts {
        for model in ["qwen3-coder:30b", "llama3.1:8b", "gpt-oss:20b", "mistral-small:24b", "some-coder:7b"] {
            for piece in [1, 5, 4096] {
                assert_eq!(passed(&setup, model, &text, piece), text, "{place} from {model} in pieces of {piece}");
            }
        }
    }
}

/// A text as Ollama streams it, in pieces of so many characters.
fn written(text: &str, piece: usize, reason: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let line = |piece: &[char], done: bool| {
        let message = json!({"role": "assistant", "content": piece.iter().collect::<String>()});
        format!("{}\n", json!({"message": message, "done": done, "done_reason": reason}))
    };
    chars.chunks(piece).map(|piece| line(piece, false)).chain([line(&[], true)]).collect()
}

/// What the client gets of a text that a model streams in pieces of so many characters.
fn passed(setup: &Setup, model: &str, text: &str, piece: usize) -> String {
    let upstream = written(text, piece, "stop");
    let case =
        Case { place: String::new(), dialect: Dialect::Ollama, model: model.into(), upstream, client: String::new() };
    let plan = planned(setup, &case);
    let mut answer = plan.answer();
    let mut out = Vec::new();
    let end = decoded(&case, usize::MAX, |delta| answer.on_delta(delta, &mut out));
    answer.on_end(end, &mut out);
    let texts = out.into_iter().map(|delta| match delta {
        Delta::Text(text) => text,
        other => panic!("{other:?}"),
    });
    texts.collect()
}
