//! The environment of a client: which variables point it at the proxy, and what each is for. `env` prints this table,
//! `run` sets it.
//!
//! A version that does not know a variable passes over it, so all are set for all versions; the table says which version
//! each was seen to work on first.

use std::net::SocketAddr;

/// What the client is to know.
#[derive(Debug, Clone)]
pub(super) struct ForClient {
    /// Where the proxy listens.
    pub address: SocketAddr,
    /// The model that is served; `None` where nobody knows it yet.
    pub model: Option<String>,
    /// Its window in tokens, where that is known.
    pub window: Option<usize>,
}

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    pub name: &'static str,
    pub value: String,
    /// What it is for, and since when; one line.
    pub why: &'static str,
}

/// A client that is told a smaller window refuses to begin, or compacts after every turn: it counts what it sends, and
/// fitting that into the model's window is our part. So much history is what it may keep.
const LEAST_WINDOW: usize = 200_000;

/// Names, values and reasons, in the order in which they are printed.
pub(super) fn variables(told: &ForClient) -> Vec<Variable> {
    let plain = |name, value: &str, why| Variable { name, value: value.to_owned(), why };
    let mut list = vec![
        plain("ANTHROPIC_BASE_URL", &format!("http://{}", told.address), "where the proxy listens"),
        plain(
            "ANTHROPIC_AUTH_TOKEN",
            &super::door::token_in_environment().unwrap_or_else(|| "fanlight".to_owned()),
            "the token, where one is set; any word else: without one the client asks for a login",
        ),
        plain("ANTHROPIC_API_KEY", "", "a key of yours would be asked about, and is of no use here"),
        plain(
            "CLAUDE_CODE_ATTRIBUTION_HEADER",
            "0",
            "no first line that differs in every session (seen from 2.1.15 on)",
        ),
        plain("CLAUDE_CODE_TOTAL_TOKENS_REMINDER", "off", "no countdown in every turn (seen from 2.1.154 on)"),
        plain(
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
            "1",
            "no titles that take the only slot; nothing leaves the machine",
        ),
        plain("API_TIMEOUT_MS", "1800000", "a model on a processor may read for minutes"),
        plain("CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY", "1", "/model lists what the server has (seen on 2.1.330)"),
    ];
    if let Some(model) = &told.model {
        list.push(plain("ANTHROPIC_MODEL", model, "the model that is served"));
        list.push(plain("ANTHROPIC_CUSTOM_MODEL_OPTION", model, "an entry of /model (seen on 2.1.330)"));
    }
    let window = told.window.unwrap_or_default().max(LEAST_WINDOW);
    list.push(plain(
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS",
        &window.to_string(),
        "how much history the client may keep; what the model gets of it is folded to its window (seen on 2.1.330)",
    ));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_never_told_a_window_in_which_it_does_not_start() {
        let of = |window| {
            let told = ForClient { address: ([127, 0, 0, 1], 1).into(), model: None, window };
            let list = variables(&told);
            list.iter().find(|variable| variable.name == "CLAUDE_CODE_MAX_CONTEXT_TOKENS").unwrap().value.clone()
        };
        assert_eq!((of(Some(4096)), of(Some(262_144)), of(None)), ("200000".into(), "262144".into(), "200000".into()));
    }
}
