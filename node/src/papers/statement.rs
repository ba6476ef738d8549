//! A person's statement: what the organization has of the person, what the person agreed to, who was
//! given what and when, and who has signed that it is gone.

use crate::{
    app::App,
    http::problem::Failure,
    people::refer,
    shares::{
        holders,
        view::{self, Holder, Signed},
    },
    store::{self, people::Member, person::Person, person_suppression::Suppression},
};
use protocol::entry::payload::Channels;
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole statement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// Who makes it.
    pub organization: String,
    /// When, in milliseconds since 1970.
    pub made_at: i64,
    /// The person.
    pub person: About,
    /// What the person agreed to, one record each.
    pub consents: Vec<Agreed>,
    /// On which channels the organization does not contact the person.
    pub suppressions: Vec<NotContacted>,
    /// Everybody who was ever given the person.
    pub recipients: Vec<Recipient>,
}

/// What the organization has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct About {
    /// Its id at this node.
    pub person_id: String,
    /// Name.
    pub name: String,
    /// Born, where known.
    pub born: Option<String>,
    /// Address lines, as the files had them.
    pub address: Vec<String>,
    /// Doors, numbers and addresses, as people read them.
    pub points: Vec<String>,
    /// Lists that the person is on.
    pub lists: Vec<String>,
    /// Where the data came from.
    pub source: String,
    /// The ground on which they are kept.
    pub basis: String,
    /// Ids of other systems.
    pub ids: Vec<(String, String)>,
    /// Tags.
    pub tags: Vec<String>,
    /// Answers and whatever else the files had.
    pub more: BTreeMap<String, String>,
    /// Contacts that are on file.
    pub contacts: usize,
}

/// A consent record in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agreed {
    /// The record.
    pub record: String,
    /// The form that was signed.
    pub form: String,
    /// What it amounts to now.
    pub state: &'static str,
    /// The purposes.
    pub purposes: Vec<&'static str>,
    /// How the person takes it back.
    pub withdrawal_method: String,
}

/// A wish not to be contacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotContacted {
    /// Why.
    pub cause: &'static str,
    /// Channels; empty for a person who is said to have died.
    pub channels: Vec<&'static str>,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// When it was taken back.
    pub withdrawn_at: Option<i64>,
}

/// Somebody who was given the person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipient {
    /// Who, what, when, on which ground, and how it stands.
    #[serde(flatten)]
    pub holder: Holder,
    /// The recipient's signed receipt, where there is one.
    pub receipt: Option<Signed>,
}

/// Makes a person's statement.
///
/// # Errors
/// [`Failure`] when nobody or several are meant, or the database fails.
pub async fn statement(app: &App, reference: &str) -> Result<Statement, Failure> {
    let now = app.now().0;
    let mut db = app.store.read("making a statement").await?;
    let id = refer::one(&mut db, reference).await?;
    let member = store::people::member(&mut db, &id).await?;
    let member = member.ok_or_else(|| Failure::not_found(refer::NOBODY))?;
    let lists = store::list::of_person(&mut db, &id).await?;
    let ids = store::identifier::of_person(&mut db, &id).await?;
    let contacts = store::contact::of_person(&mut db, &id).await?.len();
    drop(db);
    let consents = member.consents.iter().map(|consent| Agreed {
        record: consent.record_id.clone(),
        form: consent.form.clone(),
        state: consent.record.standing(now).state.name(),
        purposes: consent
            .record
            .purposes
            .iter()
            .map(|clause| clause.purpose.name())
            .collect(),
        withdrawal_method: consent.record.withdrawal_method.clone(),
    });
    Ok(Statement {
        organization: app.name.clone(),
        made_at: now,
        consents: consents.collect(),
        suppressions: member.suppressions.iter().map(not_contacted).collect(),
        recipients: recipients(app, &id).await?,
        person: about(member, lists, ids, contacts),
    })
}

async fn recipients(app: &App, id: &str) -> Result<Vec<Recipient>, Failure> {
    let holders = holders(app, id).await?;
    if holders.is_empty() {
        return Ok(Vec::new());
    }
    let receipts = view::receipts(app, false).await?;
    let signed: BTreeMap<_, _> = receipts
        .into_iter()
        .map(|receipt| (receipt.notice, receipt.signed))
        .collect();
    Ok(holders
        .into_iter()
        .map(|holder| Recipient {
            receipt: holder
                .notice
                .and_then(|notice| signed.get(&notice).cloned().flatten()),
            holder,
        })
        .collect())
}

fn not_contacted(row: &Suppression) -> NotContacted {
    let channels = Channels(u8::try_from(row.channels).unwrap_or_default());
    NotContacted {
        cause: row.cause.name(),
        channels: channels.iter().map(|channel| channel.name()).collect(),
        since: row.since,
        withdrawn_at: row.withdrawn_at,
    }
}

fn about(member: Member, lists: Vec<String>, ids: Vec<(String, String)>, contacts: usize) -> About {
    let Member { person, points, .. } = member;
    let points = points
        .iter()
        .filter(|point| point.point.class != store::point::PERSON)
        .map(|point| point.point.display.clone());
    About {
        name: person.name(),
        born: person
            .birth_date
            .clone()
            .or_else(|| person.birth_year.map(|year| year.to_string())),
        address: address(&person),
        points: points.collect(),
        lists,
        ids,
        contacts,
        source: person.source,
        basis: person.basis,
        tags: person.tags,
        more: person.answers.into_iter().chain(person.extra).collect(),
        person_id: person.person_id,
    }
}

fn address(person: &Person) -> Vec<String> {
    let place = &person.address;
    let town = [
        &place.city,
        &place.state,
        &place.postal_code,
        &place.country,
    ];
    let town: Vec<&str> = town
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    let lines = [place.line1.clone(), place.line2.clone(), town.join(" ")];
    let lines = lines.into_iter().filter(|line| !line.is_empty());
    let precinct = Some(&place.precinct).filter(|precinct| !precinct.is_empty());
    let precinct = precinct.map(|precinct| format!("precinct {precinct}"));
    let point = place.position.map(|at| {
        let (latitude, longitude) = at.degrees();
        format!("at latitude {latitude}, longitude {longitude}")
    });
    lines.chain(precinct).chain(point).collect()
}
