//! What is checked about a text or a coalition as a whole, without a node and before a gate is built.

use super::{Code, Fault, load_layer};
use crate::{
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

fn fault(code: Code, layer: Option<Layer>, id: Option<&str>, message: String) -> Fault {
    Fault {
        code,
        layer,
        line: 0,
        id: id.map(str::to_owned),
        message,
    }
}
