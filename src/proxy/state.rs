//! What all requests of a running proxy share.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::address::Address;
use super::dashboard::Dashboard;
use super::discover::{self, DiscoverError, ServerFacts, Wishes};
use super::facts::{self, ModelFacts};
use super::ids::Ids;
use super::metrics::Metrics;
use super::prompts::Prompts;
use super::record::Recorder;
use super::rendering::Probe;
use super::upstream::Upstream;
use crate::ledger::Ledger;
use crate::pipeline::{Setup, Target};
use crate::rules::{FoldChoice, RuleSet, Schedule};
use crate::wire::{Dialect, ErrorKind, WireError};

/// How a proxy is to run.
#[derive(Debug, Clone)]
pub struct Settings {
    pub upstream: Address,
    /// What the user says of the server; the rest is asked.
    pub wishes: Wishes,
    /// The profile for requests that name none; else the window chooses.
    pub profile: Option<String>,
    /// Where bodies are kept; nowhere by default.
    pub record: Option<PathBuf>,
    /// Plan every request, and send the client's own all the same.
    pub shadow: bool,
}

/// Names that clients ask for, and whose targets are kept.
const MOST_TARGETS: usize = 32;

/// A running proxy.
pub struct Proxy {
    pub settings: Settings,
    pub upstream: Upstream,
    pub setup: ArcSwap<Setup>,
    /// What is wrong with the rule files, while the last good set is in force.
    pub rules_fault: ArcSwap<Option<String>>,
    /// How the server renders a prompt otherwise than we think, a sentence each; empty where it does not, or was not asked.
    pub rendering: ArcSwap<Vec<String>>,
    pub metrics: Metrics,
    pub ledger: Ledger,
    pub dashboard: Dashboard,
    pub ids: Ids,
    pub recorder: Option<Recorder>,
    /// The last prompts that were sent.
    pub(crate) prompts: Prompts,
    told: std::sync::Mutex<BTreeSet<String>>,
    targets: std::sync::Mutex<Vec<(Arc<Setup>, String, Target)>>,
    known: Mutex<Known>,
    /// What probes have found of each model.
    schedules: Mutex<Vec<(Option<String>, Option<Schedule>)>>,
}

/// What was found out about the server so far.
#[derive(Default)]
struct Known {
    server: Option<Arc<ServerFacts>>,
    models: Vec<Arc<ModelFacts>>,
}

impl Proxy {
    /// Makes a proxy; asks nobody yet.
    ///
    /// # Errors
    /// When the recording folder cannot be made.
    pub fn new(settings: Settings, rules: RuleSet, ledger: Ledger) -> anyhow::Result<Self> {
        let recorder = settings.record.as_deref().map(Recorder::new).transpose()?;
        Ok(Self {
            upstream: Upstream::at(settings.upstream.clone()),
            setup: ArcSwap::from_pointee(Setup::new(rules)),
            rules_fault: ArcSwap::default(),
            rendering: ArcSwap::default(),
            metrics: Metrics::default(),
            ledger,
            dashboard: Dashboard::default(),
            ids: Ids::default(),
            recorder,
            prompts: Prompts::default(),
            told: std::sync::Mutex::default(),
            targets: std::sync::Mutex::default(),
            known: Mutex::default(),
            schedules: Mutex::default(),
            settings,
        })
    }

    /// Puts other rules in force.
    pub fn use_rules(&self, rules: RuleSet) {
        let setup = self.setup.load().with_rules(rules);
        self.setup.store(Arc::new(setup));
        self.rules_fault.store(Arc::default());
    }

    /// Says that the rule files are broken now; the rules in force stay.
    pub fn keep_rules(&self, fault: String) {
        self.rules_fault.store(Arc::new(Some(fault)));
    }

