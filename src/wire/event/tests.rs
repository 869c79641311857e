//! Answers as servers really send them.

use serde_json::json;

use super::*;

fn decode(events: &[Value]) -> (Vec<Delta>, End) {
    let (mut decoder, mut out) = (EventDecoder::default(), Vec::new());
    for event in events {
        let frame = Frame { event: String::new(), data: event.to_string() };
        if let Some(end) = decoder.on_frame(&frame, &mut out) {
            return (out, end);
        }
    }
    let end = decoder.on_close(&mut out);
    (out, end)
}

fn start(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn tool(name: &str) -> Value {
    json!({"type": "tool_use", "id": "toolu_1", "name": name, "input": {}})
}

fn json_part(part: &str) -> Value {
    json!({"type": "input_json_delta", "partial_json": part})
}

fn tail(reason: &str) -> [Value; 2] {
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}}),
        json!({"type": "message_stop"}),
    ]
}

fn call(name: &str, input: Value) -> Delta {
    Delta::Call(ToolUse { id: "toolu_1".into(), name: name.into(), input })
}

#[test]
fn a_plain_answer_with_thinking_text_and_a_call() {
    let [delta_event, stop_event] = tail("tool_use");
    let (deltas, end) = decode(&[
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 5, "cache_read_input_tokens": 95}}}),
        start(0, json!({"type": "thinking", "thinking": ""})),
        delta(0, json!({"type": "thinking_delta", "thinking": "hm"})),
        delta(0, json!({"type": "signature_delta", "signature": "x"})),
        stop(0),
        start(1, json!({"type": "text", "text": ""})),
        delta(1, json!({"type": "text_delta", "text": "I look."})),
        stop(1),
        start(2, tool("Read")),
        delta(2, json_part("{\"file_")),
        json!({"type": "ping"}),
        delta(2, json_part("path\":\"a\"}")),
        stop(2),
        delta_event,
        stop_event,
    ]);
    assert_eq!(
        deltas,
        [Delta::Thinking("hm".into()), Delta::Text("I look.".into()), call("Read", json!({"file_path": "a"}))]
    );
    let usage = Usage { prompt: Some(100), cached: Some(95), output: Some(7) };
    assert_eq!(end, End::Complete { stop: StopReason::ToolUse, usage });
}

#[test]
fn old_servers_lose_stops_and_use_an_index_twice() {
    let (deltas, end) = decode(&[
        start(0, json!({"type": "thinking", "thinking": "hm"})),
        start(0, tool("Read")),
        delta(0, json_part("{}")),
        start(1, json!({"type": "text", "text": "so"})),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}),
    ]);
    assert_eq!(deltas, [Delta::Thinking("hm".into()), call("Read", json!({})), Delta::Text("so".into())]);
    assert!(matches!(end, End::Complete { stop: StopReason::ToolUse, .. }));
}

#[test]
fn a_cut_call_is_never_completed() {
    let cut = [start(0, tool("Write")), delta(0, json_part("{\"content\":\"abc"))];
    let (deltas, end) = decode(&cut);
    assert_eq!(deltas, []);
    assert!(matches!(end, End::Failed(_)));

    let [delta_event, stop_event] = tail("max_tokens");
    let (deltas, _) = decode(&[cut[0].clone(), cut[1].clone(), delta_event, stop_event]);
    let arguments = "{\"content\":\"abc".to_owned();
    assert_eq!(deltas, [Delta::BrokenCall { id: "toolu_1".into(), name: "Write".into(), arguments }]);
}

#[test]
fn input_in_the_start_alone_counts() {
    let mut block = tool("Read");
    block["input"] = json!({"file_path": "a"});
    let (deltas, _) = decode(&[start(0, block), stop(0)]);
    assert_eq!(deltas, [call("Read", json!({"file_path": "a"}))]);
}

#[test]
fn unknown_blocks_events_and_deltas_survive() {
    let block = [start(0, json!({"type": "novel", "x": 1})), delta(0, json!({"type": "novel_delta", "y": 2})), stop(0)];
    let event = json!({"type": "weather", "rain": true});
    let citation = delta(1, json!({"type": "citations_delta", "citation": {}}));
    let mut events = block.to_vec();
    events.extend([event.clone(), start(1, json!({"type": "text", "text": "a"})), citation.clone()]);
    let (deltas, _) = decode(&events);
    assert_eq!(
        deltas,
        [
            Delta::Other(Value::Array(block.to_vec())),
            Delta::Other(json!([event])),
            Delta::Text("a".into()),
            Delta::Other(json!([citation])),
        ]
    );
}

