//! `fanlight service`: lets the system start `fanlight serve` with the session, by systemd or launchd.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::{Outcome, Unavailable, Usage};
use crate::folders;

/// Have the system start fanlight with your session (systemd, launchd)
#[derive(Debug, Args)]
pub(super) struct Service {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write the service file and start it; settings stand in the configuration file.
    Install {
        /// Show the file, write nothing.
        #[arg(long)]
        print: bool,
    },
    /// Say whether it runs.
    Status,
    /// Show its log.
    Logs,
    /// Stop it, and take its file away.
    Remove,
}

/// Who starts services here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Systemd,
    Launchd,
}

const UNIT: &str = "fanlight.service";
const LABEL: &str = "dev.fanlight.serve";

impl Service {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let manager = Manager::here()?;
        match self.action {
            Action::Install { print } => install(manager, print),
            Action::Status => Ok(outcome(run(&manager.status())?)),
            Action::Logs => Ok(outcome(run(&show_log()?)?)),
            Action::Remove => remove(manager),
        }
    }
}

fn outcome(status: std::process::ExitStatus) -> Outcome {
    if status.success() { Outcome::Good } else { Outcome::No }
}

fn install(manager: Manager, print: bool) -> anyhow::Result<Outcome> {
    let program = std::env::current_exe().context("where this program lies is not known")?;
    let log = log_file()?;
    let text = manager.file(&program, &log);
    let mut out = anstream::stdout().lock();
    if print {
        write!(out, "{text}")?;
        return Ok(Outcome::Good);
    }
    let path = manager.path()?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(out, "wrote {}", folders::shown(&path))?;
    for command in manager.start(&path) {
        if !run(&command)?.success() {
            let said = command.join(" ");
            return Err(Unavailable(format!("`{said}` failed; the file is written, start it by hand")).into());
        }
    }
    writeln!(out, "fanlight serve runs now and with every session; its log: {}", folders::shown(&log))?;
    Ok(Outcome::Good)
}

fn remove(manager: Manager) -> anyhow::Result<Outcome> {
    let path = manager.path()?;
    if !path.exists() {
        writeln!(anstream::stdout().lock(), "there is no {}", folders::shown(&path))?;
        return Ok(Outcome::No);
    }
    // One that does not run cannot be stopped; its file goes all the same.
    let _ = run(&manager.stop(&path))?;
    std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    writeln!(anstream::stdout().lock(), "removed {}", folders::shown(&path))?;
    Ok(Outcome::Good)
}

fn log_file() -> anyhow::Result<PathBuf> {
    Ok(folders::state().ok_or_else(|| Usage("no home folder: nowhere to write a log".into()))?.join("serve.log"))
}

impl Manager {
    fn here() -> anyhow::Result<Self> {
        if cfg!(target_os = "macos") {
            Ok(Self::Launchd)
        } else if cfg!(target_os = "linux") {
            Ok(Self::Systemd)
        } else {
            let text = "services are known for systemd and launchd; on Windows let the Task Scheduler start `fanlight serve` at logon";
            Err(Unavailable(text.into()).into())
        }
    }

    fn path(self) -> anyhow::Result<PathBuf> {
        let no_home = || Usage("no home folder: nowhere to write a service file".into());
        Ok(match self {
            Self::Systemd => folders::config()
                .and_then(|own| Some(own.parent()?.join("systemd/user").join(UNIT)))
                .ok_or_else(no_home)?,
            Self::Launchd => {
                etcetera::home_dir().map_err(|_| no_home())?.join(format!("Library/LaunchAgents/{LABEL}.plist"))
            }
        })
    }

    fn file(self, program: &Path, log: &Path) -> String {
        match self {
            Self::Systemd => unit(program, log),
            Self::Launchd => plist(program, log),
        }
    }

    fn start(self, path: &Path) -> Vec<Vec<String>> {
        match self {
            Self::Systemd => vec![
                words(["systemctl", "--user", "daemon-reload"]),
                words(["systemctl", "--user", "enable", "--now", UNIT]),
            ],
            Self::Launchd => vec![words(["launchctl", "load", "-w", &path.to_string_lossy()])],
        }
    }

    fn stop(self, path: &Path) -> Vec<String> {
        match self {
            Self::Systemd => words(["systemctl", "--user", "disable", "--now", UNIT]),
            Self::Launchd => words(["launchctl", "unload", "-w", &path.to_string_lossy()]),
        }
    }

    fn status(self) -> Vec<String> {
        match self {
            Self::Systemd => words(["systemctl", "--user", "--no-pager", "status", UNIT]),
            Self::Launchd => words(["launchctl", "list", LABEL]),
        }
    }
}

fn show_log() -> anyhow::Result<Vec<String>> {
    Ok(words(["tail", "-n", "100", &log_file()?.to_string_lossy()]))
}

fn run(command: &[String]) -> anyhow::Result<std::process::ExitStatus> {
    let (program, arguments) = command.split_first().context("no command")?;
    let status = Command::new(OsStr::new(program)).args(arguments).status();
    status.map_err(|error| Unavailable(format!("cannot run {program}: {error}")).into())
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

fn unit(program: &Path, log: &Path) -> String {
    let quoted = |path: &Path| {
        format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
    };
    format!(
        "[Unit]\nDescription=fanlight, a proxy between Claude Code and a local model server\nAfter=network.target\n\n\
         [Service]\nExecStart={} serve --log-file {}\nRestart=on-failure\nRestartSec=3\nNoNewPrivileges=yes\n\n\
         [Install]\nWantedBy=default.target\n",
        quoted(program),
        quoted(log)
    )
}

fn plist(program: &Path, log: &Path) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let arguments = [program.to_string_lossy().as_ref(), "serve", "--log-file", log.to_string_lossy().as_ref()]
        .map(|argument| format!("    <string>{}</string>\n", escaped(argument)))
        .concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  <string>{LABEL}</string>\n\
         \x20 <key>ProgramArguments</key>\n  <array>\n{arguments}  </array>\n\
         \x20 <key>RunAtLoad</key>\n  <true/>\n  <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n</dict>\n</plist>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_spaces_and_signs_are_written_so_that_they_are_read_back() {
        let (program, log) = (Path::new("/opt/my tools/fan%light"), Path::new("/home/a&b/serve.log"));
        let unit = unit(program, log);
        assert!(
            unit.contains("ExecStart=\"/opt/my tools/fan%%light\" serve --log-file \"/home/a&b/serve.log\"\n"),
            "{unit}"
        );
        let plist = plist(program, log);
        assert!(plist.contains("<string>/opt/my tools/fan%light</string>\n    <string>serve</string>"), "{plist}");
        assert!(plist.contains("<string>/home/a&amp;b/serve.log</string>"), "{plist}");
    }
}