    /// Whether this has not been asked before.
    pub(crate) fn is_news(&self, text: &str) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned())
    }

    /// The server's facts, asked for once.
    ///
    /// # Errors
    /// When the server cannot be reached, or there is no telling which model is meant.
    pub async fn server(&self) -> Result<Arc<ServerFacts>, DiscoverError> {
        let mut known = self.known.lock().await;
        self.server_of(&mut known).await
    }

    async fn server_of(&self, known: &mut Known) -> Result<Arc<ServerFacts>, DiscoverError> {
        if let Some(server) = &known.server {
            return Ok(server.clone());
        }
        let server = Arc::new(discover::server(&self.upstream, &self.settings.wishes).await?);
        known.server = Some(server.clone());
        Ok(server)
    }

    /// The facts of the model that a request asks for: itself where the server has it, else the one that is served.
    ///
    /// # Errors
    /// As [`Self::server`].
    pub async fn model(&self, asked: &str) -> Result<Arc<ModelFacts>, DiscoverError> {
        let mut known = self.known.lock().await;
        let server = self.server_of(&mut known).await?;
        let own = server.installed.iter().find(|name| facts::same_model(name, asked)).cloned();
        let name = own.or_else(|| server.served.clone());
        if let Some(facts) = known.models.iter().find(|facts| facts.name == name) {
            return Ok(facts.clone());
        }
        let facts = discover::model(&self.upstream, &server, name.as_deref(), &self.settings.wishes).await?;
        let facts = Arc::new(facts);
        known.models.push(facts.clone());
        Ok(facts)
    }

    /// Has the server render a small conversation, and keeps what is not as expected. `None`: it cannot say.
    ///
    /// # Errors
    /// As [`Self::server`].
    pub async fn check_rendering(&self) -> Result<Option<Arc<Vec<String>>>, DiscoverError> {
        let setup = self.setup.load_full();
        let (server, model) = (self.server().await?, self.model("").await?);
        let target = model.target(&setup.rules, "", None);
        let asked = target.filter(|target| server.version.is_some() && target.dialect == Dialect::Ollama);
        let Some(probe) = asked.and_then(|target| Probe::new(&setup, &target)) else { return Ok(None) };
        let Some(rendered) = discover::rendered(&self.upstream, &model, &probe).await? else { return Ok(None) };
        self.rendering.store(Arc::new(probe.judge(&setup, &rendered)));
        Ok(Some(self.rendering.load_full()))
    }

    /// The model for a request, and the settings under which it is planned.
    ///
    /// # Errors
    /// When that is not known.
    pub(crate) async fn target(
        &self,
        setup: &Arc<Setup>,
        asked: &str,
        profile: Option<String>,
    ) -> Result<Target, WireError> {
        let facts = self.model(asked).await?;
        let mut target = self.target_of(setup, &facts, asked)?;
        target.schedule = self.schedule(&facts, target.profile.fold).await;
        target.profile_name = profile.or_else(|| self.settings.profile.clone());
        Ok(target)
    }

    /// How histories are cut for a model: as the user says, as its rules say, or as a probe finds, which is asked once.
    pub async fn schedule(&self, facts: &ModelFacts, family: FoldChoice) -> Schedule {
        let asks = |choice| choice == FoldChoice::Auto;
        match self.settings.wishes.fold {
            Some(choice) if !asks(choice) => choice.decided(None),
            Some(_) if asks(family) => family.decided(self.found_schedule(facts).await),
            _ => family.decided(None),
        }
    }

    /// What the probe has found. Where the server cannot be reached, the next request asks again.
    async fn found_schedule(&self, facts: &ModelFacts) -> Option<Schedule> {
        let mut schedules = self.schedules.lock().await;
        if let Some((_, found)) = schedules.iter().find(|(name, _)| *name == facts.name) {
            return *found;
        }
        let found = discover::schedule(&self.upstream, facts).await.ok()?;
        schedules.push((facts.name.clone(), found));
        found
    }

    /// Finding the family of a model compiles patterns, so what was found is kept for as long as the rules are.
    fn target_of(&self, setup: &Arc<Setup>, facts: &ModelFacts, asked: &str) -> Result<Target, WireError> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.retain(|(made_with, _, _)| Arc::ptr_eq(made_with, setup));
        if let Some((_, _, target)) = targets.iter().find(|(_, name, _)| name == asked) {
            return Ok(target.clone());
        }
        let no_family = || WireError::new(ErrorKind::Api, "no model rules take this model; see `fanlight rules list`");
        let target = facts.target(&setup.rules, asked, None).ok_or_else(no_family)?;
        if targets.len() < MOST_TARGETS {
            targets.push((setup.clone(), asked.to_owned(), target.clone()));
        }
        Ok(target)
    }
}

impl From<DiscoverError> for WireError {
    fn from(error: DiscoverError) -> Self {
        Self::new(ErrorKind::Api, error.to_string())
    }
}
