//! A keeper that is far behind reads the log by pages, as members do, instead of Raft entries.
//!
//! Only applied entries are handed out, so what is read here was ordered for good; entries that come
//! by Raft afterwards and stand in the log already keep their positions.

use super::{Running, machine::End};
use crate::{app::App, http::problem::Failure, sync::keeper_client::Keeper};
use protocol::{
    chain::{Outline, Page},
    id::NodeId,
    problem::ProblemKind,
};
use std::time::Duration;

/// How long pages are read within one call; the leader calls again.
const TIME: Duration = Duration::from_secs(20);

/// Reads from a keeper until the log here reaches a position.
pub(super) async fn run(
    app: &App,
    running: &Running,
    from: NodeId,
    position: u64,
) -> Result<(), Failure> {
    let circle = app.kept.circle();
    let seat = circle.as_ref().and_then(|circle| circle.seat(from));
    let (Some(circle), Some(seat)) = (&circle, seat) else {
        return Err(super::keeps_nothing());
    };
    let keeper = Keeper::at(circle.coalition, seat);
    let reading = async {
        loop {
            let mut db = app.store.read("looking how far the log goes").await?;
            let head = crate::store::keeper::head(&mut db, running.lineage).await?;
            drop(db);
            if head.position >= position {
                return Ok(());
            }
            match keeper.page(app, head.position, 0).await {
                Ok(page) => take(app, running, page, position).await?,
                Err(error) if error.kind() == Some(ProblemKind::LogPruned) => {
                    let outline = keeper.outline(app, head.position).await?;
                    take_lines(app, running, &outline).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    tokio::time::timeout(TIME, reading)
        .await
        .unwrap_or_else(|_| {
            Err(Failure::new(
                ProblemKind::KeeperBehind,
                "this keeper is still reading the log",
            ))
        })
}

/// Puts lines behind the log, as far as the other keeper holds no more than them.
async fn take_lines(app: &App, running: &Running, outline: &Outline) -> Result<(), Failure> {
    let mut tx = app.store.write("reading lines from another keeper").await?;
    let mut end = End::read(&mut tx, running.lineage).await?;
    let before = end.position();
    for line in &outline.lines {
        if line.position > end.position() && line.position <= outline.pruned {
            end.push_line(&mut tx, line).await?;
        }
    }
    goes_on(before, &end)?;
    end.write(&mut tx).await?;
    Ok(tx.commit().await?)
}

fn goes_on(before: u64, end: &End) -> Result<(), Failure> {
    if end.position() > before {
        return Ok(());
    }
    Err(Failure::new(
        ProblemKind::KeeperBehind,
        "the other keeper's log does not go on",
    ))
}

/// Puts a page behind the log, up to a position.
async fn take(app: &App, running: &Running, page: Page, position: u64) -> Result<(), Failure> {
    let mut tx = app.store.write("reading on from another keeper").await?;
    let mut end = End::read(&mut tx, running.lineage).await?;
    let before = end.position();
    for item in &page.items {
        // What Raft has brought meanwhile stands here already.
        if item.position > end.position() && item.position <= position {
            end.push(&mut tx, item).await?;
        }
    }
    goes_on(before, &end)?;
    end.write(&mut tx).await?;
    tx.commit().await?;
    app.wake
        .kept
        .send_modify(|kept| *kept = end.position().max(*kept));
    Ok(())
}
