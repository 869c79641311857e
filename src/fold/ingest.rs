//! Each message as it is first shown: long results paged or crushed, long inputs shortened.
//!
//! Every limit is a fixed share of the history budget of the window *setting*, and each message is judged by its own
//! bytes and the calls before it. So a message looks the same in every later request.

use std::collections::BTreeMap;

use super::estimate::{estimate, prefix};
use super::parallel::{LEAST_RESULT, LeftOut};
use super::{crush, handle, page};
use crate::history::{Act, Roles, numbered_lines, prompts};
use crate::rules::{FoldProfile, MessageKinds};
use crate::tokens::Budget;
use crate::wire::{Block, Message, Role, ToolResult, ToolUse};

/// No limit is below this, in tokens.
const LEAST: usize = 120;

/// Limits in estimated tokens, fixed by the window and the profile.
#[derive(Debug, Clone, Copy)]
struct Limits {
    page: usize,
    step: usize,
    call: usize,
    /// Whether what commands print is crushed, not only paged.
    crush: bool,
}

/// The calls seen so far, by id: the tool's name, and its role's reading of the input.
type Calls<'a> = BTreeMap<&'a str, (&'a str, Act<'a>, Option<&'a crate::rules::Role>)>;

/// The messages as they are first shown, one for one. `window` is the window setting in tokens.
pub fn ingest(
    messages: &[Message],
    roles: &dyn Roles,
    kinds: &MessageKinds,
    profile: &FoldProfile,
    window: usize,
) -> Vec<Message> {
    ingest_from(0, messages, roles, kinds, profile, window)
}

/// The messages of a history from number `first` on, which holds the calls of all results behind it.
pub fn ingest_from(
    first: usize,
    messages: &[Message],
    roles: &dyn Roles,
    kinds: &MessageKinds,
    profile: &FoldProfile,
    window: usize,
) -> Vec<Message> {
    let limits = Limits::of(profile, window);
    let mut calls = Calls::new();
    let mut shown = Vec::with_capacity(messages.len());
    let mut left_out = LeftOut::default();
    for (at, message) in (first..).zip(messages) {
        for call in message.tool_uses() {
            let role = roles.role(&call.name);
            calls.insert(&call.id, (&call.name, Act::of(role, &call.input), role));
        }
        shown.push(match message.role {
            Role::Assistant => {
                left_out = LeftOut::of(at, message, limits.call, limits.step);
                shorten_calls(at, message, &left_out, limits)
            }
            Role::User | Role::System => shorten_results(at, message, &calls, &left_out, limits, kinds),
        });
    }
    shown
}

/// What always stands before the first prompt, within its share of the window; the whole stands under `handle`.
pub fn shorten_preamble(text: &str, handle: &str, profile: &FoldProfile, window: usize) -> String {
    let share = Limits::share(window, profile.preamble);
    if estimate(text) <= share {
        return text.to_owned();
    }
    let gap = |from: usize, to: usize| format!("[lines {from}-{to} left out]");
    page::both_ends(text, share.saturating_sub(20), gap) + &format!("\n[shortened; in full: Recall {handle}]")
}

impl Limits {
    fn share(window: usize, percent: usize) -> usize {
        (Budget::of(window).history(0) * percent / 100).max(LEAST)
    }

    fn of(profile: &FoldProfile, window: usize) -> Self {
        let share = |percent| Self::share(window, percent);
        Self { page: share(profile.page), step: share(profile.step), call: share(profile.call), crush: profile.crush }
    }
}

/// The user side: results by their kind; texts that nobody typed by pages.
fn shorten_results(
    at: usize,
    message: &Message,
    calls: &Calls<'_>,
    left_out: &LeftOut<'_>,
    limits: Limits,
    kinds: &MessageKinds,
) -> Message {
    let texts = prompts(std::slice::from_ref(message), kinds);
    let typed: Vec<usize> = texts.iter().filter(|prompt| prompt.whole).map(|prompt| prompt.block).collect();
    let sizes: Vec<usize> = message
        .content
        .iter()
        .enumerate()
        .map(|(block, item)| match item {
            _ if left_out.has(item) => 0,
            Block::ToolResult(result) => estimate(&result.text()),
            Block::Text(text) if !typed.contains(&block) => estimate(text),
            _ => 0,
        })
        .collect();
    // Very many calls take from what their results may have.
    let shares = shares(&sizes, limits.page, limits.step - left_out.excess.min(limits.step / 2));
    let shown = message.content.iter().enumerate().filter(|(_, item)| !left_out.has(item));
    let content = shown.map(|(block, item)| match item {
        Block::ToolResult(result) => {
            Block::ToolResult(shorten_result((at, block), result, calls, (shares[block], limits.crush)))
        }
        Block::Text(text) if sizes[block] > shares[block] => {
            Block::Text(shorten_text((at, block), text, shares[block]))
        }
        other => other.clone(),
    });
    let mut content: Vec<Block> = content.collect();
    left_out.note(&mut content);
    Message { role: message.role, content: content.into() }
}

/// How much each block may have: at most `each`, together at most `all`; what a small one leaves is for the larger.
fn shares(sizes: &[usize], each: usize, all: usize) -> Vec<usize> {
    let mut shares = vec![each; sizes.len()];
    let mut order: Vec<usize> = (0..sizes.len()).filter(|at| sizes[*at] > 0).collect();
    order.sort_by_key(|at| sizes[*at]);
    let mut room = all;
    for (done, at) in order.iter().enumerate() {
        let fair = room / (order.len() - done);
        shares[*at] = each.min(fair).max(LEAST_RESULT);
        room = room.saturating_sub(sizes[*at].min(shares[*at]));
    }
    shares
}

fn shorten_result(
    place: (usize, usize),
    result: &ToolResult,
    calls: &Calls<'_>,
    (share, crush): (usize, bool),
) -> ToolResult {
    let text = result.text();
    let call = calls.get(result.tool_use_id.as_str());
    let short = match call {
        Some((name, Act::Read { .. }, role)) => page_read(place, &text, name, *role, share),
        Some((_, Act::Search { .. } | Act::List { .. }, _)) => page_plain(place, &text, share),
        _ => shorten_output(place, &text, share, crush),
    };
    if short == text {
        return result.clone();
    }
    let mut content = vec![Block::Text(short)];
    content.extend(result.content.iter().filter(|block| !matches!(block, Block::Text(_))).cloned());
    ToolResult { content, ..result.clone() }
}

/// A file: its first lines, and how to read on.
fn page_read(place: (usize, usize), text: &str, tool: &str, role: Option<&crate::rules::Role>, share: usize) -> String {
    if estimate(text) <= share {
        return text.to_owned();
    }
    let lines = numbered_lines(text);
    let page = page::first_lines(text, share.saturating_sub(30), false);
    let offset = match role {
        Some(crate::rules::Role::Read { offset: Some(offset), .. }) => offset.as_str(),
        _ => return format!("{}\n{}", page.shown, rest_note(place, &page)),
    };
    match (lines.first(), lines.get(page.first.saturating_sub(1)), lines.last()) {
        (Some(first), Some(last), Some(end)) if page.first > 0 && page.first < lines.len() => format!(
            "{}\n[lines {}-{} of {}; continue with {tool} {offset}={}]",
            page.shown,
            first.0,
            last.0,
            end.0,
            last.0 + 1
        ),
        _ => format!("{}\n{}", page.shown, rest_note(place, &page)),
    }
}

/// A search, a listing or a diff: its first lines.
fn page_plain(place: (usize, usize), text: &str, share: usize) -> String {
    if estimate(text) <= share {
        return text.to_owned();
    }
    let page = page::first_lines(text, share.saturating_sub(20), true);
    format!("{}\n{}", page.shown, rest_note(place, &page))
}

fn rest_note(place: (usize, usize), page: &page::Page) -> String {
    let next = handle::of_lines(place.0, place.1, page.first + 1);
    format!("[lines 1-{} of {}; the rest: Recall {next}]", page.first, page.total)
}

/// What a command printed: cleaned; crushed where it is long; then its two ends and its facts.
fn shorten_output(place: (usize, usize), text: &str, share: usize, crush: bool) -> String {
    let text = crush::clean(text);
    if estimate(&text) <= share / 2 {
        return text;
    }
    if is_diff(&text) {
        return page_plain(place, &text, share);
    }
    let crushed = if crush { crush::crush(&text) } else { text.clone() };
    let note = format!("\n[shortened; in full: Recall {}]", handle::of_block(place.0, place.1));
    if estimate(&crushed) <= share {
        return if crushed == text { crushed } else { crushed + &note };
    }
    let gap = |from: usize, to: usize| format!("[lines {from}-{to} left out]");
    page::both_ends(&crushed, share.saturating_sub(30), gap) + &note
}

fn is_diff(text: &str) -> bool {
    text.lines().take(40).any(|line| line.starts_with("@@ -") || line.starts_with("diff --"))
}

/// A text that nobody typed: its two ends.
fn shorten_text(place: (usize, usize), text: &str, share: usize) -> String {
    let gap = |from: usize, to: usize| format!("[lines {from}-{to} left out]");
    let note = format!("\n[shortened; in full: Recall {}]", handle::of_block(place.0, place.1));
    page::both_ends(text, share.saturating_sub(30), gap) + &note
}

/// The assistant's side: texts and inputs that are too long lose their middle.
fn shorten_calls(at: usize, message: &Message, left_out: &LeftOut<'_>, limits: Limits) -> Message {
    let size = |item| if left_out.has(item) { 0 } else { block_size(item) };
    let sizes: Vec<usize> = message.content.iter().map(size).collect();
    if sizes.iter().sum::<usize>() <= limits.call && !message.content.iter().any(|item| left_out.has(item)) {
        return message.clone();
    }
    let shares = shares(&sizes, limits.call, limits.call);
    let shown = message.content.iter().enumerate().filter(|(_, item)| !left_out.has(item));
    let content = shown.map(|(block, item)| {
        let share = shares[block];
        match item {
            _ if sizes[block] <= share => item.clone(),
            Block::Text(text) => Block::Text(shorten_text((at, block), text, share)),
            Block::ToolUse(call) => Block::ToolUse(shorten_input((at, block), call, share)),
            other => other.clone(),
        }
    });
    Message { role: message.role, content: content.collect() }
}

fn block_size(block: &Block) -> usize {
    match block {
        Block::Text(text) => estimate(text),
        Block::ToolUse(call) => estimate(&call.input.to_string()),
        _ => 0,
    }
}

/// An input whose long texts lose their middle, each by its share.
fn shorten_input(place: (usize, usize), call: &ToolUse, share: usize) -> ToolUse {
    let mut input = call.input.clone();
    let mut texts = Vec::new();
    collect_texts(&mut input, &mut texts);
    let sizes: Vec<usize> = texts.iter().map(|text| estimate(text)).collect();
    let shares = shares(&sizes, share, share.saturating_sub(20));
    for ((text, size), share) in texts.into_iter().zip(sizes).zip(shares) {
        if size > share {
            let gap = |from: usize, to: usize| {
                format!("[lines {from}-{to} left out; Recall {}]", handle::of_block(place.0, place.1))
            };
            *text = if text.contains('\n') {
                page::both_ends(text, share.saturating_sub(15), gap)
            } else {
                format!("{}…", prefix(text, share))
            };
        }
    }
    ToolUse { input, ..call.clone() }
}

fn collect_texts<'a>(value: &'a mut serde_json::Value, texts: &mut Vec<&'a mut String>) {
    match value {
        serde_json::Value::String(text) => texts.push(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| collect_texts(item, texts)),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|field| collect_texts(field, texts)),
        _ => {}
    }
}
