//! The promises of the fold, on histories of chance.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::{FoldInput, FoldMemo, Folded, TooLong, fold, ingest, recall};
use crate::history::History;
use crate::rules::{FoldProfile, Keep, MessageKinds, MessageRule, Role as ToolRole};
use crate::tokens::{Budget, Counter};
use crate::wire::{Block, Message, Role, ToolResult, ToolUse};

/// Four bytes are a token: fast, and good enough for sums.
pub(super) struct Quarter;

impl Counter for Quarter {
    fn count(&self, text: &str) -> usize {
        text.len().div_ceil(4)
    }
}

pub(super) const HEAD: usize = 700;

/// One thing that happens in a history.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Prompt(usize),
    Written { kind: u8, words: usize },
    Look { file: u8, lines: usize },
    Change { file: u8, line: usize, fails: bool },
    Make { file: u8, lines: usize },
    Shell { lines: usize, error_at: Option<usize> },
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => (1..60_usize).prop_map(Event::Prompt),
        1 => (0..4_u8, 1..200_usize).prop_map(|(kind, words)| Event::Written { kind, words }),
        4 => (0..9_u8, 1..900_usize).prop_map(|(file, lines)| Event::Look { file, lines }),
        4 => (0..9_u8, 0..40_usize, any::<bool>()).prop_map(|(file, line, fails)| Event::Change { file, line, fails }),
        1 => (0..9_u8, 1..300_usize).prop_map(|(file, lines)| Event::Make { file, lines }),
        3 => (0..700_usize, proptest::option::of(0..700_usize))
            .prop_map(|(lines, error_at)| Event::Shell { lines, error_at }),
    ]
}

pub(super) fn roles() -> BTreeMap<String, ToolRole> {
    let text = |text: &str| text.to_owned();
    BTreeMap::from([
        (text("Look"), ToolRole::Read { path: text("p"), offset: Some(text("from")), limit: None }),
        (text("Change"), ToolRole::Edit { path: text("p"), old: text("a"), new: text("b"), all: None }),
        (text("Make"), ToolRole::Write { path: text("p"), content: text("c") }),
        (text("Shell"), ToolRole::Run { command: text("x") }),
    ])
}

/// Every way in which a message of the client may be kept.
pub(super) fn kinds() -> MessageKinds {
    let kind = |tag: &str, keep| MessageRule { id: tag.into(), tags: vec![tag.into()], keep, ..MessageRule::default() };
    MessageKinds::new(vec![
        kind("summary", Keep::Verbatim),
        kind("report", Keep::Line),
        kind("hook", Keep::Last),
        kind("note", Keep::Handle),
    ])
}

fn path(file: u8) -> String {
    format!("/repo/place/src/part{}/file{file}.rs", file % 3)
}

fn line(file: u8, number: usize) -> String {
    format!("    let value_{file}_{number} = compute({number});")
}

fn fact(at: usize) -> String {
    format!("error[E{at:04}]: the thing at {at} is wrong")
}

/// The history of these events, ending with a message of the user.
pub(super) fn history(events: &[Event]) -> Vec<Message> {
    let mut messages = vec![Message::text(Role::User, "please make it work")];
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Prompt(words) => {
                messages.push(Message::text(Role::Assistant, "That is done."));
                messages.push(Message::text(Role::User, format!("now {}", "do more ".repeat(*words))));
            }
            Event::Written { kind, words } => {
                let tag = ["summary", "report", "hook", "note"][usize::from(*kind)];
                let text = format!("<{tag}>\nit is {}\n</{tag}>", "so and so ".repeat(*words));
                messages.push(Message::text(Role::Assistant, "I wait."));
                messages.push(Message::text(Role::User, text));
            }
            step => messages.extend(call(at, step)),
        }
    }
    messages
}

