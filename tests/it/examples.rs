//! The promises with worked examples that are chosen for each prompt, on sessions of many kinds: on every channel, as if
//! every family had them.

use std::sync::LazyLock;

use fanlight::pipeline::{Plan, Planned, Setup, Target, plan};
use fanlight::rules::{ExampleProfile, RuleSet, Schedule};
use fanlight::wire::{Dialect, Request};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::promises::{CONSTRAINED, behind_the_head, fixture, paired, read, target, with_messages};

/// Prompts that examples are near to, and such that none is.
const PROMPTS: [&str; 10] = [
    "Please add \"call the bank\" to the bottom of tasks.txt",
    "How many lines are in big.txt?",
    "Delete the line about parking from info.txt",
    "Welcher Port steht in server.json?",
    "logs 目录里有多少个文件？",
    "Replace all foo with bar in notes.md",
    "Run the tests and say which test fails",
    "hello",
    "ΞΞΞ ∇∇∇ ЏЏЏ",
    "What is the last error in app.log?",
];

/// A turn: its prompt, how often it is said, and the lines of each of its results.
type Turn = (usize, usize, Vec<usize>);

fn turn() -> impl Strategy<Value = Turn> {
    (0..PROMPTS.len(), prop_oneof![8 => Just(1_usize), 1 => 2..120_usize], prop::collection::vec(0..120_usize, 0..3))
}

fn setup(each: usize) -> Setup {
    let mut rules = RuleSet::builtin();
    for model in &mut rules.models {
        model.examples = ExampleProfile { head: vec!["ini-value".into()], each, tokens: 400, near: 15 };
    }
    Setup::new(rules)
}

/// All requests of a session of these turns: one before each answer.
fn requests(turns: &[Turn]) -> Vec<Request> {
    static HEAD: LazyLock<Value> = LazyLock::new(|| fixture("requests/classic/hello.json"));
    let mut messages = Vec::new();
    let mut asked = Vec::new();
    for (number, (prompt, times, results)) in turns.iter().enumerate() {
        messages.push(json!({"role": "user", "content": format!("{} ", PROMPTS[*prompt]).repeat(*times)}));
        asked.push(messages.len());
        for (at, lines) in results.iter().enumerate() {
            let (id, path) = (format!("t{number}_{at}"), format!("/home/ann/tidebook/{number}.txt"));
            let text: Vec<String> =
                (1..=*lines).map(|line| format!("{line:6}\tthe tide of day {line} is {at}")).collect();
            messages.push(json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "Read", "input": {"file_path": path}}]}));
            messages.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text.join("\n")}]}));
            asked.push(messages.len());
        }
        messages.push(json!({"role": "assistant", "content": "That is done."}));
    }
    asked.into_iter().map(|until| with_messages(&HEAD, &messages[..until])).collect()
}

fn planned(setup: &Setup, model: (&str, Dialect), window: usize, request: &Request) -> Option<Box<Plan>> {
    match plan(setup, &target(setup, model.0, window, model.1), &request.clone().into()) {
        Ok(Planned::Send(plan)) => Some(plan),
        Ok(Planned::Answer { text, .. }) => panic!("answered here: {text}"),
        Err(_) => None,
    }
}

/// How often the prompt of an example is said.
fn times(plan: &Plan, prompt: &str) -> usize {
    plan.head.examples.iter().chain(&plan.shown).filter(|shown| shown.text == prompt).count()
}

