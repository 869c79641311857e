//! The promises, each with a test of its name, from outside: whole requests in, what would go upstream out.

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use fanlight::ledger::Entry;
use fanlight::pipeline::prefix::{Piece, pieces};
use fanlight::pipeline::{Plan, Planned, Setup, Target, plan};
use fanlight::rules::{ChannelKind, RuleSet, Schedule};
use fanlight::tokens::{Counter, Memo, Window, WindowSource};
use fanlight::wire::{Dialect, ErrorKind, Message, Request, WireError};
use serde_json::{Value, json};

use crate::repository;

const WINDOWS: [usize; 3] = [4096, 8192, 32_768];
/// Families of all channels, over both dialects.
const MODELS: [(&str, Dialect); 4] = [
    (CONSTRAINED, Dialect::Ollama),
    (CONSTRAINED, Dialect::Anthropic),
    ("qwen3-coder:30b", Dialect::Ollama),
    ("some-coder:7b", Dialect::Anthropic),
];
pub(crate) const CONSTRAINED: &str = "qwen2.5-coder:7b";

pub(crate) fn fixture(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(repository().join("fixtures").join(name)).unwrap()).unwrap()
}

/// All requests of the older client's session: one before each answer.
fn classic() -> Vec<Request> {
    let head = fixture("requests/classic/hello.json");
    let session = fixture("sessions/demo.json");
    let messages = session["messages"].as_array().unwrap();
    let answers = (0..messages.len()).filter(|at| messages[*at]["role"] == "assistant");
    answers.map(|at| with_messages(&head, &messages[..at])).collect()
}

/// All requests of the newer client's session; from the middle on with more tools.
fn lean() -> Vec<Request> {
    let (short, long) = (fixture("requests/lean/hello.json"), fixture("requests/lean/loop.json"));
    let loaded = fixture("sessions/lean.json")["loaded_from"].as_u64().unwrap() as usize;
    let messages = long["messages"].as_array().unwrap();
    let answers = (0..messages.len()).filter(|at| messages[*at]["role"] == "assistant");
    // The opening has one message more than the session: the surroundings behind the first prompt.
    answers.map(|at| with_messages(if at > loaded { &long } else { &short }, &messages[..at])).collect()
}

pub(crate) fn with_messages(head: &Value, messages: &[Value]) -> Request {
    let mut body = head.clone();
    body["messages"] = messages.into();
    Request::parse(body.to_string().as_bytes()).unwrap()
}

pub(crate) fn target(setup: &Setup, model: &str, window: usize, dialect: Dialect) -> Target {
    setup.target(model, Window { tokens: window, source: WindowSource::Setting }, dialect).unwrap()
}

pub(crate) fn sent(setup: &Setup, target: &Target, request: &Request) -> Box<Plan> {
    match plan(setup, target, &request.clone().into()).unwrap() {
        Planned::Send(plan) => plan,
        Planned::Answer { text, .. } => panic!("answered here: {text}"),
    }
}

/// A session as it was sent: what it was sent to, and the plan of every request.
type Sent = (String, Vec<Box<Plan>>);

/// Both sessions, for all models and windows.
fn all_sent() -> &'static [Sent] {
    static ALL: LazyLock<Vec<Sent>> = LazyLock::new(|| {
        let setup = Setup::new(RuleSet::builtin());
        let mut all = Vec::new();
        for (client, requests) in [("classic", classic()), ("lean", lean())] {
            for ((model, dialect), window) in MODELS.into_iter().flat_map(|m| WINDOWS.map(|w| (m, w))) {
                let target = target(&setup, model, window, dialect);
                let plans = requests.iter().map(|request| sent(&setup, &target, request)).collect();
                all.push((format!("{client}, {model}, {dialect:?}, {window}"), plans));
            }
        }
        all
    });
    &ALL
}

fn every_plan(check: impl Fn(&str, &[Box<Plan>])) {
    for (place, plans) in all_sent() {
        check(place, plans);
    }
}

