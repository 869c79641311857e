//! `fanlight env`: the environment in which Claude Code finds the proxy.

use std::io::Write;

use clap::Args;

use super::Outcome;

/// Print the environment variables that point Claude Code at the proxy: `eval "$(fanlight env)"`.
#[derive(Debug, Args)]
pub(super) struct Env {
    /// Where the proxy listens.
    #[arg(long, default_value = "127.0.0.1:11435", value_name = "ADDRESS")]
    listen: String,
    /// The model that the client is to ask for; a name without `claude` gets the leaner prompt of newer clients.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

impl Env {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let mut out = anstream::stdout().lock();
        for (name, value) in variables(&self.listen, self.model.as_deref()) {
            writeln!(out, "export {name}={}", quoted(&value))?;
        }
        Ok(Outcome::Good)
    }
}

/// Names and values, in the order in which they are printed.
pub(super) fn variables(listen: &str, model: Option<&str>) -> Vec<(&'static str, String)> {
    let mut list = vec![
        ("ANTHROPIC_BASE_URL", format!("http://{listen}")),
        ("ANTHROPIC_AUTH_TOKEN", "fanlight".to_owned()),
        ("ANTHROPIC_API_KEY", String::new()),
        // The first line of the system text would differ in every session.
        ("CLAUDE_CODE_ATTRIBUTION_HEADER", "0".to_owned()),
        // A countdown in every turn would break the prefix.
        ("CLAUDE_CODE_TOTAL_TOKENS_REMINDER", "off".to_owned()),
        // Titles and suggestions would take the only slot of a local server; nothing should leave the machine.
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        // Newer clients give up a reply that is not streamed after 300 s, whatever arrives meanwhile.
        ("API_TIMEOUT_MS", "1800000".to_owned()),
    ];
    if let Some(model) = model {
        list.push(("ANTHROPIC_MODEL", model.to_owned()));
    }
    list
}

/// The value as a shell reads it back.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_values_back() {
        assert_eq!(quoted("http://127.0.0.1:1"), "http://127.0.0.1:1");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
