//! The demo from its first line to its last.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use tokio::net::TcpListener;

use super::model::{self, Model};
use super::session::{self, Step};
use super::tally::{Account, Tally, Turn};
use super::{client, leaked, table};
use crate::ledger::Ledger;
use crate::proxy::{Address, Proxy, Settings, Wishes};
use crate::rules::RuleSet;
use crate::tokens::{Counter, Memo};
use crate::wire::Dialect;

/// How long the account of an answer may come after the answer.
const LATE: Duration = Duration::from_secs(2);

/// Plays it. `false` when an answer did not arrive as it was meant, or a prompt was longer than the window.
///
/// # Errors
/// When a socket cannot be had, or the proxy does not answer.
pub(super) async fn play(window: usize) -> anyhow::Result<bool> {
    let began = Instant::now();
    let terminal = io::stdout().is_terminal();
    let mut out = anstream::stdout();
    let counter: Arc<dyn Counter> = Arc::new(Memo::default());
    let steps = session::steps()?;

    let (model, proxy) = start(model::NAME, window, counter.clone()).await?;
    table::opening(&mut out, steps.last().map_or(0, |step| step.turn), steps.len(), window)?;
    let mut stage = Stage { proxy, model, counter, terminal, tally: Tally::default() };
    stage.session(&mut out, &steps).await?;
    let account = stage.account(steps.len() as u64).await?;
    table::parts(&mut out, &account)?;
    table::facts(&mut out, &account, &stage.tally, window)?;

    let (model, proxy) = start(model::FREE_NAME, window, stage.counter.clone()).await?;
    let read = leaked::play(&mut out, proxy, &model).await?;
    table::closing(&mut out, began.elapsed())?;
    Ok(read && stage.tally.all_arrived() && stage.tally.longest <= window)
}

/// Starts a stand-in and a proxy before it.
async fn start(name: &'static str, window: usize, counter: Arc<dyn Counter>) -> anyhow::Result<(Model, SocketAddr)> {
    let (model, upstream) = Model::start(name, window, counter).await.context("no free port on loopback")?;
    let wishes = Wishes { dialect: Some(Dialect::Ollama), num_ctx: Some(window), model: Some(name.to_owned()) };
    let upstream = Address::parse(&upstream.to_string())?;
    let settings = Settings { upstream, wishes, profile: None, record: None };
    let proxy = Arc::new(Proxy::new(settings, RuleSet::builtin(), Ledger::new(None))?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(crate::proxy::run(listener, proxy, std::future::pending()));
    Ok((model, address))
}

/// What the session is played on.
struct Stage {
    proxy: SocketAddr,
    model: Model,
    counter: Arc<dyn Counter>,
    terminal: bool,
    tally: Tally,
}

impl Stage {
    async fn session(&mut self, out: &mut impl Write, steps: &[Step]) -> anyhow::Result<()> {
        let scale = steps.last().map_or(1, |step| self.received(&step.body));
        let mut turn = Turn::default();
        for (at, step) in steps.iter().enumerate() {
            if step.turn != turn.number {
                turn = Turn { number: step.turn, prompt: prompt(&step.body), ..Turn::default() };
            }
            self.step(step, &mut turn).await?;
            let over = steps.get(at + 1).is_none_or(|next| next.turn != step.turn);
            if over || self.terminal {
                table::turn(out, &turn, scale)?;
                write!(out, "{}", if over { "\n" } else { "\r" })?;
                out.flush()?;
            }
        }
        Ok(())
    }

    /// One request, its answer, and what became of both.
    async fn step(&mut self, step: &Step, turn: &mut Turn) -> anyhow::Result<()> {
        self.model.will_say(step.reply.clone());
        let got = client::ask(self.proxy, &step.body).await?;
        let reads = self.model.take_reads();
        self.tally.add_reads(&reads);
        self.tally.add_answer(step.reply.call.is_some(), step.reply.arrived_as(&got));
        turn.received = turn.received.max(self.received(&step.body));
        turn.sent = reads.iter().map(|read| read.prompt as u64).fold(turn.sent, u64::max);
        Ok(())
    }

    /// Tokens of a request as it comes.
    fn received(&self, body: &Value) -> u64 {
        let request = crate::wire::Request::parse(body.to_string().as_bytes());
        request.map_or(0, |request| crate::pipeline::measure::before(&request, self.counter.as_ref()).total as u64)
    }

    /// The proxy's own account, once it has settled all exchanges.
    async fn account(&mut self, exchanges: u64) -> anyhow::Result<Account> {
        let began = Instant::now();
        loop {
            let report = client::get(self.proxy, "/fanlight/report").await?;
            let account: Account = serde_json::from_value(report["summary"].clone())?;
            if account.answered >= exchanges || began.elapsed() > LATE {
                self.tally.cuts = report["last"]["cuts"].as_u64().unwrap_or_default();
                return Ok(account);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The prompt that was typed last.
fn prompt(body: &Value) -> String {
    let messages = body["messages"].as_array().into_iter().flatten();
    let mut texts =
        messages.filter(|message| message["role"] == "user").filter_map(|m| m["content"][0]["text"].as_str());
    texts.next_back().unwrap_or_default().to_owned()
}
