//! The promises of the schedule, on histories of chance.

use proptest::prelude::*;

use super::{Kept, Showing, beginning};
use crate::fold::promises::{Event, HEAD, Quarter, cost, event, history, kinds, requests, roles, window};
use crate::fold::{FoldInput, FoldMemo, Folded, fold, ingest, recall};
use crate::history::History;
use crate::rules::FoldProfile;
use crate::tokens::{Budget, Counter};
use crate::wire::{Block, Message, Role};

/// Messages as they are ingested, shown as their texts.
struct Plain(Vec<Message>);

impl Showing for Plain {
    fn beginning(&self, message: usize) -> Option<usize> {
        beginning(&self.0[message], FoldProfile::default().shift.beginning).map(|short| cost(&short))
    }

    fn ingested(&self, message: usize) -> Option<&Message> {
        self.0.get(message)
    }

    fn told(&self, text: &str) -> String {
        text.to_owned()
    }
}

fn shown(messages: &[Message], window: usize) -> Plain {
    Plain(ingest(messages, &roles(), &kinds(), &FoldProfile::default(), window))
}

fn folded(messages: &[Message], window: usize, showing: &Plain, memo: Option<&FoldMemo>) -> Folded {
    let (profile, roles, budget) = (FoldProfile::default(), roles(), Budget::of(window));
    let costs: Vec<usize> = showing.0.iter().take(messages.len()).map(cost).collect();
    let input = FoldInput {
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
        shift: Some(showing),
    };
    fold(&input).unwrap()
}

/// What is sent, message by message: who speaks, the text, and what it costs.
fn sent(messages: &[Message], showing: &Plain, folded: &Folded) -> Vec<(usize, Role, String, usize)> {
    let shifted = folded.shifted.clone().unwrap_or_default();
    let mut sent = Vec::new();
    for (at, message) in showing.0.iter().take(messages.len()).enumerate() {
        let left = match shifted.kept.get(at).copied().unwrap_or_default() {
            Kept::Out => continue,
            Kept::Whole => message.clone(),
            Kept::Beginning => beginning(message, FoldProfile::default().shift.beginning).unwrap(),
        };
        let said = shifted.said.iter().filter(|said| said.message == at).map(|said| said.text.to_string());
        let said: String = said.collect();
        let tokens = cost(&left) + Quarter.count(&said);
        sent.push((at, left.role, said + &text(&left), tokens));
    }
    sent
}

