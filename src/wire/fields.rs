//! Every field of a request, and every kind of block: as what it goes on in each dialect, or why it does not. A field
//! that stands here was decided on; one that does not is reported, and a test fails on one that a client is known to send.

use serde_json::{Map, Value};

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes upstream; under what name, as a JSON pointer into the body where it stands alone.
    Sent(&'static str),
    /// It decides something here; what.
    Decides(&'static str),
    /// It goes no further; why.
    Dropped(&'static str),
}

use Fate::{Decides, Dropped, Sent};

/// A field of the Messages API or of a beta that Claude Code uses.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Keys joined by dots; `[]` is each element of a list. A path stands for all below it that has no row of its own.
    pub path: &'static str,
    /// On Ollama's `/api/chat`.
    pub ollama: Fate,
    /// On a Messages API.
    pub messages: Fate,
}

const fn both(path: &'static str, fate: Fate) -> Field {
    Field { path, ollama: fate, messages: fate }
}

const fn each(path: &'static str, ollama: Fate, messages: Fate) -> Field {
    Field { path, ollama, messages }
}

const CACHE: Fate = Dropped("local servers keep their cache by prefix, without marks");
const CLOUD: Fate = Dropped("it names a service of Anthropic's cloud");

/// Fields of the body.
pub const FIELDS: &[Field] = &[
    both("model", Decides("which served model answers")),
    both("messages[].role", Decides("a system message becomes a reminder at the user's side")),
    both("messages[].content", Decides("by kind of block: see BLOCKS")),
    each("system", Sent("/messages/0/content"), Sent("/system")),
    both("tools[].name", Decides("which tools are shown")),
    both("tools[].description", Decides("what is said of a tool")),
    both("tools[].input_schema", Decides("what is shown of it, and what calls are held against")),
    both("tools[].defer_loading", Decides("which tools are held back")),
    both("tools[].type", Decides("a server's own tool is only named")),
    both("tools[].cache_control", CACHE),
    both("tools[].strict", Dropped("every call is held against its schema")),
    both("tools[].eager_input_streaming", Dropped("a call is sent when it is whole")),
    both("tools[].input_examples", Dropped("worked examples are the profile's")),
    both("tools[].allowed_callers", CLOUD),
    both("tools[].max_uses", CLOUD),
    both("tools[].allowed_domains", CLOUD),
    both("tools[].blocked_domains", CLOUD),
    both("tools[].user_location", CLOUD),
    both("tools[].citations", CLOUD),
    both("tools[].max_content_tokens", CLOUD),
    both("tools[].display_width_px", CLOUD),
    both("tools[].display_height_px", CLOUD),
    both("tools[].display_number", CLOUD),
    both("tools[].max_characters", CLOUD),
    both("tools[].model", CLOUD),
    both("tool_choice", Decides("what the model is told at the end, and what binds its reply")),
    each("max_tokens", Sent("/options/num_predict"), Sent("/max_tokens")),
    each("temperature", Sent("/options/temperature"), Sent("/temperature")),
    each("top_p", Sent("/options/top_p"), Sent("/top_p")),
    each("top_k", Sent("/options/top_k"), Sent("/top_k")),
    each("stop_sequences", Sent("/options/stop"), Sent("/stop_sequences")),
    both("stream", Decides("the form of the answer; upstream always streams")),
    each("thinking.type", Sent("/think"), Sent("/thinking/type")),
    each("thinking.budget_tokens", Dropped("there is no such limit on this server"), Sent("/thinking/budget_tokens")),
    each("thinking.display", Dropped("thinking is passed on as it comes"), Sent("/thinking/display")),
    each("output_config.effort", Sent("/think"), Sent("/output_config/effort")),
    each("output_config.format", Sent("/format"), Sent("/output_config/format")),
    each(
        "output_config.task_budget",
        Dropped("there is no such limit on this server"),
        Sent("/output_config/task_budget"),
    ),
    each("output_format", Sent("/format"), Sent("/output_config/format")),
    both("context_management.edits", Decides("what of past results is left out; thinking of the past is never sent")),
    both("metadata", Decides("ids differ between sessions; it names the user, and goes no further")),
    both("safeguards", CLOUD),
    both("fallbacks", CLOUD),
    both("diagnostics", CLOUD),
    both("betas", CLOUD),
    both("anthropic_beta", CLOUD),
    both("anthropic_version", CLOUD),
    both("service_tier", CLOUD),
    both("speed", CLOUD),
    both("inference_geo", CLOUD),
    both("container", CLOUD),
    both("mcp_servers", CLOUD),
    both("cache_control", CACHE),
];

/// A kind of block, what becomes of it, and its fields beside `type`. A field that begins with `-` is dropped with its
/// subtree: marks of the cache, ciphers, ids of a cloud.
pub struct BlockKind {
    pub kind: &'static str,
    pub becomes: Fate,
    pub fields: &'static [&'static str],
}

