//! The account of what rules did to one request.

use crate::tokens::Counter;

use super::Hit;

/// Gathers what each rule matched and saved, and what no rule knew.
pub(super) struct Tally<'a> {
    client: &'a str,
    pub(super) counter: &'a dyn Counter,
    pub(super) hits: Vec<Hit>,
    pub(super) unknown: Vec<String>,
    /// Tools that the client names without offering them.
    pub(super) withheld: Vec<String>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(client: &'a str, counter: &'a dyn Counter) -> Self {
        Self { client, counter, hits: Vec::new(), unknown: Vec::new(), withheld: Vec::new() }
    }

    /// The id under which a rule is reported.
    pub(super) fn id(&self, kind: &str, rule: &str) -> String {
        rule_id(self.client, kind, rule)
    }

    /// A rule made `after` of `before`.
    pub(super) fn hit(&mut self, kind: &str, rule: &str, before: &str, after: &str) {
        let saved = if before == after { 0 } else { self.count(before) as i64 - self.count(after) as i64 };
        self.book(kind, rule, saved);
    }

    /// A rule matched, and saved so many tokens.
    pub(super) fn book(&mut self, kind: &str, rule: &str, saved: i64) {
        let id = self.id(kind, rule);
        match self.hits.iter_mut().find(|hit| hit.id == id) {
            Some(hit) => {
                hit.matched += 1;
                hit.saved += saved;
            }
            None => self.hits.push(Hit { id, matched: 1, saved }),
        }
    }

    /// No rule names this section or tool.
    pub(super) fn unknown(&mut self, name: impl Into<String>) {
        let name = name.into();
        if !self.unknown.contains(&name) {
            self.unknown.push(name);
        }
    }

    pub(super) fn count(&self, text: &str) -> usize {
        self.counter.count(text)
    }
}

/// `client/kind/rule`.
pub fn rule_id(client: &str, kind: &str, rule: &str) -> String {
    format!("{client}/{kind}/{rule}")
}
