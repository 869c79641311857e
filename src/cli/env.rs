//! `fanlight env`: the environment in which Claude Code finds the proxy, as the shell at hand reads it.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use http::Method;
use serde_json::Value;

use super::Outcome;
use super::client_variables::{ForClient, Variable, variables};
use crate::proxy::{Address, Upstream};

/// Print the environment variables that point Claude Code at the proxy: eval "$(fanlight env)"
#[derive(Debug, Args)]
pub(super) struct Env {
    /// Where the proxy listens.
    #[arg(long, default_value = "127.0.0.1:11435", value_name = "ADDRESS", env = "FANLIGHT_LISTEN")]
    listen: SocketAddr,
    /// The model that the client is to ask for [default: the one that the running proxy serves].
    #[arg(long, value_name = "NAME", env = "FANLIGHT_MODEL")]
    model: Option<String>,
    /// The shell that is to read it [default: by $SHELL].
    #[arg(long, value_enum, value_name = "SHELL")]
    shell: Option<Shell>,
}

/// How variables are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// bash, zsh, dash and their kin
    Posix,
    /// fanlight env | source
    Fish,
    /// fanlight env --shell powershell | Out-String | Invoke-Expression
    Powershell,
}

/// A proxy on this machine answers at once, or is not there.
const PATIENCE: Duration = Duration::from_secs(2);

impl Env {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let shell = self.shell.unwrap_or_else(Shell::at_hand);
        let running = super::runtime()?.block_on(asked(self.listen));
        if running.is_none() {
            writeln!(
                anstream::stderr(),
                "fanlight: nobody answers at {} yet; start it with: fanlight serve",
                self.listen
            )?;
        }
        let known = running.unwrap_or_default();
        let told = ForClient {
            address: reached_at(self.listen),
            model: self.model.or_else(|| known["model"].as_str().map(str::to_owned)),
            window: known["window"].as_u64().map(|tokens| tokens as usize),
        };
        let mut out = anstream::stdout().lock();
        for variable in variables(&told) {
            writeln!(out, "{}", shell.line(&variable))?;
        }
        Ok(Outcome::Good)
    }
}

/// A proxy that listens on all addresses of the machine is reached on loopback.
fn reached_at(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    listen
}

/// What the running proxy says of itself.
async fn asked(listen: SocketAddr) -> Option<Value> {
    let upstream = Upstream::at(Address::parse(&listen.to_string()).ok()?);
    let asked = upstream.json(Method::GET, "/fanlight/health", None);
    let (status, health) = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
    (status == 200 && health.get("status").is_some()).then_some(health)
}

impl Shell {
    fn at_hand() -> Self {
        let shell = std::env::var("SHELL").unwrap_or_default();
        match shell.rsplit('/').next() {
            Some("fish") => Self::Fish,
            Some("pwsh") => Self::Powershell,
            Some("") | None if cfg!(windows) => Self::Powershell,
            _ => Self::Posix,
        }
    }

    /// The line that sets a variable; what it is for stands above it.
    fn line(self, variable: &Variable) -> String {
        let Variable { name, value, why } = variable;
        let set = match self {
            Self::Posix => format!("export {name}={}", quoted(value, r"'\''")),
            Self::Fish => format!("set -gx {name} {}", quoted(&value.replace('\\', r"\\"), r"\'")),
            Self::Powershell => format!("$env:{name} = '{}'", value.replace('\'', "''")),
        };
        format!("# {why}\n{set}")
    }
}

/// The value as a shell reads it back; `quote` is how a quote is written within quotes.
fn quoted(value: &str, quote: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', quote))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_reads_values_back() {
        let line = |shell: Shell, value: &str| {
            let variable = Variable { name: "X", value: value.into(), why: "w" };
            shell.line(&variable).lines().nth(1).unwrap().to_owned()
        };
        assert_eq!(line(Shell::Posix, "http://127.0.0.1:1"), "export X=http://127.0.0.1:1");
        assert_eq!(line(Shell::Posix, ""), "export X=''");
        assert_eq!(line(Shell::Posix, "it's"), r"export X='it'\''s'");
        assert_eq!(line(Shell::Fish, r"it's \"), r"set -gx X 'it\'s \\'");
        assert_eq!(line(Shell::Powershell, "it's"), "$env:X = 'it''s'");
    }
}
