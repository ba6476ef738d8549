//! Passing on what others gave: the row goes through the same gate as own people, with the facts and labels
//! that travelled with it.
//!
//! Nothing is widened on the way: a row goes on only for the purpose and channel for which it was given,
//! with the classes that were given, and no longer than it may be used here.

use super::{
    build, export,
    facts::{self, was_contacted},
    payload::{Fields, Grounds, RowToken, SharedRow, field_of},
    plan::{Plan, Recipient, Subject, Tally, Which},
};
use crate::{
    app::App,
    coalition::members,
    http::problem::Failure,
    store::share::{
        candidate, onward,
        received::{self, Received},
    },
};
use policy::Row;
use protocol::{
    id::{EntryId, NodeId, RowRef},
    problem::ProblemKind,
    time::Moment,
    token::Token,
};
use std::collections::BTreeSet;

/// Rows read at a time.
const PAGE: i64 = 2_000;
/// What stands before the name of a received row where a person is meant.
pub const PREFIX: &str = "row:";

/// What the node itself withholds, before any rule is asked: name, reason, what helps.
pub const WITHHELD: [(&str, &str, &str); 2] = [
    (
        "node.other-purpose",
        "The row was given for another purpose or channel.",
        "Pass it on for what it was given for, or ask the organization that gave it.",
    ),
    ("node.own-row", "The row came from this recipient.", ""),
];
const OTHER_PURPOSE: &str = WITHHELD[0].0;
const OWN_ROW: &str = WITHHELD[1].0;

/// The name of a received row where a person is meant.
#[must_use]
pub fn reference(share: EntryId, row: RowRef) -> String {
    format!("{PREFIX}{share}.{row}")
}

/// The received row that a text names; none when it names none.
#[must_use]
pub fn named(reference: &str) -> Option<(EntryId, RowRef)> {
    let (share, row) = reference.trim().strip_prefix(PREFIX)?.split_once('.')?;
    Some((share.parse().ok()?, row.parse().ok()?))
}

/// A received row that may be used.
#[derive(Debug)]
pub struct Held {
    /// What the ledger calls the person.
    id: String,
    row: RowRef,
    fields: Fields,
    grounds: Grounds,
    tokens: Vec<RowToken>,
}

/// What this organization itself knows of received people.
#[derive(Debug)]
struct Known {
    suppressed: BTreeSet<Token>,
    recalled: BTreeSet<String>,
}

impl Known {
    async fn read(plan: &Plan, app: &App) -> Result<Self, Failure> {
        let mut db = app
            .store
            .read("reading what stands against passing on")
            .await?;
        Ok(Self {
            suppressed: candidate::suppressed(&mut db, plan.ask.channel).await?,
            recalled: onward::recalled(&mut db).await?,
        })
    }
}

