//! What all requests of a running proxy share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tracing::info;

use super::address::Address;
use super::dashboard::Dashboard;
use super::discover::{self, DiscoverError, ServerFacts, Wishes};
use super::door::Door;
use super::facts::{self, ModelFacts};
use super::ids::Ids;
use super::known::{FoundSchedule, Known};
use super::memory::Memory;
use super::metrics::Metrics;
use super::prompts::Prompts;
use super::record::Recorder;
use super::rendering::Probe;
use super::upstream::Upstream;
use crate::ledger::Ledger;
use crate::pipeline::{Setup, Target};
use crate::rules::{FoldChoice, RuleSet, Schedule};
use crate::tokens::WindowSource;
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
    /// Who is let in.
    pub door: Door,
    /// Whether what a client shows to prove who it is goes on to the model server.
    pub forward_credentials: bool,
}

impl Settings {
    /// Those of a proxy before a server, of which nothing else is said.
    pub fn before(upstream: Address, wishes: Wishes) -> Self {
        let (profile, record, door) = (None, None, Door::default());
        Self { upstream, wishes, profile, record, shadow: false, door, forward_credentials: false }
    }
}

/// Names that clients ask for, and whose targets are kept.
const MOST_TARGETS: usize = 32;

/// Models whose facts are kept.
const MOST_MODELS: usize = 32;

/// What was learned of the server is held against what it says now, at most once within so long.
const LOOK: Duration = Duration::from_millis(250);

/// So long a look may take; a server that is busy is believed to be the one that it was.
const LOOKING: Duration = Duration::from_secs(1);

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
    /// What large bodies share.
    pub(crate) memory: Memory,
    told: Mutex<BTreeSet<String>>,
    targets: Mutex<Vec<KeptTarget>>,
    server: Arc<Known<ServerFacts>>,
    models: Mutex<BTreeMap<Option<String>, Arc<Known<ModelFacts>>>>,
    /// What probes have found of each model.
    schedules: Mutex<BTreeMap<Option<String>, Arc<Known<FoundSchedule>>>>,
}

/// A target that was made, and what of.
struct KeptTarget {
    setup: Arc<Setup>,
    facts: Arc<ModelFacts>,
    asked: String,
    target: Target,
}

