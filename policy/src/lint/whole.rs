//! What is checked about a text or a coalition as a whole, without a node and before a gate is built.

use super::{Code, Fault, load_layer};
use crate::{
    flow::Party,
    rules::{LAW_REVIEW_BY, Layer, law_pack_fresh},
    terms::Terms,
};

/// Everything that is wrong with an organization's own rules, as far as the text alone tells.
///
/// Organizations and races that the rules name are checked when a coalition's gate is built.
#[must_use]
pub fn own_rules(text: &str) -> Vec<Fault> {
    load_layer(Layer::Own, text, None).err().unwrap_or_default()
}

/// Review dates that are over: from then on the gate refuses everything.
#[must_use]
pub fn expiry(terms: &Terms, now_ms: i64) -> Vec<Fault> {
    let mut faults = Vec::new();
    if now_ms >= terms.review_by_ms {
        let message = format!(
            "the agreement was to be reviewed by {}; review it, set a later day and have all members sign",
            terms.review_by
        );
        faults.push(fault(
            Code::AgreementExpired,
            Some(Layer::Agreement),
            None,
            message,
        ));
    }
    if !law_pack_fresh(now_ms) {
        let message =
            format!("the built-in law was to be reviewed by {LAW_REVIEW_BY}; update the program");
        faults.push(fault(Code::LawpackStale, Some(Layer::Law), None, message));
    }
    faults
}

/// Organizations that may not sit at one table: what members publish, all members see, so a
/// coalition holds one side of a race at most.
///
/// The rules of the law withhold rows between the two sides in any case; claims and contact
/// reports are seen by all, and only separate coalitions keep those apart.
#[must_use]
pub fn coalition(parties: &[Party]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for candidate_side in parties {
        for independent in parties {
            let mut both = candidate_side
                .coordinated_races
                .intersection(&independent.ie_races);
            let Some(race) = both.next() else { continue };
            let message = if candidate_side.id == independent.id {
                format!(
                    "it coordinates with a candidate in the race {race} and spends independently in it; correct its races"
                )
            } else {
                format!(
                    "it coordinates with a candidate in the race {race}, in which {} spends independently; \
                     the two need separate coalitions",
                    independent.id
                )
            };
            faults.push(fault(
                Code::FirewallConflict,
                None,
                Some(&candidate_side.id),
                message,
            ));
        }
    }
    faults
}

fn fault(code: Code, layer: Option<Layer>, id: Option<&str>, message: String) -> Fault {
    Fault {
        code,
        layer,
        line: 0,
        id: id.map(str::to_owned),
        message,
    }
}
