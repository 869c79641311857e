//! What the client sent, made regular and short: classify, normalise, system text, tools.
//!
//! [`trim`] is pure: the same request, rules, profile and model give the same bytes. The head that it makes depends on
//! the client's version and its tools only, so that sessions in different folders and on different days share it.

mod blocks;
mod check;
mod classify;
mod content;
mod echo;
mod folder;
mod head;
mod index;
mod normalise;
mod reminders;
mod schema;
mod sections;
mod system;
mod tally;
mod tools;
mod words;

use std::borrow::Cow;

use crate::rules::{HeadProfile, ModelProfile, Pack, Profile, RuleSet, SectionRule, Texts, Version};
use crate::tokens::Counter;
use crate::wire::{Block, Message, Request, Role};

use content::Content;
use reminders::{Reminders, only_reminders};
use system::System;
use tally::Tally;
use tools::Tools;

pub use check::{Failure, check_case, check_pack};
pub use head::{Head, Hit, Kind, LeftOut, ParkedTool, ShownTool, Trimmed};
pub use tally::rule_id;
pub use tools::tool_tokens;

/// Makes a request regular and short.
pub fn trim(
    request: &Request,
    rules: &RuleSet,
    profile: &Profile,
    model: &ModelProfile,
    counter: &dyn Counter,
) -> Trimmed {
    let trim = Trim::new(request, rules, profile, model, counter);
    trim.whole(trim.head(), trim.messages(&request.messages, true))
}

/// The trimming of one request, in its two parts.
pub struct Trim<'a> {
    request: &'a Request,
    pack: Cow<'a, Pack>,
    profile: &'a HeadProfile,
    model: &'a ModelProfile,
    counter: &'a dyn Counter,
    kind: Kind,
    texts: &'a Texts,
}

/// Head and preamble: what does not come from the messages, but for the tools that they load.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrimmedHead {
    head: Head,
    behind: Vec<String>,
    account: Account,
}

/// Messages made regular, from the first or from an answer on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrimmedMessages {
    pub messages: Vec<Message>,
    /// The reminders that stood before the first typed text.
    leading: Vec<String>,
    account: Account,
}

/// What rules did to a part of a request.
#[derive(Debug, Clone, Default, PartialEq)]
struct Account {
    hits: Vec<Hit>,
    unknown: Vec<String>,
    withheld: Vec<String>,
}

impl<'a> Trim<'a> {
    pub fn new(
        request: &'a Request,
        rules: &'a RuleSet,
        profile: &'a Profile,
        model: &'a ModelProfile,
        counter: &'a dyn Counter,
    ) -> Self {
        let pack = pack_of(request, rules).map_or_else(Cow::default, Cow::Borrowed);
        let profile = &profile.head;
        let kind = if profile.off { Kind::Main } else { classify::classify(request, &pack) };
        Self { request, pack, profile, model, counter, kind, texts: &rules.lexicon.texts }
    }

    /// What the request is for.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The tools that its messages have loaded: of the messages, the head depends on nothing else.
    pub fn loaded(&self) -> Vec<&str> {
        tools::loaded_late(&self.request.tools, &self.request.messages).into_iter().collect()
    }

    pub fn head(&self) -> TrimmedHead {
        let Self { request, pack, profile, model, .. } = self;
        let mut tally = Tally::new(&pack.client, self.counter);
        let examples = (profile.examples < usize::MAX).then_some(profile.examples);
        let mut head = Head { examples, untouched: profile.off, ..Head::default() };
        self.tools().place(&request.tools, &request.messages, &mut head, &mut tally);
        let (lines, paths) = (model.show.lines, model.show.paths());
        let system = System { pack, profile, kind: &self.kind, lines, paths };
        let behind = system.place(&request.system, &mut head, &mut tally);
        TrimmedHead { head, behind, account: tally.into() }
    }

    /// Messages of the request. Where they are not `first`, they go on behind a user's message, with an answer.
    pub fn messages(&self, messages: &[Message], first: bool) -> TrimmedMessages {
        let Self { request, pack, profile, model, .. } = self;
        let mut tally = Tally::new(&pack.client, self.counter);
        let reminders = Reminders { pack, profile, facts: model.show.facts };
        let content = Content {
            reminders,
            tools: self.tools(),
            offered: &request.tools,
            images: model.images,
            texts: self.texts,
        };
        let mut messages = normalise::normalise(messages, &content, first, &mut tally);
        let leading = if profile.off || !first { Vec::new() } else { leading_reminders(&mut messages) };
        TrimmedMessages { messages, leading, account: tally.into() }
    }

