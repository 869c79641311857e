//! `fanlight explain`: what becomes of one request, and why.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use similar::TextDiff;

use super::served::{self, Served};
use super::{Outcome, Usage, rule_files, table};
use crate::pipeline::{Dialect, Plan, Planned, Setup, plan};
use crate::report::Report;
use crate::rules::Schedule;
use crate::tokens::{Window, WindowSource};
use crate::wire::Request;

/// Show what fanlight makes of a captured request: what is kept, what is left out, by which rule, what it saves.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A request body, as `serve --record` keeps it; LAST: the newest one that is kept.
    #[arg(value_name = "REQUEST.json|LAST")]
    request: PathBuf,
    /// Where LAST is looked for.
    #[arg(long, value_name = "DIR", env = "FANLIGHT_RECORD")]
    record: Option<PathBuf>,
    /// The window of the model, in tokens [default: the one in force, else 4096].
    #[arg(long, value_name = "N")]
    window: Option<usize>,
    /// The model that is served [default: the one that is, else qwen2.5-coder].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    #[arg(long, value_enum, default_value_t = DialectName::Ollama)]
    dialect: DialectName,
    /// How the history is cut: `shift` for a server that keeps the cache of text behind a hole.
    #[arg(long, value_enum)]
    fold: Option<FoldName>,
    /// The profile, instead of the one of the window's tier.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Rule files or folders over the built-in ones.
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// In place of a file: the newest request that was recorded.
const LAST: &str = "LAST";

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    /// The client's system text and what stands in its place.
    Diff,
    /// Exactly the bytes that would go upstream.
    Body,
}

/// A dialect on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DialectName {
    Ollama,
    Anthropic,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::Ollama => Self::Ollama,
            DialectName::Anthropic => Self::Anthropic,
        }
    }
}

/// A schedule on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FoldName {
    Prefix,
    Shift,
}

impl From<FoldName> for Schedule {
    fn from(name: FoldName) -> Self {
        match name {
            FoldName::Prefix => Self::Prefix,
            FoldName::Shift => Self::Shift,
        }
    }
}

impl Explain {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let path =
            if self.request.as_os_str() == LAST { newest(self.record.as_deref())? } else { self.request.clone() };
        let body = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let request = Request::parse(&body).map_err(|error| Usage(format!("{}: {error}", path.display())))?;
        if request.messages.is_empty() {
            return Err(Usage(format!("{}: no request: it has no messages", path.display())).into());
        }
        let served = if self.window.is_some() && self.model.is_some() { None } else { served::ask()? };
        let setup = Setup::new(rule_files::load(&self.rules)?);
        let mut target = setup
            .target(&self.model(served.as_ref()), self.window(served.as_ref()), self.dialect.into())
            .ok_or_else(|| Usage("the rules hold no model profile".into()))?;
        target.profile_name.clone_from(&self.profile);
        target.schedule = self.fold.map_or(target.schedule, Schedule::from);
        match plan(&setup, &target, &request.into()) {
            Ok(Planned::Send(plan)) => self.print(&plan),
            Ok(Planned::Answer { text, .. }) => {
                writeln!(anstream::stdout().lock(), "answered here, without a model: {text}")?;
                Ok(Outcome::Good)
            }
            Err(error) => {
                writeln!(anstream::stdout().lock(), "{}", error.to_value())?;
                Ok(Outcome::No)
            }
        }
    }

    fn window(&self, served: Option<&Served>) -> Window {
        match (self.window, served.and_then(|served| served.window)) {
            (Some(tokens), _) => Window { tokens, source: WindowSource::Setting },
            (None, Some(tokens)) => Window { tokens, source: WindowSource::Loaded },
            (None, None) => Window { tokens: 4096, source: WindowSource::Assumed },
        }
    }

    fn model(&self, served: Option<&Served>) -> String {
        let served = served.and_then(|served| served.model.clone());
        self.model.clone().or(served).unwrap_or_else(|| "qwen2.5-coder".to_owned())
    }

    fn print(&self, plan: &Plan) -> anyhow::Result<Outcome> {
        let mut out = anstream::stdout().lock();
        match self.format {
            Format::Text => write_text(&mut out, &plan.report)?,
            Format::Json => writeln!(out, "{}", serde_json::to_string(&plan.report)?)?,
            Format::Diff => write!(out, "{}", system_diff(plan))?,
            Format::Body => out.write_all(plan.written().as_bytes())?,
        }
        Ok(Outcome::Good)
    }
}

/// The newest request of a client in a folder of recorded bodies.
fn newest(folder: Option<&Path>) -> anyhow::Result<PathBuf> {
    let folder = folder.ok_or_else(|| Usage("LAST of which folder? say --record DIR, as to serve or run".into()))?;
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let kept = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".client.json")));
    // Numbers grow beyond their digits: the time decides.
    let stamped =
        kept.filter_map(|path| Some((std::fs::metadata(&path).and_then(|facts| facts.modified()).ok()?, path)));
    let newest = stamped.max().map(|(_, path)| path);
    newest.ok_or_else(|| Usage(format!("no request is kept in {}", folder.display())).into())
}

fn system_diff(plan: &Plan) -> String {
    let before = plan.request.system.join("\n\n") + "\n";
    let after = plan.head.system.clone() + "\n";
    TextDiff::from_lines(&before, &after).unified_diff().header("client", "sent").to_string()
}

fn write_text(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    let details = &report.details;
    writeln!(out, "{} ({}, {}), window {}", details.model, details.family, details.channel, report.window)?;
    let verdict = if report.fits { "fits" } else { "does not fit" };
    writeln!(out, "{}: {} of {} tokens\n", verdict, report.after.total, report.budget)?;
    table::write_parts(out, &report.before, &report.after)?;
    write_rules(out, report)?;
    write_list(out, "parked", &report.parked)?;
    write_list(out, "unknown", &report.unknown)?;
    write_list(out, "dead rules", &report.dead)
}

/// The rules that did something, those that saved most first.
fn write_rules(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    let mut rules: Vec<_> = report.rules.iter().filter(|rule| rule.matched > 0).collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.saved));
    writeln!(out, "\n{:>8} {:>8}  rule", "saved", "matched")?;
    rules.iter().try_for_each(|rule| writeln!(out, "{:>8} {:>8}  {}", rule.saved, rule.matched, rule.id))
}

fn write_list(out: &mut impl Write, what: &str, names: &[String]) -> std::io::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{what} ({}): {}", names.len(), names.join(", "))
}
