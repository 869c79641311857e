//! Whether the past is still told: typed prompts, paths, and what was last done to each.

use super::grounding::Share;
use crate::history::{History, Roles, typed_prompts};
use crate::pipeline::Plan;
use crate::rules::MessageKinds;

/// So much of a first line, in bytes, tells a prompt.
const FIRST_LINE: usize = 60;

/// Whether a path is named: in full, or in the line of its folder.
pub(super) fn names(sent: &str, path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    sent.contains(path)
        || sent
            .lines()
            .any(|line| line.strip_prefix(folder).is_some_and(|rest| rest.starts_with("/: ") && rest.contains(name)))
}

/// Counts the typed prompts that stand verbatim, and those that are told at all.
pub(super) fn prompts_told(plan: &Plan, kinds: &MessageKinds, sent: &str, shares: &mut (Share, Share)) {
    let history = plan.history();
    for prompt in typed_prompts(history, kinds) {
        let verbatim = sent.contains(prompt.text.trim());
        let mut end = prompt.first_line().len().min(FIRST_LINE);
        while !prompt.first_line().is_char_boundary(end) {
            end -= 1;
        }
        let handle = format!("h{}.{}", prompt.message, prompt.block);
        shares.0.note(verbatim);
        shares.1.note(verbatim || sent.contains(&prompt.first_line()[..end]) || plan.folded.digest.contains(&handle));
    }
}

/// Counts the accounts of paths in the digest whose last state is that of the last call that is folded.
pub(super) fn states_told(plan: &Plan, roles: &dyn Roles, share: &mut Share) {
    let folded = History::read(&plan.history()[..plan.folded.first], roles);
    for (record, _) in folded.files.iter() {
        let rest = |line: &'_ str| line.strip_prefix('[').unwrap_or(line).strip_prefix(&record.path).map(str::to_owned);
        let account = plan.folded.digest.lines().filter_map(rest).find(|rest| rest.starts_with([':', ' ']));
        if let Some(account) = account {
            share.note(account.contains(" FAILED") != record.last.1);
        }
    }
}
