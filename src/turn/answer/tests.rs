use serde_json::json;

use super::*;
use crate::rules::{CallForm, ChannelKind, RuleSet};
use crate::show::{Choice, Folder};
use crate::trim::{Head, LeftOut, ShownTool};
use crate::wire::{Block, Message, Role, Tool, ToolResult};

fn tool(name: &str, keys: &[&str]) -> Tool {
    let properties: serde_json::Map<String, Value> =
        keys.iter().map(|key| ((*key).to_owned(), json!({"type": "string"}))).collect();
    Tool {
        name: name.into(),
        description: "".into(),
        input_schema: json!({"type": "object", "properties": properties, "required": keys}).into(),
        defer_loading: false,
        server_type: None,
    }
}

fn tools() -> Vec<Tool> {
    vec![
        tool("Bash", &["command"]),
        tool("Read", &["file_path"]),
        tool("Write", &["file_path", "content"]),
        tool("Edit", &["file_path", "old_string", "new_string"]),
    ]
}

fn answer(kind: ChannelKind, messages: Vec<Message>) -> Answer {
    Answer::new(situation(kind, messages))
}

fn situation(kind: ChannelKind, messages: Vec<Message>) -> ReplyContext {
    let rules = RuleSet::builtin();
    let mut model = rules.model("qwen2.5-coder:1.5b").unwrap().clone();
    model.show.bound_form = None;
    let shown = |tool: &Tool| ShownTool {
        client: tool.clone(),
        description: String::new(),
        schema: (*tool.input_schema).clone(),
    };
    ReplyContext {
        kind,
        model: model.into(),
        head: Head { core: tools().iter().map(shown).collect(), ..Head::default() },
        examples: Vec::new(),
        tools: tools(),
        messages: messages.into(),
        roles: ReplyContext::roles_of(&tools(), &rules),
        folder: Folder::new("/w"),
        choice: Choice::Auto,
        format: None,
        lexicon: rules.lexicon.clone(),
        checks: rules.checks.clone(),
        kinds: rules.messages.clone(),
        session: String::new(),
    }
}

fn prompt(text: &str) -> Message {
    Message::text(Role::User, text)
}

fn step(id: &str, name: &str, input: Value, result: &str) -> [Message; 2] {
    let call = ToolUse { id: id.into(), name: name.into(), input };
    let result = ToolResult { tool_use_id: id.into(), content: vec![Block::Text(result.into())], is_error: false };
    [
        Message { role: Role::Assistant, content: vec![Block::ToolUse(call)].into() },
        Message { role: Role::User, content: vec![Block::ToolResult(result)].into() },
    ]
}

/// A history in which a file of these lines was read.
fn after_reading(lines: &str) -> Vec<Message> {
    let numbered: Vec<String> = lines.lines().enumerate().map(|(at, line)| format!("{}\t{line}", at + 1)).collect();
    let mut messages = vec![prompt("change the file")];
    messages.extend(step("r", "Read", json!({"file_path": "/w/a.txt"}), &numbered.join("\n")));
    messages
}

fn say(answer: &mut Answer, reply: Value) -> (Vec<Delta>, Next) {
    let mut out = Vec::new();
    answer.on_delta(Delta::Text(reply.to_string()), &mut out);
    let next = answer.on_end(End::Complete { stop: StopReason::EndTurn, usage: Usage::default() }, &mut out);
    (out, next)
}

fn calls(out: &[Delta]) -> Vec<(&str, &Value)> {
    let call = |delta: &'_ Delta| matches!(delta, Delta::Call(_));
    out.iter()
        .filter(|delta| call(delta))
        .map(|delta| match delta {
            Delta::Call(call) => (call.name.as_str(), &call.input),
            _ => unreachable!(),
        })
        .collect()
}

fn call(name: &str, arguments: Value) -> Value {
    json!({"name": name, "arguments": arguments})
}