    /// Both parts together.
    pub fn whole(&self, head: TrimmedHead, messages: TrimmedMessages) -> Trimmed {
        let (request, pack) = (self.request, &*self.pack);
        let version = version_of(request, pack);
        let account = head.account.and(messages.account);
        let behind = head.behind.into_iter().filter(|_| self.model.show.facts);
        let dead = match self.kind {
            Kind::Main => dead_rules(request, pack, version, &account.hits),
            _ => Vec::new(),
        };
        Trimmed {
            kind: self.kind.clone(),
            head: head.head,
            preamble: messages.leading.into_iter().chain(behind).collect::<Vec<_>>().join("\n\n"),
            messages: messages.messages,
            hits: account.hits,
            dead,
            unknown: account.unknown,
            withheld: account.withheld,
            version,
            folder: folder::folder_of(request, pack),
            pack: pack.client.clone(),
        }
    }

    fn tools(&self) -> Tools<'_> {
        Tools { pack: &self.pack, profile: self.profile }
    }
}

impl TrimmedMessages {
    /// These, and behind them others that go on from them; `None` where the others must be made with these in sight.
    #[must_use]
    pub fn and(&self, more: Self) -> Option<Self> {
        let goes_on = self.messages.last()?.role == Role::User && more.messages.first()?.role == Role::Assistant;
        let ids: Vec<&str> = more.messages.iter().flat_map(Message::tool_uses).map(|call| call.id.as_str()).collect();
        let twice = self.messages.iter().flat_map(Message::tool_uses).any(|call| ids.contains(&call.id.as_str()));
        if !goes_on || twice {
            return None;
        }
        let mut messages = self.messages.clone();
        messages.extend(more.messages);
        Some(Self { messages, leading: self.leading.clone(), account: self.account.clone().and(more.account) })
    }
}

impl Account {
    /// What rules did to both parts, in the order in which they first matched.
    fn and(mut self, more: Self) -> Self {
        for hit in more.hits {
            match self.hits.iter_mut().find(|known| known.id == hit.id) {
                Some(known) => {
                    known.matched += hit.matched;
                    known.saved += hit.saved;
                }
                None => self.hits.push(hit),
            }
        }
        self.unknown.extend(more.unknown.into_iter().filter(|name| !self.unknown.contains(name)).collect::<Vec<_>>());
        self.withheld.extend(more.withheld);
        self
    }
}

impl From<Tally<'_>> for Account {
    fn from(tally: Tally<'_>) -> Self {
        Self { hits: tally.hits, unknown: tally.unknown, withheld: tally.withheld }
    }
}

/// The pack whose marks stand in the system text, else the one that knows one of the tools.
fn pack_of<'a>(request: &Request, rules: &'a RuleSet) -> Option<&'a Pack> {
    let marked =
        |pack: &&Pack| pack.marks.iter().any(|mark| request.system.iter().any(|text| text.contains(mark.as_str())));
    let equipped = |pack: &&Pack| request.tools.iter().any(|tool| pack.tool(&tool.name).is_some());
    rules.packs.iter().find(marked).or_else(|| rules.packs.iter().find(equipped))
}

fn version_of(request: &Request, pack: &Pack) -> Option<Version> {
    let mark = pack.version_mark.as_ref()?;
    request.system.iter().find_map(|text| Version::parse(text.split_once(mark.as_str())?.1))
}

/// Takes the reminders before the first typed text out of the messages.
fn leading_reminders(messages: &mut [Message]) -> Vec<String> {
    let Some(first) = messages.first_mut().filter(|first| first.role == Role::User) else { return Vec::new() };
    let mut taken = Vec::new();
    let is_reminder = |block: &Block| matches!(block, Block::Text(text) if only_reminders(text).is_some());
    if first.content.iter().all(is_reminder) {
        return taken;
    }
    first.content.retain(|block| {
        let Block::Text(text) = block else { return true };
        let Some(inside) = only_reminders(text) else { return true };
        taken.extend(inside.iter().map(|inner| inner.trim().to_owned()));
        false
    });
    taken
}

/// Rules that must match this version and did not. Only where the request has what they speak of: not where the user
/// has put a prompt of his own in place of the client's.
fn dead_rules(request: &Request, pack: &Pack, version: Option<Version>, hits: &[Hit]) -> Vec<String> {
    let id = |kind: &str, rule: &str| rule_id(&pack.client, kind, rule);
    let matched = |kind: &str, rule: &str| {
        let id = id(kind, rule);
        hits.iter().any(|hit| hit.id == id)
    };
    let headed = |rule: &&SectionRule| !rule.headings.is_empty() && rule.seen().expects(version);
    let clients_own = pack.sections.iter().filter(headed).any(|rule| matched("section", &rule.id));
    if request.tools.is_empty() || !clients_own {
        return Vec::new();
    }
    let sections = pack.sections.iter().map(|rule| ("section", &rule.id, rule.seen()));
    let tools = pack.tools.iter().map(|rule| ("tool", &rule.names[0], rule.seen()));
    let reminders = pack.reminders.iter().map(|rule| ("reminder", &rule.id, rule.seen()));
    let expected = sections.chain(tools).chain(reminders).filter(|(.., seen)| seen.expects(version));
    expected.filter(|(kind, rule, _)| !matched(kind, rule)).map(|(kind, rule, _)| id(kind, rule)).collect()
}

#[cfg(test)]
mod tests;
