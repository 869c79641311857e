//! What is fuzzed: each target takes any bytes, and must neither panic nor break what it promises. Used by cargo-fuzz, and
//! with seeds by the ordinary tests.

use std::sync::{Arc, LazyLock};

use fanlight::calls::read::Quotes;
use fanlight::calls::{Piece, repair};
use fanlight::pipeline::{Planned, Setup, plan};
use fanlight::rules::{Lexicon, RuleSet};
use fanlight::tokens::{Window, WindowSource};
use fanlight::wire::{ChatDecoder, Delta, Dialect, End, EventDecoder, Frame, Request, SseReader, Tool, is_readable};

/// A target by its name.
pub(crate) type Target = (&'static str, fn(&[u8]));

pub(crate) const TARGETS: [Target; 5] =
    [("request", request), ("ndjson", ndjson), ("sse", sse), ("calls", calls), ("rules", rules)];

/// A body to a plan: it fits, or it is refused; and again it is the same.
pub(crate) fn request(bytes: &[u8]) {
    static SETUP: LazyLock<Setup> = LazyLock::new(|| Setup::new(RuleSet::builtin()));
    let Ok(request) = is_readable(bytes).and_then(|()| Request::parse(bytes)) else { return };
    let request = Arc::new(request);
    let (dialect, model) = if bytes.len().is_multiple_of(2) {
        (Dialect::Ollama, "qwen2.5-coder:7b")
    } else {
        (Dialect::Anthropic, "some-coder:7b")
    };
    let window = Window { tokens: 4096, source: WindowSource::Setting };
    let target = SETUP.target(model, window, dialect).expect("a family for every model");
    if let Ok(Planned::Send(first)) = plan(&SETUP, &target, &request) {
        assert!(first.report.fits && first.report.after.total <= first.report.budget, "{:?}", first.report);
        let Ok(Planned::Send(again)) = plan(&SETUP, &target, &request) else { panic!("the second time it is refused") };
        assert_eq!(first.written(), again.written());
    }
}

/// Ollama's lines: wherever they are split, the same comes out, and there is an end.
pub(crate) fn ndjson(bytes: &[u8]) {
    let read = |parts: &[&[u8]]| -> (Vec<Delta>, End) {
        let (mut decoder, mut out) = (ChatDecoder::default(), Vec::new());
        for part in parts {
            if let Ok(Some(end)) = decoder.feed(part, &mut out) {
                return (out, end);
            }
        }
        let end = decoder.on_close(&mut out);
        (out, end)
    };
    let (a, b) = bytes.split_at(bytes.len() / 3);
    assert_eq!(read(&[bytes]), read(&[a, b]));
}

/// Events, likewise.
pub(crate) fn sse(bytes: &[u8]) {
    let read = |parts: &[&[u8]]| -> (Vec<Delta>, End) {
        let (mut reader, mut decoder) = (SseReader::default(), EventDecoder::default());
        let (mut frames, mut out): (Vec<Frame>, Vec<Delta>) = (Vec::new(), Vec::new());
        for part in parts {
            let _ = reader.feed(part, &mut frames);
        }
        reader.finish(&mut frames);
        let end = frames.iter().find_map(|frame| decoder.on_frame(frame, &mut out));
        let end = end.unwrap_or_else(|| decoder.on_close(&mut out));
        (out, end)
    };
    let (a, b) = bytes.split_at(bytes.len() / 3);
    assert_eq!(read(&[bytes]), read(&[a, b]));
}

/// Text to calls: only tools of the request are called, and where the text is split makes no difference.
pub(crate) fn calls(bytes: &[u8]) {
    static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
        let body = br#"{"messages":[],"tools":[
            {"name":"Read","input_schema":{"type":"object","properties":{"file_path":{"type":"string"},"limit":{"type":"number"}},"required":["file_path"]}},
            {"name":"Bash","input_schema":{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}}]}"#;
        Request::parse(body).expect("a request").tools
    });
    static LEXICON: LazyLock<Arc<Lexicon>> = LazyLock::new(|| Arc::new(RuleSet::builtin().lexicon.as_ref().clone()));
    let text = String::from_utf8_lossy(bytes);
    let quotes = Quotes::new(Vec::new(), []);
    let read = |pieces: &[Piece<'_>]| {
        let repaired = repair(&TOOLS, &quotes, &LEXICON, pieces, false);
        let blocks: Vec<_> = repaired.content.iter().map(fanlight::wire::Block::to_value).collect();
        (blocks, repaired.stop_reason)
    };
    let mut middle = text.len() / 2;
    while !text.is_char_boundary(middle) {
        middle += 1;
    }
    let (whole, stop) = read(&[Piece::Text(&text)]);
    for block in whole.iter().filter(|block| block["type"] == "tool_use") {
        assert!(TOOLS.iter().any(|tool| block["name"] == *tool.name), "{block}");
    }
    assert_eq!(read(&[Piece::Text(&text[..middle]), Piece::Text(&text[middle..])]), (whole, stop), "{text:?}");
}

/// A rule file: it is laid over the others, or leaves them as they are.
pub(crate) fn rules(bytes: &[u8]) {
    static BUILTIN: LazyLock<RuleSet> = LazyLock::new(RuleSet::builtin);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut rules = BUILTIN.clone();
    if let Err(error) = rules.layer("fuzz.toml", text) {
        assert!(!error.to_string().is_empty());
        assert_eq!(rules.packs.len(), BUILTIN.packs.len());
    }
}