fn call(at: usize, event: &Event) -> [Message; 2] {
    let (name, input, result, is_error) = match event {
        Event::Look { file, lines } => {
            let text: Vec<String> = (1..=*lines).map(|n| format!("{n}\t{}", line(*file, n))).collect();
            ("Look", json!({"p": path(*file)}), text.join("\n"), false)
        }
        Event::Change { file, line: n, fails } => {
            let input = json!({"p": path(*file), "a": line(*file, *n), "b": format!("{} // {at}", line(*file, *n))});
            ("Change", input, "done".to_owned(), *fails)
        }
        Event::Make { file, lines } => {
            let text: Vec<String> = (1..=*lines).map(|n| line(*file, n)).collect();
            ("Make", json!({"p": path(*file), "c": text.join("\n")}), "made".to_owned(), false)
        }
        Event::Shell { lines, error_at } => {
            let say = |n| if Some(n) == *error_at { fact(n) } else { format!("running part {} of {n}", n * 7 % 31) };
            let text: Vec<String> = (0..*lines).map(say).collect();
            ("Shell", json!({"x": format!("make part{at}")}), text.join("\n"), false)
        }
        Event::Prompt(_) | Event::Written { .. } => unreachable!("a text is no call"),
    };
    let id = format!("call{at}");
    let call = ToolUse { id: id.clone(), name: name.into(), input };
    let result = ToolResult { tool_use_id: id, content: vec![Block::Text(result)], is_error };
    [
        Message { role: Role::Assistant, content: vec![Block::ToolUse(call)].into() },
        Message { role: Role::User, content: vec![Block::ToolResult(result)].into() },
    ]
}

pub(super) fn cost(message: &Message) -> usize {
    let block = |block: &Block| match block {
        Block::Text(text) => Quarter.count(text),
        Block::ToolUse(call) => Quarter.count(&call.input.to_string()) + 10,
        Block::ToolResult(result) => Quarter.count(&result.text()) + 10,
        _ => 0,
    };
    message.content.iter().map(block).sum::<usize>() + 4
}

fn folded(messages: &[Message], window: usize) -> Result<Folded, TooLong> {
    folded_with(messages, window, None)
}

fn folded_with(messages: &[Message], window: usize, memo: Option<&FoldMemo>) -> Result<Folded, TooLong> {
    let (profile, roles, budget) = (FoldProfile::default(), roles(), Budget::of(window));
    let costs: Vec<usize> = ingest(messages, &roles, &kinds(), &profile, window).iter().map(cost).collect();
    fold(&FoldInput {
        messages,
        costs: &costs,
        budget: &budget,
        head_tokens: HEAD,
        preamble_tokens: 100,
        profile: &profile,
        counter: &Quarter,
        roles: &roles,
        kinds: &kinds(),
        memo: memo.map(|memo| (memo, 0)),
        shift: None,
    })
}

pub(super) fn window() -> impl Strategy<Value = usize> {
    prop_oneof![Just(4096_usize), Just(8192), Just(16_384)]
}

/// Whether the text of this message has its handle, or stands between two of a list.
fn has_handle(digest: &str, at: usize) -> bool {
    let number =
        |handle: &str| handle.trim_end_matches(']').strip_prefix('h')?.split('.').next()?.parse::<usize>().ok();
    let within = |line: &str| {
        let (before, last) = line.strip_prefix("[earlier notes of the client: ")?.rsplit_once(" to ")?;
        Some((number(before.rsplit(' ').next()?)?..=number(last)?).contains(&at))
    };
    digest.contains(&format!("h{at}.0")) || digest.lines().any(|line| within(line) == Some(true))
}

