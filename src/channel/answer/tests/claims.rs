//! What a model claims, held against what it was shown; what it tried in vain; a reply without an end.

use serde_json::json;

use super::*;

/// A step whose call failed.
fn in_vain(id: &str, name: &str, input: Value, result: &str) -> [Message; 2] {
    let mut step = step(id, name, input, result);
    let Block::ToolResult(result) = &mut step[1].content[0] else { panic!() };
    result.is_error = true;
    step
}

/// A history in which this prompt was followed by these steps.
fn after(text: &str, steps: &[[Message; 2]]) -> Vec<Message> {
    [vec![prompt(text)], steps.concat()].concat()
}

fn asked(next: Next) -> (String, jsonschema::Validator) {
    let Next::Ask(ask) = next else { panic!("{next:?}") };
    (ask.messages[1].text.clone(), jsonschema::validator_for(&ask.format.unwrap()).unwrap())
}

fn bash(command: &str) -> Value {
    call("Bash", json!({"command": command}))
}

#[test]
fn an_answer_goes_out_up_to_a_number_that_stands_nowhere() {
    let listed = step("l", "Bash", json!({"command": "ls d"}), "f1\nf12");
    let history = after("How many files has d? It had 14.", std::slice::from_ref(&listed));
    let mut known = answer(ChannelKind::Constrained, history.clone());
    let (out, next) = say(&mut known, call("Answer", json!({"text": "12, not 14, by f1."})));
    assert_eq!(out, [Delta::Text("12, not 14, by f1.".into())]);
    assert!(matches!(next, Next::Finish { .. }));

    let mut unknown = answer(ChannelKind::Constrained, history);
    let (out, next) = say(&mut unknown, call("Answer", json!({"text": "There are 23 now."})));
    assert_eq!(out, [Delta::Text("There are ".into())]);
    let (words, format) = asked(next);
    assert!(
        words.contains("23")
            && format.is_valid(&bash("ls d | wc -l"))
            && !format.is_valid(&call("Answer", json!({"text": "x"})))
    );
    let (out, _) = say(&mut unknown, call("Answer", json!({"text": "23"})));
    assert_eq!(out, [Delta::Text("23".into())], "it is asked for once");
}

#[test]
fn a_number_of_general_knowledge_is_answered() {
    let mut answer = answer(ChannelKind::Constrained, vec![prompt("How high is the tower?")]);
    let (out, next) = say(&mut answer, call("Answer", json!({"text": "300 metres."})));
    assert_eq!(out, [Delta::Text("300 metres.".into())]);
    assert!(matches!(next, Next::Finish { .. }));
}

#[test]
fn what_is_to_be_computed_is_not_written_from_the_head() {
    let read = |id, path: &str, text| step(id, "Read", json!({"file_path": path}), text);
    let history = after(
        "Write the sum of /w/a.txt and /w/b.txt to /w/c.txt.",
        &[read("a", "/w/a.txt", "1\t17"), read("b", "/w/b.txt", "1\t25")],
    );
    let mut answer = answer(ChannelKind::Constrained, history);
    let (_, next) = say(&mut answer, call("Write", json!({"file_path": "c.txt", "content": "42"})));
    let (_, format) = asked(next);
    assert!(format.is_valid(&bash("echo $((17 + 25))")) && !format.is_valid(&bash("expr 2 + 3")));
}

#[test]
fn a_copy_of_a_whole_file_is_left_to_a_command() {
    let mut answer = answer(ChannelKind::Constrained, after_reading("one\ntwo"));
    let copy = call("Write", json!({"file_path": "b.txt", "content": "one\ntwo\n"}));
    let (_, next) = say(&mut answer, copy.clone());
    let (words, format) = asked(next);
    assert!(words.contains("a.txt") && format.is_valid(&bash("mv a.txt b.txt")) && !format.is_valid(&copy));
    let (out, _) = say(&mut answer, copy);
    assert_eq!(calls(&out)[0].0, "Write", "it is asked for once");
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
    for _ in 0..300 {
        answer.on_delta(Delta::Text("0\\n".into()), &mut out);
    }
    assert!(answer.has_looped() && out.is_empty());
    let next = answer.on_end(End::Complete { stop: StopReason::EndTurn, usage: Usage::default() }, &mut out);
    let Next::Ask(ask) = next else { panic!("{next:?}") };
    assert!(ask.messages[0].text.len() < 200 && ask.messages[1].text.contains("repeated"));
    let format = jsonschema::validator_for(&ask.format.unwrap()).unwrap();
    assert!(
        format.is_valid(&bash("seq 3 > b.txt"))
            && !format.is_valid(&call("Write", json!({"file_path": "b.txt", "content": "0"})))
    );
    let (out, _) = say(&mut answer, call("Write", json!({"file_path": "b.txt", "content": "0\n".repeat(300)})));
    assert_eq!(calls(&out).len(), 1, "it may be meant");
}