/// All texts of a body, however deep they stand.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}

/// A count of our own: every text of messages and system, and each tool.
fn counted(body: &Value) -> usize {
    static MEMO: LazyLock<Memo> = LazyLock::new(Memo::default);
    let mut found = Vec::new();
    texts(&body["messages"], &mut found);
    texts(&body["system"], &mut found);
    // Ollama's wrapping around a tool is not shown to a model.
    let tools = body["tools"].as_array().into_iter().flatten();
    let tools = tools.map(|tool| tool.get("function").unwrap_or(tool).to_string());
    tools.map(|tool| MEMO.count(&tool)).sum::<usize>() + found.iter().map(|text| MEMO.count(text)).sum::<usize>()
}

#[test]
fn fit() {
    every_plan(|place, plans| {
        for plan in plans.iter().rev().step_by(7) {
            let (report, body) = (&plan.report, plan.body());
            assert!(report.fits && report.after.total <= report.budget, "{place}: {report:?}");
            assert!(counted(&body) <= report.window, "{place}: {} by another count", counted(&body));
            let room = body["options"]["num_predict"].as_u64().or(body["max_tokens"].as_u64()).unwrap() as usize;
            assert!(room > 0 && report.after.total + room <= report.window, "{place}: {room} for the reply");
        }
    });
}

#[test]
fn fit_refuses_only_what_the_user_typed() {
    let setup = Setup::new(RuleSet::builtin());
    let target = target(&setup, CONSTRAINED, 4096, Dialect::Ollama);
    let head = fixture("requests/classic/hello.json");
    let words = "the tide comes and goes ".repeat(2000);
    let typed = with_messages(&head, &[json!({"role": "user", "content": words})]);
    let Err(WireError { kind, message, .. }) = plan(&setup, &target, &typed.into()) else { panic!("it cannot fit") };
    assert_eq!(kind, ErrorKind::InvalidRequest);
    assert!(message.starts_with("prompt is too long: ") && message.ends_with(" maximum"), "{message}");

    let result = [
        json!({"role": "user", "content": "Read it."}),
        json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "/home/ann/a.txt"}}]}),
        json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": words.replace("goes ", "goes\n")}]}),
    ];
    assert!(sent(&setup, &target, &with_messages(&head, &result)).report.fits, "a long result is shown in part");
}

#[test]
fn fit_refuses_no_result_where_the_head_takes_half_of_the_window() {
    let setup = Setup::new(RuleSet::builtin());
    let head = fixture("requests/classic/hello.json");
    let rows: Vec<String> =
        (0..900).map(|n| format!("{n:5}\tvalue_{n} = pick({n}, row={}, column={})", n * 7, n * 11)).collect();
    let read = |at: usize| {
        let call = json!({"type": "tool_use", "id": format!("t{at}"), "name": "Read", "input": {"file_path": format!("/home/ann/{at}.py")}});
        let result = json!({"type": "tool_result", "tool_use_id": format!("t{at}"), "content": rows.join("\n")});
        [json!({"role": "assistant", "content": [call]}), json!({"role": "user", "content": [result]})]
    };
    for (model, dialect) in MODELS {
        let target = target(&setup, model, 2048, dialect);
        let mut messages = vec![json!({"role": "user", "content": "Read them all."})];
        for at in 0..4 {
            messages.extend(read(at));
            assert!(sent(&setup, &target, &with_messages(&head, &messages)).report.fits, "{model}: {at}");
        }
    }
}

