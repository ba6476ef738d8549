//! Passing on what others gave: the row goes through the same gate as own people, with the facts and labels
//! that travelled with it.
//!
//! Nothing is widened on the way: a row goes on only for the purpose and channel for which it was given,
//! with the classes that were given, and no longer than it may be used here. It is a use of the share like
//! any other: a row goes on while an announced use of its share goes on.

use super::{
    build, export,
    facts::{self, was_contacted},
    payload::{Fields, Grounds, RowToken, SharedRow, field_of},
    plan::{Plan, Recipient, Which},
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
use policy::{FieldMask, Record, Row, RowFacts};
use protocol::{
    id::{EntryId, NodeId, RowRef},
    problem::ProblemKind,
    state::State,
    time::Moment,
    token::Token,
};
use std::collections::BTreeSet;

/// Rows read at a time.
const PAGE: i64 = 2_000;
/// What stands before the name of a received row where a person is meant.
pub const PREFIX: &str = "row:";

/// What the node itself withholds, before any rule is asked: name, reason, what helps.
pub const WITHHELD: [(&str, &str, &str); 3] = [
    (
        "node.other-purpose",
        "The row was given for another purpose or channel.",
        "Pass it on for what it was given for, or ask the organization that gave it.",
    ),
    ("node.own-row", "The row came from this recipient.", ""),
    (
        "node.not-in-use",
        "No announced use of the share goes on.",
        "Announce a use with `commonturf received announce`, and pass the row on once it has begun.",
    ),
];
const OTHER_PURPOSE: &str = WITHHELD[0].0;
const OWN_ROW: &str = WITHHELD[1].0;
const NOT_IN_USE: &str = WITHHELD[2].0;

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
    share: EntryId,
    name: RowRef,
    sender: NodeId,
    expires_at: Option<Moment>,
    /// Why it goes to nobody now, whoever asks.
    resting: Option<&'static str>,
    fields: Fields,
    grounds: Grounds,
    tokens: Vec<RowToken>,
    /// As the gate sees it.
    row: Row,
}

impl Held {
    /// What the ledger calls the person.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The received share and row that it comes by.
    #[must_use]
    pub fn via(&self) -> (EntryId, RowRef) {
        (self.share, self.name)
    }

    /// When the right to use it ends.
    #[must_use]
    pub fn expires_at(&self) -> Option<Moment> {
        self.expires_at
    }

    /// Why the node itself withholds it from a recipient, before any rule is asked.
    #[must_use]
    pub fn withheld(&self, to: NodeId) -> Option<&'static str> {
        let is_own = to == self.sender || to == self.grounds.originator;
        match self.resting {
            Some(OTHER_PURPOSE) => Some(OTHER_PURPOSE),
            _ if is_own => Some(OWN_ROW),
            other => other,
        }
    }

    /// Classes of fields that were given.
    #[must_use]
    pub fn known(&self) -> FieldMask {
        self.fields.mask()
    }

    /// The consent that travelled with it.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.row.consent.as_ref()
    }

    /// The facts that the gate is asked about.
    #[must_use]
    pub fn facts(&self) -> &RowFacts {
        &self.row.facts
    }

    /// The row as it is passed on: what was given, as far as the mask lets it, and its labels in full.
    #[must_use]
    pub fn build(
        &self,
        row: &Row,
        mask: FieldMask,
        recipient: &Recipient,
        name: RowRef,
        now: i64,
    ) -> Option<SharedRow> {
        let mut fields = self.fields.clone();
        fields.keep(mask);
        let mask = fields.mask();
        let tokens = self.tokens.iter().copied();
        let tokens = tokens.filter(|token| mask.contains(field_of(token.class)));
        let mut shared = build::sealed_row(fields, tokens.collect(), row, recipient, name, now)?;
        let (grounds, held) = (&mut shared.grounds, &self.grounds);
        grounds.coordinated.clone_from(&held.coordinated);
        grounds.independent.clone_from(&held.independent);
        Some(shared)
    }
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

/// Received rows, share by share and page by page.
#[derive(Debug)]
pub struct Pages {
    shares: std::vec::IntoIter<Received>,
    open: Option<Received>,
    after: Vec<u8>,
    known: Known,
}

impl Pages {
    /// Before the first page.
    ///
    /// # Errors
    /// [`Failure`] when nobody or several are meant, or this node cannot know what was taken back.
    pub async fn of(plan: &Plan, app: &App, which: &Which) -> Result<Self, Failure> {
        let mut shares = shares(plan, app, which).await?.into_iter();
        Ok(Self {
            open: shares.next(),
            shares,
            after: Vec::new(),
            known: Known::read(plan, app).await?,
        })
    }

