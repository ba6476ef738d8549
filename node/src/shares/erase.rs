//! Carrying out notices: rows go, tombstones come, and the signed receipt is queued with them.

use super::{payload::RowToken, recall::RecalledRows, take};
use crate::{
    app::App,
    store::share::{
        ledger,
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
        share::{ERASURE_PREFIX, ErasureReceipt, ErasureResult, ErasureStatement, NoticeAck},
    },
    identity::KeyUse,
    problem::ProblemKind,
    seal,
    time::DAY,
};

/// Notices carried out in one run of the job.
const NOTICES_AT_ONCE: i64 = 64;
/// Tries to empty the database's log; each waits for readers as long as the database waits for anything.
const LOG_TRIES: u32 = 3;
/// Until when a backup of this node may still hold an erased row, in days.
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

/// Whether anything expired.
async fn expire(app: &App) -> anyhow::Result<bool> {
    let now = app.now();
    let mut db = app.store.read("looking for expired shares").await?;
    let any = received::any_expired(&mut db, now).await?;
    drop(db);
    if any {
        let mut tx = app.store.write("forgetting expired shares").await?;
        received::expire(&mut tx, now).await?;
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
    let rows = rows(app, notice).await?;
    let mut tx = app.store.write("erasing rows that were taken back").await?;
    let mut erased = 0;
    for row in rows
        .as_ref()
        .map(|recalled| recalled.rows.as_slice())
        .unwrap_or_default()
    {
        let tokens = received::tokens(&mut tx, notice.share, *row).await?;
        let tokens: Vec<RowToken> = tokens
            .into_iter()
            .map(|(class, token)| RowToken { class, token })
            .collect();
        take::bury(
            &mut tx,
            &tokens,
            notice.sender,
            (notice.position, notice.at),
        )
        .await?;
        erased += u64::from(received::erase_row(&mut tx, notice.share, *row).await?);
        notice::mark_erased(&mut tx, notice, *row).await?;
    }
    let state = if rows.is_some() {
        "erased"
    } else {
        "unreadable"
    };
    notice::set_done(&mut tx, notice.notice, state, erased).await?;
    let ack = NoticeAck {
        notice: notice.notice,
    };
    outbox::queue(app, &mut tx, ack.into(), None).await?;
    let receipt = receipt(app, notice, erased.min(notice.count));
    outbox::queue(app, &mut tx, receipt.into(), None).await?;
    tx.commit().await?;
    Ok(())
}

/// The rows of a notice; none when the sender sealed something else: then nothing can be erased by
/// it, and the receipt says so.
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

/// The signed statement. A row that was not held gets one like any other.
fn receipt(app: &App, notice: &NoticeIn, erased: u64) -> ErasureReceipt {
    let now = app.now();
    let statement = codec::encode(&ErasureStatement {
        node: app.me,
        notice: notice.notice,
        share: notice.share,
        result: if erased > 0 {
            ErasureResult::Erased
        } else {
            ErasureResult::NotFound
        },
        erased,
        completed_at: now,
        backups_expire_by: now.plus(BACKUP_DAYS * DAY),
    });
    let key = app.secrets.signing_key(KeyUse::Statement);
    let signature = key.sign(&[ERASURE_PREFIX, &statement].concat());
    ErasureReceipt {
        statement,
        signature: signature.0,
    }
}
