//! The commands, one file each: a struct of arguments with a `run`. A new command is a file, a `mod` line, a variant of
//! `Command` and a line in `Command::run`.

mod client_variables;
mod completions;
mod config;
mod config_file;
mod demo;
mod doctor;
mod door;
mod env;
mod explain;
mod learn;
mod log;
mod numbers;
mod reload;
mod repair;
mod replay;
pub(crate) mod rule_files;
mod rules;
mod run;
mod serve;
mod served;
mod service;
mod signals;
mod stats;
mod statusline;
mod table;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use self::config_file::ConfigFile;

/// A streaming proxy between Claude Code and a local model server that makes a coding agent work in a small window.
#[derive(Debug, Parser)]
#[command(name = "fanlight", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Run(run::Run),
    Explain(explain::Explain),
    Env(env::Env),
    Replay(replay::Replay),
    Learn(learn::Learn),
    Repair(repair::Repair),
    Stats(stats::Stats),
    Rules(rules::Rules),
    Doctor(doctor::Doctor),
    Config(config::Config),
    Completions(completions::Completions),
    Man(completions::Man),
    Statusline(statusline::Statusline),
    Service(service::Service),
}

impl Command {
    /// Where its log goes; `None`: to standard error.
    fn log_file(&self) -> Option<PathBuf> {
        match self {
            Self::Serve(command) => command.log_file(),
            Self::Run(command) => command.log_file(),
            _ => None,
        }
    }

    /// A client has the terminal while this command runs: nothing else may write to it.
    fn lends_the_terminal(&self) -> bool {
        matches!(self, Self::Run(_))
    }

    fn run(self, log: Option<&Path>, asked: &Asked) -> anyhow::Result<Outcome> {
        match self {
            Self::Demo(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Run(command) => command.run(log),
            Self::Explain(command) => command.run(),
            Self::Env(command) => command.run(),
            Self::Replay(command) => command.run(),
            Self::Learn(command) => command.run(),
            Self::Repair(command) => command.run(),
            Self::Stats(command) => command.run(),
            Self::Rules(command) => command.run(),
            Self::Doctor(command) => command.run(),
            Self::Config(command) => command.run(&asked.matches, &asked.file),
            Self::Completions(command) => command.run(Cli::command()),
            Self::Man(command) => command.run(Cli::command()),
            Self::Statusline(command) => command.run(),
            Self::Service(command) => command.run(),
        }
    }
}

/// How an answer is written: for people, or for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Good,
    /// The question was answered "no": exit code 1.
    No,
    /// The exit code of a program that was run.
    Child(u8),
}

/// Wrong usage that clap cannot see: exit code 2. The message says the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Something that a command needs is not there: exit code 69 (`EX_UNAVAILABLE`). The message says the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// `EX_UNAVAILABLE`: a server, a model, a port or a program.
const UNAVAILABLE: u8 = 69;

/// `EX_NOINPUT`: a file that was named is not there, or cannot be read.
const NO_INPUT: u8 = 66;

/// `EX_SOFTWARE`: a fault that has no code of its own.
const FAULT: u8 = 70;

/// How a command came to its settings.
struct Asked {
    /// The command's own part of the command line.
    matches: ArgMatches,
    file: ConfigFile,
}

/// The commands that a configuration file speaks to.
const CONFIGURED: [&str; 4] = ["serve", "run", "doctor", "config"];

/// Reads the arguments, runs the command, and says how it went: 0 good, 1 "no", 2 wrong usage, 64 and up faults.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let settings = config::command();
    let read = ConfigFile::read(&config::options(&settings)).and_then(|file| file.check(&settings).map(|()| file));
    let file = match read {
        Ok(file) => file,
        Err(error) => return exit_code(Err(error)),
    };
    let command = CONFIGURED
        .iter()
        .fold(Cli::command(), |command, name| command.mut_subcommand(*name, |command| file.apply(command)));
    let parsed = command.try_get_matches_from(args).and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    match parsed {
        Ok((cli, matches)) => {
            let matches = matches.subcommand().map(|(_, matches)| matches.clone()).unwrap_or_default();
            exit_code(with_log(cli.command, &Asked { matches, file }))
        }
        Err(error) => {
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(FAULT))
        }
    }
}

/// Runs a command with its log in place. One that lends the terminal has none where the file cannot be written.
fn with_log(command: Command, asked: &Asked) -> anyhow::Result<Outcome> {
    let Some(path) = command.log_file() else {
        if !command.lends_the_terminal() {
            log::to_terminal(matches!(command, Command::Serve(_)));
        }
        return command.run(None, asked);
    };
    match log::to_file(&path) {
        Ok(()) => command.run(Some(&path), asked),
        Err(_) if command.lends_the_terminal() => command.run(None, asked),
        Err(error) => Err(anyhow::Error::new(error).context(format!("cannot write the log {}", path.display()))),
    }
}

/// The runtime of the commands that have sockets. Two threads: the work of a request is small, and so is the machine.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn exit_code(result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(1),
        Ok(Outcome::Child(code)) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "fanlight: {error:#}");
            ExitCode::from(code_of(&error))
        }
    }
}

/// The exit code of an error; the same for every command.
fn code_of(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() {
        return 2;
    }
    if error.is::<Unavailable>() {
        return UNAVAILABLE;
    }
    let io = error.downcast_ref::<std::io::Error>();
    match io.map(std::io::Error::kind) {
        Some(std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied) => NO_INPUT,
        _ => FAULT,
    }
}

/// The reader of our output has gone (`fanlight explain … | head`): not a fault.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
