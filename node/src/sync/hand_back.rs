//! What a member does for the only keeper after a restore: it hands back the log that it holds, then the
//! group, then the state. Spec: section 8.10.

use super::{append, keeper_client::Keeper};
use crate::{
    app::App,
    federation::{
        rejoin::GroupNow,
        repair::{RepairNow, Word},
    },
    store::{self, proof, tail, way_back},
    sync::{blob_client::Chunks, outbox, returned},
};
use protocol::{
    blob::Manifest,
    chain::{LogItem, LogLine, READ_BYTES},
    fold::membership::RETURN_EVERY,
    id::NodeId,
    limits::REPAIR_LINES,
    seal,
    time::Moment,
};

/// Helps the only keeper, if it has said that it is in repair.
///
/// # Errors
/// When it is not reached or refuses; what was handed back stays there.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let (keeper, head) = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
            return Ok(());
        };
        (Keeper::of(app, coalition), coalition.state.meta().head)
    };
    let alone = keeper.seats.len() == 1;
    let Some(node) = keeper.node().filter(|node| alone && *node != app.me) else {
        return Ok(());
    };
    if !app.keepers.in_repair(node) {
        return Ok(());
    }
    let now = keeper.repair_now(app, 0).await?;
    match now.stage {
        RepairNow::GATHERING => hand_back(app, &keeper, node, head.position, now).await,
        RepairNow::RETURNING => help_back(app, &keeper, node, head.position, &now).await,
        _ => {
            app.keepers.is_repaired(node);
            let mut tx = app.store.write("forgetting a keeper's repair").await?;
            way_back::let_go(&mut tx, node).await?;
            Ok(tx.commit().await?)
        }
    }
}

/// Hands back lines, then what was said in them, then the word that this is all.
async fn hand_back(
    app: &App,
    keeper: &Keeper,
    node: NodeId,
    position: u64,
    mut now: RepairNow,
) -> anyhow::Result<()> {
    let mut db = app.store.read("looking for what to hand back").await?;
    if now.position <= position
        && let Some(own) = proof::root_at(&mut db, now.position).await?
    {
        anyhow::ensure!(
            own == now.root,
            "the keeper was restored with another log than this node has read"
        );
    }
    let note = proof::note_of(&mut db, &proof::of_keeper(node)).await?;
    if let Some(note) = note.filter(|note| note.size.unsigned_abs() > now.position) {
        let lines = lines(&mut db, now.position, note.size.unsigned_abs()).await?;
        drop(db);
        anyhow::ensure!(
            lines.len() <= REPAIR_LINES,
            "the keeper lacks more than {REPAIR_LINES} entries; a newer copy of it must be restored"
        );
        let note = note.note;
        now = keeper.hand_back(app, &Word::Lines { note, lines }).await?;
    } else {
        drop(db);
    }
    if now.heard == Some(position) {
        return Ok(());
    }
    let mut after = 0;
    while let Some(last) = now.lacks.last().copied().filter(|last| *last > after) {
        items(app, keeper, &now.lacks).await?;
        after = last;
        now = keeper.repair_now(app, after).await?;
    }
    let reached = position;
    let now = keeper.hand_back(app, &Word::Said { reached }).await?;
    app.heads.lost(node, now.position);
    tracing::info!(
        reached,
        "this node has handed back to the keeper what it holds of the log"
    );
    Ok(())
}

async fn lines(
    db: &mut sqlx::AnyConnection,
    after: u64,
    until: u64,
) -> store::Result<Vec<LogLine>> {
    let items = proof::items(db, after, until).await?;
    let line = |(position, (time, sealed)): (u64, (i64, _))| LogLine {
        position,
        log_time: Moment(time),
        sealed,
    };
    Ok((after + 1..).zip(items).map(line).collect())
}

/// Hands back what was said at some positions, page by page, and what it names besides.
async fn items(app: &App, keeper: &Keeper, positions: &[u64]) -> anyhow::Result<()> {
    let mut page: Vec<LogItem> = Vec::new();
    let mut bytes = 0;
    for position in positions {
        let mut db = app.store.read("reading what to hand back").await?;
        let Some(item) = tail::find(&mut db, *position).await? else {
            continue;
        };
        drop(db);
        append::upload_blobs(app, keeper, &item.sealed).await?;
        bytes += item.sealed.len();
        if bytes > READ_BYTES {
            let items = std::mem::take(&mut page);
            keeper.hand_back(app, &Word::Items { items }).await?;
            bytes = item.sealed.len();
        }
        page.push(item);
    }
    if !page.is_empty() {
        keeper.hand_back(app, &Word::Items { items: page }).await?;
    }
    Ok(())
}

/// Gives the keeper the group to come back into, and the state at its commit.
async fn help_back(
    app: &App,
    keeper: &Keeper,
    node: NodeId,
    position: u64,
    now: &RepairNow,
) -> anyhow::Result<()> {
    if now.wants_group && now.position == position {
        let group = {
            let guard = app.coalition.read().await;
            let Some(coalition) = guard.as_ref().filter(|coalition| {
                coalition.is_active() && coalition.state.meta().head.position == position
            }) else {
                return Ok(());
            };
            let returned = coalition.state.active(node).and_then(|m| m.returned);
            GroupNow {
                group_info: coalition.group()?.export_group_info(&app.mls_key())?,
                not_before: returned.map(|last| last.at.plus(RETURN_EVERY)),
            }
        };
        let now = group;
        keeper
            .hand_back(app, &Word::Group { position, now })
            .await?;
        return Ok(());
    }
    let Some(commit) = now.commit.filter(|commit| *commit <= position) else {
        return Ok(());
    };
    let mut db = app.store.read("looking for the keeper's return").await?;
    let held = way_back::held(&mut db, node).await?;
    drop(db);
    let snapshot = match held.filter(|held| held.position == commit) {
        Some(held) => Some(snapshot(app, keeper, node, held).await?),
        None => None,
    };
    let position = commit;
    keeper
        .hand_back(app, &Word::State { position, snapshot })
        .await?;
    Ok(())
}

/// Uploads the state for the keeper, sealed to it.
async fn snapshot(
    app: &App,
    keeper: &Keeper,
    node: NodeId,
    held: way_back::Held,
) -> anyhow::Result<protocol::blob::BlobId> {
    let blob = match held.blob {
        Some(blob) => blob,
        None => {
            let recipient = {
                let guard = app.coalition.read().await;
                let state = guard.as_ref().map(|coalition| &coalition.state);
                state.and_then(|state| state.document(node)?.age_recipient())
            };
            let recipient = recipient
                .ok_or_else(|| anyhow::anyhow!("the keeper's document has no key to seal to"))?;
            let plain = app.rest.open(&returned::place(node), &held.snapshot)?;
            let sealed = seal::seal(&plain, &[recipient])?;
            let manifest = Manifest::of(&sealed)?;
            let mut tx = app.store.write("keeping a state for the keeper").await?;
            outbox::keep_blob(app, &mut tx, &manifest, &sealed).await?;
            way_back::set_blob(&mut tx, node, manifest.id()).await?;
            tx.commit().await?;
            manifest.id()
        }
    };
    let mut db = app.store.read("reading a state for the keeper").await?;
    let row = store::blob::find(&mut db, blob).await?;
    drop(db);
    let row = row.ok_or_else(|| anyhow::anyhow!("the state for the keeper is gone"))?;
    keeper.upload(app, &row.manifest, Chunks::Kept).await?;
    Ok(blob)
}
