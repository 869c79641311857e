//! The demo from its first line to its last.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use tokio::net::TcpListener;

use super::model::{self, Model};
use super::session::{Reply, Session, called, typed_text};
use super::tally::{Account, Tally, Turn};
use super::{client, leaked, table};
use crate::ledger::Ledger;
use crate::proxy::{Address, Proxy, Settings, Wishes};
use crate::rules::RuleSet;
use crate::tokens::{Counter, Memo};
use crate::wire::Dialect;

/// How long the account of an answer may come after the answer.
const LATE: Duration = Duration::from_secs(2);
/// What the client says of a file that is not there.
const NO_FILE: &str = "File does not exist.";

/// Plays it. `false` when an answer did not arrive as it was meant, or a prompt was longer than the window.
///
/// # Errors
/// When a socket cannot be had, or the proxy does not answer.
pub(super) async fn play(window: usize) -> anyhow::Result<bool> {
    let began = Instant::now();
    let terminal = io::stdout().is_terminal();
    let mut out = anstream::stdout();
    let counter: Arc<dyn Counter> = Arc::new(Memo::default());
    let session = Session::load()?;

    let (model, proxy) = start(model::NAME, window, counter.clone()).await?;
    table::opening(&mut out, session.turns(), window)?;
    let mut stage = Stage { session, proxy, model, counter, terminal, said: Vec::new(), tally: Tally::default() };
    stage.play(&mut out).await?;
    let account = stage.account().await?;
    table::parts(&mut out, &account)?;
    table::facts(&mut out, &account, &stage.tally, window)?;

    let (model, proxy) = start(model::FREE_NAME, window, stage.counter.clone()).await?;
    let read = leaked::play(&mut out, &stage.session, proxy, &model).await?;
    table::closing(&mut out, began.elapsed())?;
    Ok(read && stage.tally.all_arrived() && stage.tally.longest <= window)
}

/// Starts a stand-in and a proxy before it.
async fn start(name: &'static str, window: usize, counter: Arc<dyn Counter>) -> anyhow::Result<(Model, SocketAddr)> {
    let (model, upstream) = Model::start(name, window, counter).await.context("no free port on loopback")?;
    let wishes =
        Wishes { dialect: Some(Dialect::Ollama), num_ctx: Some(window), model: Some(name.to_owned()), fold: None };
    let upstream = Address::parse(&upstream.to_string())?;
    let settings = Settings::before(upstream, wishes);
    let proxy = Arc::new(Proxy::new(settings, RuleSet::builtin(), Ledger::new(None))?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(crate::proxy::run(listener, proxy, std::future::pending()));
    Ok((model, address))
}

/// What the session is played on.
struct Stage {
    session: Session,
    proxy: SocketAddr,
    model: Model,
    counter: Arc<dyn Counter>,
    terminal: bool,
    /// The conversation so far, as the client has it.
    said: Vec<Value>,
    tally: Tally,
}

impl Stage {
    async fn play(&mut self, out: &mut impl Write) -> anyhow::Result<()> {
        let messages = self.session.messages.clone();
        let scale = self.received(&self.session.request(&messages));
        let mut turn = Turn::default();
        for (at, message) in messages.iter().enumerate() {
            if let Some(prompt) = typed_text(message) {
                turn = Turn { number: turn.number + 1, prompt: prompt.to_owned(), ..Turn::default() };
            }
            if message["role"] == "assistant" {
                self.step(Reply::of(message), &mut turn).await?;
                let over = messages.get(at + 1).is_none_or(|next| typed_text(next).is_some());
                self.show(out, &turn, scale, over)?;
            }
            self.said.push(message.clone());
        }
        Ok(())
    }

    /// A line a turn; on a terminal it grows with every request.
    fn show(&self, out: &mut impl Write, turn: &Turn, scale: u64, over: bool) -> io::Result<()> {
        if over || self.terminal {
            table::turn(out, turn, scale)?;
            write!(out, "{}", if over { "\n" } else { "\r" })?;
            out.flush()?;
        }
        Ok(())
    }

    /// One request, its answer, and what became of both.
    async fn step(&mut self, meant: Reply, turn: &mut Turn) -> anyhow::Result<()> {
        let mut got = self.ask(&meant, turn).await?;
        if let Some(call) = got.call.take_if(|call| meant.call.as_ref().is_some_and(|meant| meant.name != call.name)) {
            // The proxy puts a look at the file before its first change; there is none yet.
            self.said.extend(called(&call, NO_FILE, true));
            self.tally.looks += 1;
            got = self.ask(&meant, turn).await?;
        }
        self.tally.add_answer(meant.call.is_some(), meant.arrived_as(&got));
        Ok(())
    }

    async fn ask(&mut self, meant: &Reply, turn: &mut Turn) -> anyhow::Result<Reply> {
        self.model.will_say(meant.clone());
        let body = self.session.request(&self.said);
        let got = client::ask(self.proxy, &body).await?;
        let reads = self.model.take_reads();
        self.tally.add_reads(&reads);
        self.tally.requests += 1;
        turn.received = turn.received.max(self.received(&body));
        turn.sent = reads.iter().map(|read| read.prompt as u64).fold(turn.sent, u64::max);
        Ok(got)
    }

    /// Tokens of a request as it comes.
    fn received(&self, body: &Value) -> u64 {
        let request = crate::wire::Request::parse(body.to_string().as_bytes());
        request.map_or(0, |request| crate::pipeline::measure::before(&request, self.counter.as_ref()).total as u64)
    }

    /// The proxy's own account, once it has settled all exchanges.
    async fn account(&mut self) -> anyhow::Result<Account> {
        let began = Instant::now();
        loop {
            let report = client::get(self.proxy, "/fanlight/report").await?;
            let account: Account = serde_json::from_value(report["summary"].clone())?;
            if account.answered >= self.tally.requests || began.elapsed() > LATE {
                self.tally.cuts = report["last"]["cuts"].as_u64().unwrap_or_default();
                return Ok(account);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
