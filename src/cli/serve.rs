//! `fanlight serve`: the proxy.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tracing::{debug, warn};

use super::door::DoorArgs;
use super::signals::{told_to_end, told_to_end_at_once};
use super::{Outcome, Unavailable, Usage, reload, rule_files};
use crate::folders;
use crate::ledger::Ledger;
use crate::proxy::{self, Address, DiscoverError, Door, Proxy, Settings, Wishes};
use crate::rules::FoldChoice;
use crate::tokens::WindowSource;
use crate::wire::Dialect;

/// So long work that nobody waits for any more is let end.
const LEFT_OVER: Duration = Duration::from_secs(2);

/// Run the proxy, until it is told to end.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    args: ServeArgs,
}

/// All that `serve` may be told; what a configuration file may say.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    door: DoorArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// Where a command that runs for long writes its log.
#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Write the log to this file, which is kept small.
    #[arg(long, value_name = "FILE", env = "FANLIGHT_LOG_FILE")]
    pub(super) log_file: Option<PathBuf>,
}

/// What every command that runs a proxy may be told.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// The model server.
    #[arg(long, default_value = "http://127.0.0.1:11434", value_name = "URL", env = "FANLIGHT_UPSTREAM")]
    upstream: String,
    /// The protocol that it is spoken to in; by default, it is asked what it is.
    #[arg(long, value_enum, default_value_t = DialectChoice::Auto, env = "FANLIGHT_DIALECT")]
    dialect: DialectChoice,
    /// The window of the model, in tokens. Ollama is made to load it so; other servers are believed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1024..), env = "FANLIGHT_NUM_CTX")]
    num_ctx: Option<u32>,
    /// A rule file or folder, laid over the built-in rules and the user's; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// The window profile, instead of the one of the window's size; `off` changes nothing that the protocol has a field for.
    #[arg(long, value_name = "NAME", env = "FANLIGHT_PROFILE")]
    profile: Option<String>,
    /// The model that is served, whatever clients ask for.
    #[arg(long, value_name = "NAME", env = "FANLIGHT_MODEL")]
    pub(super) model: Option<String>,
    /// How the history is cut where it does not fit; with `auto`, the server is asked once what it keeps in its cache.
    #[arg(long, value_enum, default_value_t = FoldWish::Prefix, env = "FANLIGHT_FOLD")]
    fold: FoldWish,
    /// Keep the bodies of all requests in this folder. They contain your prompts.
    #[arg(long, value_name = "DIR", env = "FANLIGHT_RECORD")]
    record: Option<PathBuf>,
    /// Send every request as it came, and say what would have been saved.
    #[arg(long, env = "FANLIGHT_SHADOW", value_parser = clap::builder::FalseyValueParser::new())]
    shadow: bool,
    /// Keep no record of exchanges on disk.
    #[arg(long, env = "FANLIGHT_NO_LEDGER", value_parser = clap::builder::FalseyValueParser::new())]
    no_ledger: bool,
    /// Hand a client's Authorization, x-api-key and Cookie on to the model server.
    #[arg(long, env = "FANLIGHT_FORWARD_CREDENTIALS", value_parser = clap::builder::FalseyValueParser::new())]
    forward_credentials: bool,
}

/// How histories are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FoldWish {
    Auto,
    /// The oldest steps become a digest.
    Prefix,
    /// Pieces are taken out of the middle: for a server that keeps the cache of text behind a hole.
    Shift,
}

impl From<FoldWish> for FoldChoice {
    fn from(wish: FoldWish) -> Self {
        match wish {
            FoldWish::Auto => Self::Auto,
            FoldWish::Prefix => Self::Prefix,
            FoldWish::Shift => Self::Shift,
        }
    }
}

/// The protocol towards the model server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DialectChoice {
    Auto,
    Ollama,
    Anthropic,
}

impl Serve {
    /// The log goes to standard error without it.
    pub(super) fn log_file(&self) -> Option<PathBuf> {
        self.args.log.log_file.clone()
    }

    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let ServeArgs { door: args, server, .. } = self.args;
        let door = args.door()?;
        if let Some(risk) = args.risk(&door)? {
            writeln!(anstream::stderr(), "warning: {risk}")?;
        }
        let proxy = Arc::new(server.proxy(door)?);
        let runtime = super::runtime()?;
        let outcome = runtime.block_on(serve(args.listen, proxy, server.rules));
        // Work that is still going on has nobody any more who waits for it.
        runtime.shutdown_timeout(LEFT_OVER);
        outcome
    }
}

impl ServerArgs {
    /// Keeps no account and no bodies: for requests that are not the user's.
    pub(super) fn keep_nothing(&mut self) {
        self.no_ledger = true;
        self.record = None;
    }

