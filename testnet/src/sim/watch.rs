//! What must hold after every operation, read from states and tables by the oracle's own eyes.
//!
//! Not a fault: an operation that is refused; a member that cannot speak while it is cut off; a node
//! that stops because its database is an older copy, or because it misbehaved itself.

mod counts;
mod keepers;
mod members;

use super::{
    op::Op,
    people,
    world::{MEMBERS, World},
};
use commonturf::{app::App, store::coalition::Phase};
use protocol::{
    id::{EntryId, Hash},
    state::State,
    time::Moment,
};
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet};

/// The most entries that an honest node of a simulation ever has waiting.
const QUEUE: i64 = 2_000;

/// What a node's tables hold of others.
const RECEIVED: &str = "shares received";

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// Which rule, in a few words; shrinking keeps it.
    pub rule: &'static str,
    /// What was seen.
    pub seen: String,
}

/// What a check answers.
pub type Verdict = Result<(), Violation>;

/// A violation of a rule.
///
/// # Errors
/// Always.
pub fn violated<T>(rule: &'static str, seen: impl std::fmt::Display) -> Result<T, Violation> {
    Err(Violation {
        rule,
        seen: seen.to_string(),
    })
}

/// The oracle cannot look: that is a fault too.
pub(crate) fn blind(error: impl std::fmt::Display) -> Violation {
    Violation {
        rule: "a database can be read",
        seen: error.to_string(),
    }
}

/// One line of a node's history, as far as all nodes must have the same.
type Line = (Option<String>, bool);

/// What the oracle remembers.
#[derive(Debug, Default)]
pub struct Watch {
    /// The log as it was first seen: hash of each envelope.
    log: Vec<String>,
    /// How long each keeper's log was.
    lengths: BTreeMap<usize, usize>,
    /// What authors were told was ordered: where, which entry, and its hash.
    told: BTreeMap<u64, (String, String)>,
    /// Where every claim was granted that ever was, and whether it has ended.
    claims: BTreeMap<EntryId, keepers::Granted>,
    /// The position at which each member's removal was seen.
    gone: BTreeMap<usize, u64>,
    /// Nodes whose database is an older copy of itself and who are not back yet.
    away: BTreeSet<usize>,
    /// Nodes whose database ever became an older copy of itself.
    restored: BTreeSet<usize>,
    /// State hash at each position, with the node that was first there.
    states: BTreeMap<u64, (Hash, usize)>,
    /// What every position came to.
    history: BTreeMap<i64, Line>,
    /// How far each node's history was compared.
    compared: BTreeMap<usize, i64>,
    /// What nodes promised to say.
    promised: Vec<(usize, EntryId)>,
    /// When a consent was taken back: node, person, when by the node's clock.
    withdrawn: BTreeMap<(usize, usize), i64>,
    /// Rows of shares that were judged already.
    judged: BTreeSet<(usize, Vec<u8>)>,
}

impl Watch {
    /// Takes note of what an operation promised, before anything is checked.
    pub fn note(&mut self, op: &Op, promised: &[EntryId]) {
        let op = op.inner();
        if let Op::Restore { node, .. } = op {
            self.away.insert(*node);
            self.restored.insert(*node);
            self.lengths.remove(node);
            // A copy knows nothing of what was promised, or taken back, after it was made.
            self.promised.retain(|(who, _)| who != node);
            self.withdrawn.retain(|(who, _), _| who != node);
            self.compared.remove(node);
        }
        // What a newcomer, a job or a liar says is promised to nobody.
        let unpromised = matches!(op, Op::Approve { .. } | Op::Jobs { .. } | Op::Evil { .. });
        let Some(node) = op.node().filter(|_| !unpromised) else {
            return;
        };
        self.promised.extend(promised.iter().map(|id| (node, *id)));
    }

    /// Takes note of a person's word, once the node has it.
    pub fn took_back(&mut self, world: &World, op: &Op, refused: bool) {
        if let Op::Revoke {
            node,
            person,
            erase: true,
        } = op.inner()
            && !refused
        {
            let key = (*node, *person % people::PEOPLE);
            let now = world.app(*node).now().0;
            self.withdrawn.entry(key).or_insert(now);
        }
    }