fn text(message: &Message) -> String {
    let block = |block: &Block| match block {
        Block::Text(text) => text.clone(),
        Block::ToolUse(call) => call.input.to_string(),
        Block::ToolResult(result) => result.text(),
        _ => String::new(),
    };
    message.content.iter().map(block).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// **Stable order**: what is sent is what was sent with pieces taken out, and new text only behind it.
    #[test]
    fn stable_order(events in proptest::collection::vec(event(), 20..90), window in window()) {
        let messages = history(&events);
        let (showing, memo) = (shown(&messages, window), FoldMemo::default());
        let mut before: Vec<(usize, Role, String, usize)> = Vec::new();
        let mut end_before = 0;
        for end in requests(&messages) {
            let messages = &messages[..end];
            let now = sent(messages, &showing, &folded(messages, window, &showing, Some(&memo)));
            let mut old = before.iter();
            for (at, _, text, _) in now.iter().filter(|message| message.0 < end_before) {
                let was = old.find(|was| was.0 == *at);
                prop_assert!(was.is_some_and(|was| was.2.starts_with(text.as_str())), "message {at}: {text}");
            }
            (before, end_before) = (now, end);
        }
    }

    /// What stays between two holes of one cut is no shorter than the server's smallest chunk.
    #[test]
    fn no_run_is_shorter_than_a_chunk(events in proptest::collection::vec(event(), 20..90), window in window()) {
        let messages = history(&events);
        let (showing, memo) = (shown(&messages, window), FoldMemo::default());
        let chunk = FoldProfile::default().shift.chunk;
        let mut before: Vec<(usize, Role, String, usize)> = Vec::new();
        for end in requests(&messages) {
            let messages = &messages[..end];
            let now = sent(messages, &showing, &folded(messages, window, &showing, Some(&memo)));
            let (mut run, mut holes) = (0, 0);
            for was in &before {
                let stays = now.iter().find(|message| message.0 == was.0);
                run += stays.map_or(0, |stays| stays.3);
                if stays.is_none_or(|stays| stays.2.len() < was.2.len()) {
                    prop_assert!(run == 0 || holes == 0 || run >= chunk, "{run} before message {}", was.0);
                    (run, holes) = (0, holes + 1);
                }
            }
            before = now;
        }
    }

    /// All of it fits; roles alternate, the user first; a call and its result stay together.
    #[test]
    fn it_fits_and_no_step_is_torn(events in proptest::collection::vec(event(), 1..90), window in window()) {
        let messages = history(&events);
        let (showing, memo) = (shown(&messages, window), FoldMemo::default());
        for end in requests(&messages) {
            let messages = &messages[..end];
            let now = sent(messages, &showing, &folded(messages, window, &showing, Some(&memo)));
            let all = HEAD + 100 + now.iter().map(|message| message.3).sum::<usize>();
            prop_assert!(all <= Budget::of(window).prompt(), "{all}");
            prop_assert_eq!(now[0].1, Role::User);
            prop_assert!(now.windows(2).all(|pair| pair[0].1 != pair[1].1));
            for pair in now.windows(2).filter(|pair| messages[pair[0].0].tool_uses().next().is_some()) {
                prop_assert_eq!(pair[0].0 + 1, pair[1].0);
            }
        }
    }

    /// What is remembered of earlier folds changes no byte: forwards, and from any beginning again.
    #[test]
    fn the_memo_only_makes_it_fast(events in proptest::collection::vec(event(), 1..60), window in window()) {
        let messages = history(&events);
        let (showing, memo) = (shown(&messages, window), FoldMemo::default());
        let ends: Vec<usize> = requests(&messages).collect();
        for end in ends.iter().chain(ends.iter().rev().step_by(3)) {
            let messages = &messages[..*end];
            prop_assert_eq!(folded(messages, window, &showing, Some(&memo)), folded(messages, window, &showing, None));
        }
    }

    /// Every path is named, every prompt is there by its first line or handle, every handle leads back.
    #[test]
    fn nothing_taken_out_is_out_of_reach(events in proptest::collection::vec(event(), 20..90), window in window()) {
        let messages = history(&events);
        let (showing, memo) = (shown(&messages, window), FoldMemo::default());
        let folded = folded(&messages, window, &showing, Some(&memo));
        let all: Vec<String> = sent(&messages, &showing, &folded).into_iter().map(|message| message.2).collect();
        let all = all.join("\n");
        for (record, _) in History::read(&messages, &roles()).files.iter() {
            let (folder, name) = record.path.rsplit_once('/').unwrap();
            let in_folder = |line: &str| line.starts_with(&format!("{folder}/: ")) && line.contains(name);
            prop_assert!(all.contains(&record.path) || all.lines().any(in_folder), "{}", record.path);
        }
        for (at, message) in messages.iter().enumerate().filter(|(_, message)| message.tool_results().next().is_none()) {
            let text = message.plain_text();
            let named = all.contains(&text.trim()[..text.trim().len().min(60)]) || all.contains(&format!("h{at}.0"));
            prop_assert!(message.role != Role::User || named, "{text}");
        }
        for at in 0..messages.len() {
            let found = recall(&messages, &format!("h{at}"), 100);
            prop_assert!(found.is_some());
        }
    }
}

#[test]
fn little_goes_at_a_time() {
    let look = |file| Event::Look { file, lines: 30 };
    let messages = history(&(0..60).map(|at| look(at % 9)).collect::<Vec<_>>());
    let showing = shown(&messages, 8192);
    let folded = folded(&messages, 8192, &showing, None);
    let tokens: usize = sent(&messages, &showing, &folded).iter().map(|message| message.3).sum();
    assert!(folded.cuts > 3 && tokens * 10 > Budget::of(8192).history(HEAD) * 8, "{} cuts, {tokens}", folded.cuts);
}
