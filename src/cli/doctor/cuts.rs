//! Which schedule is in force where a history does not fit, and how to have the other.

use super::findings::Findings;
use crate::proxy::{ModelFacts, Proxy};
use crate::rules::Schedule;

/// Asks the server what it keeps in its cache, unless the user or the rules have said it.
pub(super) async fn look(proxy: &Proxy, facts: &ModelFacts, findings: &mut Findings) {
    let setup = proxy.setup.load_full();
    let Some(target) = facts.target(&setup.rules, "", None) else { return };
    findings.good(
        "cuts",
        match proxy.schedule(facts, target.profile.fold).await {
            Schedule::Shift => "shift: the server keeps the cache of text behind a hole",
            Schedule::Prefix => {
                "prefix: what stays behind a cut is read again; Ollama 0.30 or newer started with LLAMA_ARG_CACHE_REUSE=16, or llama-server with --cache-reuse 16, reads less"
            }
        },
    );
}
