//! `fanlight config`: which settings are in force, and who said so.

use std::io::Write;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use serde_json::{Map, json};

use super::config_file::{self, ConfigFile};
use super::serve::ServeArgs;
use super::{Format, Outcome};
use crate::folders;

/// Show the settings in force, and where each comes from: option, environment, file, or built in.
#[derive(Debug, Args)]
pub(super) struct Config {
    #[command(flatten)]
    settings: ServeArgs,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print the path of the configuration file only.
    #[arg(long)]
    path: bool,
}

/// One setting in force.
struct Setting {
    name: String,
    value: Option<String>,
    from: String,
}

impl Config {
    pub(super) fn run(self, matches: &ArgMatches, file: &ConfigFile) -> anyhow::Result<Outcome> {
        let mut out = anstream::stdout().lock();
        let path = config_file::path();
        let shown = path.as_deref().map_or_else(|| "none: there is no home folder".into(), folders::shown);
        if self.path {
            writeln!(out, "{shown}")?;
            return Ok(Outcome::Good);
        }
        let settings = settings(matches, file);
        match self.format {
            Format::Json => {
                let entry =
                    |setting: &Setting| (setting.name.clone(), json!({"value": setting.value, "from": setting.from}));
                let all: Map<_, _> = settings.iter().map(entry).collect();
                writeln!(out, "{}", json!({"file": path, "settings": all}))?;
            }
            Format::Text => {
                let there = path.as_deref().is_some_and(std::path::Path::exists);
                writeln!(out, "file: {shown}{}\n", if there { "" } else { " (not there)" })?;
                for Setting { name, value, from } in &settings {
                    writeln!(out, "{name:<13} {:<24} {from}", value.as_deref().unwrap_or("-"))?;
                }
            }
        }
        Ok(Outcome::Good)
    }
}

/// All that a configuration file may name, as a command of its own.
pub(super) fn command() -> clap::Command {
    ServeArgs::augment_args(clap::Command::new("fanlight").disable_help_flag(true))
}

/// The long options of a command.
pub(super) fn options(command: &clap::Command) -> Vec<String> {
    command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect()
}

fn settings(matches: &ArgMatches, file: &ConfigFile) -> Vec<Setting> {
    let one = |name: String| {
        let id = name.replace('-', "_");
        let raw =
            matches.get_raw(&id).map(|raw| raw.map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>());
        let from = match matches.value_source(&id) {
            Some(ValueSource::CommandLine) => "option".to_owned(),
            Some(ValueSource::EnvVariable) => format!("FANLIGHT_{}", id.to_uppercase()),
            _ if file.get(&name).is_some() => "file".to_owned(),
            Some(_) => "built in".to_owned(),
            None => "not set".to_owned(),
        };
        Setting { name, value: raw.map(|values| values.join(", ")), from }
    };
    options(&command()).into_iter().map(one).collect()
}
