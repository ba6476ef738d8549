//! Shares as people read them: given, received, taken back, and who holds whom.

use super::{
    onward::{self, Onward},
    setting::is_overdue,
    uses,
};
use crate::{
    app::App,
    coalition::members,
    http::problem::Failure,
    store::{
        self,
        share::{ledger, mark, notice, received},
    },
};
use protocol::{
    entry::share::{ErasureReceipt, ErasureResult, RevokeKind},
    id::{EntryId, NodeId},
    state::{
        State,
        rows::{ExceptionRow, NoticeRow},
    },
    time::Moment,
};
use serde::Serialize;
use serde_json::Value;

/// A share that this organization gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GivenShare {
    /// Its id.
    pub share: EntryId,
    /// The recipient's node.
    pub to: String,
    /// The recipient's name.
    pub name: String,
    /// What for.
    pub purpose: String,
    /// On which channel.
    pub channel: String,
    /// Classes of fields.
    pub fields: Value,
    /// Persons.
    pub people: u64,
    /// People withheld, by rule.
    pub withheld: Value,
    /// `queued`, `announced` or `void`.
    pub state: String,
    /// Why it is void.
    pub note: Option<String>,
    /// When it was decided.
    pub created_at: i64,
    /// When the recipient must stop.
    pub expires_at: Option<i64>,
    /// Persons that the recipient took, and those of an unfinished cell that it did not; absent until
    /// it answers.
    pub accepted: Option<u64>,
    /// Persons that the recipient's own gate dropped, in whole cells.
    pub dropped: Option<u64>,
    /// When it answered, in log time.
    pub answered_at: Option<Moment>,
    /// Rows taken back so far.
    pub taken_back: u64,
    /// Rows of which the recipient has signed that they are gone.
    pub confirmed: u64,
}

/// Shares that this organization gave, the latest first.
///
/// # Errors
/// [`Failure`] when the database fails or this node is in no coalition.
pub async fn given(app: &App) -> Result<Vec<GivenShare>, Failure> {
    let mut db = app.store.read("listing shares").await?;
    let all = store::share::all(&mut db).await?;
    drop(db);
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    Ok(all
        .into_iter()
        .map(|given| {
            let answer = state.shares.get(&given.share).and_then(|row| row.received);
            let of_share = || {
                state
                    .notices
                    .iter()
                    .filter(|(_, notice)| notice.share == given.share)
                    .map(|(_, notice)| notice)
            };
            GivenShare {
                name: name(state, &given.recipient),
                accepted: answer.map(|answer| answer.accepted),
                dropped: answer.map(|answer| answer.dropped),
                answered_at: answer.map(|answer| answer.at),
                taken_back: of_share()
                    .filter(|notice| notice.kind.erases())
                    .map(|notice| notice.count)
                    .sum(),
                confirmed: of_share()
                    .filter(|notice| notice.kind.erases() && notice.receipt.is_some())
                    .map(|notice| notice.count)
                    .sum(),
                share: given.share,
                to: given.recipient,
                purpose: given.purpose,
                channel: given.channel,
                fields: json(&given.fields),
                people: given.count,
                withheld: json(&given.withheld),
                state: given.state,
                note: given.note,
                created_at: given.created_at,
                expires_at: given.expires_at,
            }
        })
        .collect())
}

fn name(state: &State, node: &str) -> String {
    node.parse::<NodeId>()
        .map_or_else(|_| node.to_owned(), |node| members::name(state, node))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// A share that another organization gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceivedShare {
    /// Its id.
    pub share: EntryId,
    /// The sender's node.
    pub from: NodeId,
    /// The sender's name.
    pub name: String,
    /// What it may be used for.
    pub purpose: String,
    /// On which channel.
    pub channel: String,
    /// Classes of fields.
    pub fields: Value,
    /// Persons announced.
    pub announced: u64,
    /// Persons taken.
    pub accepted: u64,
    /// Persons held now who may be used.
    pub held: u64,
    /// Persons held who must not be used.
    pub resting: u64,
    /// What this node's own gate dropped.
    pub dropped: Value,
    /// `announced`, `stored`, `failed` or `expired`.
    pub state: String,
    /// Why it failed.
    pub note: Option<String>,
    /// When it must no longer be used.
    pub expires_at: Option<i64>,
    /// Log time of the announcement.
    pub at: Moment,
    /// Whether its rows may leave this node now; absent without an agreement in force.
    pub uses: Option<uses::Standing>,
}

/// Shares that others gave, the latest first.
///
/// # Errors
/// [`Failure`] when the database fails or this node is in no coalition.
pub async fn received(app: &App) -> Result<Vec<ReceivedShare>, Failure> {
    let mut db = app.store.read("listing received shares").await?;
    let mut rows = Vec::new();
    for row in received::all(&mut db).await? {
        let held = received::held(&mut db, row.share).await?;
        let resting = mark::resting(&mut db, row.share).await?;
        rows.push((row, held, resting));
    }
    drop(db);
    let coalition = crate::coalition::active(app).await?;
    let rules = coalition.state.rules().map(|(_, rules)| rules);
    let uses =
        |share| rules.map(|rules| uses::Standing::of(&coalition.state, rules, share, app.now()));
    Ok(rows
        .into_iter()
        .map(|(row, held, resting)| ReceivedShare {
            uses: uses(row.share),
            share: row.share,
            name: members::name(&coalition.state, row.sender),
            from: row.sender,
            purpose: row.purpose,
            channel: row.channel,
            fields: json(&row.fields),
            announced: row.announced,
            accepted: row.accepted,
            held,
            resting,
            dropped: json(&row.dropped),
            state: row.state,
            note: row.note,
            expires_at: row.expires_at,
            at: row.at,
        })
        .collect())
}

