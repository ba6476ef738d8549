//! The rules of a layer, in groups that read the same facts of a row.

use super::{judge, reads::Reads};
use cedar_policy::{Effect, Policy, PolicySet};
use std::collections::BTreeMap;

/// One layer.
#[derive(Clone, Debug)]
pub(crate) struct LayerRules {
    /// All of its rules.
    pub(crate) whole: PolicySet,
    /// The same rules, by what they read.
    pub(crate) groups: Vec<Group>,
}

/// Rules that give rows one answer if they agree in some facts.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) reads: Reads,
    pub(crate) rules: PolicySet,
    /// Id and effect of each rule.
    pub(crate) ids: Vec<(String, Effect)>,
}

impl LayerRules {
    /// Sorts rules; their ids differ.
    pub(crate) fn new(policies: &[Policy]) -> Self {
        let mut by_reads: BTreeMap<Reads, Vec<Policy>> = BTreeMap::new();
        for policy in policies {
            // Without a JSON form nothing is known of what it reads.
            let reads = policy.to_json().map_or(Reads::ALL, |json| Reads::of(&json));
            by_reads.entry(reads).or_default().push(policy.clone());
        }
        Self {
            whole: set(policies),
            groups: by_reads
                .into_iter()
                .map(|(reads, policies)| Group::new(reads, &policies))
                .collect(),
        }
    }
}

impl Group {
    pub(crate) fn new(reads: Reads, policies: &[Policy]) -> Self {
        Self {
            reads,
            rules: set(policies),
            ids: policies
                .iter()
                .map(|policy| {
                    (
                        AsRef::<str>::as_ref(policy.id()).to_owned(),
                        policy.effect(),
                    )
                })
                .collect(),
        }
    }

    /// The group whose forbid must deny, whatever the rows are.
    pub(crate) fn canary() -> Self {
        Self::new(Reads::ORIGINATOR, &judge::canary())
    }

    /// The place of a rule in the group, by its id.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.ids.iter().position(|(known, _)| known == id)
    }
}

fn set(policies: &[Policy]) -> PolicySet {
    PolicySet::from_policies(policies.iter().cloned())
        .expect("the linter refuses two rules with one id")
}
