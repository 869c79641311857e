//! `fanlight run -- claude …`: a proxy on a free port, the client before it, and what it saved.

use std::io::Write;
use std::process::ExitStatus;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::oneshot;

use super::serve::{ServerArgs, greet};
use super::{Outcome, env, reload};
use crate::ledger::Summary;
use crate::proxy::{self, Proxy};

/// Run a client before a proxy of its own: `fanlight run -- claude`.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    server: ServerArgs,
    /// The client and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let proxy = Arc::new(self.server.proxy()?);
        super::runtime()?.block_on(self.before(proxy))
    }

    async fn before(self, proxy: Arc<Proxy>) -> anyhow::Result<Outcome> {
        greet(proxy.clone()).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on a free port")?;
        let address = listener.local_addr()?.to_string();
        let (end, ended) = oneshot::channel::<()>();
        tokio::spawn(reload::watch(proxy.clone(), self.server.rules.clone()));
        let serving = tokio::spawn(proxy::run(listener, proxy.clone(), async {
            let _ = ended.await;
        }));
        let model = proxy.model("").await.ok().and_then(|facts| facts.name.clone());
        let status = self.client(&address, model.as_deref()).await?;
        let _ = end.send(());
        serving.await?;
        writeln!(anstream::stderr(), "{}", words(&proxy.ledger.summary()))?;
        Ok(outcome(status))
    }

    async fn client(&self, address: &str, model: Option<&str>) -> anyhow::Result<ExitStatus> {
        let (program, arguments) = self.command.split_first().context("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).envs(env::variables(address, model));
        let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        // An interrupt of the terminal reaches the client too; it decides what that means.
        loop {
            tokio::select! {
                status = child.wait() => return Ok(status?),
                _ = tokio::signal::ctrl_c() => {}
            }
        }
    }
}

fn outcome(status: ExitStatus) -> Outcome {
    match status.code() {
        Some(0) => Outcome::Good,
        Some(code) => Outcome::Child(u8::try_from(code).unwrap_or(u8::MAX)),
        // Ended by a signal: what a shell says of SIGTERM.
        None => Outcome::Child(143),
    }
}

/// What the session cost, and what it would have cost.
fn words(summary: &Summary) -> String {
    let Summary { answered, local, sent, after, .. } = summary;
    let asked = format!("fanlight: {answered} requests answered by the model, {local} here");
    match sent.percent() {
        None => asked,
        Some(percent) => format!(
            "{asked}; the model was sent {} tokens of the client's {} ({:.1} % less, both in o200k), {} by its own count",
            sent.part,
            sent.whole,
            100.0 - percent,
            after.total
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Entry, Tokens};

    #[test]
    fn what_was_saved_is_said_on_one_scale() {
        let tokens = |total| Tokens { total, ..Tokens::default() };
        let entry = Entry { before: tokens(1000), after: tokens(150), after_o200k: 100, ..Entry::default() };
        let said = words(&Summary::of([&entry, &entry]));
        assert!(
            said.contains("200 tokens of the client's 2000 (90.0 % less, both in o200k), 300 by its own"),
            "{said}"
        );
        assert_eq!(words(&Summary::default()), "fanlight: 0 requests answered by the model, 0 here");
    }
}
