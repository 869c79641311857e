//! The configuration file: what a user says once instead of with every start. Its keys are the long options of `serve` and
//! `run`; what stands there counts where neither an option nor a variable says otherwise.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::builder::OsStr;
use clap::{Arg, ArgAction, Command};
use toml::Value;

use super::Usage;
use crate::folders;

/// Another file than the usual one.
const PLACE: &str = "FANLIGHT_CONFIG";

/// What the file says: option and values, as they would stand on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ConfigFile {
    pub settings: Vec<(String, Vec<String>)>,
}

/// Where the file lies, whether it is there or not. `None` without a home.
pub(super) fn path() -> Option<PathBuf> {
    let named = std::env::var_os(PLACE).filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(folders::config()?.join("config.toml")))
}

impl ConfigFile {
    /// Reads the file; one that is not there says nothing. `options` are those that it may name.
    ///
    /// # Errors
    /// When it cannot be read, or says something that is no option.
    pub(super) fn read(options: &[String]) -> anyhow::Result<Self> {
        let Some(path) = path() else { return Ok(Self::default()) };
        match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            text => Self::parse(&text.with_context(|| format!("cannot read {}", path.display()))?, &path, options),
        }
    }

    fn parse(text: &str, path: &Path, options: &[String]) -> anyhow::Result<Self> {
        let wrong = |what: String| Usage(format!("{}: {what}", path.display()));
        let table: toml::Table = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let mut settings = Vec::new();
        for (key, value) in table {
            let name = key.replace('_', "-");
            if !options.contains(&name) {
                return Err(wrong(format!("`{key}` is no setting; there are: {}", options.join(", "))).into());
            }
            let values =
                values(&value).ok_or_else(|| wrong(format!("`{key}` is a text, a number, true, or a list")))?;
            settings.push((name, values));
        }
        Ok(Self { settings })
    }

    /// The values of an option.
    pub(super) fn get(&self, option: &str) -> Option<&[String]> {
        self.settings.iter().find(|(name, _)| name == option).map(|(_, values)| values.as_slice())
    }

    /// Whether an option takes its value.
    ///
    /// # Errors
    /// When it does not, with what it takes.
    pub(super) fn check(&self, command: &Command) -> anyhow::Result<()> {
        for (name, values) in &self.settings {
            let Some(arg) = command.get_arguments().find(|arg| arg.get_long() == Some(name)) else { continue };
            let flag = !arg.get_action().takes_values();
            if flag && values.iter().all(|value| value.parse::<bool>().is_ok()) {
                continue;
            }
            let line =
                std::iter::once("fanlight".to_owned()).chain(values.iter().map(|value| format!("--{name}={value}")));
            if let Err(error) = Command::new("fanlight").arg(arg.clone().required(false)).try_get_matches_from(line) {
                let said = error.to_string();
                let said = said.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                let place = path().unwrap_or_default();
                return Err(Usage(format!("{}: {said}", place.display())).into());
            }
        }
        Ok(())
    }

    /// A command whose options have these values where nothing else is said.
    pub(super) fn apply(&self, command: Command) -> Command {
        command.mut_args(|arg| match arg.get_long().and_then(|long| self.get(long)) {
            Some(values) => with_default(arg, values),
            None => arg,
        })
    }
}

fn with_default(arg: Arg, values: &[String]) -> Arg {
    let values: Vec<OsStr> = values.iter().map(OsStr::from).collect();
    match (arg.get_action(), values.as_slice()) {
        (_, []) => arg,
        (ArgAction::Append, _) => arg.default_values(values),
        (_, [value, ..]) => arg.default_value(value.clone()),
    }
}

/// What a value would be on the command line.
fn values(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(one).collect(),
        value => Some(vec![one(value)?]),
    }
}

fn one(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<ConfigFile> {
        ConfigFile::parse(text, Path::new("c.toml"), &["num-ctx".into(), "rules".into()])
    }

    #[test]
    fn a_value_is_what_it_would_be_on_the_command_line() {
        let file = read("num_ctx = 8192\nrules = [\"a\", \"b\"]").unwrap();
        assert_eq!(file.get("num-ctx"), Some(&["8192".to_owned()][..]));
        assert_eq!(file.get("rules").unwrap(), ["a", "b"]);
    }

    #[test]
    fn what_is_no_setting_is_said_with_those_that_are() {
        let error = read("numctx = 1").unwrap_err();
        assert!(
            error.is::<Usage>()
                && error.to_string().contains("c.toml: `numctx` is no setting; there are: num-ctx, rules")
        );
        assert!(read("num-ctx = 1.5").is_err() && read("num-ctx =").is_err());
    }

    #[test]
    fn an_option_of_the_command_line_counts_more() {
        let file = ConfigFile { settings: vec![("n".into(), vec!["1".into()]), ("flag".into(), vec!["true".into()])] };
        let command = || {
            let flag = Arg::new("flag").long("flag").action(ArgAction::SetTrue);
            file.apply(Command::new("x").arg(Arg::new("n").long("n")).arg(flag))
        };
        let said = |arguments: &[&str]| command().try_get_matches_from(arguments).unwrap();
        assert_eq!(said(&["x", "--n", "2"]).get_one::<String>("n").unwrap(), "2");
        assert_eq!(said(&["x"]).get_one::<String>("n").unwrap(), "1");
        assert!(said(&["x"]).get_flag("flag"));
    }
}
