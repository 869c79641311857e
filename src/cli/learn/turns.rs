//! Which turns of a session teach something, and what is left of them.

use std::mem::discriminant;

use regex::RegexSet;
use xxhash_rust::xxh3::xxh3_64;

use crate::history::{Act, Call, calls, strip_numbers};
use crate::rules::{Example, ExampleStep, Lexicon, RuleSet};
use crate::show::{Folder, prompts_of};
use crate::wire::{Message, Role};

/// A prompt of more characters is a task of its own, not a kind of work.
const PROMPT: usize = 240;

/// The longest answer, and the longest text of a step, in characters.
const ANSWER: usize = 300;
const TEXT: usize = 500;

/// The most lines of a result; a read is cut to the lines around what is edited then.
const LINES: usize = 12;
const AROUND: usize = 2;

/// A line of a result is cut behind so many characters.
const WIDTH: usize = 120;

/// A result of a tool without a role that is longer, in characters, was part of the work.
const NOTE: usize = 240;

/// The most calls that are left of a turn.
const STEPS: usize = 4;

/// What was found in a session.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) examples: Vec<Example>,
    /// All turns that were looked at.
    pub(super) turns: usize,
}

/// The turns of these messages that are short, ended well, and hold nothing that is to stay where it is.
pub(super) fn learn(messages: &[Message], rules: &RuleSet) -> Found {
    let prompts = prompts_of(messages, &rules.messages, 0);
    let calls = calls(messages, rules);
    let Some(secrets) = secrets(&rules.lexicon) else { return Found::default() };
    let folder = folder_of(&calls);
    let mut found = Found { turns: prompts.len(), ..Found::default() };
    for (at, (start, prompt)) in prompts.iter().enumerate() {
        let next = prompts.get(at + 1);
        let end = next.map_or(messages.len(), |next| next.0);
        let within = |call: &&Call<'_>| (*start..end).contains(&call.message);
        let turn = Turn {
            prompt,
            calls: calls.iter().filter(within).collect(),
            answer: messages[*start..end].last().filter(|last| last.role == Role::Assistant),
            folder: folder.as_ref(),
        };
        let corrected = next.is_some_and(|(_, next)| rules.lexicon.words.correct(next));
        let example = turn.example().filter(|_| !corrected);
        found
            .examples
            .extend(example.filter(|example| !secrets.is_match(&all_texts(example)) && !leads_elsewhere(example)));
    }
    found
}

fn secrets(lexicon: &Lexicon) -> Option<RegexSet> {
    RegexSet::new(&lexicon.secrets).ok().filter(|set| !set.is_empty())
}

/// The deepest folder that holds all files in work; where there is but one, the folder that it is in.
fn folder_of(calls: &[Call<'_>]) -> Option<Folder> {
    let paths = calls.iter().filter_map(|call| call.act.path()).filter(|path| path.starts_with('/'));
    let folders = paths.map(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned());
    Folder::new(&folders.reduce(|one, other| {
        let alike = one.split('/').zip(other.split('/')).take_while(|(a, b)| a == b).map(|(part, _)| part);
        alike.collect::<Vec<_>>().join("/")
    })?)
}

/// One prompt, and what was done for it.
struct Turn<'t> {
    prompt: &'t str,
    calls: Vec<&'t Call<'t>>,
    answer: Option<&'t Message>,
    folder: Option<&'t Folder>,
}