    /// Everything that must hold at every moment.
    ///
    /// # Errors
    /// The first [`Violation`].
    pub async fn look(&mut self, world: &World) -> Verdict {
        keepers::one_head_of_a_length(world)?;
        self.log_only_grows(world).await?;
        let mut states = Vec::new();
        for (node, app) in world.apps() {
            let guard = app.coalition.read().await;
            let Some(coalition) = guard.as_ref() else {
                continue;
            };
            let site = &world.sites[node];
            let phase = coalition.row.phase;
            if phase == Phase::Stopped && !self.away.contains(&node) && !site.evil {
                let why = coalition.row.stopped_because.as_deref().unwrap_or_default();
                return violated("no node stops by itself", format!("node {node}: {why}"));
            }
            if coalition.state.meta().head.position > 0 {
                states.push((node, coalition.state.clone(), coalition.is_active()));
            }
        }
        // First what must not be even where all agree on it.
        for (_, state, _) in &states {
            no_overlap(state)?;
            self.granted_once(state)?;
            self.removals(world, state);
        }
        for (node, state, active) in &states {
            self.one_state(*node, state)?;
            self.one_history(*node, world.app(*node)).await?;
            self.acknowledged_is_ordered(*node, world.app(*node))
                .await?;
            if *active && !world.sites[*node].evil {
                let forgot = self.restored.contains(node);
                own_tables((*node, forgot), world.app(*node), state).await?;
                members::listed_keys(*node, world.app(*node), state)?;
            }
            counts::told_to_parties_in_cells(*node, world, state).await?;
        }
        self.the_removed_read_nothing(world).await?;
        self.rows_rest_on_consent(world).await
    }

    /// Whether a node's database is an older copy of itself, and the node is not back yet.
    #[must_use]
    pub fn is_away(&self, node: usize) -> bool {
        self.away.contains(&node)
    }

    /// A node is back: nothing is forgiven any more.
    pub fn is_back(&mut self, node: usize) {
        self.away.remove(&node);
    }

    /// Equal position means equal state.
    fn one_state(&mut self, node: usize, state: &State) -> Verdict {
        let position = state.meta().head.position;
        let hash = state.hash();
        let (known, first) = *self.states.entry(position).or_insert((hash, node));
        if known == hash {
            return Ok(());
        }
        violated(
            "equal position means equal state",
            format!("nodes {first} and {node} differ at position {position}"),
        )
    }

    /// Every position came to the same at every node, and no entry took effect twice.
    async fn one_history(&mut self, node: usize, app: &App) -> Verdict {
        let after = self.compared.get(&node).copied().unwrap_or(0);
        let mut db = app.store.read("watching").await.map_err(blind)?;
        let rows: Vec<(i64, Option<String>, Option<String>)> = sqlx::query_as(
            "SELECT position, entry_id, void FROM history WHERE position > $1 AND kind <> 'not read' \
             ORDER BY position",
        )
        .bind(after)
        .fetch_all(&mut *db)
        .await
        .map_err(blind)?;
        for (position, entry, void) in rows {
            let line = (entry, void.is_none());
            let known = self.history.entry(position).or_insert_with(|| line.clone());
            if *known != line {
                return violated(
                    "every position comes to the same at every node",
                    format!("node {node}, position {position}: {known:?} and {line:?}"),
                );
            }
            self.compared.insert(node, position);
        }
        let mut effective = BTreeSet::new();
        for (position, (entry, took_effect)) in &self.history {
            if *took_effect && !effective.insert(entry) {
                return violated(
                    "effects happen once",
                    format!("again at position {position}"),
                );
            }
        }
        Ok(())
    }

