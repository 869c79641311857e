//! What the client sent, made regular and short: classify, normalise, system text, tools.
//!
//! [`trim`] is pure: the same request, rules, profile and model give the same bytes. The head that it makes depends on
//! the client's version and its tools only, so that sessions in different folders and on different days share it.

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

use crate::rules::{ModelProfile, Pack, Profile, RuleSet, SectionRule, Version};
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
    let none = Pack::default();
    let pack = pack_of(request, rules).unwrap_or(&none);
    let profile = &profile.head;
    let kind = if profile.off { Kind::Main } else { classify::classify(request, pack) };
    let mut tally = Tally::new(&pack.client, counter);
    let examples = (profile.examples < usize::MAX).then_some(profile.examples);
    let mut head = Head { examples, untouched: profile.off, ..Head::default() };
    let tools = || Tools { pack, profile };
    tools().place(&request.tools, &request.messages, &mut head, &mut tally);
    let system = System { pack, profile, kind: &kind, lines: model.show.lines, paths: model.show.paths() };
    let behind = system.place(&request.system, &mut head, &mut tally);
    let reminders = Reminders { pack, profile };
    let content = Content { reminders, tools: tools(), offered: &request.tools, images: model.images };
    let mut messages = normalise::normalise(&request.messages, &content, &mut tally);
    let mut before = if profile.off { Vec::new() } else { leading_reminders(&mut messages) };
    before.extend(behind);
    let version = version_of(request, pack);
    let dead = if kind == Kind::Main { dead_rules(request, pack, version, &tally) } else { Vec::new() };
    Trimmed {
        kind,
        head,
        preamble: before.join("\n\n"),
        messages,
        hits: tally.hits,
        dead,
        unknown: tally.unknown,
        withheld: tally.withheld,
        version,
        folder: folder::folder_of(request, pack),
        pack: pack.client.clone(),
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
fn dead_rules(request: &Request, pack: &Pack, version: Option<Version>, tally: &Tally) -> Vec<String> {
    let headed = |rule: &&SectionRule| !rule.headings.is_empty() && rule.seen().expects(version);
    let clients_own = pack.sections.iter().filter(headed).any(|rule| tally.matched("section", &rule.id));
    if request.tools.is_empty() || !clients_own {
        return Vec::new();
    }
    let sections = pack.sections.iter().map(|rule| ("section", &rule.id, rule.seen()));
    let tools = pack.tools.iter().map(|rule| ("tool", &rule.names[0], rule.seen()));
    let reminders = pack.reminders.iter().map(|rule| ("reminder", &rule.id, rule.seen()));
    let expected = sections.chain(tools).chain(reminders).filter(|(.., seen)| seen.expects(version));
    expected.filter(|(kind, id, _)| !tally.matched(kind, id)).map(|(kind, id, _)| tally.id(kind, id)).collect()
}

#[cfg(test)]
mod tests;
