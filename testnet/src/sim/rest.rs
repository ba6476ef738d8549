//! The last phase of a run: faults stop, people help whoever cannot go on alone, and all must come to rest.

use super::{
    act,
    op::Op,
    watch::{Verdict, Violation, Watch, blind, violated},
    world::World,
};
use commonturf::store::{Store, coalition::Phase};
use protocol::{
    id::{EntryId, NodeId},
    state::State,
};
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
    let healed = world.heal().await;
    healed.map_err(|error| Violation {
        rule: "a node starts again",
        seen: format!("at rest: {error:#}"),
    })?;
    world.pass(CLOCKS);
    let mut before = Vec::new();
    for round in 0.. {
        helped(world).await;
        world.rounds(1).await;
        world.run(PAUSE).await;
        watch.look(world).await?;
        let now = standing(world).await?;
        let all = now.iter().all(|(_, position, _)| *position == watch.head());
        if now == before && all && still_away(world, watch).await.is_none() {
            break;
        }
        if round >= ROUNDS {
            let away = still_away(world, watch).await;
            let last = last_kinds(world).await?;
            return violated(
                "all comes to rest",
                format!(
                    "{now:?}, head {}, away {away:?}, said last: {last:?}",
                    watch.head()
                ),
            );
        }
        before = now;
    }
    let keepers = keepers(world).await;
    watch.all_is_kept(&keepers)?;
    for node in alive(world).await {
        rested(world, node).await?;
    }
    kept_promises(world, watch).await?;
    revoked_is_gone(world).await
}

/// What was said last, for people.
async fn last_kinds(world: &World) -> Result<Vec<String>, Violation> {
    let Some(node) = alive(world).await.into_iter().next() else {
        return Ok(Vec::new());
    };
    let mut db = world
        .app(node)
        .store
        .read("watching")
        .await
        .map_err(blind)?;
    sqlx::query_scalar(
        "SELECT kind || COALESCE(': ' || void, '') FROM history ORDER BY position DESC LIMIT 12",
    )
    .fetch_all(&mut *db)
    .await
    .map_err(blind)
}

async fn phase(world: &World, node: usize) -> Option<Phase> {
    let guard = world.app(node).coalition.read().await;
    guard.as_ref().map(|coalition| coalition.row.phase)
}

/// What people do when they read on a page that a node cannot go on by itself.
async fn helped(world: &mut World) {
    for node in world.running() {
        let keeps = world.app(node).kept.refused().is_some();
        let stopped = phase(world, node).await == Some(Phase::Stopped);
        let evil = world.sites[node].evil;
        let ops = [
            (keeps, Op::KeepAgain { node }),
            (stopped && !evil, Op::ComeBack { node }),
        ];
        for (_, op) in ops.iter().filter(|(needed, _)| *needed) {
            // Refused while too few others are there; then it is tried again.
            drop(act::act(world, op).await);
        }
    }
}

/// A node with an older database that is neither a member again nor gone for good.
async fn still_away(world: &World, watch: &mut Watch) -> Option<usize> {
    for node in world.running() {
        let phase = phase(world, node).await;
        match phase {
            Some(Phase::Active | Phase::Gone | Phase::Joining) | None => watch.is_back(node),
            _ if watch.is_away(node) && !world.sites[node].evil => return Some(node),
            _ => {}
        }
    }
    None
}

