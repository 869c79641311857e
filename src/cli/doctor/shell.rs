//! What the shell has set that a client or the server would heed.

use super::super::config_file;
use super::findings::Findings;
use crate::folders;

/// Looks at the environment and at our own folders.
pub(super) fn look(findings: &mut Findings) {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    judge(set, findings);
    if let Some(path) = config_file::path().filter(|path| path.exists()) {
        findings.good("settings", format!("{} is in force; fanlight config shows it", folders::shown(&path)));
    }
    if let Some(folder) = folders::state()
        && let Err(error) = can_be_written(&folder)
    {
        let text = format!("{} cannot be written: {error}", folders::shown(&folder));
        findings.warn(
            "ledger",
            text,
            "set XDG_STATE_HOME to a folder of yours; without it there are no stats and no log",
        );
    }
}

fn can_be_written(folder: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let probe = folder.join(".probe");
    std::fs::write(&probe, "")?;
    std::fs::remove_file(probe)
}

fn judge(set: impl Fn(&str) -> Option<String>, findings: &mut Findings) {
    let loopback = |url: &str| ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| url.contains(host));
    match set("ANTHROPIC_BASE_URL") {
        Some(url) if !loopback(&url) => {
            let remedy = "fanlight run sets its own; else: eval \"$(fanlight env)\"";
            findings.warn("shell", format!("ANTHROPIC_BASE_URL is {url}: a client of this shell goes there"), remedy);
        }
        Some(url) => findings.good("shell", format!("a client of this shell goes to {url}")),
        None => {}
    }
    let proxied =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"].iter().find(|name| set(name).is_some());
    let spared =
        ["NO_PROXY", "no_proxy"].iter().filter_map(|name| set(name)).any(|list| loopback(&list) || list.contains('*'));
    if let Some(name) = proxied.filter(|_| !spared) {
        let text = format!("{name} is set: a client may send what is meant for this machine to that proxy");
        findings.warn("shell", text, "export NO_PROXY=127.0.0.1,localhost");
    }
    if let Some(tokens) = set("OLLAMA_CONTEXT_LENGTH") {
        let text = format!("OLLAMA_CONTEXT_LENGTH is {tokens} here; a server that runs already has not seen it");
        findings.warn("shell", text, "what counts is the window below; --num-ctx sets it for certain");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(variables: &[(&str, &str)]) -> String {
        let mut findings = Findings::new(false);
        let set = |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned());
        judge(set, &mut findings);
        findings.to_value().to_string()
    }

    #[test]
    fn what_leads_a_client_astray_is_said() {
        assert!(said(&[("ANTHROPIC_BASE_URL", "https://elsewhere")]).contains("goes there"));
        assert!(said(&[("HTTP_PROXY", "x")]).contains("NO_PROXY"));
        assert!(!said(&[("HTTP_PROXY", "x"), ("no_proxy", "localhost")]).contains("NO_PROXY"));
        assert!(!said(&[]).contains("warning"));
    }
}