#[test]
fn an_edit_that_failed_is_made_again_before_the_answer() {
    let failed =
        in_vain("e", "Edit", json!({"file_path": "/w/a.txt", "old_string": "x", "new_string": "y"}), "Not found.");
    let history = [after_reading("one\ntwo"), failed.to_vec()].concat();
    let mut answer = answer(ChannelKind::Constrained, history);
    let (out, next) = say(&mut answer, call("Answer", json!({"text": "Done."})));
    assert!(out.is_empty());
    let edit = |old| call("Edit", json!({"file_path": "a.txt", "old_string": old, "new_string": "2"}));
    let (_, format) = asked(next);
    assert!(format.is_valid(&edit("two")) && !format.is_valid(&edit("x")));
}

#[test]
fn an_edit_that_failed_and_was_got_round_is_left_alone() {
    let failed =
        in_vain("e", "Edit", json!({"file_path": "/w/a.txt", "old_string": "x", "new_string": "y"}), "Not found.");
    let run = step("b", "Bash", json!({"command": "mv a.txt b.txt"}), "");
    let history = [after_reading("one\ntwo"), failed.to_vec(), run.to_vec()].concat();
    let mut answer = answer(ChannelKind::Constrained, history);
    let (out, _) = say(&mut answer, call("Answer", json!({"text": "Done."})));
    assert_eq!(out, [Delta::Text("Done.".into())]);
}

#[test]
fn an_edit_that_changes_nothing_beside_an_untouched_file_is_another_call() {
    let mut history = after_reading("one\ntwo");
    history[0] = prompt("Rename a.txt to b.txt.");
    let mut answer = answer(ChannelKind::Constrained, history);
    let (_, next) =
        say(&mut answer, call("Edit", json!({"file_path": "a.txt", "old_string": "one", "new_string": "one"})));
    let (words, format) = asked(next);
    assert!(words.contains("b.txt") && format.is_valid(&bash("mv a.txt b.txt")));
    assert!(!format.is_valid(&call("Edit", json!({"file_path": "a.txt", "old_string": "one", "new_string": "1"}))));
}

#[test]
fn after_a_guessed_path_the_files_are_searched() {
    let read = in_vain("r", "Read", json!({"file_path": "/w/src/load_x.py"}), "File does not exist.");
    let mut guessed = answer(ChannelKind::Constrained, after("Who calls load_x?", std::slice::from_ref(&read)));
    let (out, next) = say(&mut guessed, call("Answer", json!({"text": "Nobody."})));
    assert_eq!(calls(&out), [("Bash", &json!({"command": "grep -rn load_x ."}))]);
    assert!(matches!(next, Next::Finish { stop: StopReason::ToolUse, .. }));
    let mut named = answer(ChannelKind::Constrained, after("Show src/load_x.py.", &[read]));
    let (out, _) = say(&mut named, call("Answer", json!({"text": "It is not there."})));
    assert_eq!(out, [Delta::Text("It is not there.".into())], "the user named it");
}

#[test]
fn what_is_defined_somewhere_is_searched_before_a_path_is_guessed() {
    let guess = call("Read", json!({"file_path": "src/load_x.py"}));
    let mut guessed = answer(ChannelKind::Constrained, vec![prompt("Where is load_x defined?")]);
    let (out, _) = say(&mut guessed, guess.clone());
    let command = calls(&out)[0].1["command"].as_str().unwrap();
    assert!(command.starts_with("grep -rnE") && command.contains("+load_x"), "{command}");
    let mut named = answer(ChannelKind::Constrained, vec![prompt("Is load_x defined in src/load_x.py?")]);
    assert_eq!(calls(&say(&mut named, guess.clone()).0)[0].0, "Read", "the user named it");
    let mut other = answer(ChannelKind::Constrained, vec![prompt("Explain load_x.")]);
    assert_eq!(calls(&say(&mut other, guess).0)[0].0, "Read", "it may be there");
}

#[test]
fn a_file_that_is_to_be_made_and_is_not_there_is_written() {
    let read = in_vain("r", "Read", json!({"file_path": "/w/b.py"}), "File does not exist.");
    let mut make = answer(ChannelKind::Constrained, after("Write b.py and run it.", std::slice::from_ref(&read)));
    let (_, next) = say(&mut make, call("Answer", json!({"text": "There is no b.py."})));
    let (_, format) = asked(next);
    assert!(format.is_valid(&call("Write", json!({"file_path": "b.py", "content": "print(1)"}))));
    assert!(!format.is_valid(&bash("python b.py")));
    let mut show = answer(ChannelKind::Constrained, after("What does b.py do?", &[read]));
    assert_eq!(say(&mut show, call("Answer", json!({"text": "It is not there."}))).0.len(), 1);
}

