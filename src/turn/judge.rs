//! What becomes of the calls of a reply: sent, served here, objected to, or the end of the turn.

use serde_json::{Value, json};

use super::reply::HeardCall;
use super::serve::{Served, serve};
use crate::calls::heal::{Invalid, heal, nearest};
use crate::history::History;
use crate::review::check::{Verdict, check};
use crate::review::loops;
use crate::rules::ChannelKind;
use crate::show::ReplyContext;
use crate::show::own;
use crate::wire::{Delta, ToolUse};

/// What becomes of the calls of a reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// These go to the client; what was mended.
    Send { calls: Vec<ToolUse>, repairs: Vec<&'static str> },
    /// An own tool was called, and has its result.
    Served(Served),
    /// The turn ends here; why.
    End(String),
    /// The model is asked again. `held` goes out where that cannot be.
    Object { kind: &'static str, words: String, format: Option<Value>, held: Vec<Delta> },
}

/// What becomes of one call.
enum One {
    Send(Vec<ToolUse>, Vec<&'static str>),
    Stop(Outcome),
}

/// Judges the calls in their order. A later one that cannot go out does not hold up those before it: the model will
/// see that it was not done.
pub(crate) fn judge(about: &ReplyContext, heard: &[HeardCall], objected: &[&'static str], sent: usize) -> Outcome {
    let history = about.history();
    let (mut calls, mut repairs) = (Vec::new(), Vec::new());
    for (at, call) in heard.iter().enumerate() {
        match one(about, &history, call, objected, sent + at) {
            One::Send(more, mended) => {
                calls.extend(more);
                repairs.extend(mended);
            }
            One::Stop(outcome) if calls.is_empty() => return outcome,
            One::Stop(_) => break,
        }
    }
    Outcome::Send { calls, repairs }
}

fn one(about: &ReplyContext, history: &History<'_>, heard: &HeardCall, objected: &[&'static str], at: usize) -> One {
    if let Some(served) = serve(about, &heard.name, &heard.input) {
        return One::Stop(Outcome::Served(served));
    }
    if let Some(written) = heard.written.as_ref().filter(|_| heard.input.is_null()) {
        return One::Stop(unreadable(about, &heard.name, written));
    }
    match heal(&heard.name, heard.input.clone(), &about.tools, &about.lexicon) {
        Ok(healed) if heard.written.is_some() => One::Stop(says_nothing(&healed.name, heard)),
        Ok(healed) => {
            let mut mended: Vec<&str> = healed.repairs.iter().map(|repair| repair.kind()).collect();
            let input = about.without_quoted_path(&healed.name, &healed.input);
            mended.extend(input.as_ref().map(|_| "path-quotes"));
            let input = about.sent_input(&healed.name, &input.unwrap_or(healed.input));
            let call = about.identified(at, &healed.name, input);
            held_against(about, history, call, mended, objected)
        }
        Err(invalid) => One::Stop(unfit(about, heard, &invalid, at)),
    }
}

/// A valid call against what the history knows.
fn held_against(
    about: &ReplyContext,
    history: &History<'_>,
    call: ToolUse,
    mended: Vec<&'static str>,
    objected: &[&'static str],
) -> One {
    let times = crate::history::times_made(history, &call);
    if about.model.check.repeats > 0 && times >= about.model.check.repeats {
        return One::Stop(Outcome::End(loops::ended(&call, times)));
    }
    let objection = match check(about, history, &call) {
        Verdict::Pass => return One::Send(vec![call], mended),
        Verdict::Object(objection) => *objection,
    };
    if objection.once && objected.contains(&objection.kind) {
        return One::Send(vec![call], mended);
    }
    if let Some((name, input)) = objection.instead {
        let input = about.sent_input(&name, &input);
        return One::Send(vec![ToolUse { name, input, ..call }], vec![objection.kind]);
    }
    let same = objection.arguments.and_then(|arguments| bound_to(about, &call.name, &arguments));
    let format = objection.reply.or(same);
    let held = vec![Delta::Call(call)];
    One::Stop(Outcome::Object { kind: objection.kind, words: objection.words, format, held })
}

/// A call whose text cannot be read, or that names no tool.
fn unreadable(about: &ReplyContext, name: &str, written: &str) -> Outcome {
    let held = vec![Delta::Text(written.to_owned())];
    let nearest = nearest(name, &about.tools);
    if name.is_empty() || about.tool(name).is_some() {
        let words = "Not done: that call cannot be read. Write it once more, as one whole JSON object.".to_owned();
        let words = if about.kind == ChannelKind::Native {
            "Not done: that call cannot be read. Call the tool again.".to_owned()
        } else {
            words
        };
        return Outcome::Object { kind: "call-unreadable", words, format: None, held };
    }
    let words = format!("Not done: there is no tool {name}. The nearest: {}.", nearest.join(", "));
    Outcome::Object { kind: "tool-unknown", words, format: None, held }
}

/// A call whose arguments only say that there are none.
fn says_nothing(name: &str, heard: &HeardCall) -> Outcome {
    let words = format!("Not done: that call of {name} says nothing. If no tool is needed, answer in words.");
    Outcome::Object { kind: "call-says-nothing", words, format: None, held: as_written(heard) }
}

/// The text of a call, to be shown where nothing better can be done.
fn as_written(heard: &HeardCall) -> Vec<Delta> {
    heard.written.iter().map(|text| Delta::Text(text.clone())).collect()
}

/// A call that does not fit, and what was meant is not certain.
fn unfit(about: &ReplyContext, heard: &HeardCall, invalid: &Invalid, at: usize) -> Outcome {
    let call = about.identified(at, &heard.name, object(&heard.input));
    let held = if heard.written.is_some() { as_written(heard) } else { vec![Delta::Call(call.clone())] };
    match invalid {
        // The server itself says that it is a call: the client's own word on it is good, and stays in its history.
        Invalid::UnknownTool { .. } if about.kind == ChannelKind::Native && heard.written.is_none() => {
            Outcome::Send { calls: vec![call], repairs: Vec::new() }
        }
        Invalid::UnknownTool { .. } => {
            Outcome::Object { kind: "tool-unknown", words: format!("Not done: {}.", invalid.why()), format: None, held }
        }
        Invalid::Arguments { tool, why, .. } => {
            let known = about.tool(tool);
            let schema = known.map(own::describe).unwrap_or_default();
            let format = known.and_then(|tool| bound_to(about, &tool.name, &tool.input_schema));
            Outcome::Object { kind: "arguments-unfit", words: format!("Not done: {why}.\n{schema}"), format, held }
        }
    }
}

/// The schema that binds a reply to this one tool.
fn bound_to(about: &ReplyContext, name: &str, arguments: &Value) -> Option<Value> {
    about.bind().map(|bind| bind.call(name, arguments))
}

/// What a client can take as input.
fn object(input: &Value) -> Value {
    if input.is_object() { input.clone() } else { json!({}) }
}
