//! `fanlight doctor`: what the server is and has, what window that means, what is wrong with the rules.

use std::io::Write;

use clap::Args;

use super::serve::{ServerArgs, dialect_name, source_words};
use super::{Outcome, rule_files};
use crate::ledger::{folder, read_since};
use crate::proxy::{DiscoverError, ModelFacts, Proxy, ServerFacts};
use crate::rules::ChannelKind;
use crate::tokens::{Budget, WindowSource};

/// Say whether everything is there that a session needs. Exit status 1 when something is not.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    server: ServerArgs,
}

/// What was found: a line each, and whether all is well.
#[derive(Debug, Default)]
struct Findings {
    lines: Vec<(Grade, String)>,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    Good,
    /// Worth knowing; a session works all the same.
    Warning,
    Problem,
}

impl Grade {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok     ",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let mut findings = Findings::default();
        rules(&self.server, &mut findings);
        match self.server.proxy() {
            Ok(proxy) => super::runtime()?.block_on(ask(&proxy, &mut findings)),
            Err(error) => findings.bad(format!("{error:#}")),
        }
        dead_rules(&mut findings);
        findings.print()?;
        Ok(if findings.lines.iter().all(|(grade, _)| *grade != Grade::Problem) { Outcome::Good } else { Outcome::No })
    }
}

impl Findings {
    fn good(&mut self, line: impl Into<String>) {
        self.lines.push((Grade::Good, line.into()));
    }

    fn warn(&mut self, line: impl Into<String>) {
        self.lines.push((Grade::Warning, line.into()));
    }

    fn bad(&mut self, line: impl Into<String>) {
        self.lines.push((Grade::Problem, line.into()));
    }

    fn print(&self) -> std::io::Result<()> {
        let mut out = anstream::stdout().lock();
        for (grade, line) in &self.lines {
            writeln!(out, "{} {line}", grade.word())?;
        }
        Ok(())
    }
}

fn rules(server: &ServerArgs, findings: &mut Findings) {
    match rule_files::load(&server.rules) {
        Ok(rules) => findings.good(format!(
            "rules: {} packs, {} window profiles, {} families of models",
            rules.packs.len(),
            rules.profiles.len(),
            rules.models.len()
        )),
        Err(error) => findings.bad(format!("rules: {error:#}")),
    }
}

async fn ask(proxy: &Proxy, findings: &mut Findings) {
    match proxy.server().await {
        Ok(server) => tell_server(&server, proxy, findings),
        Err(DiscoverError::Upstream(error)) => return findings.bad(format!("server: {error}")),
        Err(error) => return findings.bad(format!("model: {error}")),
    }
    match proxy.model("").await {
        Ok(facts) => tell_model(&facts, proxy, findings),
        Err(error) => return findings.bad(format!("model: {error}")),
    }
    match proxy.check_rendering().await {
        Ok(Some(wrong)) if wrong.is_empty() => findings.good("prompts: rendered as expected"),
        Ok(Some(wrong)) => wrong.iter().for_each(|line| findings.warn(format!("prompts: {line}"))),
        Ok(None) => {}
        Err(error) => findings.warn(format!("prompts: {error}")),
    }
}

fn tell_server(server: &ServerFacts, proxy: &Proxy, findings: &mut Findings) {
    let kind = match &server.version {
        Some(version) => format!("Ollama, which calls itself {version}"),
        None => "a server with the Messages API".to_owned(),
    };
    findings.good(format!(
        "server: {kind}, at {}, spoken to in the {} dialect",
        proxy.upstream.address,
        dialect_name(server.dialect)
    ));
    findings.good(format!(
        "models: {}",
        if server.installed.is_empty() { "not told".into() } else { server.installed.join(", ") }
    ));
}

fn tell_model(facts: &ModelFacts, proxy: &Proxy, findings: &mut Findings) {
    let window = facts.window;
    let line = format!("window: {} tokens, {}", window.tokens, source_words(window.source));
    if window.source == WindowSource::Assumed {
        findings.bad(line);
    } else {
        findings.good(line);
    }
    let budget = Budget::of(window.tokens);
    findings.good(format!("budget: {} tokens for the prompt, {} kept for the reply", budget.prompt(), budget.reserve));
    let setup = proxy.setup.load();
    let Some(target) = facts.target(&setup.rules, "", None) else { return };
    let channel = match target.channel() {
        ChannelKind::Native => "native",
        ChannelKind::Prompted => "prompted",
        ChannelKind::Constrained => "constrained",
    };
    let name = facts.name.as_deref().unwrap_or("whatever is asked for");
    findings.good(format!("model: {name}, family {}, {channel} channel", target.profile.family));
    if facts.show.go_template {
        findings.good("its Go template breaks lists of tools: they are never sent in the server's own field");
    }
}

/// Rules that matched nothing in the last week, as the ledger has it.
fn dead_rules(findings: &mut Findings) {
    let Some(week) = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_hours(7 * 24)).ok() else { return };
    let Some(found) = folder().and_then(|folder| read_since(&folder, week).ok()) else { return };
    let dead: std::collections::BTreeSet<&String> = found.entries.iter().flat_map(|entry| &entry.dead).collect();
    for id in dead {
        findings.bad(format!("rule {id} should have matched a request of the last week and did not"));
    }
}