#[test]
fn an_error_in_the_middle_ends_it_and_nothing_counts_after() {
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}});
    let (mut decoder, mut out) = (EventDecoder::default(), Vec::new());
    let mut on = |event: &Value| decoder.on_frame(&Frame { event: String::new(), data: event.to_string() }, &mut out);
    let Some(End::Failed(error)) = on(&error) else { panic!("an error") };
    assert_eq!((error.kind, error.message.as_str()), (crate::wire::ErrorKind::Overloaded, "busy"));
    assert_eq!(on(&tail("end_turn")[1]), None);
}

#[test]
fn a_whole_message_is_read_like_a_stream() {
    let message = json!({
        "content": [{"type": "text", "text": "hi"}, {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"a": 1}}],
        "stop_reason": "tool_use", "usage": {"input_tokens": 3, "output_tokens": 4}
    });
    let mut out = Vec::new();
    let end = EventDecoder::default().on_message(&message, &mut out);
    assert_eq!(out, [Delta::Text("hi".into()), call("Read", json!({"a": 1}))]);
    let usage = Usage { prompt: Some(3), cached: None, output: Some(4) };
    assert_eq!(end, End::Complete { stop: StopReason::ToolUse, usage });
}

#[test]
fn junk_is_passed_over() {
    let (mut decoder, mut out) = (EventDecoder::default(), Vec::new());
    for data in ["", "[DONE]", "null", "[]", "{\"type\":7}", "{\"type\":\"content_block_delta\"}"] {
        decoder.on_frame(&Frame { event: String::new(), data: data.into() }, &mut out);
    }
    assert!(out.iter().all(|delta| matches!(delta, Delta::Other(_))), "{out:?}");
}

#[test]
fn an_error_that_holds_what_the_model_wrote_is_an_answer_in_any_clothes() {
    let raw = "<tool_call>\n<function=Look>\n</function>\n</tool_call>";
    let inner =
        json!({"code": 500, "type": "server_error", "message": format!("Failed to parse input at pos 7: {raw}")});
    let frame = |event: &str, data: &Value| Frame { event: event.into(), data: data.to_string() };
    for frame in [
        frame("error", &json!({"type": "error", "error": inner})),
        frame("", &json!({"error": inner})),
        frame("error", &inner),
    ] {
        let (mut decoder, mut out) = (EventDecoder::default(), Vec::new());
        let end = decoder.on_frame(&frame, &mut out);
        assert!(matches!(end, Some(End::Complete { stop: StopReason::EndTurn, .. })), "{frame:?}");
        assert_eq!(out, [Delta::Text(raw.into())], "{frame:?}");
    }
}

fn feed(frames: &[(&str, &str)]) -> (Vec<Delta>, Option<End>) {
    let (mut decoder, mut out) = (EventDecoder::default(), Vec::new());
    let frame = |(event, data): &(&str, &str)| Frame { event: (*event).into(), data: (*data).into() };
    let end = frames.iter().find_map(|at| decoder.on_frame(&frame(at), &mut out));
    (out, end)
}

#[test]
fn a_frame_that_cannot_be_read_ends_it() {
    let text = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}"#;
    let bad = [
        ("content_block_delta", &text[..40]),
        ("", "ta: {}"),
        ("content_block_delta", ""),
        ("", "null"),
        ("", "<html>"),
        ("", r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":7}}"#),
        ("", r#"{"type":"content_block_delta","index":0}"#),
    ];
    for damaged in bad {
        let (deltas, end) = feed(&[("", text), damaged, ("", text)]);
        assert_eq!(deltas, [Delta::Text("a".into())], "{damaged:?}");
        let Some(End::Failed(error)) = end else { panic!("{damaged:?}: {end:?}") };
        assert_eq!(error.fault, crate::wire::Fault::Damaged);
    }
}

#[test]
fn what_keeps_a_connection_alive_is_no_damage() {
    let stop = r#"{"type":"message_stop"}"#;
    let (deltas, end) =
        feed(&[("ping", ""), ("", ""), ("ping", r#"{"type":"ping","error":null}"#), ("", stop), ("", "[DONE]")]);
    assert_eq!(deltas, []);
    assert!(matches!(end, Some(End::Complete { .. })));
}

#[test]
fn errors_come_in_three_shapes() {
    for (name, data) in [
        ("", r#"{"error":{"message":"oh"}}"#),
        ("error", r#"{"message":"oh"}"#),
        ("", r#"{"type":"error","error":{"message":"oh"}}"#),
    ] {
        let (_, end) = feed(&[(name, data)]);
        let Some(End::Failed(error)) = end else { panic!("{data}: {end:?}") };
        assert_eq!(error.message, "oh");
    }
}