#[test]
fn a_keyed_reply_is_read() {
    let mut situation = situation(ChannelKind::Constrained, vec![prompt("read a.txt")]);
    let mut model = (*situation.model).clone();
    model.show.bound_form = Some(CallForm::Keyed);
    situation.model = model.into();
    let (out, _) = say(&mut Answer::new(situation.clone()), json!({"Read": {"file_path": "a.txt"}}));
    assert_eq!(calls(&out), [("Read", &json!({"file_path": "/w/a.txt"}))]);
    situation.messages = vec![prompt("what is 2 + 2?")].into();
    let (out, next) = say(&mut Answer::new(situation), json!({"Answer": "It is 4."}));
    assert_eq!(out, [Delta::Text("It is 4.".into())]);
    assert!(matches!(next, Next::Finish { stop: StopReason::EndTurn, .. }));
}

#[test]
fn a_bound_call_goes_out_with_an_absolute_path_and_a_true_stop_reason() {
    let mut answer = answer(ChannelKind::Constrained, vec![prompt("read a.txt")]);
    let (out, next) = say(&mut answer, call("Read", json!({"file_path": "a.txt"})));
    assert_eq!(calls(&out), [("Read", &json!({"file_path": "/w/a.txt"}))]);
    assert!(matches!(next, Next::Finish { stop: StopReason::ToolUse, .. }));
}

#[test]
fn a_change_of_a_file_that_was_not_read_reads_it_first() {
    let mut answer = answer(ChannelKind::Constrained, vec![prompt("change a.txt")]);
    let (out, _) = say(&mut answer, call("Edit", json!({"file_path": "a.txt", "old_string": "a", "new_string": "b"})));
    assert_eq!(calls(&out), [("Read", &json!({"file_path": "/w/a.txt"}))]);
    assert_eq!(answer.repairs(), [("read-before-edit".to_owned(), 1)]);
}

#[test]
fn an_edit_of_text_that_is_not_there_is_asked_again_with_what_is() {
    let mut answer = answer(ChannelKind::Constrained, after_reading("one\ntwo\ntwo"));
    let edit = |old: &str| call("Edit", json!({"file_path": "a.txt", "old_string": old, "new_string": "x"}));
    let (out, next) = say(&mut answer, edit("three"));
    assert!(out.is_empty(), "{out:?}");
    let Next::Ask(ask) = next else { panic!("{next:?}") };
    let format = jsonschema::validator_for(&ask.format.unwrap()).unwrap();
    assert!(format.is_valid(&edit("one")));
    assert!(!format.is_valid(&edit("three")) && !format.is_valid(&edit("two")));
    let (out, next) = say(&mut answer, edit("one"));
    assert_eq!(calls(&out).len(), 1);
    assert!(matches!(next, Next::Finish { stop: StopReason::ToolUse, .. }));
}

#[test]
fn a_write_that_loses_known_lines_is_put_back_once() {
    let mut answer = answer(ChannelKind::Constrained, after_reading("one\ntwo\nthree\nfour"));
    let write = call("Write", json!({"file_path": "a.txt", "content": "one\ntwo\nfour\nfive\n"}));
    let (out, next) = say(&mut answer, write.clone());
    assert!(out.is_empty() && matches!(&next, Next::Ask(ask) if ask.messages[1].text.contains("three")), "{next:?}");
    let (out, _) = say(&mut answer, write);
    assert_eq!(calls(&out).len(), 1);
}

#[test]
fn a_write_that_changes_lines_passes() {
    let mut answer = answer(ChannelKind::Constrained, after_reading("one\ntwo"));
    let (out, _) = say(&mut answer, call("Write", json!({"file_path": "a.txt", "content": "one\nTWO\n"})));
    assert_eq!(calls(&out).len(), 1);
}

