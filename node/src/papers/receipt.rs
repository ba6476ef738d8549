//! A consent receipt: what a person agreed to, in the person's own hands (ISO/IEC TS 27560:2023).

use crate::{
    app::App,
    http::problem::Failure,
    people::refer,
    store::{self, consent::Consent},
};
use policy::Record;
use protocol::id::Hash;
use serde::Serialize;

/// What the person gets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Receipt {
    /// Names this state of the record: SHA-256 of its JSON, in hexadecimal. A later event makes another receipt.
    pub receipt_id: String,
    /// The organization that keeps the record.
    pub organization: String,
    /// The person's name as the organization has it.
    pub name: String,
    /// When the receipt was made, in milliseconds since 1970.
    pub made_at: i64,
    /// What the record amounts to at that moment: `given`, `withdrawn` and so on.
    pub state: &'static str,
    /// When the first of its purposes ends, in milliseconds since 1970.
    pub ends: Option<i64>,
    /// The record itself.
    pub record: Record,
}

impl Receipt {
    fn of(app: &App, consent: Consent, name: String) -> Result<Self, Failure> {
        let now = app.now().0;
        let text = serde_json::to_vec(&consent.record).map_err(Failure::internal)?;
        Ok(Self {
            receipt_id: Hash::of(&text).to_string(),
            organization: app.name.clone(),
            name,
            made_at: now,
            state: consent.record.standing(now).state.name(),
            ends: consent.record.first_end(now),
            record: consent.record,
        })
    }
}

/// The receipts of a person, or the one for a record.
///
/// # Errors
/// [`Failure`] when nobody or several are meant, or the person has no such record.
pub async fn receipts(
    app: &App,
    reference: &str,
    record: Option<&str>,
) -> Result<Vec<Receipt>, Failure> {
    let mut db = app.store.read("making consent receipts").await?;
    let id = refer::one(&mut db, reference).await?;
    let person = store::person::find(&mut db, &id).await?;
    let name = person.map(|person| person.name()).unwrap_or_default();
    let mut consents = store::consent::of_person(&mut db, &id).await?;
    drop(db);
    consents.retain(|consent| record.is_none_or(|record| consent.record_id == record));
    if consents.is_empty() {
        return Err(Failure::not_found(match record {
            Some(_) => {
                "this person has no consent record with that id; see `commonturf people show`"
            }
            None => "this person has no consent record, so there is nothing to give a receipt for",
        }));
    }
    consents
        .into_iter()
        .map(|consent| Receipt::of(app, consent, name.clone()))
        .collect()
}
