//! What a format of calls is: where it may begin, and what it makes of the text from there on.

use std::sync::Arc;

use serde_json::Value;

use super::Quotes;
use super::place::Place;
use crate::calls::heal::{Healed, Invalid, Repair, Schema, heal, tool_called};
use crate::rules::{Lexicon, Words};
use crate::wire::Tool;

/// A way in which models write calls.
///
/// What a format says of a text it must also say of any longer text: a reader may be asked at every byte.
pub(super) trait Format: Sync {
    /// How a text may begin.
    fn openings(&self) -> &'static [Opening];
    /// What stands at the front of the text.
    fn read(&self, seen: &Seen<'_>) -> Look;
}

/// The beginning of a format.
#[derive(Debug, Clone, Copy)]
pub(super) enum Opening {
    /// A mark that may stand anywhere.
    Mark(&'static str),
    /// Text at the start of a line.
    Line(&'static str),
    /// The name of a tool at the start of a line.
    Name,
}

/// A text to look at.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// What is there, from the opening on.
    pub(super) text: &'a str,
    /// Nothing more will come.
    pub(super) end: bool,
    pub(super) place: &'a Place,
    pub(super) scope: &'a Scope,
}

/// What a format makes of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Look {
    /// None of ours.
    Not,
    /// It may become a call.
    More,
    /// It may become a call, but not before one of these bytes comes.
    Until(&'static [u8]),
    /// Calls, in so many bytes.
    Calls(Found),
    /// So many bytes are text, calls or not.
    Text(usize),
    /// So many bytes are a call of this name that cannot be read.
    Broken { used: usize, name: String },
    /// So many bytes are marks without meaning.
    Residue(usize),
    /// So many bytes are thinking, of which this was said.
    Thought { used: usize, said: String },
}

/// Calls that were found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) used: usize,
    pub(super) calls: Vec<Raw>,
    /// Whether a mark says that these are calls; else they count only when they fit their schema.
    pub(super) marked: bool,
    /// Whether only the end of the text says that the last call is over.
    pub(super) open: bool,
    /// What was mended, by kind.
    pub(super) repairs: Vec<&'static str>,
}

/// A call as the model wrote it: the name as it stands, the arguments an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raw {
    pub(super) name: String,
    pub(super) input: Value,
}

/// What calls of this request may be.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) tools: Arc<[Tool]>,
    pub(super) quotes: Quotes,
    pub(super) lexicon: Arc<Lexicon>,
    /// What a line may begin with that means one of the tools, in small letters.
    names: Arc<[String]>,
    /// What the user asked to be shown.
    pub(super) asked: Asked,
}

/// Whether the user asked to be shown something, which then is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    /// Something: fenced blocks are examples.
    Examples,
    /// Calls: none in the text is made.
    Calls,
}

impl Scope {
    pub(super) fn new(tools: &[Tool], quotes: &Quotes, lexicon: &Arc<Lexicon>) -> Self {
        let others = |tool: &Tool| lexicon.tools.get(&tool.name).cloned().unwrap_or_default();
        let names = tools.iter().flat_map(|tool| std::iter::once(tool.name.clone()).chain(others(tool)));
        let names = names.map(|name| name.to_ascii_lowercase()).collect();
        let asked = match (lexicon.words.ask_for_calls(quotes.prompt()), lexicon.words.ask_to_show(quotes.prompt())) {
            (true, _) => Asked::Calls,
            (_, true) => Asked::Examples,
            _ => Asked::Nothing,
        };
        Self { tools: tools.into(), quotes: quotes.clone(), lexicon: lexicon.clone(), names, asked }
    }

    /// Whether a text begins with a name that means one of the tools, or may yet do so.
    pub(super) fn begins_name(&self, text: &str) -> bool {
        let meets = |name: &String| {
            let shared = name.len().min(text.len());
            name.as_bytes()[..shared].eq_ignore_ascii_case(&text.as_bytes()[..shared])
        };
        self.names.iter().any(meets)
    }

    /// The words by which talk is told from calls.
    pub(super) fn words(&self) -> &Words {
        &self.lexicon.words
    }