/// The ends of all requests in a history.
pub(super) fn requests(messages: &[Message]) -> impl Iterator<Item = usize> {
    (1..=messages.len()).filter(|end| messages[end - 1].role == Role::User)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// What is sent for a history is a prefix of what is sent for a longer one, except at a cut.
    #[test]
    fn the_prefix_is_stable(events in proptest::collection::vec(event(), 1..40), window in window()) {
        let messages = history(&events);
        let roles = roles();
        let shown = ingest(&messages, &roles, &kinds(), &FoldProfile::default(), window);
        let mut last: Option<Folded> = None;
        for end in requests(&messages) {
            prop_assert_eq!(&ingest(&messages[..end], &roles, &kinds(), &FoldProfile::default(), window)[..], &shown[..end]);
            let now = folded(&messages[..end], window).unwrap();
            if let Some(was) = last.filter(|was| was.cuts == now.cuts) {
                prop_assert_eq!((&was.digest, was.first), (&now.digest, now.first));
                prop_assert!(now.again.starts_with(&was.again), "{:?} {:?}", was.again, now.again);
            }
            last = Some(now);
        }
    }

    /// What is remembered of earlier folds changes no byte: forwards, and from any beginning again.
    #[test]
    fn the_memo_only_makes_it_fast(events in proptest::collection::vec(event(), 1..40), window in window()) {
        let messages = history(&events);
        let memo = FoldMemo::default();
        let ends: Vec<usize> = requests(&messages).collect();
        for end in ends.iter().chain(ends.iter().rev().step_by(3)) {
            let messages = &messages[..*end];
            prop_assert_eq!(folded_with(messages, window, Some(&memo)), folded(messages, window));
        }
    }

    /// All of it fits, a step stays whole, and the user speaks first.
    #[test]
    fn it_fits_and_no_step_is_torn(events in proptest::collection::vec(event(), 1..40), window in window()) {
        let messages = history(&events);
        let shown = ingest(&messages, &roles(), &kinds(), &FoldProfile::default(), window);
        for end in requests(&messages) {
            let folded = folded(&messages[..end], window).unwrap();
            let tail: usize = shown[folded.first..end].iter().map(cost).sum();
            let again: usize = folded.again.iter().map(|shown| Quarter.count(&shown.text)).sum();
            let all = HEAD + 100 + Quarter.count(&folded.digest) + tail + again;
            prop_assert!(all <= Budget::of(window).prompt(), "{all}");
            prop_assert!(shown[folded.first].tool_results().next().is_none());
            prop_assert_eq!(folded.first == 0, folded.digest.is_empty());
        }
    }

    /// What is shown again is the present text of a file that was edited, and stands behind that edit's result.
    #[test]
    fn what_is_shown_again_is_so(events in proptest::collection::vec(event(), 20..60), window in window()) {
        let messages = history(&events);
        let folded = folded(&messages, window).unwrap();
        for shown in &folded.again {
            let then = History::read(&messages[..=shown.message], &roles());
            let call = then.calls.iter().find(|call| call.call.id == shown.id).unwrap();
            let path = call.act.path().unwrap();
            let head = format!("[{path} now");
            prop_assert!(shown.message > folded.first && call.ok() && shown.text.starts_with(&head));
            let view = then.files.view(path).unwrap();
            let lines = shown.text.lines().filter(|line| !line.starts_with('['));
            prop_assert!(lines.into_iter().all(|line| view.lines().any(|known| known.text == line)), "{}", shown.text);
        }
    }

    /// Every path that was touched is named, every prompt is there by its first line, and what is folded has a handle.
    #[test]
    fn nothing_folded_is_out_of_reach(events in proptest::collection::vec(event(), 20..60), window in window()) {
        let messages = history(&events);
        let folded = folded(&messages, window).unwrap();
        let before = History::read(&messages[..folded.first], &roles());
        for (record, _) in before.files.iter() {
            let (folder, name) = record.path.rsplit_once('/').unwrap();
            let in_folder = |line: &str| line.starts_with(&format!("{folder}/: ")) && line.contains(name);
            prop_assert!(folded.digest.contains(&record.path) || folded.digest.lines().any(in_folder));
        }
        for message in messages[..folded.first].iter().filter(|message| message.tool_results().next().is_none()) {
            let text = message.plain_text();
            let at = messages.iter().position(|other| std::ptr::eq(other, message)).unwrap();
            let named = folded.digest.contains(&text.trim()[..text.trim().len().min(60)]) || has_handle(&folded.digest, at);
            prop_assert!(message.role != Role::User || named);
        }
        for at in 0..folded.first {
            let found = recall(&messages, &format!("h{at}"), 100);
            prop_assert!(found.is_some());
        }
    }

    /// An error in a long output survives paging and crush.
    #[test]
    fn facts_survive(lines in 1..3000_usize, place in 0.0..1.0_f64, window in window()) {
        let at = (lines as f64 * place) as usize;
        let messages = history(&[Event::Shell { lines, error_at: Some(at) }]);
        let shown = ingest(&messages, &roles(), &kinds(), &FoldProfile::default(), window);
        let text = shown[2].tool_results().next().unwrap().text();
        prop_assert!(text.contains(&fact(at)), "{text}");
    }
}

#[test]
fn a_prompt_that_cannot_fit_is_refused_and_never_cut() {
    let messages = [Message::text(Role::User, "x".repeat(20_000))];
    let error = folded(&messages, 4096).unwrap_err();
    assert_eq!(error.maximum, Budget::of(4096).prompt());
    assert!(error.to_string().starts_with("prompt is too long: "));
}
