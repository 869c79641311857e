//! `fanlight demo`: a whole coding session through a real proxy, without a model.

mod client;
mod leaked;
mod model;
mod reading;
mod run;
pub(super) mod session;
mod speech;
mod stream;
mod table;
mod tally;

use clap::Args;

use super::Outcome;

/// Show what fanlight does, with nothing installed: a bundled session, a real proxy, a stand-in for the model.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The window of the stand-in, in tokens.
    #[arg(long, default_value_t = 8192, value_name = "TOKENS")]
    window: usize,
}

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        // One thread and no log: what is printed is the whole story.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let quiet = tracing::subscriber::NoSubscriber::default();
        let good = tracing::subscriber::with_default(quiet, || runtime.block_on(run::play(self.window)))?;
        Ok(if good { Outcome::Good } else { Outcome::No })
    }
}