impl Proxy {
    /// Makes a proxy; asks nobody yet.
    ///
    /// # Errors
    /// When the recording folder cannot be made.
    pub fn new(settings: Settings, rules: RuleSet, ledger: Ledger) -> anyhow::Result<Self> {
        let metrics = Metrics::default();
        let record = |folder| Recorder::new(folder, metrics.unrecorded.clone());
        let recorder = settings.record.as_deref().map(record).transpose()?;
        Ok(Self {
            upstream: Upstream::at(settings.upstream.clone()),
            setup: ArcSwap::from_pointee(Setup::new(rules)),
            rules_fault: ArcSwap::default(),
            rendering: ArcSwap::default(),
            metrics,
            ledger,
            dashboard: Dashboard::default(),
            ids: Ids::default(),
            recorder,
            prompts: Prompts::default(),
            memory: Memory::default(),
            told: Mutex::default(),
            targets: Mutex::default(),
            server: Arc::default(),
            models: Mutex::default(),
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

    /// The server's facts, asked for where they are not known.
    ///
    /// # Errors
    /// When the server cannot be reached, does not get ready, or there is no telling which model is meant.
    pub async fn server(&self) -> Result<Arc<ServerFacts>, DiscoverError> {
        let ask = || {
            let (upstream, wishes) = (self.upstream.clone(), self.settings.wishes.clone());
            async move { discover::server(&upstream, &wishes).await }
        };
        self.server.get(ask).await
    }

    /// The facts of the model that a request asks for: itself where the server has it, else the one that is served.
    ///
    /// # Errors
    /// As [`Self::server`].
    pub async fn model(&self, asked: &str) -> Result<Arc<ModelFacts>, DiscoverError> {
        let server = self.server().await?;
        let facts = self.model_of(&server, asked).await?;
        if self.still_holds(&server, &facts).await {
            return Ok(facts);
        }
        info!("the server or its window is another one than before; asking anew");
        self.forget();
        let server = self.server().await?;
        self.model_of(&server, asked).await
    }

    /// What is known of the served model, without asking anybody.
    pub(crate) fn model_known(&self) -> Option<Arc<ModelFacts>> {
        let served = self.server.now()?.served.clone();
        self.known_model(served)?.now()
    }

    async fn model_of(&self, server: &Arc<ServerFacts>, asked: &str) -> Result<Arc<ModelFacts>, DiscoverError> {
        let own = server.installed.iter().find(|name| facts::same_model(name, asked)).cloned();
        let name = own.or_else(|| server.served.clone());
        let ask = || {
            let (upstream, wishes) = (self.upstream.clone(), self.settings.wishes.clone());
            let (server, name) = (server.clone(), name.clone());
            async move { discover::model(&upstream, &server, name.as_deref(), &wishes).await }
        };
        let known = self.known_model(name.clone()).unwrap_or_default();
        known.get(ask).await
    }

    /// Where it is kept what is known of a model; `None` where too much is kept already.
    fn known_model(&self, name: Option<String>) -> Option<Arc<Known<ModelFacts>>> {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if models.len() >= MOST_MODELS && !models.contains_key(&name) {
            return None;
        }
        Some(models.entry(name).or_default().clone())
    }

    /// Whether a server that may have been started anew still has the window that it had.
    async fn still_holds(&self, server: &ServerFacts, model: &ModelFacts) -> bool {
        let due = || self.known_model(model.name.clone()).is_some_and(|known| known.is_to_be_looked_at(LOOK));
        if model.window.source != WindowSource::Loaded || !due() {
            return true;
        }
        let look = discover::still_so(&self.upstream, server, model);
        match tokio::time::timeout(LOOKING, look).await {
            Ok(Ok(same)) => same,
            // It cannot be reached or is not ready: whatever it will be then, it is asked anew.
            Ok(Err(_)) => false,
            Err(_) => true,
        }
    }

    /// Drops all that was found out: the server seems to be another one.
    pub(crate) fn forget(&self) {
        self.server.forget();
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.values().for_each(|known| known.forget());
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

    /// What the probe has found. Where the server cannot be reached, a later request asks again.
    async fn found_schedule(&self, facts: &ModelFacts) -> Option<Schedule> {
        let known = {
            let mut schedules = self.schedules.lock().unwrap_or_else(PoisonError::into_inner);
            schedules.entry(facts.name.clone()).or_default().clone()
        };
        let ask = || {
            let (upstream, facts) = (self.upstream.clone(), facts.clone());
            async move { discover::schedule(&upstream, &facts).await.map(FoundSchedule) }
        };
        known.get(ask).await.ok()?.0
    }

    /// Finding the family of a model compiles patterns, so what was found is kept for as long as the rules are.
    fn target_of(&self, setup: &Arc<Setup>, facts: &Arc<ModelFacts>, asked: &str) -> Result<Target, WireError> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.retain(|kept| Arc::ptr_eq(&kept.setup, setup));
        if let Some(kept) = targets.iter().find(|kept| kept.asked == asked && Arc::ptr_eq(&kept.facts, facts)) {
            return Ok(kept.target.clone());
        }
        let no_family = || WireError::new(ErrorKind::Api, "no model rules take this model; see `fanlight rules list`");
        let target = facts.target(&setup.rules, asked, None).ok_or_else(no_family)?;
        targets.truncate(MOST_TARGETS - 1);
        let (setup, facts, asked) = (setup.clone(), facts.clone(), asked.to_owned());
        targets.insert(0, KeptTarget { setup, facts, asked, target: target.clone() });
        Ok(target)
    }
}
