//! Calls of fanlight's own tools, served in the proxy: help for a tool, and what was left out.

use serde_json::Value;

use crate::show::ReplyContext;
use crate::show::own::{RECALL, TOOL_HELP, describe, help_line, name_beside, original, recalled_line};

/// A call of an own tool, served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    /// What the user sees of it, on a line of its own.
    pub(super) line: String,
    /// What the model gets.
    pub(super) result: String,
    /// The tool that may be called from now on.
    pub(super) opens: Option<String>,
}

/// Whether a name is that of this own tool.
fn is_own(about: &ReplyContext, name: &str, own: &str) -> bool {
    name == name_beside(&about.head, own) && about.tool(name).is_none()
}

/// Serves a call of an own tool; `None` when it is none.
pub(super) fn serve(about: &ReplyContext, name: &str, input: &Value) -> Option<Served> {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    if is_own(about, name, TOOL_HELP) {
        Some(help(about, text("name")))
    } else if is_own(about, name, RECALL) {
        Some(recall(about, text("handle")))
    } else {
        None
    }
}

fn help(about: &ReplyContext, name: &str) -> Served {
    let result = match about.tool(name) {
        Some(tool) => describe(tool),
        None => format!("There is no tool {name}. There are: {}.", names(about)),
    };
    Served { line: help_line(name), result, opens: about.tool(name).map(|tool| tool.name.clone()) }
}

fn recall(about: &ReplyContext, handle: &str) -> Served {
    let found = original(&about.head.left_out, &about.messages, handle);
    let line = if found.is_some() { recalled_line(handle) } else { format!("[nothing under {handle}]") };
    let result = found.unwrap_or_else(|| format!("There is nothing under {handle}."));
    Served { line, result, opens: None }
}

fn names(about: &ReplyContext) -> String {
    about.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ")
}