#[test]
fn fit_refuses_no_step_of_very_many_calls() {
    let setup = Setup::new(RuleSet::builtin());
    let head = fixture("requests/classic/hello.json");
    for ((model, dialect), window) in MODELS.into_iter().flat_map(|m| [2048, 4096, 8192].map(|w| (m, w))) {
        let target = target(&setup, model, window, dialect);
        for (count, lines) in [(1, 5), (20, 1), (20, 40), (60, 5), (160, 1), (160, 40), (600, 5)] {
            let id = |at: usize| format!("toolu_{at:020}");
            let call = |at: usize| json!({"type": "tool_use", "id": id(at), "name": "Read", "input": {"file_path": format!("/home/ann/project/src/file_{at}.rs")}});
            let result = |at: usize| json!({"type": "tool_result", "tool_use_id": id(at), "content": "     1\tfn main() {}\n".repeat(lines)});
            let messages = [
                json!({"role": "user", "content": "Read these files."}),
                json!({"role": "assistant", "content": (0..count).map(call).collect::<Vec<_>>()}),
                json!({"role": "user", "content": (0..count).map(result).collect::<Vec<_>>()}),
            ];
            let plan = sent(&setup, &target, &with_messages(&head, &messages));
            let place = format!("{model} {window} {count} {lines}");
            assert!(plan.report.fits && plan.report.after.total <= plan.report.budget, "{place}");
            let body = plan.body().to_string();
            assert!(
                count < 160 || body.contains("further calls and their results are left out; in full: Recall h1]"),
                "{place}"
            );
            assert!(count > 1 || !body.contains("further calls"), "{place}");
        }
    }
}

#[test]
fn pairing() {
    every_plan(|place, plans| {
        for plan in plans.iter().filter(|plan| plan.target.dialect == Dialect::Anthropic).rev().step_by(5) {
            paired(place, &plan.body());
        }
    });
}

/// Roles alternate, every call has its result, and the last word is the user's.
pub(crate) fn paired(place: &str, body: &Value) {
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages[0]["role"], "user", "{place}");
    for pair in messages.windows(2) {
        assert_ne!(pair[0]["role"], pair[1]["role"], "{place}: roles alternate");
        assert_eq!(ids(&pair[0], "id"), ids(&pair[1], "tool_use_id"), "{place}: calls and results");
    }
    assert!(ids(messages.last().unwrap(), "id").is_empty(), "{place}: the last call has its result");
}

fn ids(message: &Value, key: &str) -> BTreeSet<String> {
    let blocks = message["content"].as_array().into_iter().flatten();
    blocks.filter_map(|block| block[key].as_str().map(str::to_owned)).collect()
}

/// What the model reads, in order: system text, tools, and each message.
pub(crate) fn read(plan: &Plan) -> Vec<String> {
    let body = plan.body();
    let mut parts = vec![body["system"].to_string(), body["tools"].to_string()];
    parts.extend(body["messages"].as_array().unwrap().iter().map(Value::to_string));
    parts
}

/// The most cuts in a session of `requests`: a cut frees most of the room, so that they are the fewer the larger it is.
fn few(requests: usize, window: usize) -> usize {
    match window {
        0..8192 => requests / 4,
        8192..16_384 => requests / 7,
        _ => requests / 30,
    }
}

#[test]
fn stable_prefix() {
    every_plan(|place, plans| {
        let native_anthropic = plans[0].target.dialect == Dialect::Anthropic;
        let mut cuts = 0;
        for pair in plans.windows(2) {
            let (before, after) = (read(&pair[0]), read(&pair[1]));
            if pair[1].report.cuts > pair[0].report.cuts {
                cuts += 1;
                let head = 2 + pair[0].head.examples.len();
                assert_eq!(before[..head], after[..head], "{place}: a cut changes nothing of the head");
                continue;
            }
            // Two user messages in a row are one on this dialect: the last one may go on.
            let whole = before.len() - usize::from(native_anthropic);
            assert!(after.starts_with(&before[..whole]), "{place}: an unplanned break\n{before:#?}\n{after:#?}");
        }
        let most = few(plans.len(), plans[0].report.window);
        assert!(cuts <= most, "{place}: {cuts} cuts in {} requests", plans.len());
    });
}

/// The messages behind the head.
pub(crate) fn behind_the_head(plan: &Plan) -> Vec<Piece> {
    pieces(plan).split_off(1 + plan.head.tools.len() + plan.head.examples.len())
}