    /// Whether a name means a tool of this request.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.tool(name).is_some()
    }

    /// Whether a tool has just this name.
    pub(super) fn knows_as_it_is(&self, name: &str) -> bool {
        self.tools.iter().any(|tool| tool.name == name)
    }

    /// The tool that a name means.
    pub(super) fn tool(&self, name: &str) -> Option<&Tool> {
        tool_called(name, &self.tools, &self.lexicon).map(|(tool, _)| tool)
    }

    /// The schema of one parameter of a tool.
    pub(super) fn parameter<'a>(&'a self, tool: &str, name: &str) -> Option<Schema<'a>> {
        Schema::new(&self.tool(tool)?.input_schema).root().property(name)
    }

    /// Whether a tool has a parameter of this name, or one that the name stands for.
    pub(super) fn has_parameter(&self, tool: &str, name: &str) -> bool {
        let Some(tool) = self.tool(tool) else { return false };
        let schema = Schema::new(&tool.input_schema).root();
        schema.property(name).is_some()
            || self.lexicon.parameters_called(name).any(|meant| schema.property(meant).is_some())
    }

    /// Whether a tool has one parameter that it needs, and that one is text.
    pub(super) fn takes_text(&self, tool: &str) -> bool {
        self.tool(tool).is_some_and(|tool| Schema::new(&tool.input_schema).root().only_text().is_some())
    }

    /// Whether the call fits its tool, as it is or healed.
    pub(super) fn fits(&self, call: &Raw) -> bool {
        self.healed(call).is_ok()
    }

    /// Whether the call fits its tool in all but details, so that its meaning is not in doubt.
    pub(super) fn nearly_fits(&self, call: &Raw) -> bool {
        !matches!(self.healed(call), Err(Invalid::UnknownTool { .. } | Invalid::Arguments { shaped: false, .. }))
    }

    /// Whether all that a call says is that it has nothing to say, and that under a name that is not its own: of two doubts
    /// nothing certain can come.
    pub(super) fn says_nothing(&self, call: &Raw) -> bool {
        let Some(key) = self.tool(&call.name).and_then(|tool| Schema::new(&tool.input_schema).root().only_text())
        else {
            return false;
        };
        let Ok(Healed { input, repairs, .. }) = self.healed(call) else { return false };
        let alone = repairs.contains(&Repair::KeyAlias) && input.as_object().is_some_and(|map| map.len() == 1);
        alone && input[key].as_str().is_some_and(|value| self.words().is_nothing(value))
    }

    fn healed(&self, call: &Raw) -> Result<Healed, Invalid> {
        heal(&call.name, call.input.clone(), &self.tools, &self.lexicon)
    }
}

impl Seen<'_> {
    /// The same, further on.
    pub(super) fn skip(&self, bytes: usize) -> Self {
        Self { text: &self.text[bytes..], ..*self }
    }

    /// Whether a call is to be expected here: at the beginning, behind another call, or behind words that announce one.
    pub(super) fn is_awaited(&self) -> bool {
        let announced = || self.scope.words().announce(self.place.said_before());
        self.place.leads() || self.place.follows_call() || announced()
    }

    /// How many bytes of white space stand at the front.
    pub(super) fn space(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }

    /// Whether the text begins with `mark`; `None` when it ends before that is known.
    pub(super) fn begins(&self, mark: &str) -> Option<bool> {
        if self.text.starts_with(mark) {
            return Some(true);
        }
        let open = !self.end && mark.starts_with(self.text);
        (!open).then_some(false)
    }

    /// Which of the marks the text begins with; `Err` when it ends before that is known.
    pub(super) fn begins_any<'m>(&self, marks: &[&'m str]) -> Result<Option<&'m str>, Short> {
        if let Some(mark) = marks.iter().find(|mark| self.text.starts_with(**mark)) {
            return Ok(Some(mark));
        }
        if !self.end && marks.iter().any(|mark| mark.starts_with(self.text)) { Err(Short) } else { Ok(None) }
    }
}

/// The text ended before something was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short;