#[test]
fn a_file_is_not_renamed_by_writing_its_new_name_into_it() {
    let mut history = after_reading("one\ntwo");
    history[0] = prompt("Rename a.txt to b.txt.");
    let mut answer = answer(ChannelKind::Constrained, history);
    let edit = call("Edit", json!({"file_path": "a.txt", "old_string": "two", "new_string": "two\nb.txt"}));
    let (_, next) = say(&mut answer, edit.clone());
    let (words, format) = asked(next);
    assert!(words.contains("b.txt") && format.is_valid(&bash("mv a.txt b.txt")) && !format.is_valid(&edit));
    let (out, _) = say(&mut answer, edit);
    assert_eq!(calls(&out)[0].0, "Edit", "it is asked for once");
}

#[test]
fn a_name_is_written_where_no_file_is_to_be_moved() {
    let mut history = after_reading("one\ntwo");
    history[0] = prompt("Add b.txt to the list in a.txt.");
    let mut answer = answer(ChannelKind::Constrained, history);
    let edit = call("Edit", json!({"file_path": "a.txt", "old_string": "two", "new_string": "two\nb.txt"}));
    assert_eq!(calls(&say(&mut answer, edit).0)[0].0, "Edit");
}

#[test]
fn a_second_return_takes_the_place_of_the_first() {
    let mut answer = answer(ChannelKind::Constrained, after_reading("def f(a):\n    return a"));
    let edit = |old, new| call("Edit", json!({"file_path": "a.txt", "old_string": old, "new_string": new}));
    let (_, next) = say(&mut answer, edit("def f(a):", "def f(a):\n    return -a"));
    let (_, format) = asked(next);
    assert!(format.is_valid(&edit("    return a", "    return -a")) && !format.is_valid(&edit("def f(a):", "x")));
}

#[test]
fn what_is_in_a_folder_is_found_with_a_command() {
    let read = in_vain("r", "Read", json!({"file_path": "/w/logs"}), "EISDIR: illegal operation on a directory, read");
    let mut folder = answer(ChannelKind::Constrained, after("How many files has the folder logs?", &[read]));
    let (out, next) = say(&mut folder, call("Answer", json!({"text": "None."})));
    let (words, format) = asked(next);
    assert!(out.is_empty() && words.contains("logs is a folder") && format.is_valid(&bash("ls logs | wc -l")));
}

#[test]
fn a_path_made_of_words_of_the_prompt_is_looked_for() {
    let read = in_vain("r", "Read", json!({"file_path": "/w/folder_trees"}), "File does not exist.");
    let mut made = answer(ChannelKind::Constrained, after("Which file in the folder trees is largest?", &[read]));
    let (_, format) = asked(say(&mut made, call("Answer", json!({"text": "There is none."}))).1);
    assert!(format.is_valid(&bash("ls -S trees")));
    let read = in_vain("r", "Read", json!({"file_path": "/w/status_codes"}), "File does not exist.");
    let mut known = answer(ChannelKind::Constrained, after("What does status code 401 mean?", &[read]));
    assert_eq!(say(&mut known, call("Answer", json!({"text": "Unauthorized."}))).0.len(), 1);
}

#[test]
fn a_number_that_is_to_be_computed_is_not_put_in_place_of_another() {
    let mut history = after_reading("25");
    history[0] = prompt("Write the product of a.txt and b.txt to c.txt.");
    let edit = call("Edit", json!({"file_path": "a.txt", "old_string": "25", "new_string": "12"}));
    let (words, format) = asked(say(&mut answer(ChannelKind::Constrained, history.clone()), edit.clone()).1);
    assert!(words.contains("computed") && format.is_valid(&bash("echo $((25 * 12))")));
    history[0] = prompt("Change the number in a.txt to 12.");
    assert_eq!(calls(&say(&mut answer(ChannelKind::Constrained, history), edit).0)[0].0, "Edit");
}

#[test]
fn a_word_that_is_renamed_in_a_text_that_is_not_there_is_replaced_everywhere() {
    let mut situation = situation(ChannelKind::Constrained, after_reading("use AMOUNT;\n\nprint(\"AMOUNT\")"));
    let Some(crate::rules::Role::Edit { all, .. }) = situation.roles.get_mut("Edit") else { panic!() };
    *all = Some("replace_all".into());
    let mut messages = situation.messages.to_vec();
    messages[0] = prompt("Call AMOUNT LIMIT in a.txt.");
    situation.messages = messages.into();
    let edit = |old, new| json!({"file_path": "a.txt", "old_string": old, "new_string": new});
    let both = edit("use AMOUNT;\nprint('AMOUNT')", "use LIMIT;\nprint('LIMIT')");
    let (words, format) = asked(say(&mut Answer::new(situation), call("Edit", both)).1);
    let mut all = edit("AMOUNT", "LIMIT");
    all["replace_all"] = true.into();
    assert!(words.contains("AMOUNT in all") && format.is_valid(&call("Edit", all)));
}