    /// No row is at a recipient whose person did not agree to it, or had taken it back.
    async fn rows_rest_on_consent(&mut self, world: &World) -> Verdict {
        for (to, app) in world.apps() {
            let mut db = app.store.read("watching").await.map_err(blind)?;
            let rows: Vec<(String, Vec<u8>)> =
                sqlx::query_as("SELECT share_id, row_ref FROM received_row")
                    .fetch_all(&mut *db)
                    .await
                    .map_err(blind)?;
            drop(db);
            for (share, row) in rows {
                if self.judged.contains(&(to, row.clone())) {
                    continue;
                }
                for (from, sender) in world.apps() {
                    self.one_row(to, (from, sender), &share, &row).await?;
                }
                self.judged.insert((to, row));
            }
        }
        Ok(())
    }

    async fn one_row(
        &self,
        to: usize,
        (from, sender): (usize, &App),
        share: &str,
        row: &[u8],
    ) -> Verdict {
        let mut db = sender.store.read("watching").await.map_err(blind)?;
        let line: Option<(String, i64)> = sqlx::query_as(
            "SELECT person_id, sent_at FROM disclosure WHERE share_id = $1 AND row_ref = $2",
        )
        .bind(share)
        .bind(row)
        .fetch_optional(&mut *db)
        .await
        .map_err(blind)?;
        let Some((person, sent_at)) = line else {
            return Ok(());
        };
        let Some(person) = people::number(&person) else {
            return violated("a row has a person", format!("{person} at node {from}"));
        };
        let agreed = people::agreed(from, person, to);
        let taken_back = self.withdrawn.get(&(from, person));
        if agreed && taken_back.is_none_or(|at| sent_at <= *at) {
            return Ok(());
        }
        violated(
            "no row is anywhere without consent",
            format!("node {to} holds person {person} of node {from}, sent at {sent_at}"),
        )
    }

    /// What nodes promised to say, and who did.
    #[must_use]
    pub fn promised(&self) -> &[(usize, EntryId)] {
        &self.promised
    }

    /// How often an entry took effect.
    #[must_use]
    pub fn effects_of(&self, entry: &str) -> usize {
        let lines = self.history.values();
        let took = |(id, took): &&Line| *took && id.as_deref() == Some(entry);
        lines.filter(took).count()
    }

    /// The log's length.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// What every position came to, for the trace of a run.
    #[must_use]
    pub fn effects(&self) -> Vec<bool> {
        self.history.values().map(|(_, effect)| *effect).collect()
    }
}

/// No two claims in force hold one contact point on one channel at one time.
///
/// # Errors
/// A [`Violation`] that names both.
pub fn no_overlap(state: &State) -> Verdict {
    let claims: Vec<_> = state.claims.iter().collect();
    for (n, (one, a)) in claims.iter().enumerate() {
        for (other, b) in &claims[n + 1..] {
            let meet = a.from.0.max(b.from.0) < a.to.0.min(b.to.0);
            if a.channel != b.channel || !meet {
                continue;
            }
            let held: BTreeSet<_> = a.tokens.as_slice().iter().collect();
            if b.tokens.as_slice().iter().any(|token| held.contains(token)) {
                return violated("no two claims hold one door", format!("{one} and {other}"));
            }
        }
    }
    Ok(())
}

async fn strings(db: &mut AnyConnection, sql: &'static str) -> Result<BTreeSet<String>, Violation> {
    let rows: Vec<(String,)> = sqlx::query_as(sql).fetch_all(db).await.map_err(blind)?;
    Ok(rows.into_iter().map(|(text,)| text).collect())
}