    /// The next page; empty at the end. Rows that speak of things that this version does not know are
    /// left out.
    ///
    /// # Errors
    /// [`Failure`] when the database fails.
    pub async fn next(&mut self, plan: &Plan, app: &App) -> Result<Vec<Held>, Failure> {
        while let Some(share) = &self.open {
            let stored = page(app, share, &self.after).await?;
            let Some(last) = stored.last() else {
                self.open = self.shares.next();
                self.after.clear();
                continue;
            };
            self.after = last.name.0.to_vec();
            let coalition = crate::coalition::active(app).await?;
            let held = held(plan, &coalition.state, &self.known, share, stored);
            if !held.is_empty() {
                return Ok(held);
            }
        }
        Ok(Vec::new())
    }
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

/// A received row as it is stored.
struct Stored {
    name: RowRef,
    fields: Fields,
    grounds: Grounds,
    tokens: Vec<RowToken>,
}

async fn page(app: &App, share: &Received, after: &[u8]) -> Result<Vec<Stored>, Failure> {
    let mut db = app.store.read("reading received rows").await?;
    let rows = received::rows(&mut db, share.share, after, PAGE).await?;
    let (Some((first, ..)), Some((last, ..))) = (rows.first(), rows.last()) else {
        return Ok(Vec::new());
    };
    let mut tokens = onward::tokens(&mut db, share.share, (first, last)).await?;
    drop(db);
    let stored = |(row, fields, grounds): (Vec<u8>, String, String)| {
        let found = tokens.remove(&row).unwrap_or_default();
        let name = RowRef(
            row.try_into()
                .map_err(|_| Failure::internal("a received row whose name has not 16 bytes"))?,
        );
        Ok(Stored {
            name,
            fields: serde_json::from_str(&fields).map_err(Failure::internal)?,
            grounds: serde_json::from_str(&grounds).map_err(Failure::internal)?,
            tokens: found
                .into_iter()
                .map(|(class, token)| RowToken { class, token })
                .collect(),
        })
    };
    rows.into_iter().map(stored).collect()
}

/// Stored rows of one share with what the gate is asked about.
fn held(
    plan: &Plan,
    state: &State,
    known: &Known,
    share: &Received,
    stored: Vec<Stored>,
) -> Vec<Held> {
    let ask = &plan.ask;
    let same = share.purpose == ask.purpose.name() && share.channel == ask.channel.name();
    let resting = if !same {
        Some(OTHER_PURPOSE)
    } else if state.use_at(share.share, plan.now).is_none() {
        Some(NOT_IN_USE)
    } else {
        None
    };
    let held = |stored: Stored| {
        let id = reference(share.share, stored.name);
        Some(Held {
            row: row(plan, state, known, &id, &stored)?,
            id,
            share: share.share,
            name: stored.name,
            sender: share.sender,
            expires_at: share.expires_at.map(Moment),
            resting,
            fields: stored.fields,
            grounds: stored.grounds,
            tokens: stored.tokens,
        })
    };
    stored.into_iter().filter_map(held).collect()
}

/// The facts of a received row, as the gate sees them before it is passed on.
fn row(plan: &Plan, state: &State, known: &Known, id: &str, stored: &Stored) -> Option<Row> {
    let (ask, now) = (&plan.ask, plan.now);
    let (grounds, fields) = (&stored.grounds, &stored.fields);
    let mut row = facts::of_shared(&plan.setting, grounds, fields, ask.purpose, now)?;
    let tokens = || stored.tokens.iter().map(|token| token.token);
    let facts = &mut row.facts;
    facts.suppressed = tokens().any(|token| {
        known.suppressed.contains(&token) || state.suppressed(token, ask.channel).is_some()
    });
    facts.tombstoned = known.recalled.contains(id);
    let attempts = plan.setting.attempts_count;
    facts.recent_contact =
        tokens().any(|token| was_contacted(state, attempts, ask.channel, token, now));
    Some(row)
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
        let mut stored = page(app, &share, &after).await?.into_iter();
        if let Some(stored) = stored.find(|stored| stored.name == name) {
            let coalition = crate::coalition::active(app).await?;
            let id = reference(share.share, name);
            return Ok(row(plan, &coalition.state, &known, &id, &stored));
        }
    }
    Ok(None)
}