/// A notice that this organization gave, and the answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Receipt {
    /// The notice.
    pub notice: EntryId,
    /// The share.
    pub share: EntryId,
    /// The recipient's node.
    pub to: NodeId,
    /// The recipient's name.
    pub name: String,
    /// Why.
    pub kind: String,
    /// Rows.
    pub rows: u64,
    /// `queued`, `told`, `acknowledged`, `excepted`, or what the receipt says: `erased`, `not_found`,
    /// `restricted`, `rectified`, `partly_retained`, `refused`, `lifted`.
    pub state: &'static str,
    /// Whether an answer is late, in log time.
    pub overdue: bool,
    /// When the recipient was told, in log time.
    pub at: Option<Moment>,
    /// When the recipient said that it stopped, in log time.
    pub acknowledged: Option<Moment>,
    /// When the receipt was ordered, in log time.
    pub receipt_at: Option<Moment>,
    /// Rows erased, restricted or corrected, as the recipient states.
    pub erased: Option<u64>,
    /// What the recipient keeps, and why.
    pub retained: Vec<Kept>,
    /// Whom the recipient had passed rows on to, and whether they have confirmed.
    pub onward: Vec<Onward>,
    /// Why nobody waits for the receipt any more.
    pub exception: Option<Exception>,
    /// By when the recipient must have stopped.
    pub ack_due: Option<Moment>,
    /// By when the receipt must be there.
    pub due: Option<Moment>,
    /// The signed statement and its signature, base64: good outside the log too.
    pub signed: Option<Signed>,
}

/// A class of fields that a recipient keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The class.
    pub class: String,
    /// On which ground.
    pub ground: String,
    /// Until when.
    pub until: Moment,
}

/// Why nobody waits for a receipt any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// `impossible` or `disproportionate`.
    pub kind: &'static str,
    /// In the sender's words.
    pub reason: String,
    /// Who answers for it.
    pub approver: String,
    /// When it was ordered, in log time.
    pub at: Moment,
}

impl Exception {
    fn of(row: &ExceptionRow) -> Self {
        Self {
            kind: row.kind.name(),
            reason: row.reason.clone(),
            approver: row.approver.clone(),
            at: row.at,
        }
    }
}

fn kept(row: &NoticeRow) -> Vec<Kept> {
    let retained = row.receipt.as_ref().map(|receipt| &receipt.retained);
    let retained = retained.into_iter().flatten();
    retained
        .map(|kept| Kept {
            class: kept.class.clone(),
            ground: kept.ground.clone(),
            until: kept.until,
        })
        .collect()
}

/// A receipt's signed bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signed {
    /// The statement, CBOR.
    pub statement: String,
    /// Ed25519 by the recipient's statement key.
    pub signature: String,
}

/// Notices that this organization gave, the latest first.
///
/// # Errors
/// [`Failure`] when the database fails or this node is in no coalition.
pub async fn receipts(app: &App, overdue_only: bool) -> Result<Vec<Receipt>, Failure> {
    let mut db = app.store.read("listing receipts").await?;
    let all = notice::all_out(&mut db).await?;
    drop(db);
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    let now = state.meta().head.log_time;
    Ok(all
        .into_iter()
        .map(|out| {
            let row = state.notices.get(&out.notice);
            Receipt {
                name: members::name(state, out.recipient),
                state: row.map_or("queued", progress),
                overdue: row.is_some_and(|row| is_overdue(row, now)),
                at: row.map(|row| row.at),
                acknowledged: row.and_then(|row| row.acknowledged),
                receipt_at: row
                    .and_then(|row| row.receipt.as_ref())
                    .map(|receipt| receipt.at),
                erased: row
                    .and_then(|row| row.receipt.as_ref())
                    .map(|receipt| receipt.erased),
                retained: row.map(kept).unwrap_or_default(),
                onward: row.map(|row| onward::of(state, row)).unwrap_or_default(),
                exception: row
                    .and_then(|row| row.exception.as_ref())
                    .map(Exception::of),
                ack_due: row.map(|row| row.ack_due),
                due: row.map(|row| row.due),
                signed: out.receipt.as_deref().and_then(signed),
                notice: out.notice,
                share: out.share,
                to: out.recipient,
                kind: out.kind,
                rows: out.count,
            }
        })
        .filter(|receipt| receipt.overdue || !overdue_only)
        .collect())
}

fn signed(receipt: &[u8]) -> Option<Signed> {
    let receipt: ErasureReceipt = minicbor::decode(receipt).ok()?;
    let base64 = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
    Some(Signed {
        statement: base64(&receipt.statement),
        signature: base64(&receipt.signature),
    })
}