impl Turn<'_> {
    fn example(&self) -> Option<Example> {
        let prompt = self.plain(self.prompt.trim());
        let short =
            (12..=PROMPT).contains(&prompt.chars().count()) && prompt.lines().count() <= 3 && !prompt.starts_with('/');
        let done = self.answer?.tool_uses().next().is_none();
        let kept = self.essential()?;
        // Without a call it speaks of what was said before.
        if !short || !done || !(1..=STEPS).contains(&kept.len()) {
            return None;
        }
        let mut steps = Vec::new();
        for (at, call) in kept.iter().enumerate() {
            self.step(&kept[at..], call, &mut steps)?;
        }
        let answer = first_words(&self.plain(self.answer?.plain_text().trim()))?;
        let id = format!("learnt-{:08x}", xxh3_64(prompt.as_bytes()) >> 32);
        (steps.len() <= STEPS + 1).then_some(Example { id, prompt, also: Vec::new(), answer, steps })
    }

    /// The calls without which it would not have been done: what looked around before a change goes, what failed and was
    /// done again too, and short notes that the client keeps for the model. `None` where something failed in the end.
    fn essential(&self) -> Option<Vec<&Call<'_>>> {
        let same = |one: &Call<'_>, other: &Call<'_>| discriminant(&one.act) == discriminant(&other.act);
        let mut kept: Vec<&Call<'_>> = Vec::new();
        for (at, call) in self.calls.iter().enumerate() {
            if call.act == Act::Other {
                let note = call.ok() && call.result_text().chars().count() <= NOTE;
                note.then_some(())?;
            } else if call.ok() {
                kept.push(call);
            } else {
                self.calls[at..].iter().find(|later| later.ok() && same(call, later))?;
            }
        }
        let changes = |call: &&Call<'_>| matches!(call.act, Act::Edit { .. } | Act::Write { .. });
        let Some(last) = kept.iter().rposition(changes) else { return Some(kept) };
        let changed: Vec<&str> =
            kept.iter().copied().filter(|call| changes(call)).filter_map(|call| call.act.path()).collect();
        let tried =
            kept[last..].iter().rposition(|call| matches!(call.act, Act::Run { .. })).map(|behind| last + behind);
        let needed = |(at, call): &(usize, &Call<'_>)| match &call.act {
            Act::Read { path, .. } => *at < last && changed.contains(path),
            _ => changes(call) || tried == Some(*at),
        };
        Some(kept.iter().copied().enumerate().filter(needed).map(|(_, call)| call).collect())
    }

    /// Adds one call, with those behind it at hand; `None` where it cannot be shown as it was.
    fn step(&self, behind: &[&Call<'_>], call: &Call<'_>, steps: &mut Vec<ExampleStep>) -> Option<()> {
        let result = self.plain(call.result_text().trim_end());
        let step = match &call.act {
            Act::Read { path, .. } => {
                let text = strip_numbers(&call.result_text());
                let result = lines_of(path, text.trim_end(), behind)?;
                ExampleStep::Read { path: self.relative(path), result }
            }
            Act::Edit { path, swaps } => {
                let [swap] = swaps[..] else { return None };
                let (old, new) = (short(swap.old)?, short(swap.new)?);
                let path = self.relative(path);
                if !was_read(steps, &path, &old) {
                    steps.push(ExampleStep::Read { path: path.clone(), result: old.clone() });
                }
                ExampleStep::Edit { path, old, new, all: swap.all }
            }
            Act::Write { path, content } => ExampleStep::Write { path: self.relative(path), content: short(content)? },
            Act::Run { command } => {
                ExampleStep::Run { command: short(&self.command(command))?, result: both_ends(&result), failed: false }
            }
            Act::Search { pattern, .. } => ExampleStep::Search { pattern: short(pattern)?, result: both_ends(&result) },
            Act::List { pattern, .. } => ExampleStep::List { pattern: short(pattern)?, result: both_ends(&result) },
            Act::Other => return None,
        };
        steps.push(step);
        Some(())
    }

    /// A command without the change into the folder that it is in anyway.
    fn command(&self, command: &str) -> String {
        let plain = self.plain(command.trim());
        plain.strip_prefix("cd . && ").unwrap_or(&plain).to_owned()
    }

    fn relative(&self, path: &str) -> String {
        self.folder.map_or(path, |folder| folder.relative(path)).to_owned()
    }

    fn plain(&self, text: &str) -> String {
        self.folder.map_or_else(|| text.to_owned(), |folder| folder.relative_in(text))
    }
}

