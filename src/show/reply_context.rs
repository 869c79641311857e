//! All that the reading of an answer needs to know of its request.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::bind::Bind;
use super::choice::Choice;
use super::folder::{self, Folder};
use super::own;
use crate::history::{History, Roles, typed_prompts};
use crate::rules::{ChannelKind, Checks, Lexicon, MessageKinds, ModelProfile, Role};
use crate::trim::Head;
use crate::wire::{Message, Tool, ToolUse};

/// All that the reading of an answer needs to know of its request.
#[derive(Debug, Clone)]
pub struct ReplyContext {
    pub kind: ChannelKind,
    pub model: Arc<ModelProfile>,
    /// What the model is shown.
    pub head: Head,
    /// The calls of worked examples that it is shown, as they are written.
    pub examples: Vec<String>,
    /// All tools of the client, with their full schemas.
    pub tools: Vec<Tool>,
    /// The whole history, as the client sent it and normalised.
    pub messages: Arc<[Message]>,
    /// What each of these tools does.
    pub roles: BTreeMap<String, Role>,
    /// Set where paths are shown relative to it.
    pub folder: Option<Folder>,
    pub choice: Choice,
    /// The JSON Schema of the answer, where the client wants one.
    pub format: Option<Value>,
    /// What models call things.
    pub lexicon: Arc<Lexicon>,
    /// What is held against replies.
    pub checks: Arc<Checks>,
    /// What the client writes in the user's name.
    pub kinds: Arc<MessageKinds>,
    /// Something of the session, so that ids differ between sessions.
    pub session: String,
}

impl ReplyContext {
    /// The roles of these tools, by name.
    pub fn roles_of(tools: &[Tool], roles: &dyn Roles) -> BTreeMap<String, Role> {
        let known = |tool: &Tool| Some((tool.name.clone(), roles.role(&tool.name)?.clone()));
        tools.iter().filter_map(known).collect()
    }

    pub(crate) fn history(&self) -> History<'_> {
        History::read(&self.messages, &self.roles)
    }

    /// Binds replies; `None` where they are not bound.
    pub(crate) fn bind(&self) -> Option<Bind> {
        Bind::of(self.kind, &self.model)
    }

    /// The client's tool of this name.
    pub(crate) fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// All tools that the model may call: the client's, and our own where no name clashes. An answer may be called too.
    pub(crate) fn callable(&self) -> Vec<Tool> {
        let own = own::tools(&self.head).into_iter().chain([own::answer()]).map(|tool| tool.client);
        self.tools.iter().cloned().chain(own.filter(|tool| self.tool(&tool.name).is_none())).collect()
    }

    /// The first tool that shows a file, and the name of its path.
    pub(crate) fn reader(&self) -> Option<(&str, &str)> {
        let reads = |tool: &Tool| matches!(self.roles.get(&tool.name), Some(Role::Read { .. }));
        let tool = self.tools.iter().find(|tool| reads(tool))?;
        Some((&tool.name, folder::parameter(self.roles.get(&tool.name)?)?))
    }

    /// An input without the quotes around its path; `None` where there are none.
    pub(crate) fn without_quoted_path(&self, name: &str, input: &Value) -> Option<Value> {
        let role = self.roles.get(name);
        let plain = folder::map_path(input, role, |path| folder::in_quotes(path).unwrap_or(path).to_owned());
        (plain != *input).then_some(plain)
    }

    /// An input as the client gets it.
    pub(crate) fn sent_input(&self, name: &str, input: &Value) -> Value {
        match &self.folder {
            Some(folder) => folder::map_path(input, self.roles.get(name), |path| folder.absolute(path)),
            None => input.clone(),
        }
    }

    /// A path as the model is shown it.
    pub(crate) fn shown_path<'a>(&self, path: &'a str) -> &'a str {
        self.folder.as_ref().map_or(path, |folder| folder.relative(path))
    }

    /// What the model is shown, without this tool.
    pub(crate) fn head_without(&self, tool: &str) -> Head {
        let mut head = self.head.clone();
        head.core.retain(|other| other.client.name != tool);
        head
    }

    /// The message of the newest typed prompt.
    pub(crate) fn newest_prompt(&self) -> Option<usize> {
        typed_prompts(&self.messages, &self.kinds).pop().map(|prompt| prompt.message)
    }

    /// The call with an id of our own: another one in every request, and the same when the request is repeated.
    pub(crate) fn identified(&self, at: usize, name: &str, input: Value) -> ToolUse {
        let last = self.messages.last().map(|message| message.to_value().to_string()).unwrap_or_default();
        let seed = format!("{}\n{}\n{at}\n{name}\n{input}\n{last}", self.session, self.messages.len());
        let (high, low) = (xxh3_64(seed.as_bytes()), xxh3_64(format!("{seed}.").as_bytes()));
        ToolUse { id: format!("toolu_{high:016x}{:08x}", low >> 32), name: name.to_owned(), input }
    }
}