fn shifting(setup: &Setup, model: &str, window: usize, dialect: Dialect) -> Target {
    Target { schedule: Schedule::Shift, ..target(setup, model, window, dialect) }
}

/// Where pieces are taken out, nothing new stands in front of text that stays: through a growing list of tools, in a
/// session that is resumed by another process, and beside another session. After /compact the history is another one.
#[test]
fn stable_order() {
    // With chosen examples: tests/it/examples.rs.
    let setup = || {
        let mut rules = RuleSet::builtin();
        rules.models.iter_mut().for_each(|model| model.examples.each = 0);
        Setup::new(rules)
    };
    let together = setup();
    for ((model, dialect), window) in MODELS.into_iter().flat_map(|m| [2048, 4096, 8192].map(|w| (m, w))) {
        let sessions = [classic(), lean()];
        let mut before: [Vec<Piece>; 2] = Default::default();
        let mut cuts = 0;
        for at in 0..sessions[0].len().max(sessions[1].len()) {
            for (session, before) in sessions.iter().zip(&mut before) {
                let Some(request) = session.get(at) else { continue };
                let plan = sent(&together, &shifting(&together, model, window, dialect), request);
                let now = behind_the_head(&plan);
                let mut old = before.iter();
                let known = now.iter().take_while(|now| old.any(|was| was.key.starts_with(&now.key))).count();
                // The reply to the request before, and what the client says to it.
                let new = now.len() - known;
                let at_most = if plan.target.profile.ollama == ChannelKind::Native { 8 } else { 2 };
                assert!(before.is_empty() || new <= at_most, "{model}, {window}, request {at}: {new} new");
                assert!(plan.report.fits && plan.report.after.total <= plan.report.budget);
                cuts = cuts.max(plan.report.cuts);
                if at % 9 == 0 {
                    let alone = setup();
                    let resumed = sent(&alone, &shifting(&alone, model, window, dialect), request);
                    assert_eq!(resumed.body().to_string(), plan.body().to_string(), "{model}, {window}: from memory");
                }
                *before = now;
            }
        }
        assert!(cuts > 0 || window > 4096, "{model}, {window}: nothing was ever taken out");
    }
}

#[test]
fn stable_prefix_after_a_restart() {
    let (first, second) = (Setup::new(RuleSet::builtin()), Setup::new(RuleSet::builtin()));
    for request in classic().iter().rev().step_by(6).chain(&lean()) {
        let body = |setup: &Setup| sent(setup, &target(setup, CONSTRAINED, 4096, Dialect::Ollama), request).body();
        assert_eq!(body(&first).to_string(), body(&second).to_string());
    }
}

#[test]
fn stable_prefix_from_folder_to_folder() {
    let setup = Setup::new(RuleSet::builtin());
    let target = target(&setup, CONSTRAINED, 8192, Dialect::Ollama);
    for name in ["requests/classic/hello.json", "requests/lean/hello.json"] {
        let here = fixture(name).to_string();
        let there = here.replace("/home/ann/tidebook", "/srv/work/other").replace("2026-11-02", "2027-03-14");
        assert_ne!(here, there);
        let head = |body: &str| {
            let plan = sent(&setup, &target, &Request::parse(body.as_bytes()).unwrap());
            (plan.head.system.clone(), plan.head.examples.clone())
        };
        assert_eq!(head(&here), head(&there), "{name}: the head holds nothing of the folder or the day");
    }
}

#[test]
fn reachable() {
    every_plan(|place, plans| {
        for plan in [&plans[0], plans.last().unwrap()] {
            let body = plan.body().to_string();
            for tool in plan.request.tools.iter().filter(|tool| !tool.defer_loading) {
                assert!(body.contains(&tool.name), "{place}: {} has vanished", tool.name);
            }
        }
    });
}

