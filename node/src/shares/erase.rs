//! Notices that arrived: they are carried out, and the signed receipt is queued with what they did.

use super::{
    carry_out::{self, Done},
    fan_out,
    notice::RecalledRows,
};
use crate::{
    app::App,
    store::share::{
        ledger, mark,
        notice::{self, NoticeIn},
        received,
    },
    sync::{
        keeper_client::{Keeper, KeeperError},
        outbox,
    },
};
use protocol::{
    codec::{self, Canonical},
    entry::{
        payload::Payload,
        share::{
            ERASURE_PREFIX, ErasureReceipt, ErasureResult, ErasureStatement, NoticeAck, Onward,
            RevokeKind,
        },
    },
    identity::KeyUse,
    problem::ProblemKind,
    seal,
    state::State,
    time::DAY,
};

/// Notices carried out in one run of the job.
const NOTICES_AT_ONCE: i64 = 64;
/// Tries to empty the database's log; each waits for readers as long as the database waits for anything.
const LOG_TRIES: u32 = 3;
/// Until when a backup of this node may still hold an erased row where no agreement says so, in days.
pub const BACKUP_DAYS: i64 = 30;

/// Carries out what arrived, and forgets shares whose time is over.
///
/// # Errors
/// When the keeper is not reached or the database fails; the other notices are carried out
/// nevertheless.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let expired = expire(app).await? | forget(app).await?;
    let mut db = app.store.read("looking for notices").await?;
    let arrived = notice::arrived(&mut db, NOTICES_AT_ONCE).await?;
    drop(db);
    let mut failed = None;
    for notice in &arrived {
        if let Err(error) = one(app, notice).await {
            failed = Some(error);
        }
    }
    if expired || !arrived.is_empty() {
        empty_log(app).await?;
        app.wake.outbox.notify_one();
    }
    failed.map_or(Ok(()), Err)
}

/// The rows are gone from the tables; now they leave the database's log, before the receipts go out.
async fn empty_log(app: &App) -> anyhow::Result<()> {
    for _ in 0..LOG_TRIES {
        if app.store.empty_log().await? {
            return Ok(());
        }
    }
    tracing::warn!("erased rows are still in the database's log; it is emptied at the next start");
    Ok(())
}

/// Forgets shares whose time is over, and what was kept for a time that is over; whether there were
/// any.
async fn expire(app: &App) -> anyhow::Result<bool> {
    let now = app.now();
    let mut db = app.store.read("looking for expired shares").await?;
    let any = received::any_expired(&mut db, now).await?;
    let kept = mark::retentions(&mut db).await?;
    drop(db);
    let any = any || kept.iter().any(|kept| kept.until <= now);
    if any {
        let mut tx = app.store.write("forgetting expired shares").await?;
        received::expire(&mut tx, now).await?;
        carry_out::release(&mut tx, now).await?;
        tx.commit().await?;
    }
    Ok(any)
}

