//! fanlight's own tools: `ToolHelp` gives the schema of a tool, `Recall` gives back what was left out. They are served
//! in the proxy, within one turn of the client.

use serde_json::{Value, json};

use super::situation::Situation;
use super::{schema, write};
use crate::trim::ShownTool;
use crate::wire::Tool;

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

/// The own tools as they stand in a head: help where tools are parked, recall always.
pub fn own_tools(parked: bool) -> Vec<ShownTool> {
    let help = tool(TOOL_HELP, "Shows the parameters of a tool of the list \"Also\".", "name");
    let recall = tool(RECALL, "Gives back what was left out, by its handle.", "handle");
    if parked { vec![help, recall] } else { vec![recall] }
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
        input_schema: schema.clone(),
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

/// The parameters of a tool, for a model that is to call it.
pub(super) fn describe(tool: &Tool) -> String {
    let sentence = tool.description.split_inclusive(". ").next().unwrap_or_default().trim();
    format!("{}: {sentence}\nParameters: {}", tool.name, write::spaced(&schema::safe(&tool.input_schema)))
}

fn names(about: &Situation) -> String {
    about.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ")
}
