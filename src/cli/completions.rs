//! `fanlight completions SHELL` and `fanlight man`: what a package lays beside the program.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

use super::Outcome;

/// Print the completions for a shell: bash, elvish, fish, powershell, zsh
#[derive(Debug, Args)]
pub(super) struct Completions {
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, mut command: Command) -> anyhow::Result<Outcome> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "fanlight", &mut script);
        anstream::stdout().lock().write_all(&script)?;
        Ok(Outcome::Good)
    }
}

/// Print the manual page, or write one for every command into a folder
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Where fanlight.1, fanlight-serve.1 … are written.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self, command: Command) -> anyhow::Result<Outcome> {
        if let Some(folder) = self.folder {
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            clap_mangen::generate_to(command, &folder)
                .with_context(|| format!("cannot write into {}", folder.display()))?;
        } else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            std::io::stdout().lock().write_all(&page)?;
        }
        Ok(Outcome::Good)
    }
}
