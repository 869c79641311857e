//! The gates: what must hold before call-like text counts as a call.

use super::format::{Asked, Found, Look, Raw, Seen};
use super::talk;

/// What the machine is to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Wait, until one of these bytes comes if any are named.
    Wait(Option<&'static [u8]>),
    /// Pass so many bytes on as text; one character for 0.
    Text(usize),
    Calls(Found),
    Broken {
        used: usize,
        name: String,
    },
    Residue(usize),
    Thought {
        used: usize,
        said: String,
    },
}

/// Judges what the formats made of the text.
pub(super) fn judge(look: Look, seen: &Seen<'_>) -> Verdict {
    match look {
        Look::Not => Verdict::Text(0),
        Look::More => Verdict::Wait(None),
        Look::Until(bytes) => Verdict::Wait(Some(bytes)),
        Look::Text(bytes) => Verdict::Text(bytes),
        Look::Residue(bytes) if seen.place.quotes() => Verdict::Text(bytes),
        Look::Residue(bytes) => Verdict::Residue(bytes),
        Look::Thought { used, .. } | Look::Broken { used, .. } if shown(used, seen) => Verdict::Text(used),
        Look::Thought { used, said } => Verdict::Thought { used, said },
        Look::Broken { used, name } => Verdict::Broken { used, name },
        Look::Calls(found) => judge_calls(found, seen),
    }
}

/// What is left of a look when the model was stopped in the middle: nothing that had to be completed.
pub(super) fn uncompleted(look: Look, seen: &Seen<'_>) -> Look {
    match look {
        Look::Calls(found)
            if (found.open || found.repairs.contains(&"json-missing-closer"))
                && found.used >= seen.text.trim_end().len() =>
        {
            let name = found.calls.into_iter().next_back().map(|call| call.name).unwrap_or_default();
            Look::Broken { used: found.used, name }
        }
        other => other,
    }
}

fn judge_calls(found: Found, seen: &Seen<'_>) -> Verdict {
    if shown(found.used, seen) || !found.marked && introduced(seen) {
        return Verdict::Text(found.used);
    }
    match talked_over(&found, seen) {
        None => return Verdict::Wait(None),
        Some(true) => return Verdict::Text(found.used),
        Some(false) => {}
    }
    if let Some(unknown) = found.calls.iter().find(|call| !seen.scope.knows(&call.name)) {
        let name = unknown.name.clone();
        let called = found.marked || seen.place.leads();
        return if called { Verdict::Broken { used: found.used, name } } else { Verdict::Text(found.used) };
    }
    let leads = seen.place.leads();
    let fits = |call: &Raw| if leads { seen.scope.nearly_fits(call) } else { seen.scope.fits(call) };
    if let Some(empty) = found.calls.iter().find(|call| seen.scope.says_nothing(call)) {
        return Verdict::Broken { used: found.used, name: empty.name.clone() };
    }
    let unfit = found.calls.iter().find(|call| !found.marked && !fits(call));
    match unfit {
        Some(call) if leads => Verdict::Broken { used: found.used, name: call.name.clone() },
        Some(_) => Verdict::Text(found.used),
        None => Verdict::Calls(found),
    }
}

/// Whether this is a call that is shown, not made: quoted, explained, or standing in the request already.
fn shown(used: usize, seen: &Seen<'_>) -> bool {
    let said = seen.place.said_before();
    let colon = said.trim_end().ends_with([':', '：']);
    let words = seen.scope.words();
    let explained =
        !seen.place.leads() && colon && (words.explain(said) || seen.place.has_prose() && !words.announce(said));
    seen.scope.asked == Asked::Calls
        || seen.place.quotes()
        || seen.place.in_markup()
        || explained
        || seen.scope.quotes.contain(&seen.text[..used])
        || !seen.is_awaited() && seen.scope.quotes.contain_as_example(&seen.text[..used])
}

/// Whether the words before introduce what follows as a thing to look at: a heading, or a colon without an action.
fn introduced(seen: &Seen<'_>) -> bool {
    let said = seen.place.said_before().trim();
    let heading = said.starts_with('#') || said.ends_with([':', '：', '*']);
    let words = seen.scope.words();
    !seen.place.leads() && (heading || words.explain(said)) && !words.announce(said)
}

/// Whether the words behind go on about the call as about a thing; `None` when that is not known yet.
fn talked_over(found: &Found, seen: &Seen<'_>) -> Option<bool> {
    if found.marked && seen.place.leads() {
        return Some(false);
    }
    let rest = &seen.text[found.used..];
    let line = rest.trim_start_matches([' ', '\t']);
    let same_line = seen.place.has_prose() && !line.is_empty() && !line.starts_with(['\n', '\r', '<', '[', '{']);
    let line = line.trim_start();
    let Some(first) = line.chars().next() else { return seen.end.then_some(false) };
    let in_quotes = rest.chars().next().is_some_and(|c| matches!(c, '\'' | '"') && seen.place.holds(c));
    if in_quotes || same_line && seen.place.in_sentence() {
        return Some(true);
    }
    if !first.is_lowercase() && found.marked || matches!(first, '<' | '[' | '{' | '`') {
        return Some(false);
    }
    let line = talk::first_line(line, seen.end)?;
    if talk::is_call(line, seen.scope) {
        return Some(false);
    }
    let words = seen.scope.words();
    Some((first.is_lowercase() || !found.marked && words.explain(line)) && !words.announce(line))
}