#[test]
fn the_fourth_look_at_what_is_shown_ends_the_turn_and_a_command_may_be_polled() {
    let look = json!({"file_path": "/w/a.txt"});
    let mut messages = vec![prompt("look")];
    for id in ["1", "2", "3"] {
        messages.extend(step(id, "Bash", json!({"command": "ls"}), "a.txt"));
    }
    let mut polling = answer(ChannelKind::Constrained, messages.clone());
    assert_eq!(calls(&say(&mut polling, call("Bash", json!({"command": "ls"}))).0).len(), 1);
    for id in ["4", "5", "6"] {
        messages.extend(step(id, "Read", look.clone(), "1\ta"));
    }
    let mut answer = answer(ChannelKind::Constrained, messages);
    let (out, next) = say(&mut answer, call("Read", look));
    assert!(calls(&out).is_empty() && matches!(&out[0], Delta::Text(text) if text.contains("3 times")), "{out:?}");
    assert!(matches!(next, Next::Finish { stop: StopReason::EndTurn, .. }));
}

#[test]
fn an_empty_answer_is_asked_for_once_more() {
    let mut answer = answer(ChannelKind::Native, vec![prompt("hello")]);
    let end = || End::Complete { stop: StopReason::EndTurn, usage: Usage::default() };
    assert!(matches!(answer.on_end(end(), &mut Vec::new()), Next::Ask(_)));
    assert!(matches!(answer.on_end(end(), &mut Vec::new()), Next::Finish { stop: StopReason::EndTurn, .. }));
}

