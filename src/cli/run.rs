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
use crate::proxy::{self, Proxy};
use crate::tokens::O200k;

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
        std::thread::spawn(O200k::warm);
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
        summary(&proxy)?;
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
fn summary(proxy: &Proxy) -> std::io::Result<()> {
    let metrics = &proxy.metrics;
    let (before, after) = (metrics.tokens_in.get(), metrics.tokens_out.get());
    let saved = if before == 0 { 0.0 } else { 100.0 * before.saturating_sub(after) as f64 / before as f64 };
    writeln!(
        anstream::stderr(),
        "fanlight: {} requests, {before} tokens from the client, {after} sent on ({saved:.1} % saved)",
        metrics.requests.get()
    )
}
