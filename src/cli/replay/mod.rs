//! `fanlight replay`: what fanlight would have made of past sessions.

mod grounding;
mod measure;
mod print;
mod progress;
pub(super) mod source;
mod told;
mod transcript;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use clap::Args;

use super::explain::{DialectName, FoldName};
use super::{Format, Outcome, Usage, rule_files};
use crate::pipeline::{Setup, Target};
use crate::rules::Schedule;
use crate::tokens::{Window, WindowSource};
use crate::wire::Request;
use measure::{Row, play};
use progress::Progress;
use source::{Base, Played};

/// Play past sessions again and say what fanlight would have sent, saved and kept.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Transcripts (`~/.claude/projects`), sessions (`{"messages": […]}`), or folders of captured bodies.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The windows to fit into, in tokens.
    #[arg(long, value_delimiter = ',', default_value = "4096", value_name = "N")]
    window: Vec<usize>,
    /// A captured body whose system prompt, tools and first reminders stand before every session.
    #[arg(long, value_name = "REQUEST.json")]
    base: Option<PathBuf>,
    /// Write every upstream body there.
    #[arg(long, value_name = "DIR")]
    emit: Option<PathBuf>,
    /// How the history is cut: `shift` for a server that keeps the cache of text behind a hole.
    #[arg(long, value_enum)]
    fold: Option<FoldName>,
    #[arg(long, default_value = "qwen2.5-coder", value_name = "NAME")]
    model: String,
    #[arg(long, value_enum, default_value_t = DialectName::Ollama)]
    dialect: DialectName,
    /// The profile, instead of the one of the window's tier.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Rule files or folders over the built-in ones.
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write there what the next real calls needed and was not sent: request, kind, tool, age in bytes, item.
    #[arg(long, value_name = "FILE", hide = true)]
    missed: Option<PathBuf>,
}

/// The head that is used when none is given: a coding agent's, of our own words.
const SYNTHETIC_BASE: &[u8] = include_bytes!("../../../fixtures/requests/classic/hello.json");

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let played = source::sessions(&self.paths)?;
        let setup = Setup::new(rule_files::load(&self.rules)?);
        let base = self.base()?;
        let rows = self.play_all(&setup, &base, &played)?;
        if let Some(path) = &self.missed {
            std::fs::write(path, print::missed(&rows)).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let mut out = anstream::stdout().lock();
        match self.format {
            Format::Json => writeln!(out, "{}", print::json(&rows))?,
            Format::Text => {
                for row in &rows {
                    print::line(&mut out, row)?;
                }
                print::summary(&mut out, &rows)?;
            }
        }
        Ok(Outcome::Good)
    }

    fn base(&self) -> anyhow::Result<Base> {
        let bytes = match &self.base {
            Some(path) => std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?,
            None => SYNTHETIC_BASE.to_vec(),
        };
        Ok(Base::of(Request::parse(&bytes).map_err(|error| Usage(format!("--base: {error}")))?))
    }

    fn target(&self, setup: &Setup, window: usize) -> anyhow::Result<Target> {
        let window = Window { tokens: window, source: WindowSource::Setting };
        let target = setup.target(&self.model, window, self.dialect.into());
        let mut target = target.ok_or_else(|| Usage("the rules hold no model profile".into()))?;
        target.profile_name.clone_from(&self.profile);
        target.schedule = self.fold.map_or(target.schedule, Schedule::from);
        Ok(target)
    }

    /// Plays every history in every window, on all processors; the rows are in order of history and window.
    fn play_all(&self, setup: &Setup, base: &Base, played: &[Played]) -> anyhow::Result<Vec<Row>> {
        let targets = self.window.iter().map(|window| self.target(setup, *window)).collect::<Result<Vec<_>, _>>()?;
        let jobs: Vec<(&Played, &Target)> =
            played.iter().flat_map(|played| targets.iter().map(move |target| (played, target))).collect();
        let progress = Progress::new(jobs.len());
        let next = AtomicUsize::new(0);
        let rows: Mutex<Vec<(usize, anyhow::Result<Row>)>> = Mutex::new(Vec::new());
        let work = || {
            while let Some((at, (played, target))) = next_job(&next, &jobs) {
                let row = self.play_one(setup, target, base, played);
                progress.step(&played.name);
                if let Ok(mut rows) = rows.lock() {
                    rows.push((at, row));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        progress.finish();
        let mut rows = rows.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        rows.sort_by_key(|row| row.0);
        rows.into_iter().map(|row| row.1).collect()
    }

    fn play_one(&self, setup: &Setup, target: &Target, base: &Base, played: &Played) -> anyhow::Result<Row> {
        let folder = self.emit.as_ref().map(|emit| {
            let folder = if self.window.len() > 1 { emit.join(target.window.tokens.to_string()) } else { emit.clone() };
            folder.join(&played.name)
        });
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        play(setup, target, base, played, self.missed.is_some(), |number, outcome| match &folder {
            Some(folder) => emit(folder, number, outcome),
            None => Ok(()),
        })
    }
}

fn next_job<T: Copy>(next: &AtomicUsize, jobs: &[T]) -> Option<(usize, T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    jobs.get(at).map(|job| (at, *job))
}

/// Writes the exact upstream body, or the error that the client gets.
fn emit(folder: &Path, number: usize, outcome: measure::Outcome<'_>) -> anyhow::Result<()> {
    let path = folder.join(format!("{number:04}.json"));
    let body = match outcome {
        Ok(plan) => plan.body(),
        Err(error) => error.to_value(),
    };
    std::fs::write(&path, body.to_string()).with_context(|| format!("cannot write {}", path.display()))
}