/// A node's own tables say what the folded state says: effects happened, and happened once.
///
/// A node that was restored has forgotten what its own people decided after the copy was made; what its
/// tables do say must be so all the same.
async fn own_tables((node, forgot): (usize, bool), app: &App, state: &State) -> Verdict {
    let differ = |what: &str, a: &BTreeSet<String>, b: &BTreeSet<String>| {
        if a == b || (forgot && what != RECEIVED && a.is_subset(b)) {
            return Ok(());
        }
        let only: Vec<_> = a.symmetric_difference(b).collect();
        violated(
            "a node's tables follow the state",
            format!("node {node}, {what}: {only:?}"),
        )
    };
    let mut db = app.store.read("watching").await.map_err(blind)?;
    let granted = strings(
        &mut db,
        "SELECT claim_id FROM claim WHERE state = 'granted'",
    )
    .await?;
    let held = state.claims.iter();
    let held = held.filter(|(_, row)| row.author == app.me);
    let held: BTreeSet<String> = held.map(|(id, _)| id.to_string()).collect();
    differ("claims", &granted, &held)?;
    let points: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "SELECT claim_id, token FROM claim_point WHERE state = 'granted' AND claim_id IN \
         (SELECT claim_id FROM claim WHERE state = 'granted')",
    )
    .fetch_all(&mut *db)
    .await
    .map_err(blind)?;
    let text = |id: &str, token: &[u8]| format!("{id} {token:?}");
    let points: BTreeSet<String> = points.iter().map(|(id, t)| text(id, t)).collect();
    let mine = state.claims.iter().filter(|(_, row)| row.author == app.me);
    let tokens: BTreeSet<String> = mine
        .flat_map(|(id, row)| {
            let id = id.to_string();
            let tokens = row.tokens.as_slice().iter();
            tokens.map(move |token| text(&id, &token.0))
        })
        .collect();
    differ("points of claims", &points, &tokens)?;
    let given = strings(
        &mut db,
        "SELECT share_id FROM share_out WHERE state = 'announced'",
    )
    .await?;
    let ours = state.shares.iter().filter(|(_, row)| row.from == app.me);
    let ours: BTreeSet<String> = ours.map(|(id, _)| id.to_string()).collect();
    differ("shares given", &given, &ours)?;
    let joined = state.members.get(&app.me).map_or(0, |row| row.joined_at);
    let got = strings(&mut db, "SELECT share_id FROM received_share").await?;
    let theirs = state
        .shares
        .iter()
        .filter(|(_, row)| row.announced.to == app.me);
    let theirs = theirs.filter(|(_, row)| row.position > joined);
    let theirs: BTreeSet<String> = theirs.map(|(id, _)| id.to_string()).collect();
    differ(RECEIVED, &got, &theirs)?;
    let again = strings(
        &mut db,
        "SELECT r.share_id FROM received_row r JOIN erased_row e \
         ON e.share_id = r.share_id AND e.row_ref = r.row_ref",
    )
    .await?;
    if let Some(share) = again.first() {
        return violated(
            "an erased row does not come back",
            format!("node {node}, {share}"),
        );
    }
    Ok(())
}

/// Two organizations' people are never sent to one door at one moment, where clocks are right.
///
/// # Errors
/// A [`Violation`] that names the door.
pub async fn no_two_at_one_door(world: &World) -> Verdict {
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for (node, app) in world.apps().take(MEMBERS + 1) {
        if world.sites[node].skew != 0 || world.sites[node].evil {
            continue;
        }
        let mut db = app.store.read("watching").await.map_err(blind)?;
        let claims = strings(
            &mut db,
            "SELECT claim_id FROM claim WHERE state = 'granted' AND channel = 'door'",
        )
        .await?;
        drop(db);
        for claim in claims {
            if !is_now(app, &claim, world.time()).await {
                continue;
            }
            let Ok(list) = commonturf::claims::walk_list::make(app, &claim).await else {
                continue;
            };
            for door in list
                .text
                .split("\"person")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
            {
                let other = *sent.entry(door.to_owned()).or_insert(node);
                if other != node {
                    return violated(
                        "no two knock at one door",
                        format!("nodes {other} and {node} at person{door}"),
                    );
                }
            }
        }
    }
    Ok(())
}

async fn is_now(app: &App, claim: &str, time: Moment) -> bool {
    let guard = app.coalition.read().await;
    let id: Option<EntryId> = claim.parse().ok();
    let row = guard
        .as_ref()
        .zip(id)
        .and_then(|(coalition, id)| coalition.state.claims.get(&id).cloned());
    row.is_some_and(|row| row.from <= time && time < row.to)
}