#[test]
fn honest_numbers() {
    every_plan(|place, plans| {
        for plan in plans.iter().step_by(9) {
            let (report, body) = (&plan.report, plan.body());
            let parts = |parts: fanlight::report::Parts| parts.system + parts.tools + parts.messages;
            assert_eq!(parts(report.before), report.before.total, "{place}");
            assert_eq!(parts(report.after), report.after.total, "{place}");
            let ours = counted(&body);
            assert!(report.after.total >= ours, "{place}: {} said, {ours} sent", report.after.total);
        }
    });
}

#[test]
fn honest_numbers_show_zero_as_zero() {
    let setup = Setup::new(RuleSet::builtin());
    let mut target = target(&setup, "some-coder:7b", 32_768, Dialect::Anthropic);
    target.profile_name = Some("off".into());
    let plan = sent(&setup, &target, &classic()[0]);
    assert!(plan.report.reduction() < 1.0, "{:?}", plan.report);
    assert_eq!(plan.report.parked, Vec::<String>::new());
}

/// The off profile over Ollama's protocol: all that the client said, in the fields that the protocol has for it.
#[test]
fn the_off_profile_changes_only_what_the_dialect_has_no_field_for() {
    let setup = Setup::new(RuleSet::builtin());
    let mut target = target(&setup, CONSTRAINED, 65_536, Dialect::Ollama);
    target.profile_name = Some("off".into());
    for request in [classic().pop().unwrap(), lean().pop().unwrap()] {
        let body = sent(&setup, &target, &request).body();
        for text in request.system.iter().filter(|text| !text.contains("billing")) {
            assert!(body["messages"][0]["content"].as_str().unwrap().contains(text.trim()), "{text}");
        }
        let offered = request.tools.iter().filter(|tool| !tool.defer_loading);
        let tools: Vec<Value> = offered
            .map(|tool| {
                json!({"type": "function", "function":
                {"name": tool.name, "description": &*tool.description, "parameters": &*tool.input_schema}})
            })
            .collect();
        assert_eq!(body["tools"], Value::from(tools));
        let told = body["messages"].to_string();
        for result in request.messages.iter().flat_map(Message::tool_results) {
            let said = Value::from(result.text()).to_string();
            assert!(told.contains(&said[1..said.len() - 1]), "{said}");
        }
        assert!(body.get("format").is_none() && body["options"].get("temperature").is_none());
    }
    target.window.tokens = 8192;
    let Err(error) = plan(&setup, &target, &classic()[0].clone().into()) else { panic!("it cannot fit") };
    assert_eq!(error.kind, ErrorKind::InvalidRequest, "never cut in silence");
}

#[test]
fn honest_numbers_name_the_dead() {
    let setup = Setup::new(RuleSet::builtin());
    let target = target(&setup, CONSTRAINED, 8192, Dialect::Ollama);
    let text = fixture("requests/classic/hello.json").to_string();
    let dead = |body: &str| sent(&setup, &target, &Request::parse(body.as_bytes()).unwrap()).report.dead.clone();
    let more = dead(&text.replace("# Doing tasks", "# Something that nobody has seen"));
    assert!(more.len() > dead(&text).len(), "{more:?}");
}

#[test]
fn private() {
    let setup = Setup::new(RuleSet::builtin());
    let target = target(&setup, CONSTRAINED, 4096, Dialect::Ollama);
    let head = fixture("requests/classic/hello.json");
    let secret = "xylophone-4711";
    let request = with_messages(
        &head,
        &[
            json!({"role": "user", "content": format!("My word is {secret}.")}),
            json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": format!("echo {secret}")}}]}),
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": secret}]}),
        ],
    );
    let plan = sent(&setup, &target, &request);
    assert!(plan.body().to_string().contains(secret), "the model gets it");
    let report = serde_json::to_string(&plan.report).unwrap();
    let line = serde_json::to_string(&Entry::of(&plan.report)).unwrap();
    assert!(!report.contains(secret) && !line.contains(secret), "{report}\n{line}");
}
