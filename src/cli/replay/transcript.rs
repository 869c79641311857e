//! Transcripts that the client keeps (`~/.claude/projects/**/*.jsonl`), read as histories.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::wire::{Message, Request};

/// The histories of a transcript: one, and another after every compaction. Empty when the lines are no transcript.
pub(super) fn read(bytes: &[u8]) -> Vec<Vec<Message>> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let records: Vec<Value> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    if !records.iter().any(is_record) {
        return Vec::new();
    }
    let branch = active_branch(&records);
    let parts = branch.split(|record| record.get("subtype").is_some_and(|kind| kind == "compact_boundary"));
    let histories = parts.filter_map(|part| messages_of(&Value::Array(merge(part))));
    histories.filter(|messages| messages.len() > 1).collect()
}

fn is_record(record: &Value) -> bool {
    record.get("type").is_some_and(Value::is_string) && record.get("sessionId").is_some_and(Value::is_string)
}

/// The records of the conversation as it stands: from the last one back along its parents, side chains left out.
fn active_branch(records: &[Value]) -> Vec<&Value> {
    let usable: Vec<&Value> = records.iter().filter(|record| is_record(record) && !is_aside(record)).collect();
    let by_id: BTreeMap<&str, &Value> =
        usable.iter().filter_map(|record| Some((text(record, "uuid")?, *record))).collect();
    let mut branch = Vec::new();
    let mut next = usable.iter().rev().find(|record| record.get("message").is_some()).copied();
    while let Some(record) = next {
        branch.push(record);
        let parent = text(record, "parentUuid").or_else(|| text(record, "logicalParentUuid"));
        next = parent.and_then(|parent| by_id.get(parent)).copied().filter(|_| branch.len() <= usable.len());
    }
    branch.reverse();
    branch
}

fn is_aside(record: &Value) -> bool {
    let flag = |key: &str| record.get(key).and_then(Value::as_bool).unwrap_or(false);
    flag("isSidechain") || flag("isApiErrorMessage")
}

/// Messages as the API takes them: what one speaker says in a row is one message, results before texts.
fn merge(records: &[&Value]) -> Vec<Value> {
    let mut merged: Vec<(String, Vec<Value>)> = Vec::new();
    for record in records {
        let Some(message) = record.get("message") else { continue };
        let Some(role) = text(message, "role") else { continue };
        let blocks = match message.get("content") {
            Some(Value::String(text)) => vec![json!({"type": "text", "text": text})],
            Some(Value::Array(blocks)) => blocks.clone(),
            _ => continue,
        };
        match merged.last_mut().filter(|last| last.0 == role) {
            Some(last) => last.1.extend(blocks),
            None => merged.push((role.to_owned(), blocks)),
        }
    }
    let start = merged.iter().position(|message| message.0 == "user").unwrap_or(merged.len());
    merged.drain(..start);
    merged.into_iter().map(|(role, blocks)| json!({"role": role, "content": results_first(blocks)})).collect()
}

fn results_first(blocks: Vec<Value>) -> Vec<Value> {
    let is_result = |block: &Value| block.get("type").is_some_and(|kind| kind == "tool_result");
    let (mut results, rest): (Vec<Value>, Vec<Value>) = blocks.into_iter().partition(is_result);
    results.extend(rest);
    results
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// Reads a `messages` array.
pub(super) fn messages_of(messages: &Value) -> Option<Vec<Message>> {
    let body = json!({"model": "", "messages": messages}).to_string();
    Request::parse(body.as_bytes()).ok().map(|request| request.messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Role;

    fn record(id: &str, parent: Option<&str>, role: &str, content: &Value) -> String {
        json!({"type": role, "sessionId": "s", "uuid": id, "parentUuid": parent, "message": {"role": role, "content": content}})
            .to_string()
    }

    #[test]
    fn the_active_branch_is_followed_and_pieces_are_joined() {
        let text = |text: &str| json!([{"type": "text", "text": text}]);
        let lines = [
            record("1", None, "user", &json!("hi")),
            record("2", Some("1"), "assistant", &text("left")),
            record("3", Some("1"), "assistant", &text("one")),
            record("4", Some("3"), "assistant", &json!([{"type": "tool_use", "id": "t", "name": "X", "input": {}}])),
            record(
                "5",
                Some("4"),
                "user",
                &json!([{"type": "text", "text": "note"},
                {"type": "tool_result", "tool_use_id": "t", "content": "ok"}]),
            ),
        ];
        let parts = read(lines.join("\n").as_bytes());
        assert_eq!(parts.len(), 1);
        let roles: Vec<Role> = parts[0].iter().map(|message| message.role).collect();
        assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
        assert_eq!(parts[0][1].plain_text(), "one");
        assert!(matches!(parts[0][2].content[0], crate::wire::Block::ToolResult(_)));
    }

    #[test]
    fn other_lines_are_no_transcript() {
        assert!(read(b"{\"id\":1}\nx\n").is_empty());
    }
}