    /// The proxy that these arguments describe.
    pub(super) fn proxy(&self, door: Door) -> anyhow::Result<Proxy> {
        let rules = rule_files::load(&self.rules)?;
        if let Some(name) = &self.profile
            && !rules.profiles.iter().any(|profile| profile.name == *name)
        {
            let names: Vec<&str> = rules.profiles.iter().map(|profile| profile.name.as_str()).collect();
            return Err(Usage(format!("there is no profile `{name}`; there are: {}", names.join(", "))).into());
        }
        let upstream = Address::parse(&self.upstream).map_err(|error| Usage(error.to_string()))?;
        let ledger = Ledger::new(folders::state().filter(|_| !self.no_ledger));
        let settings = Settings {
            upstream,
            wishes: self.wishes(),
            profile: self.profile.clone(),
            record: self.record.clone(),
            shadow: self.shadow,
            door,
            forward_credentials: self.forward_credentials,
        };
        Proxy::new(settings, rules, ledger)
    }

    fn wishes(&self) -> Wishes {
        let dialect = match self.dialect {
            DialectChoice::Auto => None,
            DialectChoice::Ollama => Some(Dialect::Ollama),
            DialectChoice::Anthropic => Some(Dialect::Anthropic),
        };
        let fold = Some(self.fold.into());
        Wishes { dialect, num_ctx: self.num_ctx.map(|n| n as usize), model: self.model.clone(), fold }
    }
}

async fn serve(listen: SocketAddr, proxy: Arc<Proxy>, rules: Vec<PathBuf>) -> anyhow::Result<Outcome> {
    let listener = TcpListener::bind(listen).await.map_err(|error| cannot_listen(listen, &error))?;
    let address = listener.local_addr()?;
    writeln!(anstream::stderr(), "fanlight listens on http://{address}, before {}", proxy.settings.upstream)?;
    tokio::spawn(reload::watch(proxy.clone(), rules));
    let mut greeting = tokio::spawn(greet(proxy.clone()));
    let running = proxy::run(listener, proxy, told_to_end());
    tokio::pin!(running);
    let mut impatient = std::pin::pin!(told_to_end_at_once());
    tokio::select! {
        () = &mut running => return Ok(Outcome::Good),
        () = &mut impatient => return Ok(Outcome::Child(INTERRUPTED)),
        greeted = &mut greeting => greeted??,
    }
    tokio::select! {
        () = &mut running => Ok(Outcome::Good),
        () = &mut impatient => Ok(Outcome::Child(INTERRUPTED)),
    }
}

/// What a shell says of a program that was interrupted.
const INTERRUPTED: u8 = 130;

fn cannot_listen(listen: SocketAddr, error: &std::io::Error) -> Unavailable {
    let remedy = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "; is fanlight running already? Another port is said with --listen ADDRESS:PORT"
        }
        _ => "; another address is said with --listen ADDRESS:PORT",
    };
    Unavailable(format!("cannot listen on {listen}: {error}{remedy}"))
}

/// Asks the server what it is, and says so.
///
/// # Errors
/// Only when the user has to choose: a server that is not there yet is asked again by the first request.
pub(super) async fn greet(proxy: Arc<Proxy>) -> anyhow::Result<()> {
    let line = match proxy.model("").await {
        Ok(facts) => format!(
            "serving {} over {} with a window of {} tokens ({})",
            facts.name.as_deref().unwrap_or("whatever model is asked for"),
            dialect_name(facts.dialect),
            facts.window.tokens,
            source_words(facts.window.source)
        ),
        Err(DiscoverError::Upstream(error)) => {
            format!("{error}; it will be asked again with the first request (Ollama is started with `ollama serve`)")
        }
        Err(error) => return Err(Usage(error.to_string()).into()),
    };
    writeln!(anstream::stderr(), "{line}")?;
    tokio::spawn(look_at_rendering(proxy));
    Ok(())
}

/// Says where the server renders a prompt otherwise than we think. Nothing depends on it, so nobody waits for it.
pub(super) async fn look_at_rendering(proxy: Arc<Proxy>) {
    match proxy.check_rendering().await {
        Ok(Some(wrong)) => wrong.iter().for_each(|line| warn!("{line}")),
        Ok(None) => debug!("the server does not say how it renders a prompt"),
        Err(error) => debug!("how prompts are rendered is not known: {error}"),
    }
}

/// The dialect as the command line names it.
pub(super) fn dialect_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Ollama => "ollama",
        Dialect::Anthropic => "anthropic",
    }
}

/// Where a window's size was learned, in words.
pub(super) fn source_words(source: WindowSource) -> &'static str {
    match source {
        WindowSource::Setting => "as you said",
        WindowSource::Modelfile => "from the Modelfile",
        WindowSource::Loaded => "as the server has it loaded",
        WindowSource::Assumed => "assumed: nothing is known; say it with --num-ctx",
    }
}