/// The lines of a file that the edits behind it are about; all of them where there is none, if they are few.
fn lines_of(path: &str, text: &str, behind: &[&Call<'_>]) -> Option<String> {
    let olds: Vec<&str> = behind
        .iter()
        .filter_map(|call| match &call.act {
            Act::Edit { path: other, swaps } if *other == path => Some(swaps.iter().map(|swap| swap.old)),
            _ => None,
        })
        .flatten()
        .collect();
    if olds.is_empty() {
        return few(text);
    }
    let lines: Vec<&str> = text.lines().collect();
    let (mut from, mut to) = (lines.len(), 0);
    for old in olds {
        let start = text[..text.find(old)?].matches('\n').count();
        from = from.min(start.saturating_sub(AROUND));
        to = to.max((start + old.matches('\n').count() + 1 + AROUND).min(lines.len()));
    }
    few(&lines.get(from..to)?.join("\n"))
}

fn was_read(steps: &[ExampleStep], wanted: &str, old: &str) -> bool {
    steps.iter().any(|step| match step {
        ExampleStep::Read { path, result: text } | ExampleStep::Write { path, content: text } => {
            path == wanted && text.contains(old)
        }
        ExampleStep::Edit { path, new, .. } => path == wanted && new.contains(old),
        _ => false,
    })
}

fn short(text: &str) -> Option<String> {
    (text.chars().count() <= TEXT).then(|| text.to_owned())
}

fn few(text: &str) -> Option<String> {
    short(text).filter(|text| text.lines().count() <= LINES)
}

/// A long result by its first and last lines.
fn both_ends(text: &str) -> String {
    let line = |line: &str| line.chars().take(WIDTH).collect::<String>();
    let lines: Vec<String> = text.lines().map(line).collect();
    if lines.len() <= LINES {
        return lines.join("\n");
    }
    let (head, tail) = (&lines[..LINES / 2], &lines[lines.len() - LINES / 3..]);
    [head, &["…".to_owned()], tail].concat().join("\n")
}

/// The first paragraph of an answer, if it is short.
fn first_words(answer: &str) -> Option<String> {
    let words = answer.split("\n\n").next()?.trim();
    ((2..=ANSWER).contains(&words.chars().count()) && !words.ends_with(':')).then(|| words.to_owned())
}

fn all_texts(example: &Example) -> String {
    format!("{example:?}\n{}\n{}", example.prompt, example.answer)
}

/// Whether it speaks of a place outside of its folder.
fn leads_elsewhere(example: &Example) -> bool {
    let places = ["/home/", "/Users/", "/root/", "/tmp/", "/private/", "/mnt/", "~/", ":\\\\"];
    let texts = all_texts(example);
    let absolute = |step: &ExampleStep| match step {
        ExampleStep::Read { path, .. } | ExampleStep::Edit { path, .. } | ExampleStep::Write { path, .. } => {
            path.starts_with(['/', '~'])
        }
        _ => false,
    };
    places.iter().any(|place| texts.contains(place)) || example.steps.iter().any(absolute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Request;
    use serde_json::{Value, json};

    fn learnt(messages: Value) -> Vec<Example> {
        let request = Request::parse(json!({"model": "", "messages": messages}).to_string().as_bytes()).unwrap();
        learn(&request.messages, &RuleSet::builtin()).examples
    }

    fn step(id: &str, name: &str, input: &Value, result: &str, is_error: bool) -> [Value; 2] {
        [
            json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": name, "input": input}]}),
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": result, "is_error": is_error}]}),
        ]
    }

    fn say(role: &str, text: &str) -> Value {
        json!({"role": role, "content": text})
    }

    fn edited(file: &str, old: &str) -> Vec<Value> {
        let lines: Vec<String> = (1..=40).map(|line| format!("{line}\tline {line}")).collect();
        let path = format!("/home/ann/work/{file}");
        let mut messages = vec![say("user", "Make line 20 loud")];
        messages.extend(step("1", "Read", &json!({"file_path": path}), &lines.join("\n"), false));
        messages.extend(step(
            "2",
            "Edit",
            &json!({"file_path": path, "old_string": old, "new_string": "LINE 20"}),
            "ok",
            false,
        ));
        messages.push(say("assistant", "Line 20 is loud now.\n\nIt was quiet before."));
        messages
    }

    #[test]
    fn a_turn_is_shortened_to_its_calls_with_relative_paths() {
        let found = learnt(edited("src/a.txt", "line 20").into());
        let [example] = &found[..] else { panic!("{found:?}") };
        assert_eq!(example.answer, "Line 20 is loud now.");
        let read = "line 18\nline 19\nline 20\nline 21\nline 22";
        assert_eq!(example.steps[0], ExampleStep::Read { path: "a.txt".into(), result: read.into() });
        assert!(matches!(&example.steps[1], ExampleStep::Edit { path, .. } if path == "a.txt"));
    }

    #[test]
    fn what_only_looked_around_or_was_done_again_goes() {
        let mut messages = vec![say("user", "Make the file loud")];
        let file = json!({"file_path": "/w/a.txt"});
        let edit = |old: &str| json!({"file_path": "/w/a.txt", "old_string": old, "new_string": "ONE"});
        messages.extend(step("1", "Bash", &json!({"command": "ls"}), "a.txt", false));
        messages.extend(step("2", "Read", &json!({"file_path": "/w/b.txt"}), "1\ttwo", false));
        messages.extend(step("3", "Read", &file, "1\tone", false));
        messages.extend(step("4", "Edit", &edit("on e"), "it is not there", true));
        messages.extend(step("5", "Edit", &edit("one"), "ok", false));
        messages.extend(step("6", "TodoWrite", &json!({"todos": []}), "noted", false));
        messages.extend(step("7", "Bash", &json!({"command": "cat a.txt"}), "ONE", false));
        messages.push(say("assistant", "It is loud now."));
        let found = learnt(messages.into());
        let kinds: Vec<&str> = found[0].steps.iter().map(kind).collect();
        assert_eq!(kinds, ["read", "edit", "run"]);
    }

    fn kind(step: &ExampleStep) -> &'static str {
        match step {
            ExampleStep::Read { .. } => "read",
            ExampleStep::Edit { .. } => "edit",
            ExampleStep::Run { .. } => "run",
            _ => "other",
        }
    }

    #[test]
    fn a_turn_that_did_not_end_well_is_left_out() {
        let mut failed = vec![say("user", "What is in a.txt?")];
        failed.extend(step("1", "Read", &json!({"file_path": "/w/a.txt"}), "there is none", true));
        failed.push(say("assistant", "There is no such file."));
        let mut corrected = edited("a.txt", "line 20");
        corrected.push(say("user", "No, that is wrong. Undo it."));
        let mut open = vec![say("user", "What is in a.txt?")];
        open.extend(step("1", "Read", &json!({"file_path": "/w/a.txt"}), "1\tx", false));
        let mut other = vec![say("user", "Look around here")];
        other.extend(step("1", "Task", &json!({"prompt": "look"}), &"seen ".repeat(100), false));
        other.push(say("assistant", "Seen."));
        let talk = vec![say("user", "And what of the second one?"), say("assistant", "It is red.")];
        for messages in [failed, corrected, open, other, talk] {
            assert_eq!(learnt(messages.into()), []);
        }
    }

    #[test]
    fn what_looks_like_a_secret_or_leads_elsewhere_is_left_out() {
        let run = |command: &str, result: &str| {
            let mut messages = vec![say("user", "Show me the settings")];
            messages.extend(step("1", "Bash", &json!({"command": command}), result, false));
            messages.push(say("assistant", "These are the settings."));
            learnt(messages.into()).len()
        };
        assert_eq!(run("cat settings.ini", "size = 3"), 1);
        let hidden = [
            "API_KEY=abcdef123456",
            "mail ann@example.org",
            "sk-ant-abcdefghijkl1234",
            "host 10.1.2.3",
            "id uif44is1apnl7rqc9a2ac7",
            "see /home/ann/x",
        ];
        for result in hidden {
            assert_eq!(run("cat settings.ini", result), 0, "{result}");
        }
        assert_eq!(run("curl -H 'Authorization: Bearer abcdefgh1'", "ok"), 0);
    }
}