fn model() -> impl Strategy<Value = (&'static str, Dialect)> {
    prop::sample::select(vec![
        (CONSTRAINED, Dialect::Ollama),
        (CONSTRAINED, Dialect::Anthropic),
        ("qwen3-coder:30b", Dialect::Ollama),
        ("some-coder:7b", Dialect::Anthropic),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn stable_prefix_and_fit_and_pairing_with_chosen_examples(
        turns in prop::collection::vec(turn(), 1..9),
        model in model(),
        window in prop::sample::select(vec![2048_usize, 4096, 8192]),
    ) {
        let (without, with) = (setup(0), setup(2));
        let mut last: Option<Box<Plan>> = None;
        for request in requests(&turns) {
            let plan = planned(&with, model, window, &request);
            let Some(plan) = plan else {
                prop_assert!(planned(&without, model, window, &request).is_none(), "refused for the sake of examples");
                last = None;
                continue;
            };
            let report = &plan.report;
            prop_assert!(report.fits && report.after.total <= report.budget, "{report:?}");
            if model.1 == Dialect::Anthropic {
                paired("chosen examples", &plan.body());
            }
            for example in &with.rules.examples {
                prop_assert!(times(&plan, &example.prompt) <= 1, "{} stands twice", example.id);
            }
            if let Some(last) = last.filter(|last| last.report.cuts == report.cuts) {
                let (before, after) = (read(&last), read(&plan));
                let whole = before.len() - usize::from(model.1 == Dialect::Anthropic);
                prop_assert!(after.starts_with(&before[..whole]), "an unplanned break\n{before:#?}\n{after:#?}");
            }
            last = Some(plan);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Nothing stands in front of text that stays: new are the reply before, the prompt, and the examples before it.
    #[test]
    fn stable_order_with_chosen_examples(
        turns in prop::collection::vec(turn(), 1..9),
        window in prop::sample::select(vec![2048_usize, 4096]),
    ) {
        let setup = setup(1);
        let target = Target { schedule: Schedule::Shift, ..target(&setup, CONSTRAINED, window, Dialect::Ollama) };
        let mut before: Vec<String> = Vec::new();
        for request in requests(&turns) {
            let Ok(Planned::Send(plan)) = plan(&setup, &target, &request.into()) else { break };
            let now: Vec<String> = behind_the_head(&plan).into_iter().map(|piece| piece.key).collect();
            let mut old = before.iter();
            let known = now.iter().take_while(|now| old.any(|was| was.starts_with(*now))).count();
            let said = |text: &&String| setup.rules.examples.iter().any(|example| text.ends_with(&example.prompt));
            let taught = now[known..].iter().filter(said).count();
            let few = taught <= 1 && now.len() - known <= 2 + 10 * taught;
            prop_assert!(few || before.is_empty(), "{before:#?}\n{now:#?}");
            prop_assert!(plan.report.fits && plan.report.after.total <= plan.report.budget);
            before = now;
        }
    }
}

#[test]
fn the_nearest_example_stands_right_before_its_prompt_and_goes_with_it() {
    let setup = setup(1);
    let model = (CONSTRAINED, Dialect::Ollama);
    let near = &setup.rules.examples.iter().find(|example| example.id == "append").unwrap().prompt;
    let mut turns: Vec<Turn> = vec![(0, 1, vec![5])];
    let plan = planned(&setup, model, 8192, &requests(&turns)[0]).unwrap();
    let at = plan.shown.iter().position(|shown| shown.text == *near).unwrap();
    assert!(plan.shown[at..].len() > 4 && plan.shown.last().unwrap().text.contains(PROMPTS[0].trim()));
    turns.extend((0..12).map(|_| (8, 1, vec![110, 110])));
    let plan = planned(&setup, model, 8192, requests(&turns).last().unwrap()).unwrap();
    assert!(plan.report.cuts > 0 && times(&plan, near) == 0, "folded away with its prompt");
}

#[test]
fn a_message_that_goes_on_keeps_its_examples() {
    let setup = setup(2);
    let head = fixture("requests/classic/hello.json");
    let typed = |texts: &[&str]| {
        let content: Vec<Value> = texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
        planned(
            &setup,
            (CONSTRAINED, Dialect::Ollama),
            8192,
            &with_messages(&head, &[json!({"role": "user", "content": content})]),
        )
        .unwrap()
    };
    let (one, two) = (typed(&[PROMPTS[0]]), typed(&[PROMPTS[0], PROMPTS[6]]));
    let examples = one.shown.len() - 1;
    assert!(examples > 0 && two.shown[..examples] == one.shown[..examples]);
}
