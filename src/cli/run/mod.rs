//! `fanlight run claude …`: a proxy on a free port, the client before it, and what it saved. The terminal is the client's:
//! nothing is written to it between its start and its end.

mod choose;
mod ready;
mod summary;

use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::oneshot;

use super::client_variables::{ForClient, variables};
use super::serve::{LogArgs, ServerArgs, look_at_rendering};
use super::signals::{self, Orders};
use super::{Outcome, Unavailable, reload};
use crate::folders;
use crate::proxy;

/// Run a client before a proxy of its own: fanlight run claude
///
/// The terminal is the client's; the log goes to run.log in the state folder ($XDG_STATE_HOME/fanlight).
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    log: LogArgs,
    /// Show a status line in Claude Code, for this session only.
    #[arg(long, env = "FANLIGHT_STATUSLINE", value_parser = clap::builder::FalseyValueParser::new())]
    statusline: bool,
    /// The client and its arguments; options of fanlight stand before it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// So long a client that was told to end may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// So long answers are waited for that nobody reads any more.
const DRAIN: Duration = Duration::from_secs(3);

impl Run {
    /// Where the log goes: never to the terminal.
    pub(super) fn log_file(&self) -> Option<PathBuf> {
        self.log.log_file.clone().or_else(|| Some(folders::state()?.join("run.log")))
    }

    /// `log`: the file that is written; `None` where there is none.
    pub(super) fn run(self, log: Option<&Path>) -> anyhow::Result<Outcome> {
        super::runtime()?.block_on(self.before(log))
    }

    async fn before(mut self, log: Option<&Path>) -> anyhow::Result<Outcome> {
        let ready = ready::ready(&mut self.server).await?;
        let proxy = ready.proxy;
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on a free port")?;
        let address = listener.local_addr()?;
        let (end, ended) = oneshot::channel::<()>();
        tokio::spawn(reload::watch(proxy.clone(), self.server.rules.clone()));
        tokio::spawn(look_at_rendering(proxy.clone()));
        let serving = tokio::spawn(proxy::run(listener, proxy.clone(), async {
            let _ = ended.await;
        }));
        let log = if log.is_some() { "" } else { "   (no log: its folder cannot be written)" };
        // A terminal that has gone takes no words; the client is what matters.
        let _ = writeln!(anstream::stderr(), "{}\nfanlight: page http://{address}/fanlight/ui{log}", ready.line);
        let told = ForClient { address, model: ready.facts.name.clone(), window: Some(ready.facts.window.tokens) };
        let began = Instant::now();
        let status = self.client(&told).await?;
        let _ = end.send(());
        let _ = tokio::time::timeout(DRAIN, serving).await;
        let _ = write!(anstream::stderr(), "{}", summary::words(&proxy.ledger.summary(), began.elapsed()));
        Ok(outcome(status))
    }

    async fn client(&self, told: &ForClient) -> anyhow::Result<ExitStatus> {
        let (program, arguments) = self.command.split_first().context("no command")?;
        let mut command = Command::new(program);
        if self.statusline {
            command.args(status_line(program, arguments));
        }
        command.args(arguments).kill_on_drop(true);
        command.envs(variables(told).into_iter().map(|variable| (variable.name, variable.value)));
        let mut orders = Orders::listen()?;
        let mut child = command.spawn().map_err(|error| cannot_start(program, &error))?;
        let id = child.id();
        tokio::select! {
            status = child.wait() => return Ok(status?),
            () = orders.pass_to(id) => {}
        }
        if let Ok(status) = tokio::time::timeout(PATIENCE, child.wait()).await {
            return Ok(status?);
        }
        child.kill().await?;
        Ok(child.wait().await?)
    }
}

/// The options that give Claude Code a status line. Another client, or settings of the user's own, stay as they are.
fn status_line(program: &OsStr, arguments: &[OsString]) -> Vec<OsString> {
    let is_claude = Path::new(program).file_stem().is_some_and(|name| name == "claude");
    let own = arguments.iter().any(|argument| argument == "--settings");
    let Some(this) = std::env::current_exe().ok().filter(|_| is_claude && !own) else { return Vec::new() };
    let command = format!("\"{}\" statusline", this.display());
    let settings = serde_json::json!({"statusLine": {"type": "command", "command": command}});
    vec!["--settings".into(), settings.to_string().into()]
}

fn cannot_start(program: &OsString, error: &std::io::Error) -> anyhow::Error {
    let program = program.to_string_lossy();
    let remedy = match error.kind() {
        std::io::ErrorKind::NotFound => "; is it installed, and on the PATH?",
        _ => "",
    };
    Unavailable(format!("cannot start {program}: {error}{remedy}")).into()
}

fn outcome(status: ExitStatus) -> Outcome {
    match signals::exit_code(status) {
        0 => Outcome::Good,
        code => Outcome::Child(code),
    }
}

/// Whether there is a person who can answer a question.
fn is_asked_at_a_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_that_knows_the_option_gets_a_status_line() {
        let none: [OsString; 0] = [];
        let options = status_line(OsStr::new("/usr/bin/claude"), &none);
        assert!(options[1].to_string_lossy().contains("statusline"), "{options:?}");
        assert!(status_line(OsStr::new("sh"), &none).is_empty());
        assert!(status_line(OsStr::new("claude"), &["--settings".into(), "mine".into()]).is_empty());
    }
}
