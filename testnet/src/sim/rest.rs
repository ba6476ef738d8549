//! The last phase of a run: faults stop, and all must come to rest.

use super::{
    watch::{Verdict, Violation, Watch, blind, violated},
    world::World,
};
use protocol::{id::EntryId, state::State};
use std::collections::BTreeSet;

/// Rounds after which a coalition that still talks is taken for broken.
const ROUNDS: usize = 40;
/// Time between rounds, in milliseconds: longer than a node waits before it asks again.
const PAUSE: i64 = 6 * 60_000;
/// Until every moment that a wrong clock has signed lies in the past, in milliseconds.
const CLOCKS: i64 = 2 * 3_600_000;

/// Ends the faults, lets everybody work until nobody has anything more to say, and looks.
///
/// # Errors
/// The first [`Violation`].
pub async fn come_to_rest(world: &mut World, watch: &mut Watch) -> Verdict {
    world.heal();
    world.pass(CLOCKS);
    let mut before = Vec::new();
    for round in 0.. {
        world.rounds(1).await;
        world.pass(PAUSE);
        watch.look(world).await?;
        let now = standing(world).await?;
        if now == before && now.iter().all(|(_, position, _)| *position == watch.head()) {
            break;
        }
        if round >= ROUNDS {
            return violated(
                "all comes to rest",
                format!("{now:?}, head {}", watch.head()),
            );
        }
        before = now;
    }
    for node in alive(world).await {
        rested(world, node).await?;
    }
    kept_promises(world, watch).await?;
    revoked_is_gone(world).await
}

/// Members that fold and speak.
async fn alive(world: &World) -> Vec<usize> {
    let mut alive = Vec::new();
    for (node, _) in world.apps() {
        if world.is_active(node).await {
            alive.push(node);
        }
    }
    alive
}

async fn standing(world: &World) -> Result<Vec<(usize, u64, i64)>, Violation> {
    let mut standing = Vec::new();
    for node in alive(world).await {
        let app = world.app(node);
        let position = state(world, node).await.meta().head.position;
        let mut db = app.store.read("watching").await.map_err(blind)?;
        let waiting = commonturf::store::outbox::waiting(&mut db)
            .await
            .map_err(blind)?;
        standing.push((node, position, waiting));
    }
    Ok(standing)
}

async fn state(world: &World, node: usize) -> State {
    let guard = world.app(node).coalition.read().await;
    guard
        .as_ref()
        .map(|coalition| coalition.state.clone())
        .unwrap_or_default()
}

/// Nothing waits at a node, and what it told stands in the state.
async fn rested(world: &World, node: usize) -> Verdict {
    let app = world.app(node);
    let state = state(world, node).await;
    let mut db = app.store.read("watching").await.map_err(blind)?;
    for (what, sql) in [
        (
            "entries",
            "SELECT COUNT(*) FROM outbox WHERE state IN ('queued', 'sealed', 'ordered')",
        ),
        (
            "notices",
            "SELECT COUNT(*) FROM notice_in WHERE state IN ('arrived', 'waiting')",
        ),
        (
            "shares",
            "SELECT COUNT(*) FROM received_share WHERE state = 'announced'",
        ),
    ] {
        let waiting: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut *db)
            .await
            .map_err(blind)?;
        if waiting > 0 {
            return violated(
                "nothing waits at rest",
                format!("{waiting} {what} at node {node}"),
            );
        }
    }
    if world.sites[node].restored || world.sites[node].evil {
        return Ok(());
    }
    let told: Vec<(Vec<u8>, i64)> = sqlx::query_as(
        "SELECT DISTINCT p.token, s.channels FROM suppression s \
         JOIN person_point h ON h.person_id = s.person_id JOIN point p ON p.point_id = h.point_id \
         WHERE s.withdrawn_at IS NULL AND s.person_id IS NOT NULL AND p.class = 3 AND p.token IS NOT NULL",
    )
    .fetch_all(&mut *db)
    .await
    .map_err(blind)?;
    let mine: BTreeSet<Vec<u8>> = state
        .suppressions
        .iter()
        .filter(|((token, by), _)| *by == app.me && is_person(&told, token.0.as_slice()))
        .map(|((token, _), _)| token.0.to_vec())
        .collect();
    let told: BTreeSet<Vec<u8>> = told.into_iter().map(|(token, _)| token).collect();
    if mine != told {
        return violated(
            "what is suppressed stands in the log",
            format!(
                "node {node} marks {} people, the log says {}",
                told.len(),
                mine.len()
            ),
        );
    }
    Ok(())
}