/// Walks received rows through the gate, share by share.
///
/// # Errors
/// [`Failure`] when nobody or several are meant, or this node cannot know what was taken back.
pub(super) async fn walk(
    plan: &Plan,
    app: &App,
    which: &Which,
    sink: &mut impl FnMut(usize, Subject<'_>, SharedRow) -> Result<(), Failure>,
) -> Result<Vec<Tally>, Failure> {
    let shares = shares(plan, app, which).await?;
    let known = Known::read(plan, app).await?;
    let mut tallies = vec![Tally::default(); plan.recipients.len()];
    for share in &shares {
        let mut after = Vec::new();
        loop {
            let rows = page(app, share, &after).await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = last.row.0.to_vec();
            for (n, (recipient, tally)) in plan.recipients.iter().zip(&mut tallies).enumerate() {
                let (rows, facts) =
                    askable(plan, app, &known, share, recipient, &rows, tally).await?;
                let outcome = plan.decide(recipient, &facts);
                tally.add(facts.len(), &outcome);
                for ((held, row), mask) in rows.iter().zip(&facts).zip(&outcome.masks) {
                    if mask.is_empty() {
                        continue;
                    }
                    let subject = Subject {
                        id: &held.id,
                        via: Some((share.share, held.row)),
                        expires_at: share.expires_at.map(Moment),
                    };
                    let built = built(held, row, *mask, recipient, plan.now.0);
                    tally.take(n, subject, built, sink)?;
                }
            }
        }
    }
    Ok(tallies)
}

/// The shares whose rows may be used.
async fn shares(plan: &Plan, app: &App, which: &Which) -> Result<Vec<Received>, Failure> {
    if let Some(why) = export::why_closed(app).await {
        return Err(Failure::new(ProblemKind::Conflict, why));
    }
    let from = match &which.from {
        None => None,
        Some(who) => {
            let coalition = crate::coalition::active(app).await?;
            Some(members::find(&coalition.state, who)?)
        }
    };
    let mut db = app.store.read("looking for received shares").await?;
    let all = received::all(&mut db).await?;
    if which
        .share
        .is_some_and(|share| all.iter().all(|row| row.share != share))
    {
        return Err(Failure::not_found(
            "no received share has that id; see `commonturf received list`",
        ));
    }
    let usable = |row: &Received| {
        row.state == "stored"
            && row.expires_at.is_none_or(|expires| expires > plan.now.0)
            && from.is_none_or(|from: NodeId| row.sender == from)
            && which.share.is_none_or(|share| row.share == share)
    };
    let mut usable: Vec<Received> = all.into_iter().filter(usable).collect();
    usable.sort_by_key(|row| row.position);
    Ok(usable)
}

async fn page(app: &App, share: &Received, after: &[u8]) -> Result<Vec<Held>, Failure> {
    let mut db = app.store.read("reading received rows").await?;
    let rows = received::rows(&mut db, share.share, after, PAGE).await?;
    let (Some((first, ..)), Some((last, ..))) = (rows.first(), rows.last()) else {
        return Ok(Vec::new());
    };
    let mut tokens = onward::tokens(&mut db, share.share, (first, last)).await?;
    drop(db);
    let held = |(row, fields, grounds): (Vec<u8>, String, String)| {
        let found = tokens.remove(&row).unwrap_or_default();
        let row = RowRef(
            row.try_into()
                .map_err(|_| Failure::internal("a received row whose name has not 16 bytes"))?,
        );
        Ok(Held {
            id: reference(share.share, row),
            row,
            fields: serde_json::from_str(&fields).map_err(Failure::internal)?,
            grounds: serde_json::from_str(&grounds).map_err(Failure::internal)?,
            tokens: found
                .into_iter()
                .map(|(class, token)| RowToken { class, token })
                .collect(),
        })
    };
    rows.into_iter().map(held).collect()
}

/// The rows about which the gate is asked for one recipient, with their facts; the others are counted.
async fn askable<'r>(
    plan: &Plan,
    app: &App,
    known: &Known,
    share: &Received,
    recipient: &Recipient,
    rows: &'r [Held],
    tally: &mut Tally,
) -> Result<(Vec<&'r Held>, Vec<Row>), Failure> {
    let ask = &plan.ask;
    let same = share.purpose == ask.purpose.name() && share.channel == ask.channel.name();
    if !same {
        tally.withhold(OTHER_PURPOSE, rows.len() as u64);
        return Ok((Vec::new(), Vec::new()));
    }
    let is_own =
        |held: &&Held| recipient.node == share.sender || recipient.node == held.grounds.originator;
    let own = rows.iter().filter(is_own).count() as u64;
    if own > 0 {
        tally.withhold(OWN_ROW, own);
    }
    let mut asked = Vec::new();
    let mut all_facts = Vec::new();
    for held in rows.iter().filter(|held| !is_own(held)) {
        if let Some(row) = row(plan, app, known, held).await? {
            asked.push(held);
            all_facts.push(row);
        }
    }
    Ok((asked, all_facts))
}

/// The facts of a received row, as the gate sees them before it is passed on.
async fn row(plan: &Plan, app: &App, known: &Known, held: &Held) -> Result<Option<Row>, Failure> {
    let (ask, now) = (&plan.ask, plan.now);
    let shared = facts::of_shared(&plan.setting, &held.grounds, &held.fields, ask.purpose, now);
    let Some(mut row) = shared else {
        return Ok(None);
    };
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    let tokens = || held.tokens.iter().map(|token| token.token);
    let facts = &mut row.facts;
    facts.suppressed = tokens().any(|token| {
        known.suppressed.contains(&token) || state.suppressed(token, ask.channel).is_some()
    });
    facts.tombstoned = known.recalled.contains(&held.id);
    let attempts = plan.setting.attempts_count;
    facts.recent_contact =
        tokens().any(|token| was_contacted(state, attempts, ask.channel, token, now));
    Ok(Some(row))
}

/// The row as it is passed on: what was given, as far as the mask lets it, and its labels in full.
fn built(
    held: &Held,
    row: &Row,
    mask: policy::FieldMask,
    recipient: &Recipient,
    now: i64,
) -> Option<SharedRow> {
    let mut fields = held.fields.clone();
    fields.keep(mask);
    let mask = fields.mask();
    let given = held
        .tokens
        .iter()
        .filter(|token| mask.contains(field_of(token.class)));
    let tokens = given.copied().collect();
    let name = RowRef::random(&mut crate::ambient::rng());
    let mut shared = build::sealed_row(fields, tokens, row, recipient, name, now)?;
    shared
        .grounds
        .coordinated
        .clone_from(&held.grounds.coordinated);
    shared
        .grounds
        .independent
        .clone_from(&held.grounds.independent);
    Some(shared)
}

/// The gate's row of one received row, to explain it; none when it is not held or must not be used.
///
/// # Errors
/// [`Failure`] when the database fails.
pub(super) async fn one(
    plan: &Plan,
    app: &App,
    (share, name): (EntryId, RowRef),
) -> Result<Option<Row>, Failure> {
    let which = Which {
        from: None,
        share: Some(share),
    };
    let known = Known::read(plan, app).await?;
    for share in shares(plan, app, &which).await? {
        let before = (u128::from_be_bytes(name.0)).checked_sub(1);
        let after = before.map_or_else(Vec::new, |before| before.to_be_bytes().to_vec());
        let rows = page(app, &share, &after).await?;
        if let Some(held) = rows.iter().find(|held| held.row == name) {
            return row(plan, app, &known, held).await;
        }
    }
    Ok(None)
}
