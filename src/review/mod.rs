//! Replies held against evidence: the history, the call itself, the schema. Never words of the prompt: a `Case` has none.
//!
//! A check is one file in `checks/` and one line in `CHECKS`; what it says, why it is safe and where it is on stands in
//! `rules/checks.toml`, its cases in `fixtures/checks/`. The laws:
//! 1. what is doubtful passes;
//! 2. one objection a turn and check: what comes the second time goes out;
//! 3. a reply is bound only to what the evidence proves;
//! 4. where nothing can be called, nothing is objected to.

mod case;
mod checks;
mod left_out;
mod loops;
mod objection;

pub(crate) use case::{Case, Said};
pub(crate) use checks::CHECKS;
pub(crate) use loops::{Limits, loops};
pub(crate) use objection::Objection;

use crate::rules::Role;
use crate::show::ReplyContext;
use crate::wire::Role as Speaker;

/// One thing that can be seen to be wrong with a reply.
pub(crate) trait Check: Sync {
    /// Its id in `rules/checks.toml`.
    fn id(&self) -> &'static str;

    /// What is wrong with this reply, where the evidence proves it.
    fn object(&self, case: &Case<'_>) -> Option<Objection>;
}

/// The first objection to a reply, of the checks that are on and have not been `made` in this turn.
pub(crate) fn review(case: &Case<'_>, made: &[&str]) -> Option<Objection> {
    let on = CHECKS.iter().filter(|check| case.is_on(check.id()));
    on.filter_map(|check| Some((check, check.object(case)?)))
        .find(|(check, objection)| objection.is_final() || (!made.contains(&check.id()) && !case.was_made(**check)))
        .map(|(_, objection)| objection)
}

/// What there is against any answer in words, whatever it says. Only a change that was tried last can be the reason: else the
/// history, which may be long, is not read.
pub(crate) fn against_any_answer(about: &ReplyContext) -> Option<Objection> {
    let last = about.messages.iter().rfind(|message| message.role == Speaker::Assistant)?.tool_uses().last()?;
    match about.roles.get(&last.name)? {
        Role::Edit { .. } | Role::Write { .. } => review(&Case::new(Said::Answer, &about.history(), about), &[]),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
