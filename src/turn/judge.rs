//! What becomes of the calls of a reply: sent, served here, objected to, or the end of the turn.

use serde_json::{Value, json};

use super::reply::HeardCall;
use super::serve::{Served, serve};
use crate::calls::heal::{Invalid, heal, nearest};
use crate::history::History;
use crate::review::{Case, Objection, Said, review};
use crate::show::ReplyContext;
use crate::show::own;
use crate::wire::{Delta, ToolUse};

/// What becomes of the calls of a reply.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ruling {
    /// These go to the client; what was mended.
    Send { calls: Vec<ToolUse>, repairs: Vec<&'static str> },
    /// An own tool was called, and has its result.
    Served(Served),
    /// There is an objection. `held` goes out where the model cannot be asked again.
    Object { objection: Objection, held: Vec<Delta> },
}

/// What becomes of one call.
enum One {
    Send(ToolUse, Vec<&'static str>),
    Stop(Ruling),
}

/// Judges the calls in their order. A later one that cannot go out does not hold up those before it: the model will
/// see that it was not done. `made` are the objections of this turn so far, `sent` the calls that went out before.
pub(super) fn judge(about: &ReplyContext, heard: &[HeardCall], made: &[&str], sent: usize) -> Ruling {
    let history = about.history();
    let (mut calls, mut repairs) = (Vec::new(), Vec::new());
    for (at, call) in heard.iter().enumerate() {
        match one(about, &history, call, made, sent + at) {
            One::Send(call, mended) => {
                calls.push(call);
                repairs.extend(mended);
            }
            One::Stop(ruling) if calls.is_empty() => return ruling,
            One::Stop(_) => break,
        }
    }
    Ruling::Send { calls, repairs }
}

fn one(about: &ReplyContext, history: &History<'_>, heard: &HeardCall, made: &[&str], at: usize) -> One {
    if let Some(served) = serve(about, &heard.name, &heard.input) {
        return One::Stop(Ruling::Served(served));
    }
    let review = |said: Said<'_>| review(&Case::new(said, history, about), made);
    if let Some(written) = heard.written.as_ref().filter(|_| heard.input.is_null()) {
        return unreadable(about, &heard.name, written, &review);
    }
    match heal(&heard.name, heard.input.clone(), &about.tools, &about.lexicon) {
        Ok(healed) if heard.written.is_some() => {
            let said = Said::Nothing { tool: &healed.name };
            ruled(review(said), as_written(heard), || about.identified(at, &healed.name, healed.input.clone()))
        }
        Ok(healed) => {
            let mut mended: Vec<&str> = healed.repairs.iter().map(|repair| repair.kind()).collect();
            let input = about.without_quoted_path(&healed.name, &healed.input);
            mended.extend(input.as_ref().map(|_| "path-quotes"));
            let input = about.sent_input(&healed.name, &input.unwrap_or(healed.input));
            let call = about.identified(at, &healed.name, input);
            held_against(about, review(Said::Call(&call)), call, mended)
        }
        Err(invalid) => unfit(about, heard, &invalid, at, &review),
    }
}

/// A valid call, with what there is against it.
fn held_against(about: &ReplyContext, objection: Option<Objection>, call: ToolUse, mended: Vec<&'static str>) -> One {
    match objection {
        None => One::Send(call, mended),
        Some(Objection { id, instead: Some((name, input)), .. }) => {
            let input = about.sent_input(&name, &input);
            One::Send(ToolUse { name, input, ..call }, vec![id])
        }
        Some(objection) => One::Stop(Ruling::Object { objection, held: vec![Delta::Call(call)] }),
    }
}

/// The objection, or else the call as it is.
fn ruled(objection: Option<Objection>, held: Vec<Delta>, call: impl Fn() -> ToolUse) -> One {
    match objection {
        Some(objection) => One::Stop(Ruling::Object { objection, held }),
        None => One::Send(call(), Vec::new()),
    }
}

/// A call whose text cannot be read, or that names no tool.
fn unreadable(about: &ReplyContext, name: &str, written: &str, review: &dyn Fn(Said<'_>) -> Option<Objection>) -> One {
    let held = vec![Delta::Text(written.to_owned())];
    let objection = if name.is_empty() || about.tool(name).is_some() {
        review(Said::Unreadable)
    } else {
        review(Said::Unknown { tool: name, nearest: &nearest(name, &about.tools).join(", ") })
    };
    // What cannot be read can be no call: it stays the text that it was.
    let objection = objection.unwrap_or_default();
    One::Stop(Ruling::Object { objection, held })
}

/// The text of a call, to be shown where nothing better can be done.
fn as_written(heard: &HeardCall) -> Vec<Delta> {
    heard.written.iter().map(|text| Delta::Text(text.clone())).collect()
}

/// A call that does not fit, and what was meant is not certain.
fn unfit(
    about: &ReplyContext,
    heard: &HeardCall,
    invalid: &Invalid,
    at: usize,
    review: &dyn Fn(Said<'_>) -> Option<Objection>,
) -> One {
    let call = || about.identified(at, &heard.name, object(&heard.input));
    let held = if heard.written.is_some() { as_written(heard) } else { vec![Delta::Call(call())] };
    let objection = match invalid {
        Invalid::UnknownTool { name, nearest } => review(Said::Unknown { tool: name, nearest: &nearest.join(", ") }),
        Invalid::Arguments { tool, why, .. } => {
            let schema = about.tool(tool).map(own::describe).unwrap_or_default();
            review(Said::Unfit { tool, why, schema: &schema })
        }
    };
    match objection {
        // Text that is no call of a tool of this request stays text.
        None if heard.written.is_some() => One::Stop(Ruling::Object { objection: Objection::default(), held }),
        objection => ruled(objection, held, call),
    }
}

/// What a client can take as input.
fn object(input: &Value) -> Value {
    if input.is_object() { input.clone() } else { json!({}) }
}
