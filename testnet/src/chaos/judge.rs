//! What must hold when everything is well again, read from desks and databases.

use super::work::{Acknowledged, NAMES};
use crate::{
    nodes::{Hand, Node, Standing},
    sim::{
        rest::{self, Holder},
        watch::{self, Verdict, Violation, blind, violated},
    },
};
use anyhow::{Context, Result};
use commonturf::{app::read_rest_key, config::NodeDir, store::Store, sync::coalition::Coalition};
use protocol::{id::NodeId, state::State};
use std::collections::{BTreeMap, BTreeSet};

/// One node's database and what it says.
pub struct Book {
    dir: NodeDir,
    store: Store,
    id: NodeId,
    state: State,
}

impl Book {
    /// Opens the database of a node.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open(node: &Node) -> Result<Self> {
        let dir = NodeDir(node.dir().to_owned());
        let store = Store::open(&dir.database(&dir.read()?)).await?;
        let mut db = store.read("watching").await?;
        let row = commonturf::store::node::find(&mut db).await?;
        let id = row.context("the database holds no node")?.node_id;
        drop(db);
        Ok(Self {
            dir,
            store,
            id,
            state: State::default(),
        })
    }

    async fn read(&mut self) -> Result<()> {
        let rest = read_rest_key(&self.dir)?;
        let mut db = self.store.read("watching").await?;
        let coalition = Coalition::load(&mut db, &rest).await?;
        self.state = coalition.context("the node is in no coalition")?.state;
        Ok(())
    }

    /// Whether anything waits there.
    ///
    /// # Errors
    /// A [`Violation`] that says what.
    pub async fn rests(&self, number: usize) -> Verdict {
        rest::nothing_waits(&self.store, number).await
    }
}

/// Looks at everything.
///
/// # Errors
/// The first [`Violation`].
pub async fn judge(
    books: &mut [Book],
    keepers: usize,
    standings: &[Standing],
    told: &[(Hand, &Acknowledged)],
) -> Verdict {
    one_place(standings)?;
    for book in &mut *books {
        book.read().await.map_err(blind)?;
    }
    let hashes: BTreeSet<_> = books.iter().map(|book| book.state.hash()).collect();
    if hashes.len() != 1 {
        return violated(
            "equal position means equal state",
            format!("{} states are in the databases", hashes.len()),
        );
    }
    one_log(&books[..keepers]).await?;
    one_history(books).await?;
    let holders: Vec<Holder<'_>> = books
        .iter()
        .map(|book| Holder {
            id: book.id,
            store: &book.store,
            is_well: true,
        })
        .collect();
    for (n, book) in books.iter().enumerate() {
        book.rests(n).await?;
        watch::no_overlap(&book.state)?;
        let (hand, told) = &told[n];
        nothing_is_lost(n, book, &books[0].store, told).await?;
        suppressed(n, hand, told).await?;
        rest::rows_taken_back_are_gone((n, &book.store), &book.state, &holders).await?;
    }
    Ok(())
}

fn one_place(standings: &[Standing]) -> Verdict {
    let places: BTreeSet<_> = standings
        .iter()
        .map(|at| (at.position, at.state_hash.as_str()))
        .collect();
    if places.len() == 1 && standings.iter().all(|at| at.outbox == 0) {
        return Ok(());
    }
    violated("all stand at one place", format!("{standings:?}"))
}

/// All keepers have the same log.
async fn one_log(keepers: &[Book]) -> Verdict {
    let mut logs = BTreeSet::new();
    for keeper in keepers {
        let mut db = keeper.store.read("watching").await.map_err(blind)?;
        let log: Vec<(i64, String)> =
            sqlx::query_as("SELECT position, hash FROM keeper_log ORDER BY position")
                .fetch_all(&mut *db)
                .await
                .map_err(blind)?;
        logs.insert(log);
    }
    if logs.len() == 1 {
        return Ok(());
    }
    violated(
        "keepers agree on every position",
        format!("{} different logs", logs.len()),
    )
}

/// Every position came to the same everywhere, and nothing took effect twice.
async fn one_history(books: &[Book]) -> Verdict {
    let mut known: BTreeMap<i64, (Option<String>, bool)> = BTreeMap::new();
    for (n, book) in books.iter().enumerate() {
        let mut db = book.store.read("watching").await.map_err(blind)?;
        let rows: Vec<(i64, Option<String>, Option<String>)> =
            sqlx::query_as("SELECT position, entry_id, void FROM history ORDER BY position")
                .fetch_all(&mut *db)
                .await
                .map_err(blind)?;
        for (position, entry, void) in rows {
            let line = (entry, void.is_none());
            let first = known.entry(position).or_insert_with(|| line.clone());
            if *first != line {
                return violated(
                    "every position comes to the same at every node",
                    format!("{}, position {position}: {first:?} and {line:?}", NAMES[n]),
                );
            }
        }
    }
    let mut effective = BTreeSet::new();
    for (position, (entry, took_effect)) in &known {
        if *took_effect && !effective.insert(entry) {
            return violated("effects happen once", format!("again at {position}"));
        }
    }
    Ok(())
}

/// What a desk acknowledged is there: entries in the log, people in the lists.
async fn nothing_is_lost(n: usize, book: &Book, log: &Store, told: &Acknowledged) -> Verdict {
    for (entry, done) in &told.entries {
        let took_effect = rest::promise_is_kept((n, &book.store), log, entry).await?;
        if *done && !took_effect {
            return violated(
                "no acknowledged entry is lost",
                format!("{entry} of {} was done and is void", NAMES[n]),
            );
        }
    }
    let mut db = book.store.read("watching").await.map_err(blind)?;
    let people: Vec<String> =
        sqlx::query_scalar("SELECT value FROM person_identifier WHERE system = 'van'")
            .fetch_all(&mut *db)
            .await
            .map_err(blind)?;
    let people: BTreeSet<String> = people.into_iter().collect();
    let lost: Vec<&String> = told.people.difference(&people).collect();
    if lost.is_empty() {
        return Ok(());
    }
    violated(
        "an acknowledged import is there",
        format!("{lost:?} at {}", NAMES[n]),
    )
}

/// Telephones that a desk acknowledged as suppressed are, each once.
async fn suppressed(n: usize, hand: &Hand, told: &Acknowledged) -> Verdict {
    let words = ["suppressions", "list"];
    let list = hand.run(&words, super::START).await.map_err(blind)?;
    let mut found = BTreeSet::new();
    for own in list["own"].as_array().into_iter().flatten() {
        let about = own["about"].as_str().unwrap_or_default();
        let digits: String = about.chars().filter(char::is_ascii_digit).collect();
        if about.starts_with('+') && !found.insert(digits) {
            return violated("effects happen once", format!("{about} stands twice"));
        }
    }
    let lost = |phone: &&String| !found.contains(phone.trim_start_matches('+'));
    match told.phones.iter().find(lost) {
        None => Ok(()),
        Some(phone) => violated(
            "an acknowledged suppression stands",
            format!("{phone} at {}", NAMES[n]),
        ),
    }
}

/// A failure of the run itself as a violation.
#[must_use]
pub fn broken(rule: &'static str, error: &anyhow::Error) -> Violation {
    Violation {
        rule,
        seen: format!("{error:#}"),
    }
}