#[test]
fn a_call_cut_by_length_is_said_and_not_completed() {
    for kind in [ChannelKind::Constrained, ChannelKind::Prompted] {
        let mut answer = answer(kind, vec![prompt("write it")]);
        let mut out = Vec::new();
        answer.on_delta(Delta::Text(r#"{"name": "Write", "arguments": {"file_path": "a"#.into()), &mut out);
        let next = answer.on_end(End::Complete { stop: StopReason::MaxTokens, usage: Usage::default() }, &mut out);
        assert!(calls(&out).is_empty() && matches!(&out[0], Delta::Text(text) if text.contains("Write was cut off")));
        assert!(matches!(next, Next::Finish { stop: StopReason::MaxTokens, .. }));
    }
}

#[test]
fn ids_differ_from_request_to_request_and_not_when_one_is_repeated() {
    let id = |messages: Vec<Message>| {
        let mut answer = answer(ChannelKind::Constrained, messages);
        match say(&mut answer, call("Bash", json!({"command": "ls"}))).0.remove(0) {
            Delta::Call(call) => call.id,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(id(vec![prompt("a")]), id(vec![prompt("a")]));
    assert_ne!(id(vec![prompt("a")]), id(vec![prompt("b")]));
}

#[test]
fn an_answer_that_no_schema_bound_is_text_all_the_same() {
    for kind in [ChannelKind::Constrained, ChannelKind::Prompted] {
        let mut answer = answer(kind, vec![prompt("hello")]);
        let (out, next) = say(&mut answer, call("Answer", json!({"text": "Hello to you."})));
        assert_eq!(out, [Delta::Text("Hello to you.".into())], "{kind:?}");
        assert!(matches!(next, Next::Finish { stop: StopReason::EndTurn, .. }));
    }
}

#[test]
fn a_prompted_call_is_read_healed_and_sent() {
    let mut answer = answer(ChannelKind::Prompted, vec![prompt("read it")]);
    let (out, _) = say(&mut answer, call("Read", json!({"filename": "a.txt"})));
    assert_eq!(calls(&out), [("Read", &json!({"file_path": "/w/a.txt"}))]);
    assert_eq!(answer.repairs(), [("key-alias".to_owned(), 1)]);
}

#[test]
fn a_whole_call_before_a_broken_stream_goes_out_and_a_begun_one_does_not() {
    let heard = |written: &str| {
        let mut answer = answer(ChannelKind::Prompted, vec![prompt("do it")]);
        let mut out = Vec::new();
        answer.on_delta(Delta::Text(written.to_owned()), &mut out);
        let next = answer.on_end(End::Failed(WireError::new(crate::wire::ErrorKind::Api, "broken off")), &mut out);
        (out, next)
    };
    let whole = call("Bash", json!({"command": "ls"})).to_string();
    let (out, next) = heard(&format!("{whole}\n"));
    assert_eq!(calls(&out), [("Bash", &json!({"command": "ls"}))]);
    assert!(matches!(next, Next::Finish { stop: StopReason::ToolUse, .. }));
    let (out, next) = heard(&whole[..whole.len() - 3]);
    assert!(calls(&out).is_empty() && matches!(next, Next::Fail(_)), "{out:?}");
}

#[test]
fn a_path_in_quotes_is_the_path() {
    let mut answer = answer(ChannelKind::Constrained, vec![prompt("read it")]);
    let (out, _) = say(&mut answer, call("Read", json!({"file_path": "\"a.txt\""})));
    assert_eq!(calls(&out), [("Read", &json!({"file_path": "/w/a.txt"}))]);
    assert_eq!(answer.repairs(), [("path-quotes".to_owned(), 1)]);
}

#[test]
fn arguments_of_a_bare_call_that_do_not_fit_are_asked_for_again_with_the_reason() {
    let mut answer = answer(ChannelKind::Prompted, vec![prompt("do it")]);
    let (out, next) = say(&mut answer, call("Edit", json!({"files": ["a.txt"]})));
    assert!(out.is_empty(), "{out:?}");
    let Next::Ask(ask) = next else { panic!("{next:?}") };
    assert!(ask.messages[1].text.contains("`file_path` is missing"), "{}", ask.messages[1].text);
    let (mut out, _) = say(&mut answer, json!({"name": "Skip", "arguments": {}}));
    answer.give_up(&mut out);
    assert!(matches!(&out[..], [Delta::Text(text)] if text.contains("Skip")), "{out:?}");
}

#[test]
fn a_call_that_the_server_threw_away_is_read_or_asked_for_again() {
    let heard = |written: &str| {
        let mut answer = answer(ChannelKind::Native, vec![prompt("do it")]);
        let mut out = Vec::new();
        answer.on_delta(Delta::lost_call(written.to_owned()), &mut out);
        let end = End::Complete { stop: StopReason::EndTurn, usage: Usage::default() };
        let next = answer.on_end(end, &mut out);
        (out, next)
    };
    for written in [r#"{"name": "Bash", "parameters": {"command": "ls"}}"#, r#"{"command": "ls"}]"#] {
        let (out, next) = heard(written);
        assert_eq!(calls(&out), [("Bash", &json!({"command": "ls"}))], "{written}");
        assert!(matches!(next, Next::Finish { stop: StopReason::ToolUse, .. }));
    }
    let (out, next) = heard("ls -R\n");
    assert!(out.is_empty() && matches!(next, Next::Ask(_)), "{out:?} {next:?}");
}

#[test]
fn arguments_that_do_not_fit_are_asked_for_again_with_the_schema() {
    let mut answer = answer(ChannelKind::Constrained, vec![prompt("do it")]);
    let (out, next) = say(&mut answer, call("Write", json!({"content": "x"})));
    assert!(out.is_empty());
    let Next::Ask(ask) = next else { panic!("{next:?}") };
    assert!(ask.messages[1].text.contains("file_path"), "{}", ask.messages[1].text);
    assert!(ask.format.is_some());
}

#[test]
fn help_is_served_in_the_proxy_and_leaves_a_line() {
    let mut answer = answer(ChannelKind::Constrained, vec![prompt("How is Write called?")]);
    let (out, next) = say(&mut answer, call("ToolHelp", json!({"name": "Write"})));
    assert_eq!(out, [Delta::Text("[help Write]\n".into())]);
    assert!(matches!(next, Next::Ask(ask) if ask.messages[1].text.contains("\"content\"")));
}

#[test]
fn what_was_recalled_is_shown_again_in_every_later_request() {
    let mut messages = vec![prompt("the first words")];
    let mut answer = answer(ChannelKind::Constrained, messages.clone());
    let (out, next) = say(&mut answer, call("Recall", json!({"handle": "h0"})));
    assert!(matches!(next, Next::Ask(ask) if ask.messages[1].text.contains("the first words")));
    let Delta::Text(line) = &out[0] else { panic!("{out:?}") };
    messages.push(Message::text(Role::Assistant, format!("{line}So it was.")));
    assert!(
        own::expand(&messages[1].plain_text(), &[], &messages)
            .starts_with("[recalled h0]\nthe first words\nSo it was.")
    );
}

#[test]
fn an_own_tool_stands_beside_one_of_the_client_under_another_name() {
    let mut about = situation(ChannelKind::Constrained, vec![prompt("the first words")]);
    about.tools.push(tool("Recall", &["note"]));
    let shown = |tool: &Tool| ShownTool {
        client: tool.clone(),
        description: String::new(),
        schema: (*tool.input_schema).clone(),
    };
    about.head.core = about.tools.iter().map(shown).collect();
    let names: Vec<String> = own::beside(&about.head).into_iter().map(|tool| tool.client.name).collect();
    assert_eq!(names, ["fanlight_Recall"]);
    let (out, _) = say(&mut Answer::new(about.clone()), call("Recall", json!({"note": "h0"})));
    assert_eq!(calls(&out), [("Recall", &json!({"note": "h0"}))]);
    let (_, next) = say(&mut Answer::new(about), call("fanlight_Recall", json!({"handle": "h0"})));
    assert!(matches!(next, Next::Ask(ask) if ask.messages[1].text.contains("the first words")));
}

#[test]
fn a_long_section_is_recalled_page_by_page() {
    let lines: Vec<String> = (1..=400).map(|line| format!("House rule number {line} of many.")).collect();
    let mut about = situation(ChannelKind::Constrained, vec![prompt("the rules?")]);
    about.head.left_out.push(LeftOut { handle: "s1".into(), text: lines.join("\n") });
    let (mut handle, mut seen, mut pages) = ("s1".to_owned(), Vec::new(), 0);
    loop {
        let (out, next) = say(&mut Answer::new(about.clone()), call("Recall", json!({"handle": handle})));
        let Next::Ask(ask) = next else { panic!("{next:?}") };
        let page: Vec<&str> = ask.messages[1].text.lines().filter(|line| line.starts_with("House")).collect();
        seen.extend(page.iter().map(|line| (*line).to_owned()));
        pages += 1;
        let Delta::Text(line) = &out[0] else { panic!("{out:?}") };
        assert!(own::expand(line, &about.head.left_out, &about.messages).contains(page[0]));
        let Some((_, rest)) = ask.messages[1].text.split_once("go on with ") else { break };
        handle = rest.split(']').next().unwrap().to_owned();
    }
    assert_eq!(seen, lines);
    assert!(pages > 3, "{pages}");
}

#[test]
fn a_new_file_is_written_at_once() {
    let mut answer = answer(ChannelKind::Constrained, vec![prompt("Make b.txt with a joke.")]);
    let (out, _) = say(&mut answer, call("Write", json!({"file_path": "b.txt", "content": "80"})));
    assert_eq!(calls(&out).len(), 1);
}

#[test]
fn what_cannot_be_asked_again_goes_out_as_it_was() {
    let mut answer = answer(ChannelKind::Constrained, after_reading("one\ntwo"));
    let edit = json!({"file_path": "/w/a.txt", "old_string": "three", "new_string": "x"});
    let (mut out, next) = say(&mut answer, call("Edit", edit.clone()));
    assert!(matches!(next, Next::Ask(_)));
    assert!(matches!(answer.give_up(&mut out), Next::Finish { stop: StopReason::ToolUse, .. }));
    assert_eq!(calls(&out), [("Edit", &edit)]);
}

#[test]
fn an_edit_that_changes_nothing_is_asked_again_and_passes_the_second_time() {
    let mut answer = answer(ChannelKind::Constrained, after_reading("one\ntwo"));
    let edit = |old: &str, new: &str| call("Edit", json!({"file_path": "a.txt", "old_string": old, "new_string": new}));
    let (_, next) = say(&mut answer, edit("one", "one"));
    let Next::Ask(ask) = next else { panic!("{next:?}") };
    assert_eq!(ask.format, None, "what would be right is not known");
    assert_eq!(calls(&say(&mut answer, edit("one", "one")).0).len(), 1);
}

#[test]
fn a_call_that_loops_is_stopped_and_asked_for_anew() {
    let mut answer = answer(ChannelKind::Constrained, vec![prompt("Fill a file.")]);
    let mut out = Vec::new();
    answer.on_delta(
        Delta::Text("{\"name\": \"Write\", \"arguments\": {\"file_path\": \"b.txt\", \"content\": \"".into()),
        &mut out,
    );
    assert!(!answer.has_looped());
    for _ in 0..1200 {
        answer.on_delta(Delta::Text("0\\n".into()), &mut out);
    }
    assert!(answer.has_looped() && out.is_empty());
    let next = answer.on_end(End::Complete { stop: StopReason::EndTurn, usage: Usage::default() }, &mut out);
    let Next::Ask(ask) = next else { panic!("{next:?}") };
    assert!(ask.messages[0].text.len() < 200 && ask.messages[1].text.contains("repeated"));
    let format = jsonschema::validator_for(&ask.format.unwrap()).unwrap();
    assert!(
        format.is_valid(&call("Bash", json!({"command": "seq 3 > b.txt"})))
            && !format.is_valid(&call("Write", json!({"file_path": "b.txt", "content": "0"})))
    );
    let (out, _) = say(&mut answer, call("Write", json!({"file_path": "b.txt", "content": "0\n".repeat(300)})));
    assert_eq!(calls(&out).len(), 1, "it may be meant");
}

#[test]
fn nothing_is_looked_for_where_nothing_is_to_be_changed() {
    let mut about = situation(ChannelKind::Native, vec![prompt("Read a.txt.")]);
    about.head.untouched = true;
    let (text, call) =
        (call("Read", json!({"file": "a.txt"})), ToolUse { id: "1".into(), name: "read".into(), input: json!({}) });
    let mut answer = Answer::new(about);
    let mut out = Vec::new();
    answer.on_delta(Delta::Text(text.to_string()), &mut out);
    answer.on_delta(Delta::Call(call.clone()), &mut out);
    let next = answer.on_end(End::Complete { stop: StopReason::ToolUse, usage: Usage::default() }, &mut out);
    assert_eq!(out, [Delta::Text(text.to_string()), Delta::Call(call)]);
    assert_eq!(next, Next::Finish { stop: StopReason::ToolUse, usage: Usage::default() });
}

#[test]
fn words_of_the_prompt_are_no_evidence() {
    for text in [
        "Do not run anything. Explain run.sh.",
        "What is Node.js?",
        "Never touch prod.env. How do I rename total?",
        "What does port mean? Change it to 8080, and compute the sum of a.txt and b.txt.",
    ] {
        let mut answer = answer(ChannelKind::Constrained, vec![prompt(text)]);
        let (out, next) = say(&mut answer, call("Answer", json!({"text": "It is 4096."})));
        assert_eq!(out, [Delta::Text("It is 4096.".into())], "{text}");
        assert!(matches!(next, Next::Finish { stop: StopReason::EndTurn, .. }), "{text}");
    }
}
