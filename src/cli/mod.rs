//! The commands, one file each: a struct of arguments with a `run`. A new command is a file, a `mod` line, a variant of
//! `Command` and a line in `Command::run`.

mod demo;
mod doctor;
mod env;
mod explain;
mod reload;
mod repair;
mod replay;
pub(crate) mod rule_files;
mod rules;
mod run;
mod serve;
mod stats;
mod table;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

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
    Repair(repair::Repair),
    Stats(stats::Stats),
    Rules(rules::Rules),
    Doctor(doctor::Doctor),
}

impl Command {
    fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Demo(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Run(command) => command.run(),
            Self::Explain(command) => command.run(),
            Self::Env(command) => command.run(),
            Self::Replay(command) => command.run(),
            Self::Repair(command) => command.run(),
            Self::Stats(command) => command.run(),
            Self::Rules(command) => command.run(),
            Self::Doctor(command) => command.run(),
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

/// `EX_SOFTWARE`: a fault that has no code of its own.
const FAULT: u8 = 70;

/// Reads the arguments, runs the command, and says how it went: 0 good, 1 "no", 2 wrong usage, 64 and up faults.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    start_log();
    match Cli::try_parse_from(args) {
        Ok(cli) => exit_code(cli.command.run()),
        Err(error) => {
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(FAULT))
        }
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
            ExitCode::from(if error.is::<Usage>() { 2 } else { FAULT })
        }
    }
}

/// The reader of our output has gone (`fanlight explain … | head`): not a fault.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Logs to standard error, as `FANLIGHT_LOG` says (`fanlight=debug`); never prompt content.
fn start_log() {
    let filter = EnvFilter::try_from_env("FANLIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("fanlight=info"));
    let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour);
    let _ = log.with_target(false).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
