//! What a plan is made with: rules, counters, and the model that it is for.

use std::sync::{Arc, LazyLock, OnceLock};

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use crate::fold::FoldMemo;
use crate::rules::{ModelProfile, Profile, RuleSet};
use crate::show::Nearest;
use crate::tokens::{Counter, Family, FamilyCounter, Memo, Window};
use crate::wire::{Body, Dialect, Unreadable};

use super::bodies::Bodies;
use super::heads::Heads;
use super::target::Target;
use super::trail::Trails;

/// What is the same for all requests of a running proxy or command.
pub struct Setup {
    pub rules: RuleSet,
    memo: Arc<Memo>,
    bodies: Arc<Bodies>,
    pub(super) heads: Heads,
    pub(super) trails: Trails,
    folds: FoldMemo,
    nearest: OnceLock<Nearest>,
}

impl Setup {
    pub fn new(rules: RuleSet) -> Self {
        Self::remembering(rules, Arc::default(), Arc::default())
    }

    /// The same memory with other rules: after a reload, known texts need not be counted again.
    #[must_use]
    pub fn with_rules(&self, rules: RuleSet) -> Self {
        Self::remembering(rules, self.memo.clone(), self.bodies.clone())
    }

    fn remembering(rules: RuleSet, memo: Arc<Memo>, bodies: Arc<Bodies>) -> Self {
        Self {
            rules,
            memo,
            bodies,
            heads: Heads::default(),
            trails: Trails::default(),
            folds: FoldMemo::default(),
            nearest: OnceLock::new(),
        }
    }

    /// Reads the body of a request. What it has in common with one that came before need not be read again.
    ///
    /// # Errors
    /// As [`crate::wire::Request::parse`].
    pub fn read(&self, bytes: Bytes) -> Result<Arc<Body>, Unreadable> {
        self.bodies.read(bytes)
    }

    /// The index of the worked examples, made at its first use.
    pub fn nearest(&self) -> &Nearest {
        self.nearest.get_or_init(|| Nearest::of(&self.rules.examples))
    }

    /// Counts in o200k: the client's scale.
    pub fn counter(&self) -> &dyn Counter {
        self.memo.as_ref()
    }

    /// Counts in the tokens of a model's family.
    pub fn family(&self, model: &ModelProfile) -> FamilyCounter {
        FamilyCounter::new(self.memo.clone(), family_of(model))
    }

    /// The folds that are remembered, and what tells this family's from others'.
    pub fn folds(&self, model: &ModelProfile) -> (&FoldMemo, u64) {
        (&self.folds, xxh3_64(format!("{:?}", family_of(model)).as_bytes()))
    }

    /// The profile of a target: the one that was asked for, else that of its window's tier.
    pub fn profile(&self, target: &Target) -> &Profile {
        static PLAIN: LazyLock<Profile> = LazyLock::new(Profile::default);
        self.rules.profile(target.window.tokens, target.profile_name.as_deref()).unwrap_or(&PLAIN)
    }

    /// The target for a served model. `None` only when the rules hold no model profile at all.
    pub fn target(&self, model: &str, window: Window, dialect: Dialect) -> Option<Target> {
        let profile = Arc::new(self.rules.model(model)?.clone());
        let schedule = profile.fold.decided(None);
        Some(Target { model: model.to_owned(), profile, window, dialect, profile_name: None, schedule })
    }
}

fn family_of(model: &ModelProfile) -> Family {
    Family { vocabulary: model.vocabulary, single_digits: model.single_digits, factor: model.factor }
}
