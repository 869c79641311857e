//! The index: parked tools by name.

use super::ParkedTool;

const INTRODUCTION: &str = "Also, called in the same way (ToolHelp shows the parameters of one): ";

/// The names of the parked tools with their words. More than `group_above` names of one server are written as
/// `mcp__server__{a, b}`, which still says every name.
pub(super) fn of(parked: &[ParkedTool], group_above: usize) -> String {
    let parked: Vec<&ParkedTool> = parked.iter().filter(|tool| !tool.late).collect();
    let (served, own): (Vec<_>, Vec<_>) = parked.into_iter().partition(|tool| server_of(&tool.client.name).is_some());
    let group = served.len() > group_above;
    let mut entries: Vec<String> = own.iter().map(|tool| entry(&tool.client.name, &tool.words)).collect();
    let mut rest: &[&ParkedTool] = &served;
    while let Some(first) = rest.first() {
        let server = server_of(&first.client.name);
        let same = rest.iter().take_while(|tool| server_of(&tool.client.name) == server).count();
        entries.extend(of_server(server.unwrap_or_default(), &rest[..same], group && same > 2));
        rest = &rest[same..];
    }
    if entries.is_empty() { String::new() } else { format!("{INTRODUCTION}{}.", entries.join(", ")) }
}

fn of_server(server: &str, tools: &[&ParkedTool], group: bool) -> Vec<String> {
    if !group {
        return tools.iter().map(|tool| entry(&tool.client.name, &tool.words)).collect();
    }
    let names: Vec<String> = tools.iter().map(|tool| entry(&tool.client.name[server.len()..], &tool.words)).collect();
    vec![format!("{server}{{{}}}", names.join(", "))]
}

fn entry(name: &str, words: &str) -> String {
    if words.is_empty() { name.to_owned() } else { format!("{name} ({words})") }
}

/// `mcp__server__` of `mcp__server__name`.
fn server_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("mcp__")?;
    let end = rest.find("__").filter(|end| *end > 0 && end + 2 < rest.len())?;
    Some(&name[.."mcp__".len() + end + 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Tool;

    fn parked(name: &str, words: &str) -> ParkedTool {
        let client = Tool {
            name: name.into(),
            description: "".into(),
            input_schema: serde_json::json!({}).into(),
            defer_loading: false,
            server_type: None,
        };
        ParkedTool { client, words: words.into(), late: false }
    }

    #[test]
    fn names_of_a_server_are_grouped_when_there_are_many() {
        let tools = ["mcp__a__x", "Own", "mcp__a__y", "mcp__a__z", "mcp__b__x"].map(|name| parked(name, ""));
        assert!(of(&tools, 9).ends_with("Own, mcp__a__x, mcp__a__y, mcp__a__z, mcp__b__x."));
        assert!(of(&tools, 3).ends_with("Own, mcp__a__{x, y, z}, mcp__b__x."));
    }

    #[test]
    fn a_late_tool_does_not_change_the_index() {
        let mut tools = vec![parked("A", "does a"), parked("B", "")];
        tools[1].late = true;
        assert!(of(&tools, 9).ends_with("A (does a)."));
        assert_eq!(of(&tools[1..], 9), "");
    }
}
