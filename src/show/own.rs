//! fanlight's own tools: `ToolHelp` gives the schema of a tool, `Recall` gives back what was left out. `turn` serves them.

use serde_json::json;

use super::call_text;
use super::safe_schema;
use crate::fold;
use crate::history::typed_prompts;
use crate::rules::MessageKinds;
use crate::trim::{Head, LeftOut, ShownTool};
use crate::wire::{Block, Message, Role, Tool};

pub(crate) const TOOL_HELP: &str = "ToolHelp";
pub(crate) const RECALL: &str = "Recall";

/// What stands before the name of an own tool where the client has one of that name.
const OURS: &str = "fanlight_";

/// The client's tools in a head.
fn clients(head: &Head) -> impl Iterator<Item = &Tool> {
    head.core.iter().map(|tool| &tool.client).chain(head.parked.iter().map(|tool| &tool.client))
}

/// The name of an own tool beside those of a client.
pub(crate) fn name_beside(head: &Head, own: &str) -> String {
    let taken = clients(head).any(|tool| tool.name == own);
    if taken { format!("{OURS}{own}") } else { own.to_owned() }
}

/// Our own tools beside those of a head: help and recall.
pub(crate) fn tools(head: &Head) -> [ShownTool; 2] {
    let (help, recall) = (name_beside(head, TOOL_HELP), name_beside(head, RECALL));
    let says = if recall == RECALL { String::new() } else { format!(" Where a text says {RECALL}, it means this.") };
    let help = tool(&help, "Shows the parameters of a tool that is only named.", "name");
    let recall = tool(&recall, &format!("Gives back what was left out, by its handle.{says}"), "handle");
    [help, recall]
}

/// The own tools that stand beside those of a head: none where there are no tools, or nothing is to be changed; help only
/// where tools are parked.
pub(crate) fn beside(head: &Head) -> Vec<ShownTool> {
    if head.untouched {
        return Vec::new();
    }
    let [help, recall] = tools(head);
    let help = Some(help).filter(|_| !head.parked.is_empty());
    let recall = Some(recall).filter(|_| clients(head).next().is_some());
    help.into_iter().chain(recall).collect()
}

/// The same for a reply that is bound: help is for a tool that is parked. What is shown must not change with those.
pub(crate) fn bound(head: &Head) -> Vec<ShownTool> {
    let mut own = beside(head);
    let parked: Vec<&str> = head.parked.iter().map(|tool| tool.client.name.as_str()).collect();
    if let Some(help) = own.first_mut().filter(|_| !parked.is_empty()) {
        help.schema["properties"]["name"] = json!({"enum": parked});
    }
    own
}

/// The answer, as a tool: a model that has seen it written so may write it so unasked.
pub(crate) fn answer() -> ShownTool {
    tool(crate::calls::ANSWER, "Gives the final answer.", "text")
}

fn tool(name: &str, description: &str, key: &str) -> ShownTool {
    let schema = json!({"type": "object", "properties": {key: {"type": "string"}}, "required": [key]});
    let client = Tool {
        name: name.to_owned(),
        description: description.into(),
        input_schema: schema.clone().into(),
        defer_loading: false,
        server_type: None,
    };
    ShownTool { client, description: description.to_owned(), schema }
}

pub(crate) fn help_line(name: &str) -> String {
    format!("[help {name}]")
}

/// Whether help for a tool was asked for, the user has named it, or it was called already.
pub(crate) fn was_opened(messages: &[Message], kinds: &MessageKinds, name: &str) -> bool {
    let line = help_line(name);
    let named = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    let typed = typed_prompts(messages, kinds).iter().any(|prompt| named(prompt.text));
    let opened = |block: &Block| match block {
        Block::Text(text) => text.lines().any(|other| other == line),
        Block::ToolUse(call) => call.name == name,
        _ => false,
    };
    let said = |message: &Message| message.role == Role::Assistant && message.content.iter().any(opened);
    typed || messages.iter().any(said)
}

/// The most that is given back at once, in about tokens.
pub(crate) const RECALLED: usize = 600;

/// A page of what a handle stands for: a section of the head, or a place in the history.
pub(crate) fn original(sections: &[LeftOut], messages: &[Message], handle: &str) -> Option<String> {
    let handle = handle.trim();
    let (base, line) = handle.split_once('+').unwrap_or((handle, "1"));
    match sections.iter().find(|section| section.handle == base) {
        Some(section) => fold::page(&section.text, base, line.parse().ok()?, RECALLED),
        None => fold::recall(messages, handle, RECALLED),
    }
}

pub(crate) fn recalled_line(handle: &str) -> String {
    format!("[recalled {handle}]")
}

/// What stands behind the lines by which recalls are remembered in a text of the assistant.
pub(crate) fn expand(text: &str, sections: &[LeftOut], messages: &[Message]) -> String {
    let line = |line: &str| {
        let handle = line.strip_prefix("[recalled ")?.strip_suffix(']')?;
        Some(format!("{line}\n{}", original(sections, messages, handle)?))
    };
    text.split('\n').map(|each| line(each).unwrap_or_else(|| each.to_owned())).collect::<Vec<_>>().join("\n")
}

/// Whether the message at this place recalls one that has yet to come: then what it is shown as changes with that one.
pub(crate) fn looks_ahead(message: &Message, at: usize) -> bool {
    let place = |line: &str| {
        let digits = line.strip_prefix("[recalled h")?;
        digits[..digits.find(|c: char| !c.is_ascii_digit())?].parse::<usize>().ok()
    };
    let ahead = |text: &str| text.split('\n').filter_map(place).any(|recalled| recalled >= at);
    message.role == Role::Assistant && ahead(&message.plain_text())
}

/// The parameters of a tool, for a model that is to call it.
pub(crate) fn describe(tool: &Tool) -> String {
    let sentence = tool.description.split_inclusive(". ").next().unwrap_or_default().trim();
    format!("{}: {sentence}\nParameters: {}", tool.name, call_text::spaced(&safe_schema::safe(&tool.input_schema)))
}
