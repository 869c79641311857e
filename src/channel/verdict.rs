//! What becomes of the calls of a reply: sent, served here, objected to, or the end of the turn.

use serde_json::{Value, json};

use super::answer::bound_to;
use super::check::{Verdict, check};
use super::guard;
use super::own::{self, Served};
use super::reply::HeardCall;
use super::situation::Situation;
use crate::history::History;
use crate::wire::ToolUse;

/// What becomes of the calls of a reply.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// These go to the client; what was mended.
    Send { calls: Vec<ToolUse>, repairs: Vec<&'static str> },
    /// An own tool was called, and has its result.
    Served(Served),
    /// The turn ends here; why.
    End(String),
    /// The model is asked again. `held` goes out where that cannot be.
    Object { kind: &'static str, words: String, format: Option<Value>, held: Vec<ToolUse> },
}

/// What becomes of one call.
enum One {
    Send(Vec<ToolUse>, Vec<&'static str>),
    Stop(Outcome),
}

/// Judges the calls in their order. A later one that cannot go out does not hold up those before it: the model will
/// see that it was not done.
pub(super) fn judge(about: &Situation, heard: &[HeardCall], objected: &[&'static str], sent: usize) -> Outcome {
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

fn one(about: &Situation, history: &History<'_>, heard: &HeardCall, objected: &[&'static str], at: usize) -> One {
    if let Some(served) = own::serve(about, &heard.name, &heard.input) {
        return One::Stop(Outcome::Served(served));
    }
    let call = about.identified(at, &heard.name, about.sent_input(&heard.name, &heard.input));
    let times = guard::times_made(history, &call);
    if about.model.check.repeats > 0 && times >= about.model.check.repeats {
        return One::Stop(Outcome::End(guard::ended(&call, times)));
    }
    match check(about, history, &call) {
        Verdict::Pass => One::Send(vec![call], Vec::new()),
        Verdict::ReadFirst(path) => read_first(about, &path, call, at),
        Verdict::Object(objection) if objected.contains(&objection.kind) && objection.kind == "write-loses-lines" => {
            One::Send(vec![call], Vec::new())
        }
        Verdict::Object(objection) => {
            let format = objection.arguments.and_then(|arguments| bound_to(about, &call.name, &arguments));
            One::Stop(Outcome::Object { kind: objection.kind, words: objection.words, format, held: vec![call] })
        }
    }
}

/// A read in place of a change of a file that was not read: the model sees the file, and decides again.
fn read_first(about: &Situation, path: &str, call: ToolUse, at: usize) -> One {
    match about.reader() {
        Some((name, key)) => One::Send(vec![about.identified(at, name, json!({key: path}))], vec!["read-before-edit"]),
        None => One::Send(vec![call], Vec::new()),
    }
}
