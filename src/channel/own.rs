//! fanlight's own tools: `ToolHelp` gives the schema of a tool, `Recall` gives back what was left out. They are served
//! in the proxy, within one turn of the client.

use serde_json::{Value, json};

use super::situation::Situation;
use super::{schema, write};
use crate::fold;
use crate::trim::{Head, ShownTool};
use crate::wire::{Message, Tool};

const TOOL_HELP: &str = "ToolHelp";
const RECALL: &str = "Recall";

/// A call of an own tool, served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    /// What the user sees of it, on a line of its own.
    pub(super) line: String,
    /// What the model gets.
    pub(super) result: String,
}

/// Our own tools: help and recall.
pub(super) fn tools() -> [ShownTool; 2] {
    let help = tool(TOOL_HELP, "Shows the parameters of a tool that is only named.", "name");
    let recall = tool(RECALL, "Gives back what was left out, by its handle.", "handle");
    [help, recall]
}

/// The own tools that stand beside those of a head: none where there are no tools, help only where tools are parked,
/// and none that the client has a tool of the same name for.
pub(super) fn beside(head: &Head) -> Vec<ShownTool> {
    let clients = || head.core.iter().map(|tool| &tool.client).chain(head.parked.iter().map(|tool| &tool.client));
    let wanted = |tool: &ShownTool| match tool.client.name.as_str() {
        TOOL_HELP => !head.parked.is_empty(),
        _ => clients().next().is_some(),
    };
    let mut own: Vec<ShownTool> = tools().into_iter().filter(wanted).collect();
    own.retain(|tool| clients().all(|client| client.name != tool.client.name));
    own
}

/// The answer, as a tool: a model that has seen it written so may write it so unasked.
pub(super) fn answer() -> ShownTool {
    tool(super::ANSWER, "Gives the final answer.", "text")
}

fn tool(name: &str, description: &str, key: &str) -> ShownTool {
    let schema = json!({"type": "object", "properties": {key: {"type": "string"}}, "required": [key]});
    let client = Tool {
        name: name.to_owned(),
        description: description.to_owned(),
        input_schema: schema.clone().into(),
        defer_loading: false,
        server_type: None,
    };
    ShownTool { client, description: description.to_owned(), schema }
}

/// Serves a call of an own tool; `None` when it is none, or the client has a tool of that name.
pub(super) fn serve(about: &Situation, name: &str, input: &Value) -> Option<Served> {
    if about.tool(name).is_some() {
        return None;
    }
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    match name {
        TOOL_HELP => Some(help(about, text("name"))),
        RECALL => Some(recall(about, text("handle"))),
        _ => None,
    }
}

fn help(about: &Situation, name: &str) -> Served {
    let result = match about.tool(name) {
        Some(tool) => describe(tool),
        None => format!("There is no tool {name}. There are: {}.", names(about)),
    };
    Served { line: format!("[help {name}]"), result }
}

/// The most that is given back at once, in about tokens.
const RECALLED: usize = 600;

fn recall(about: &Situation, handle: &str) -> Served {
    let section = about.head.left_out.iter().find(|section| section.handle == handle.trim());
    let found = section.map(|section| section.text.clone());
    match found.or_else(|| fold::recall(&about.messages, handle, RECALLED)) {
        Some(result) => Served { line: recalled_line(handle), result },
        None => {
            Served { line: format!("[nothing under {handle}]"), result: format!("There is nothing under {handle}.") }
        }
    }
}

fn recalled_line(handle: &str) -> String {
    format!("[recalled {handle}]")
}

/// What stands behind the lines by which recalls are remembered in a text of the assistant.
pub(super) fn expand(text: &str, messages: &[Message]) -> String {
    let line = |line: &str| {
        let handle = line.strip_prefix("[recalled ")?.strip_suffix(']')?;
        Some(format!("{line}\n{}", fold::recall(messages, handle, RECALLED)?))
    };
    text.split('\n').map(|each| line(each).unwrap_or_else(|| each.to_owned())).collect::<Vec<_>>().join("\n")
}

/// The parameters of a tool, for a model that is to call it.
pub(super) fn describe(tool: &Tool) -> String {
    let sentence = tool.description.split_inclusive(". ").next().unwrap_or_default().trim();
    format!("{}: {sentence}\nParameters: {}", tool.name, write::spaced(&schema::safe(&tool.input_schema)))
}

fn names(about: &Situation) -> String {
    about.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ")
}
