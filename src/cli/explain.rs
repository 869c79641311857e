//! `fanlight explain`: what becomes of one request, and why.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use similar::TextDiff;

use super::{Outcome, Usage, rule_files, table};
use crate::pipeline::{Dialect, Plan, Planned, Setup, plan};
use crate::report::Report;
use crate::rules::Schedule;
use crate::tokens::{Window, WindowSource};
use crate::wire::Request;

/// Show what fanlight makes of a captured request: what is kept, what is left out, by which rule, what it saves.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A request body, as `serve --record` keeps it.
    #[arg(value_name = "REQUEST.json")]
    request: PathBuf,
    /// The window of the model, in tokens [default: 4096].
    #[arg(long, value_name = "N")]
    window: Option<usize>,
    /// The model that is served.
    #[arg(long, default_value = "qwen2.5-coder", value_name = "NAME")]
    model: String,
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
        let body = std::fs::read(&self.request).with_context(|| format!("cannot read {}", self.request.display()))?;
        let request = Request::parse(&body).map_err(|error| Usage(format!("{}: {error}", self.request.display())))?;
        let setup = Setup::new(rule_files::load(&self.rules)?);
        let mut target = setup
            .target(&self.model, self.window(), self.dialect.into())
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

    fn window(&self) -> Window {
        match self.window {
            Some(tokens) => Window { tokens, source: WindowSource::Setting },
            None => Window { tokens: 4096, source: WindowSource::Assumed },
        }
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
