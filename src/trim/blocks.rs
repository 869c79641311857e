//! Blocks that no local model takes as they are, as text: their own texts, wherever they stand in them; and of what has
//! none, its type, size and title.

use serde_json::{Map, Value};

use crate::rules::Texts;
use crate::wire::{BLOCKS, Fate};

/// Keys that hold no text for a reader.
const MARKS: [&str; 12] = [
    "type",
    "id",
    "tool_use_id",
    "cache_control",
    "citations",
    "signature",
    "media_type",
    "annotations",
    "_meta",
    "is_error",
    "caller",
    "mimeType",
];

/// What is said in place of a block of another type; `None` where it was decided that it goes.
pub(super) fn told(block: &Value, texts: &Texts) -> Option<String> {
    let kind = block["type"].as_str().unwrap_or("unknown");
    let fate = BLOCKS.iter().find(|known| known.kind == kind).map(|known| known.becomes);
    if matches!(fate, Some(Fate::Dropped(_))) {
        return None;
    }
    let mut found = Found::default();
    found.look(block);
    if let Some((media, bytes)) = found.data {
        let title = found.texts.join(", ");
        let size = size_of(bytes);
        let words = texts.block_left_out.replace("{kind}", kind).replace("{media}", media).replace("{size}", &size);
        return Some(words.replace("{title}", if title.is_empty() { "-" } else { &title }));
    }
    if found.texts.is_empty() {
        return Some(texts.block_left_out.replace("{kind}", kind).replace(" ({media}, {size}, {title})", ""));
    }
    let name = block["name"].as_str().filter(|_| block["input"].is_object());
    Some(match name {
        Some(name) => format!("[{name}: {}]", found.texts[1..].join(", ")),
        None => found.texts.join("\n"),
    })
}

/// What is found in a block.
#[derive(Default)]
struct Found<'a> {
    texts: Vec<&'a str>,
    /// Data that is no text: its type, and its length in base64.
    data: Option<(&'a str, usize)>,
}

impl<'a> Found<'a> {
    fn look(&mut self, value: &'a Value) {
        match value {
            Value::String(text) if !text.trim().is_empty() => self.texts.push(text),
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            Value::Object(fields) => self.fields(fields),
            _ => {}
        }
    }

    fn fields(&mut self, fields: &'a Map<String, Value>) {
        let word = |key: &str| fields.get(key).and_then(Value::as_str);
        let media = word("media_type").or_else(|| word("mimeType")).unwrap_or("data");
        let is_text = word("type") == Some("text") || word("type") == Some("content");
        // Text first where it stands beside names: the order of keys says nothing.
        for key in ["name", "title", "url", "uri"] {
            self.texts.extend(word(key).filter(|text| !text.trim().is_empty()));
        }
        for (key, value) in fields {
            match (key.as_str(), value) {
                ("name" | "title" | "url" | "uri", _) => {}
                ("data", Value::String(data)) if !is_text => self.data = Some((media, data.len())),
                ("blob", Value::String(data)) => self.data = Some((media, data.len())),
                (key, _) if MARKS.contains(&key) || key.starts_with("encrypted_") => {}
                _ => self.look(value),
            }
        }
    }
}

/// The size of what base64 of this length holds.
fn size_of(base64: usize) -> String {
    let bytes = base64 / 4 * 3;
    if bytes < 10_000 { format!("{bytes} bytes") } else { format!("{} KB", bytes / 1000) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Lexicon;
    use serde_json::json;

    fn said(block: Value) -> Option<String> {
        told(&block, &Lexicon::builtin().unwrap().texts)
    }

    #[test]
    fn a_block_is_told_by_its_own_texts() {
        for (block, text) in [
            (
                json!({"type": "document", "title": "Tides", "source": {"type": "text", "media_type": "text/plain", "data": "Low at 2."}}),
                "Tides\nLow at 2.",
            ),
            (
                json!({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "Low."}]}}),
                "Low.",
            ),
            (
                json!({"type": "search_result", "source": "a.md", "title": "A", "content": [{"type": "text", "text": "x"}]}),
                "A\na.md\nx",
            ),
            (
                json!({"type": "resource", "resource": {"text": "body", "uri": "x://1", "mimeType": "text/plain"}}),
                "x://1\nbody",
            ),
            (
                json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "tides"}}),
                "[web_search: tides]",
            ),
            (
                json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": [
                {"type": "web_search_result", "title": "T", "url": "https://e.org", "encrypted_content": "ZZ", "page_age": "1 day"}]}),
                "T\nhttps://e.org\n1 day",
            ),
            (json!({"type": "compaction", "content": "Summary: low.", "encrypted_content": "ZZ"}), "Summary: low."),
            (json!({"type": "novel", "deep": {"words": ["a", {"text": "b"}]}}), "a\nb"),
        ] {
            assert_eq!(said(block.clone()).as_deref(), Some(text), "{block}");
        }
    }

    #[test]
    fn what_has_no_text_is_named_with_its_type_and_size() {
        let pdf = json!({"type": "document", "title": "Plan", "source": {"type": "base64", "media_type": "application/pdf", "data": "A".repeat(40_000)}});
        let words = said(pdf).unwrap();
        assert!(["Plan", "application/pdf", "30 KB"].iter().all(|part| words.contains(part)), "{words}");
        assert!(!words.contains("AAAA"));
        assert!(said(json!({"type": "novel"})).unwrap().contains("novel"));
    }

    #[test]
    fn what_was_decided_to_go_goes() {
        assert_eq!(said(json!({"type": "redacted_thinking", "data": "AAAA"})), None);
        assert_eq!(said(json!({"type": "fallback", "from": "a", "to": "b"})), None);
    }
}
