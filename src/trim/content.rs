//! The blocks of one message, made regular.

use crate::wire::{Block, ToolResult, ToolUse};

use super::blocks;
use super::echo::as_said;
use super::reminders::Reminders;
use super::tally::Tally;
use super::tools::{Tools, referred_tool};
use crate::rules::Texts;
use crate::wire::Tool;

/// What decides what becomes of a block.
pub(super) struct Content<'a> {
    pub(super) reminders: Reminders<'a>,
    pub(super) tools: Tools<'a>,
    /// The tools of the request.
    pub(super) offered: &'a [Tool],
    /// Whether the model sees images.
    pub(super) images: bool,
    /// What is said in the place of what is left out.
    pub(super) texts: &'a Texts,
}

impl Content<'_> {
    pub(super) fn of_user(&self, blocks: &[Block], tally: &mut Tally) -> Vec<Block> {
        let mut out = Vec::new();
        for block in blocks {
            match block {
                Block::ToolResult(result) => out.push(Block::ToolResult(self.result(result, tally))),
                Block::Text(text) => out.extend(text_block(self.reminders.apply(text, tally))),
                other => out.extend(self.rest(other)),
            }
        }
        out
    }

    pub(super) fn of_assistant(&self, blocks: &[Block]) -> Vec<Block> {
        let pack = self.reminders.pack;
        let mut out = Vec::new();
        for block in blocks {
            match block {
                Block::Text(text) if pack.empty.iter().any(|empty| empty == text.trim()) => {}
                Block::Text(text) => out.extend(text_block(text.clone())),
                Block::ToolUse(call) => out.push(Block::ToolUse(self.call(call))),
                Block::Other(value) => out.extend(blocks::told(value, self.texts).and_then(text_block)),
                // An answer that is only thinking leaves no trace.
                _ => {}
            }
        }
        out
    }

    fn call(&self, call: &ToolUse) -> ToolUse {
        let known = pack_knows(self, &call.name);
        let tool = self.offered.iter().find(|tool| known && tool.name == call.name);
        tool.map_or_else(|| call.clone(), |tool| as_said(call, &tool.input_schema))
    }

    /// A result with one text, and the images behind it where the model sees them.
    fn result(&self, result: &ToolResult, tally: &mut Tally) -> ToolResult {
        let mut texts = Vec::new();
        let mut images = Vec::new();
        let loaded: Vec<&Tool> = result.content.iter().filter_map(|block| self.loaded(block)).collect();
        if !loaded.is_empty() {
            let definitions: Vec<String> = loaded.iter().map(|tool| self.tools.definition(tool)).collect();
            texts.push(format!("<functions>\n{}\n</functions>", definitions.join("\n")));
        }
        for block in &result.content {
            match block {
                Block::Text(text) => texts.push(self.reminders.apply(text, tally)),
                Block::Image(_) if self.shows(block) => images.push(block.clone()),
                other => texts.extend(self.told(other)),
            }
        }
        texts.retain(|text| !text.trim().is_empty());
        let mut content = vec![Block::Text(said(texts.join("\n"), result.is_error))];
        content.append(&mut images);
        ToolResult { tool_use_id: result.tool_use_id.clone(), content, is_error: result.is_error }
    }

    fn loaded(&self, block: &Block) -> Option<&Tool> {
        let name = referred_tool(block)?;
        self.offered.iter().find(|tool| tool.name == name)
    }

    fn rest(&self, block: &Block) -> Option<Block> {
        match block {
            Block::Image(_) if self.shows(block) => Some(block.clone()),
            other => self.told(other).map(Block::Text),
        }
    }

    /// Local servers take an image as it is, not where it lies.
    fn shows(&self, block: &Block) -> bool {
        self.images && matches!(block, Block::Image(value) if value["source"]["data"].is_string())
    }

    /// What is said in place of a block that a model of text cannot take.
    fn told(&self, block: &Block) -> Option<String> {
        if let Some(name) = referred_tool(block) {
            return self.loaded(block).is_none().then(|| format!("Tool loaded: {name}"));
        }
        match block {
            Block::Image(value) if self.images => blocks::told(value, self.texts),
            Block::Image(_) => Some(self.texts.image_left_out.clone()),
            Block::Other(value) => blocks::told(value, self.texts),
            _ => None,
        }
    }
}

fn pack_knows(content: &Content, name: &str) -> bool {
    content.reminders.pack.tool(name).is_some_and(|rule| rule.role.is_some())
}

fn text_block(text: String) -> Option<Block> {
    (!text.trim().is_empty()).then_some(Block::Text(text))
}

/// An error says so in its text, because some servers drop the field that says it.
fn said(text: String, is_error: bool) -> String {
    let text = if text.trim().is_empty() { "(no output)".to_owned() } else { text };
    let start = text.trim_start();
    let error = start.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error"));
    let says_so = error || start.starts_with("<tool_use_error>");
    if is_error && !says_so { format!("Error: {text}") } else { text }
}