/// Whether a token is a person's key; the state does not say.
fn is_person(told: &[(Vec<u8>, i64)], token: &[u8]) -> bool {
    told.iter().any(|(known, _)| known == token)
}

/// What was promised was said: it took effect once, or its author knows why not.
async fn kept_promises(world: &World, watch: &Watch) -> Verdict {
    for (node, entry) in watch.promised() {
        if world.sites[*node].restored || !world.is_active(*node).await {
            continue;
        }
        let fate = fate(world, *node, *entry).await?;
        let Some(fate) = fate else {
            return violated(
                "a promise is kept",
                format!("{entry} of node {node} is gone"),
            );
        };
        let mut db = world.app(0).store.read("watching").await.map_err(blind)?;
        let effects: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM history WHERE entry_id = $1 AND void IS NULL")
                .bind(entry.to_string())
                .fetch_one(&mut *db)
                .await
                .map_err(blind)?;
        let kept = match fate.as_str() {
            "done" => effects == 1,
            "void" => effects == 0,
            _ => false,
        };
        if !kept {
            return violated(
                "a promise is kept",
                format!("{entry} of node {node} is {fate} and took effect {effects} times"),
            );
        }
    }
    Ok(())
}

async fn fate(world: &World, node: usize, entry: EntryId) -> Result<Option<String>, Violation> {
    let mut db = world
        .app(node)
        .store
        .read("watching")
        .await
        .map_err(blind)?;
    sqlx::query_scalar("SELECT state FROM outbox WHERE entry_id = $1")
        .bind(entry.to_string())
        .fetch_optional(&mut *db)
        .await
        .map_err(blind)
}

/// Every row that was taken back is gone at its recipient, or the log names who has not confirmed.
async fn revoked_is_gone(world: &World) -> Verdict {
    for (from, app) in world.apps() {
        if world.sites[from].restored || !world.is_active(from).await {
            continue;
        }
        let state = state(world, from).await;
        let mut db = app.store.read("watching").await.map_err(blind)?;
        let lines: Vec<(String, Vec<u8>, String, Option<String>, String)> = sqlx::query_as(
            "SELECT d.share_id, d.row_ref, d.recipient, d.notice_id, d.revoke_kind FROM disclosure d \
             JOIN share_out s ON s.share_id = d.share_id \
             WHERE d.revoke_kind IS NOT NULL AND s.state = 'announced'",
        )
        .fetch_all(&mut *db)
        .await
        .map_err(blind)?;
        drop(db);
        for (share, row, recipient, notice, kind) in lines {
            if kind == "restriction" {
                continue;
            }
            let named = notice
                .and_then(|notice| notice.parse::<EntryId>().ok())
                .and_then(|notice| state.notices.get(&notice).cloned());
            let Some(named) = named else {
                return violated(
                    "a row taken back has a notice",
                    format!("{share} of node {from}"),
                );
            };
            let holder = recipient.parse().ok().and_then(|id| world.number(id));
            let Some(holder) = holder.filter(|_| named.receipt.is_some()) else {
                // Named: the log says that nobody has confirmed. Who is well has no such excuse.
                let well =
                    holder.is_some_and(|to| !world.sites[to].restored && !world.sites[to].evil);
                if well {
                    return violated("a notice is answered", format!("{share} of node {from}"));
                }
                continue;
            };
            if world.sites[holder].restored {
                continue;
            }
            let mut db = world
                .app(holder)
                .store
                .read("watching")
                .await
                .map_err(blind)?;
            let left: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM received_row WHERE share_id = $1 AND row_ref = $2",
            )
            .bind(&share)
            .bind(&row)
            .fetch_one(&mut *db)
            .await
            .map_err(blind)?;
            if left > 0 {
                return violated(
                    "a row taken back is gone",
                    format!("node {holder} holds a row of {share} and signed that it is gone"),
                );
            }
        }
    }
    Ok(())
}
