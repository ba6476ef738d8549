//! Taking a share: fetch, open, check, ask this node's own gate, store what it lets through, answer.
//!
//! Whatever is wrong with the rows themselves ends the share with a plain note and is answered;
//! only a keeper that cannot be reached is a reason to try again.

use super::{
    consent,
    dispute::Faults,
    facts,
    payload::{self, RowToken, SHARE_BYTES, Salt, SharedRow, SharedRows, VERSION},
    setting::Setting,
};
use crate::{
    app::App,
    store::share::{candidate, notice, received, received::Received},
    sync::{
        keeper_client::{Keeper, KeeperError},
        outbox,
    },
};
use policy::{End, FieldClass, FieldMask, Outcome, Purpose, Row};
use protocol::{
    blob::BlobId,
    channel::Channel,
    codec,
    entry::share::{Consideration, ShareReceived},
    id::{Hash, NodeId},
    problem::ProblemKind,
    seal,
    time::Moment,
    token::{Class, Token},
};
use std::collections::BTreeMap;

/// Shares taken in one run of the job.
const SHARES_AT_ONCE: i64 = 16;
/// What sealing adds to the rows at most.
const SEALING_BYTES: u64 = 16 * 1024 * 1024;

/// Takes what was announced and not taken yet.
///
/// # Errors
/// When the keeper is not reached or the database fails; the other shares are taken nevertheless.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let mut db = app.store.read("looking for shares to take").await?;
    let waiting = received::announced(&mut db, SHARES_AT_ONCE).await?;
    drop(db);
    let mut failed = None;
    for share in waiting {
        if let Err(error) = one(app, &share).await {
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Why a share cannot be taken, ever.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it expired before it was fetched")]
    Expired,
    #[error("the keeper does not have its rows any more; ask the sender to share again")]
    Gone,
    #[error("its rows are not what was announced: {0}")]
    Other(&'static str),
    #[error("its rows cannot be opened: {0}")]
    Sealed(#[from] seal::SealError),
    #[error("its rows cannot be read: {0}")]
    Codec(#[from] codec::CodecError),
}

async fn one(app: &App, share: &Received) -> anyhow::Result<()> {
    let sealed = match fetch(app, share).await? {
        Ok(sealed) => sealed,
        Err(unusable) => return fail(app, share, &unusable).await,
    };
    let root = {
        let guard = app.coalition.read().await;
        let announced = guard.as_ref().and_then(|coalition| {
            let row = coalition.state.shares.get(&share.share)?;
            Some(row.announced.root)
        });
        announced.ok_or_else(|| anyhow::anyhow!("the share is not in the folded state"))?
    };
    match open(app, share, root, &sealed) {
        Ok(rows) => store(app, share, rows).await,
        Err(unusable) => fail(app, share, &unusable).await,
    }
}

async fn fetch(app: &App, share: &Received) -> anyhow::Result<Result<Vec<u8>, Unusable>> {
    if share
        .expires_at
        .is_some_and(|expires| expires <= app.now().0)
    {
        return Ok(Err(Unusable::Expired));
    }
    if share.bytes > SHARE_BYTES as u64 + SEALING_BYTES {
        return Ok(Err(Unusable::Other("more bytes than a share may have")));
    }
    let Ok(blob) = share.blob.parse::<BlobId>() else {
        return Ok(Err(Unusable::Other("no content address")));
    };
    let keeper = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref() else {
            anyhow::bail!("this node is in no coalition");
        };
        Keeper::of(app, coalition)
    };
    match keeper.download(app, blob, share.bytes).await {
        Ok(sealed) => Ok(Ok(sealed)),
        Err(error) if error.kind() == Some(ProblemKind::BlobMissing) => Ok(Err(Unusable::Gone)),
        Err(KeeperError::Unreadable(_)) => Ok(Err(Unusable::Other("another size"))),
        Err(error) => Err(error.into()),
    }
}

/// Opens the rows and checks everything that does not need the gate.
fn open(app: &App, share: &Received, root: Hash, sealed: &[u8]) -> Result<SharedRows, Unusable> {
    if sealed.len() as u64 != share.bytes {
        return Err(Unusable::Other("another size"));
    }
    let plain = seal::open(sealed, &app.secrets.age(), SHARE_BYTES)?;
    let rows: SharedRows = codec::decode(&plain)?;
    if rows.version != VERSION {
        return Err(Unusable::Other("a format of another version"));
    }
    if rows.share != share.share || rows.from != share.sender || rows.to != app.me {
        return Err(Unusable::Other("they belong to another share"));
    }
    if rows.rows.len() as u64 != share.announced {
        return Err(Unusable::Other("another number of people"));
    }
    if !rows.rows.is_sorted_by(|a, b| a.row_ref < b.row_ref) {
        return Err(Unusable::Other("two rows have one name"));
    }
    if !rows.rows.iter().all(SharedRow::is_within_limits) {
        return Err(Unusable::Other("a row has too many or too long values"));
    }
    if rows.root() != Some(root) {
        return Err(Unusable::Other("other rows than its root in the log"));
    }
    Ok(rows)
}

/// Ends a share that cannot be taken, and says so to the sender.
async fn fail(app: &App, share: &Received, why: &Unusable) -> anyhow::Result<()> {
    let note = why.to_string();
    tracing::warn!(share = %share.share, note, "a share could not be taken");
    let mut tx = app.store.write("giving up a share").await?;
    received::set_taken(&mut tx, share.share, "failed", 0, "{}", Some(&note)).await?;
    answer(app, &mut tx, share, 0).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(())
}

async fn answer(
    app: &App,
    tx: &mut crate::store::Write,
    share: &Received,
    accepted: u64,
) -> crate::store::Result<()> {
    let answer = ShareReceived {
        share: share.share,
        accepted,
        dropped: share.announced.saturating_sub(accepted),
    };
    outbox::queue(app, tx, answer.into(), None).await?;
    Ok(())
}

/// A row with what this node knows about it.
pub(super) struct Judged {
    pub(super) row: SharedRow,
    salt: Salt,
    pub(super) facts: Row,
    /// Notice that took the row back before it was fetched.
    recalled: Option<(u64, Moment)>,
    /// Tombstones that the person's later consent takes down.
    reopened: Vec<Token>,
    /// Whether it was sent although the person had been taken back by then.
    pub(super) resurfaced: bool,
}

async fn store(app: &App, share: &Received, rows: SharedRows) -> anyhow::Result<()> {
    let (Ok(purpose), Ok(channel), Ok(classes)) = (
        share.purpose.parse::<Purpose>(),
        share.channel.parse::<Channel>(),
        serde_json::from_str::<Vec<FieldClass>>(&share.fields),
    ) else {
        let why = Unusable::Other("words that this version does not know");
        return fail(app, share, &why).await;
    };
    let setting = Setting::of(app, share.agreement, share.at)
        .await
        .map_err(|failure| anyhow::anyhow!("{}: {}", failure.0.title, failure.0.detail))?;
    let now = app.now();
    let mut judged = Vec::with_capacity(rows.rows.len());
    let mut unknown = 0;
    for (row, salt) in rows.rows.into_iter().zip(rows.salts) {
        match judge(app, &setting, share, (purpose, channel), (row, salt), now).await? {
            Some(row) => judged.push(row),
            None => unknown += 1,
        }
    }
    let Some(given) = given(app, share).await else {
        anyhow::bail!("the share is not in the coalition's state");
    };
    let ends = (share.sender, app.me);
    let flow = setting.flow(ends, (purpose, channel), &given, now);
    let facts: Vec<Row> = judged.iter().map(|row| row.facts.clone()).collect();
    let outcome = setting
        .gate
        .decide(End::Receive, &flow, &facts, &classes, now.0);
    let surplus = |(row, mask): (&Judged, &FieldMask)| {
        row.resurfaced
            || row
                .row
                .fields
                .mask()
                .iter()
                .any(|class| !mask.contains(class))
    };
    let faults = if judged.iter().zip(&outcome.masks).any(surplus) {
        Faults::of(&setting, &flow, &classes, &judged, share.at)
    } else {
        Faults::default()
    };
    keep(app, share, judged, &outcome, unknown, faults).await
}

/// What is given for a share, as it was announced.
async fn given(app: &App, share: &Received) -> Option<Consideration> {
    let guard = app.coalition.read().await;
    let row = guard.as_ref()?.state.shares.get(&share.share)?;
    Some(row.announced.consideration.clone())
}

/// The facts of a row at this end; none when it speaks of things that this version does not know.
async fn judge(
    app: &App,
    setting: &Setting,
    share: &Received,
    (purpose, channel): (Purpose, Channel),
    (mut row, salt): (SharedRow, Salt),
    now: Moment,
) -> anyhow::Result<Option<Judged>> {
    if let Some(sender) = setting.party(share.sender) {
        row.grounds.went_through(sender);
    }
    let Some(known) = facts::of_shared(setting, &row.grounds, &row.fields, purpose, now) else {
        return Ok(None);
    };
    let Row {
        mut facts,
        consent: record,
    } = known;
    {
        let guard = app.coalition.read().await;
        if let Some(coalition) = guard.as_ref() {
            let state = &coalition.state;
            let tokens = || row.tokens.iter().map(|token| token.token);
            facts.suppressed = tokens().any(|token| state.suppressed(token, channel).is_some());
            facts.recent_contact = tokens().any(|token| {
                facts::was_contacted(state, setting.attempts_count, channel, token, now)
            });
        }
    }
    let mut db = app.store.read("reading what is known of a row").await?;
    for token in &row.tokens {
        if !facts.suppressed {
            facts.suppressed = candidate::is_suppressed(&mut db, token.token, channel).await?;
        }
    }
    let recalled = notice::erased(&mut db, share.share, row.row_ref).await?;
    facts.tombstoned = recalled.is_some();
    let mut reopened = Vec::new();
    let mut resurfaced = false;
    for token in tombstone_tokens(&row.tokens) {
        let Some((position, at)) = notice::tombstone(&mut db, token, share.sender).await? else {
            continue;
        };
        let again = share.position > position
            && record
                .as_ref()
                .is_some_and(|record| consent::given_after(record, at.0, now.0));
        if again {
            reopened.push(token);
        } else {
            facts.tombstoned = true;
            resurfaced |= share.position > position;
        }
    }
    Ok(Some(Judged {
        facts: Row {
            facts,
            consent: record,
        },
        row,
        salt,
        recalled,
        reopened,
        resurfaced,
    }))
}

/// The tokens that stand for a person: its keys, or where none was given its own contact points.
/// A door is never among them: others live there.
#[must_use]
pub fn tombstone_tokens(tokens: &[RowToken]) -> Vec<Token> {
    let of = |wanted: &[Class]| -> Vec<Token> {
        tokens
            .iter()
            .filter(|token| wanted.contains(&token.class))
            .map(|token| token.token)
            .collect()
    };
    let keys = of(&[Class::Person]);
    if keys.is_empty() {
        of(&[Class::Phone, Class::Email])
    } else {
        keys
    }
}

/// Puts up tombstones for a row's person.
///
/// # Errors
/// When the database fails.
pub async fn bury(
    tx: &mut crate::store::Write,
    tokens: &[RowToken],
    sender: NodeId,
    (position, at): (u64, Moment),
) -> crate::store::Result<()> {
    for token in tombstone_tokens(tokens) {
        notice::put_tombstone(&mut *tx, token, sender, position, at).await?;
    }
    Ok(())
}

/// The least count about people that is told under the agreement of a share.
async fn least_told(app: &App, agreement: Hash) -> u64 {
    let guard = app.coalition.read().await;
    let row = guard
        .as_ref()
        .and_then(|coalition| coalition.state.agreements.get(&agreement));
    row.map_or(u64::MAX, |row| row.rules.min_cell)
}

/// Stores what passed, counts the rest, answers: one transaction.
async fn keep(
    app: &App,
    share: &Received,
    judged: Vec<Judged>,
    outcome: &Outcome,
    unknown: u64,
    faults: Faults,
) -> anyhow::Result<()> {
    let least = least_told(app, share.agreement).await;
    let mut accepted = 0;
    let mut people: BTreeMap<String, u64> = outcome.rows_withheld_by_rule.clone();
    if unknown > 0 {
        people.insert("unreadable".to_owned(), unknown);
    }
    let mut values: BTreeMap<FieldClass, u64> = BTreeMap::new();
    let mut tx = app.store.write("storing a share").await?;
    for (mut judged, mask) in judged.into_iter().zip(&outcome.masks) {
        if let Some(notice) = judged.recalled {
            bury(&mut tx, &judged.row.tokens, share.sender, notice).await?;
        }
        let had = judged.row.fields.mask();
        for class in had.iter().filter(|class| !mask.contains(*class)) {
            *values.entry(class).or_default() += 1;
        }
        judged.row.fields.keep(*mask);
        if !judged.row.fields.mask().has_contact_point() {
            if !mask.is_empty() {
                *people.entry("no-contact-point".to_owned()).or_default() += 1;
            }
            continue;
        }
        for token in &judged.reopened {
            notice::remove_tombstone(&mut tx, *token, share.sender).await?;
        }
        let tokens: Vec<(Class, Token)> = judged
            .row
            .tokens
            .iter()
            .filter(|token| mask.contains(payload::field_of(token.class)))
            .map(|token| (token.class, token.token))
            .collect();
        received::insert_row(
            &mut tx,
            share.share,
            judged.row.row_ref,
            &serde_json::to_string(&judged.row.fields)?,
            &serde_json::to_string(&judged.row.grounds)?,
            &tokens,
            &judged.salt.0,
        )
        .await?;
        accepted += 1;
    }
    let dropped = serde_json::json!({ "people": people, "values": values }).to_string();
    received::set_taken(&mut tx, share.share, "stored", accepted, &dropped, None).await?;
    // How many this node's own rules dropped is about people: the sender learns whole cells of it.
    let dropped = policy::cell::told(share.announced.saturating_sub(accepted), least);
    answer(app, &mut tx, share, share.announced - dropped).await?;
    faults.report(app, &mut tx, share).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(())
}