/// Forgets what proves own rows whose erasure was confirmed; whether there were any.
async fn forget(app: &App) -> anyhow::Result<bool> {
    let mut db = app.store.read("looking for rows to forget").await?;
    let any = ledger::any_to_forget(&mut db).await?;
    drop(db);
    if any {
        let mut tx = app.store.write("forgetting erased rows").await?;
        ledger::forget(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(any)
}

async fn one(app: &App, notice: &NoticeIn) -> anyhow::Result<()> {
    let recalled = rows(app, notice).await?;
    // The folded state before the transaction: so it is everywhere.
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref() else {
        anyhow::bail!("this node is in no coalition");
    };
    let backup = backup(&coalition.state);
    let mut tx = app.store.write("carrying out a notice").await?;
    let share = received::find(&mut tx, notice.share).await?;
    let unfetched = share.is_some_and(|share| share.state == "announced");
    if let Some(recalled) = recalled
        .as_ref()
        .filter(|_| unfetched && !notice.kind.erases())
    {
        // There is nothing to answer for yet; what must rest rests from its first moment here on.
        if notice.kind == RevokeKind::Restriction {
            carry_out::rest_all(&mut tx, notice, recalled).await?;
        }
        notice::set_waiting(&mut tx, notice.notice).await?;
        tx.commit().await?;
        return Ok(());
    }
    let mut onward = Vec::new();
    let done = match &recalled {
        Some(recalled) => {
            let done = carry_out::carry_out(&mut tx, notice, recalled, app.now()).await?;
            onward = fan_out::fan_out(app, &mut tx, &coalition.state, notice, recalled).await?;
            done
        }
        None => Done {
            result: ErasureResult::Refused,
            rows: 0,
            retained: Vec::new(),
            tombstones: false,
        },
    };
    if recalled.is_none() && notice.kind != RevokeKind::Rectification && answered(app, notice).await
    {
        // This node read the rows once and has lost them with what it did: all of the share goes.
        received::end(&mut tx, notice.share, app.now()).await?;
    }
    let state = if recalled.is_some() {
        "erased"
    } else {
        "unreadable"
    };
    notice::set_done(&mut tx, notice.notice, state, done.rows).await?;
    let ack = NoticeAck {
        notice: notice.notice,
    };
    outbox::queue(app, &mut tx, ack.into(), None).await?;
    // After the notices that it lists. It does not wait for their answers: every member reads those in the
    // log, and a deadline binds whoever it is set.
    let receipt = receipt(app, notice, done, backup, onward);
    outbox::queue(app, &mut tx, receipt.into(), None).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether this node has answered a notice before: then it is a copy of an earlier day.
async fn answered(app: &App, notice: &NoticeIn) -> bool {
    let guard = app.coalition.read().await;
    let row = guard
        .as_ref()
        .and_then(|coalition| coalition.state.notices.get(&notice.notice));
    row.is_some_and(|row| row.receipt.is_some())
}

/// The rows of a notice; none when the sender sealed something else: then nothing can be done by
/// it, and the receipt refuses it.
async fn rows(app: &App, notice: &NoticeIn) -> anyhow::Result<Option<RecalledRows>> {
    let payload: Payload = minicbor::decode(&notice.row_refs)?;
    let sealed = match payload {
        Payload::Inline(sealed) => sealed,
        Payload::Blob { blob, .. } => {
            let keeper = {
                let guard = app.coalition.read().await;
                let Some(coalition) = guard.as_ref() else {
                    anyhow::bail!("this node is in no coalition");
                };
                Keeper::of(app, coalition)
            };
            let limit = RecalledRows::MAX_BYTES as u64 + 1024 * 1024;
            match keeper.download(app, blob, limit).await {
                Ok(sealed) => sealed,
                Err(error) if error.kind() == Some(ProblemKind::BlobMissing) => return Ok(None),
                Err(KeeperError::Unreadable(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    };
    let opened = seal::open(&sealed, &app.secrets.age(), RecalledRows::MAX_BYTES)
        .ok()
        .and_then(|plain| codec::decode::<RecalledRows>(&plain).ok());
    if opened.is_none() {
        tracing::warn!(notice = %notice.notice, "a notice names no rows that this node can read");
    }
    Ok(opened)
}

/// How long the agreement lets backups hold what was erased.
fn backup(state: &State) -> i64 {
    let rules = state.rules();
    rules.map_or(BACKUP_DAYS * DAY, |(_, rules)| rules.backup)
}

/// The signed statement. A row that was not held gets one like any other.
fn receipt(
    app: &App,
    notice: &NoticeIn,
    done: Done,
    backup: i64,
    onward: Vec<Onward>,
) -> ErasureReceipt {
    let now = app.now();
    let statement = codec::encode(&ErasureStatement {
        node: app.me,
        notice: notice.notice,
        share: notice.share,
        result: done.result,
        erased: done.rows,
        completed_at: now,
        backups_expire_by: now.plus(backup),
        retained: done.retained,
        suppression_kept: done.tombstones,
        notice_position: notice.position,
        notice_hash: notice.hash,
        onward,
    });
    let key = app.secrets.signing_key(KeyUse::Statement);
    let signature = key.sign(&[ERASURE_PREFIX, &statement].concat());
    ErasureReceipt {
        statement,
        signature: signature.0,
    }
}