pub(super) fn progress(row: &NoticeRow) -> &'static str {
    match (&row.receipt, &row.exception, row.acknowledged) {
        (Some(receipt), ..) => receipt.result.name(),
        (None, Some(_), _) => "excepted",
        (None, None, Some(_)) => "acknowledged",
        (None, None, None) => "told",
    }
}

/// Who was given a person, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Holder {
    /// The recipient's node.
    pub to: NodeId,
    /// Its name.
    pub name: String,
    /// The share.
    pub share: EntryId,
    /// Classes of fields.
    pub fields: Value,
    /// What for.
    pub purpose: String,
    /// On which channel.
    pub channel: String,
    /// The ground.
    pub basis: String,
    /// The consent record relied on.
    pub consent_record: Option<String>,
    /// When.
    pub sent_at: i64,
    /// When the recipient must stop using it anyway.
    pub expires_at: Option<i64>,
    /// `queued`, `held`, `expired`, `revoked`, `overdue`, `excepted`, `erased`, `restricted`,
    /// `partly_retained`, `not_found` or `refused`.
    pub status: &'static str,
    /// Why it was taken back.
    pub revoked_for: Option<String>,
    /// The notice that takes it back.
    pub notice: Option<EntryId>,
    /// When the recipient's receipt was ordered, in log time.
    pub erased_at: Option<Moment>,
    /// By when the receipt must be there.
    pub due: Option<Moment>,
    /// What the recipient keeps, and why.
    pub retained: Vec<Kept>,
    /// Whom the recipient had passed rows of the notice on to, and whether they have confirmed.
    pub onward: Vec<Onward>,
    /// Why nobody waits for the receipt any more.
    pub exception: Option<Exception>,
    /// How the latest correction stands, in the words of [`Receipt::state`].
    pub correction: Option<&'static str>,
}

/// Everybody who was ever given a person, by the ledger.
///
/// # Errors
/// [`Failure`] when the database fails or this node is in no coalition.
pub async fn holders(app: &App, person: &str) -> Result<Vec<Holder>, Failure> {
    let mut db = app.store.read("looking who has a person").await?;
    let lines = ledger::of_person(&mut db, person).await?;
    let mut with_shares = Vec::new();
    for line in lines {
        let given = store::share::find(&mut db, line.share).await?;
        with_shares.push((line, given));
    }
    drop(db);
    if with_shares.is_empty() {
        return Ok(Vec::new());
    }
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    let now = state.meta().head.log_time;
    let holder = |(line, given): (ledger::Disclosure, Option<store::share::Given>)| {
        let notice = line.notice.and_then(|notice| state.notices.get(&notice));
        let receipt = notice.and_then(|notice| notice.receipt.as_ref());
        let expires_at = given.as_ref().and_then(|given| given.expires_at);
        let announced = given
            .as_ref()
            .is_some_and(|given| given.state == "announced");
        let correction = line.rectified.map(|notice| state.notices.get(&notice));
        let told = notice.into_iter().chain(correction.flatten());
        let is_lifted = line.revoke_kind.as_deref() == Some(RevokeKind::Lift.name());
        let answered = receipt.filter(|receipt| receipt.result != ErasureResult::Lifted);
        let status = match (answered, notice, &line.revoke_kind) {
            (Some(receipt), _, _) => match receipt.result {
                ErasureResult::NotFound if is_lifted => "not_found",
                ErasureResult::Erased | ErasureResult::NotFound => "erased",
                other => other.name(),
            },
            (None, Some(notice), _) if notice.exception.is_some() => "excepted",
            (None, Some(notice), _) if is_overdue(notice, now) => "overdue",
            // It rests until the recipient has said that it does not.
            (None, _, Some(_)) if is_lifted && receipt.is_none() => "restricted",
            (None, _, Some(_)) if !is_lifted => "revoked",
            (None, _, _) if expires_at.is_some_and(|expires| expires <= now.0) => "expired",
            (None, _, _) if announced => "held",
            (None, _, _) => "queued",
        };
        let word = |of: fn(&store::share::Given) -> &String| {
            given.as_ref().map(of).cloned().unwrap_or_default()
        };
        Holder {
            to: line.recipient,
            name: members::name(state, line.recipient),
            share: line.share,
            fields: json(&line.fields),
            purpose: word(|given| &given.purpose),
            channel: word(|given| &given.channel),
            basis: line.basis,
            consent_record: line.consent_record,
            sent_at: line.sent_at,
            expires_at,
            status,
            revoked_for: line.revoke_kind,
            notice: line.notice,
            erased_at: receipt.map(|receipt| receipt.at),
            due: notice.map(|notice| notice.due),
            retained: notice.map(kept).unwrap_or_default(),
            onward: told.flat_map(|row| onward::of(state, row)).collect(),
            exception: notice
                .and_then(|row| row.exception.as_ref())
                .map(Exception::of),
            correction: correction.map(|row| row.map_or("queued", progress)),
        }
    };
    Ok(with_shares.into_iter().map(holder).collect())
}