const fn block(kind: &'static str, becomes: Fate, fields: &'static [&'static str]) -> BlockKind {
    BlockKind { kind, becomes, fields }
}

const TEXT: Fate = Sent("text");

/// Kinds of blocks.
pub const BLOCKS: &[BlockKind] = &[
    block("text", TEXT, &["text", "-cache_control", "-citations"]),
    block("tool_use", Sent("a call"), &["id", "name", "input", "-cache_control", "-caller"]),
    block("tool_result", Sent("a result"), &["tool_use_id", "content", "is_error", "-cache_control"]),
    block("tool_reference", Sent("the tool's definition"), &["tool_name", "-cache_control"]),
    block("image", Sent("an image, or a note where the model sees none"), &["source", "-cache_control"]),
    block("document", TEXT, &["source", "title", "context", "-citations", "-cache_control"]),
    block("search_result", TEXT, &["source", "title", "content", "-citations", "-cache_control"]),
    block("resource", TEXT, &["resource", "-annotations", "-_meta"]),
    block("resource_link", TEXT, &["uri", "name", "title", "description", "mimeType", "size", "-annotations"]),
    block("audio", TEXT, &["data", "mimeType", "-annotations"]),
    block("thinking", Dropped("past thinking is not sent"), &["thinking", "-signature"]),
    block("redacted_thinking", Dropped("it is a cipher"), &["-data"]),
    block("server_tool_use", TEXT, &["id", "name", "input", "-cache_control", "-caller"]),
    block("web_search_tool_result", TEXT, &["tool_use_id", "content", "-cache_control", "-caller"]),
    block("web_fetch_tool_result", TEXT, &["tool_use_id", "content", "-cache_control", "-caller"]),
    block("code_execution_tool_result", TEXT, &["tool_use_id", "content", "-cache_control"]),
    block("bash_code_execution_tool_result", TEXT, &["tool_use_id", "content", "-cache_control"]),
    block("text_editor_code_execution_tool_result", TEXT, &["tool_use_id", "content", "-cache_control"]),
    block("tool_search_tool_result", TEXT, &["tool_use_id", "content", "-cache_control"]),
    block("advisor_tool_result", TEXT, &["tool_use_id", "content", "-cache_control"]),
    block("mcp_tool_use", TEXT, &["id", "name", "server_name", "input", "-cache_control"]),
    block("mcp_tool_result", TEXT, &["tool_use_id", "content", "is_error", "-cache_control"]),
    block("compaction", TEXT, &["content", "-cache_control", "-encrypted_content"]),
    block("container_upload", TEXT, &["file_id", "-cache_control"]),
    block("mid_conv_system", TEXT, &["content", "-cache_control"]),
    block("fallback", Dropped("it tells of a model of the cloud"), &["from", "to"]),
];

/// The paths in a body that nobody decided on, each once, in order: fields by their path, blocks as `block TYPE`.
pub fn undecided(body: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in body {
        look(key.clone(), value, &mut found);
    }
    found
}

/// Whether a top-level field is in the table, by itself or by what is below it.
pub fn is_known(key: &str) -> bool {
    FIELDS.iter().any(|field| field.path == key || begins(field.path, key))
}

fn look(path: String, value: &Value, found: &mut Vec<String>) {
    if path == "messages[].content" {
        return look_at_blocks(value, found);
    }
    if FIELDS.iter().any(|field| field.path == path) {
        return;
    }
    let above = FIELDS.iter().any(|field| begins(field.path, &path));
    match value {
        Value::Object(fields) if above => {
            fields.iter().for_each(|(key, value)| look(format!("{path}.{key}"), value, found));
        }
        Value::Array(items) if above => items.iter().for_each(|item| look(format!("{path}[]"), item, found)),
        _ if above => {}
        _ if found.contains(&path) => {}
        _ => found.push(path),
    }
}

fn begins(path: &str, with: &str) -> bool {
    path.strip_prefix(with).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn look_at_blocks(content: &Value, found: &mut Vec<String>) {
    for block in content.as_array().into_iter().flatten() {
        let kind = block["type"].as_str().unwrap_or("text");
        let Some(known) = BLOCKS.iter().find(|known| known.kind == kind) else {
            let name = format!("block {kind}");
            if !found.contains(&name) {
                found.push(name);
            }
            continue;
        };
        for (key, value) in block.as_object().into_iter().flatten().filter(|(key, _)| *key != "type") {
            let name = format!("block {kind}.{key}");
            if !known.fields.iter().any(|field| field.trim_start_matches('-') == key) && !found.contains(&name) {
                found.push(name);
            } else if kind == "tool_result" && key == "content" {
                look_at_blocks(value, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(body: Value) -> Vec<String> {
        undecided(body.as_object().unwrap())
    }

    /// What the clients of four generations were seen to send, by its shape.
    #[test]
    fn every_field_that_a_client_sends_is_decided_on() {
        let cache = json!({"type": "ephemeral"});
        let body = json!({"model": "m", "max_tokens": 1, "stream": true, "temperature": 1, "metadata": {"user_id": "u"},
            "thinking": {"type": "adaptive", "display": "x", "budget_tokens": 1},
            "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"a": 1}}},
            "context_management": {"edits": [{"type": "clear", "keep": "all"}]},
            "safeguards": [{"type": "t", "classifier_context": {"v": 1}}],
            "system": [{"type": "text", "text": "s", "cache_control": cache}],
            "tools": [{"name": "A", "description": "d", "input_schema": {"x": 1}, "defer_loading": true}],
            "messages": [{"role": "user", "content": "hi"}, {"role": "user", "content": [
                {"type": "text", "text": "t", "cache_control": cache},
                {"type": "tool_result", "tool_use_id": "i", "is_error": true, "cache_control": cache,
                 "content": [{"type": "tool_reference", "tool_name": "A"}, {"type": "image", "source": {}}]}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "i", "name": "A", "input": {"deep": 1}},
                 {"type": "thinking", "thinking": "", "signature": ""}]}]});
        assert_eq!(of(body), Vec::<String>::new());
    }

    #[test]
    fn what_nobody_decided_on_is_found_wherever_it_stands() {
        let body = json!({"zeta": 1, "thinking": {"type": "enabled", "depth": 2}, "tools": [{"name": "A", "hue": 1}],
            "messages": [{"role": "user", "mood": 1, "content": [{"type": "scent"}, {"type": "text", "loud": 1},
                {"type": "tool_result", "content": [{"type": "taste"}]}]}]});
        let expected = [
            "zeta",
            "thinking.depth",
            "tools[].hue",
            "messages[].mood",
            "block scent",
            "block text.loud",
            "block taste",
        ];
        assert_eq!(of(body), expected);
        assert!(is_known("output_config") && is_known("stream") && !is_known("zeta") && !is_known("stre"));
    }

    #[test]
    fn every_row_says_something_and_stands_once() {
        for (at, field) in FIELDS.iter().enumerate() {
            assert!(FIELDS[..at].iter().all(|other| other.path != field.path), "{}", field.path);
            for fate in [field.ollama, field.messages] {
                let (Sent(words) | Decides(words) | Dropped(words)) = fate;
                assert!(!words.is_empty(), "{}", field.path);
            }
        }
        for (at, block) in BLOCKS.iter().enumerate() {
            assert!(BLOCKS[..at].iter().all(|other| other.kind != block.kind), "{}", block.kind);
        }
    }
}