/// The nodes that keep the log by their own state, and run.
async fn keepers(world: &World) -> Vec<usize> {
    let mut keepers = Vec::new();
    for node in alive(world).await {
        let guard = world.app(node).coalition.read().await;
        let keeps = guard
            .as_ref()
            .is_some_and(|coalition| coalition.is_kept_by(world.app(node).me));
        if keeps {
            keepers.push(node);
        }
    }
    keepers
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
    nothing_waits(&app.store, node).await?;
    if world.sites[node].evil {
        return Ok(());
    }
    let mut db = app.store.read("watching").await.map_err(blind)?;
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

/// Neither an own entry nor a notice or share of somebody else waits at a node.
///
/// # Errors
/// A [`Violation`] that says what waits.
pub async fn nothing_waits(store: &Store, node: usize) -> Verdict {
    let mut db = store.read("watching").await.map_err(blind)?;
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
    Ok(())
}

/// Whether a token is a person's key; the state does not say.
fn is_person(told: &[(Vec<u8>, i64)], token: &[u8]) -> bool {
    told.iter().any(|(known, _)| known == token)
}

/// What was promised was said: it took effect once, or its author knows why not.
async fn kept_promises(world: &World, watch: &Watch) -> Verdict {
    for (node, entry) in watch.promised() {
        if !world.is_active(*node).await {
            continue;
        }
        let entry = entry.to_string();
        let fate = fate((*node, &world.app(*node).store), &entry).await?;
        is_kept((*node, &fate), &entry, watch.effects_of(&entry))?;
    }
    Ok(())
}

/// An entry of a node took effect once by the history of a keeper, or its author knows why not;
/// answers whether it did.
///
/// # Errors
/// A [`Violation`] that names the entry.
pub async fn promise_is_kept(
    (node, author): (usize, &Store),
    log: &Store,
    entry: &str,
) -> Result<bool, Violation> {
    let fate = fate((node, author), entry).await?;
    let mut db = log.read("watching").await.map_err(blind)?;
    let effects: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM history WHERE entry_id = $1 AND void IS NULL")
            .bind(entry)
            .fetch_one(&mut *db)
            .await
            .map_err(blind)?;
    let effects = usize::try_from(effects).unwrap_or_default();
    is_kept((node, &fate), entry, effects)
}

/// What the author of an entry knows of it.
async fn fate((node, author): (usize, &Store), entry: &str) -> Result<String, Violation> {
    let mut db = author.read("watching").await.map_err(blind)?;
    let fate: Option<String> = sqlx::query_scalar("SELECT state FROM outbox WHERE entry_id = $1")
        .bind(entry)
        .fetch_optional(&mut *db)
        .await
        .map_err(blind)?;
    fate.map_or_else(
        || {
            violated(
                "a promise is kept",
                format!("{entry} of node {node} is gone"),
            )
        },
        Ok,
    )
}

fn is_kept((node, fate): (usize, &str), entry: &str, effects: usize) -> Result<bool, Violation> {
    match (fate, effects) {
        ("done", 1) => Ok(true),
        ("void", 0) => Ok(false),
        _ => violated(
            "a promise is kept",
            format!("{entry} of node {node} is {fate} and took effect {effects} times"),
        ),
    }
}

/// A line of a sender's ledger: share, row, recipient, notice, kind.
type TakenBack = (String, Vec<u8>, String, Option<String>, String);

/// Every row that was taken back is gone at its recipient, or the log names who has not confirmed.
async fn revoked_is_gone(world: &World) -> Verdict {
    let mut holders = Vec::new();
    for (node, app) in world.apps() {
        holders.push(Holder {
            id: app.me,
            store: &app.store,
            is_well: world.is_active(node).await && !world.sites[node].evil,
        });
    }
    for (from, app) in world.apps() {
        if !world.is_active(from).await {
            continue;
        }
        let state = state(world, from).await;
        rows_taken_back_are_gone((from, &app.store), &state, &holders).await?;
    }
    Ok(())
}

/// Who may hold rows, in the order of the nodes' numbers.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The node.
    pub id: NodeId,
    /// Its database.
    pub store: &'a Store,
    /// It has no excuse for not having answered.
    pub is_well: bool,
}

/// Every row that a sender took back is gone at its recipient, or the log names who has not confirmed.
///
/// # Errors
/// A [`Violation`] that names the share.
pub async fn rows_taken_back_are_gone(
    (from, sender): (usize, &Store),
    state: &State,
    holders: &[Holder<'_>],
) -> Verdict {
    let mut db = sender.read("watching").await.map_err(blind)?;
    let lines: Vec<TakenBack> = sqlx::query_as(
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
        let notice = notice.and_then(|notice| notice.parse::<EntryId>().ok());
        let Some(named) = notice.and_then(|notice| state.notices.get(&notice)) else {
            return violated(
                "a row taken back has a notice",
                format!("{share} of node {from}"),
            );
        };
        let recipient: Option<NodeId> = recipient.parse().ok();
        let mut numbered = holders.iter().enumerate();
        let Some((number, holder)) = numbered.find(|(_, holder)| Some(holder.id) == recipient)
        else {
            continue;
        };
        if named.receipt.is_none() {
            // Named: the log says that nobody has confirmed. Who is well has no such excuse.
            if holder.is_well {
                return violated("a notice is answered", format!("{share} of node {from}"));
            }
        } else {
            is_gone((number, holder.store), &share, &row).await?;
        }
    }
    Ok(())
}

async fn is_gone((number, holder): (usize, &Store), share: &str, row: &[u8]) -> Verdict {
    let mut db = holder.read("watching").await.map_err(blind)?;
    let left: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM received_row WHERE share_id = $1 AND row_ref = $2",
    )
    .bind(share)
    .bind(row)
    .fetch_one(&mut *db)
    .await
    .map_err(blind)?;
    if left == 0 {
        return Ok(());
    }
    violated(
        "a row taken back is gone",
        format!("node {number} holds a row of {share} and signed that it is gone"),
    )
}
