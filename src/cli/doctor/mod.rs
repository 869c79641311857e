//! `fanlight doctor`: tries what a session needs, and says for each thing that is wrong what to do about it.

mod cuts;
mod door;
mod findings;
mod memory;
mod shell;
mod trial;

use std::io::Write;

use clap::Args;

use self::findings::Findings;
use super::door::DoorArgs;
use super::serve::{ServerArgs, dialect_name, source_words};
use super::{Format, Outcome, rule_files};
use crate::folders;
use crate::ledger::read_since;
use crate::proxy::{DiscoverError, Door, ModelFacts, Proxy, ServerFacts};
use crate::rules::ChannelKind;
use crate::tokens::{Budget, WindowSource};

/// Try everything that a session needs, a call of a tool too. Exit status 1 when something will not work.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    door: DoorArgs,
    #[command(flatten)]
    server: ServerArgs,
    /// Ask the model nothing: quick, and says less.
    #[arg(long)]
    no_trial: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Doctor {
    pub(super) fn run(mut self) -> anyhow::Result<Outcome> {
        // The trial is no exchange of the user's.
        self.server.keep_nothing();
        let mut findings = Findings::new(self.format == Format::Text);
        let good_rules = rules(&self.server, &mut findings);
        shell::look(&mut findings);
        door::look_at_settings(&self.door, &mut findings);
        if good_rules {
            match self.server.proxy(Door::default()) {
                Ok(proxy) => super::runtime()?.block_on(self.ask(proxy, &mut findings)),
                Err(error) => findings.problem("settings", format!("{error:#}"), "see: fanlight config"),
            }
        }
        dead_rules(&mut findings);
        if self.format == Format::Json {
            writeln!(anstream::stdout().lock(), "{}", findings.to_value())?;
        }
        Ok(if findings.has_problem() { Outcome::No } else { Outcome::Good })
    }

    async fn ask(&self, proxy: Proxy, findings: &mut Findings) {
        let server = match proxy.server().await {
            Ok(server) => server,
            Err(DiscoverError::Upstream(error)) => {
                return findings.problem(
                    "server",
                    error.to_string(),
                    "start Ollama (ollama serve), or say --upstream URL",
                );
            }
            Err(error) => {
                return findings.problem(
                    "model",
                    error.to_string(),
                    "say --model NAME, or fetch one: ollama pull qwen2.5-coder:7b",
                );
            }
        };
        tell_server(&server, &proxy, findings);
        let facts = match proxy.model("").await {
            Ok(facts) => facts,
            Err(error) => return findings.problem("model", error.to_string(), "say --model NAME"),
        };
        tell_model(&facts, &proxy, findings);
        memory::look(&proxy, &facts, findings).await;
        match proxy.check_rendering().await {
            Ok(Some(wrong)) if wrong.is_empty() => findings.good("prompts", "rendered as expected"),
            Ok(Some(wrong)) => {
                for line in wrong.iter() {
                    findings.warn("prompts", line, "the count may be off; report it with the model's name");
                }
            }
            Ok(None) => {}
            Err(error) => findings.warn("prompts", error.to_string(), "how they are rendered could not be asked"),
        }
        if !self.no_trial {
            cuts::look(&proxy, &facts, findings).await;
        }
        door::look_upstream(&proxy, findings).await;
        let silent =
            server.version.is_none() && server.installed.is_empty() && facts.window.source == WindowSource::Assumed;
        if silent {
            return findings.problem(
                "server",
                "it has no list of models: is it a model server?",
                "say --upstream URL; if it is one, --dialect anthropic",
            );
        }
        trial::make(std::sync::Arc::new(proxy), &facts, !self.no_trial, findings).await;
    }
}

/// Whether the rule files can be used.
fn rules(server: &ServerArgs, findings: &mut Findings) -> bool {
    match rule_files::load(&server.rules) {
        Ok(rules) => findings.good(
            "rules",
            format!(
                "{} packs, {} window profiles, {} families of models",
                rules.packs.len(),
                rules.profiles.len(),
                rules.models.len()
            ),
        ),
        Err(error) => {
            findings.problem(
                "rules",
                format!("{error:#}"),
                "mend the line that is shown; fanlight rules check FILE tests it",
            );
            return false;
        }
    }
    true
}

fn tell_server(server: &ServerFacts, proxy: &Proxy, findings: &mut Findings) {
    let kind = match &server.version {
        Some(version) => format!("Ollama, which calls itself {version},"),
        None => "a server of the Messages API".to_owned(),
    };
    findings.good("server", format!("{kind} at {}, {} dialect", proxy.upstream.address, dialect_name(server.dialect)));
    let models = if server.installed.is_empty() { "not told".into() } else { server.installed.join(", ") };
    findings.good("models", models);
}

fn tell_model(facts: &ModelFacts, proxy: &Proxy, findings: &mut Findings) {
    let setup = proxy.setup.load();
    if let Some(target) = facts.target(&setup.rules, "", None) {
        let channel = match target.channel() {
            ChannelKind::Native => "native",
            ChannelKind::Prompted => "prompted",
            ChannelKind::Constrained => "constrained",
        };
        let name = facts.name.as_deref().unwrap_or("whatever is asked for");
        let template =
            if facts.show.go_template { " (its template breaks lists of tools: they go into the prompt)" } else { "" };
        findings.good("model", format!("{name}, family {}, {channel} channel{template}", target.profile.family));
    }
    let window = facts.window;
    let line = format!("{} tokens, {}", window.tokens, source_words(window.source));
    if window.source == WindowSource::Assumed {
        findings.problem("window", line, "say it with --num-ctx N, or num-ctx in the configuration file");
    } else {
        findings.good("window", line);
    }
    let budget = Budget::of(window.tokens);
    findings
        .good("budget", format!("{} tokens for the prompt, {} kept for the reply", budget.prompt(), budget.reserve));
}

/// Rules that matched nothing in the last week, as the ledger has it.
fn dead_rules(findings: &mut Findings) {
    let Some(week) = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_hours(7 * 24)).ok() else { return };
    let Some(found) = folders::state().and_then(|folder| read_since(&folder, week).ok()) else { return };
    let dead: std::collections::BTreeSet<&String> = found.entries.iter().flat_map(|entry| &entry.dead).collect();
    for id in dead {
        let line = format!("{id} should have matched a request of the last week and did not");
        findings.warn("rule", line, "less is saved; a newer fanlight, or a rule of yours: fanlight rules new");
    }
}
