//! Taking back: people's word into the consent records, and a notice to everybody who was given
//! them. No policy stands in its way.

use super::notice::{self, Names};
use crate::{
    app::App,
    http::problem::Failure,
    store::{
        self, Write,
        share::{
            candidate,
            ledger::{self, Disclosure},
        },
    },
    sync::outbox::{self, Fate},
};
use futures_util::future::try_join_all;
use protocol::{
    entry::share::{ErasureResult, RevokeKind},
    id::{EntryId, NodeId},
    state::State,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// One person, everywhere or in one share.
    Person {
        /// Id or `system:value`.
        person: String,
        /// Only in this share.
        share: Option<EntryId>,
        /// Why.
        kind: RevokeKind,
    },
    /// Many people, everywhere.
    People {
        /// Ids or `system:value`.
        people: Vec<String>,
        /// Why.
        kind: RevokeKind,
    },
    /// A whole share.
    Share(EntryId),
}

/// The most people of one recall.
pub const PEOPLE: usize = 100_000;
/// The most people that a refusal names.
const NAMED: usize = 10;

/// What a recall did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recall {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// People whom it is about; absent for a whole share.
    pub people: Option<usize>,
    /// Consent records that now say that the consent is taken back.
    pub consents_withdrawn: usize,
    /// One notice per share.
    pub notices: Vec<Notice>,
}

/// A notice to one recipient about one share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The notice; absent in a dry run and while the share waits to be announced.
    pub notice: Option<EntryId>,
    /// The share.
    pub share: EntryId,
    /// The recipient's node.
    pub to: NodeId,
    /// Its name.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// `done`, `waiting`, `void`, `share-waits` or `dry-run`.
    pub state: &'static str,
}

/// Takes something back and waits for the fold.
///
/// # Errors
/// [`Failure`] when there is no such person or share, or this node is in no coalition.
pub async fn revoke(app: &App, what: &What, dry_run: bool) -> Result<Recall, Failure> {
    let mut recall = decide(app, what, dry_run).await?;
    if !dry_run {
        wait(app, &mut recall.notices).await?;
    }
    Ok(recall)
}

/// Takes something back and puts the notices into the outbox, without waiting for the fold.
///
/// # Errors
/// As [`revoke`].
pub async fn decide(app: &App, what: &What, dry_run: bool) -> Result<Recall, Failure> {
    let now = app.now();
    let (kind, people, lines) = lines(app, what).await?;
    let by_share = by_share(app, lines).await?;
    let names = Names::of(&crate::coalition::active(app).await?.state);
    let everywhere = !matches!(what, What::Person { share: Some(_), .. });
    let mut tx = app.store.write("taking back").await?;
    let mut consents_withdrawn = 0;
    for person in people.iter().filter(|_| everywhere) {
        consents_withdrawn += withdraw(&mut tx, person, kind, now.0).await?;
    }
    let mut notices = Vec::new();
    for (share, (announced, lines)) in &by_share {
        let Some(to) = lines.first().map(|line| line.recipient) else {
            continue;
        };
        let id = if *announced && !dry_run {
            Some(queue(app, &mut tx, &names, kind, lines).await?)
        } else {
            // Who has not been told that a row rests need not be told that it does not.
            let kind = Some(kind.name()).filter(|_| kind != RevokeKind::Lift);
            ledger::set_revoked(&mut tx, lines, kind, None).await?;
            None
        };
        notices.push(Notice {
            notice: id,
            share: *share,
            to,
            name: names.name(to),
            rows: lines.len() as u64,
            state: if dry_run { "dry-run" } else { "share-waits" },
        });
    }
    if dry_run {
        drop(tx); // undone: nothing was changed
    } else {
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(Recall {
        dry_run,
        people: (!matches!(what, What::Share(_))).then_some(people.len()),
        consents_withdrawn,
        notices,
    })
}

/// The ledger's lines that are not taken back yet, or not as far.
async fn lines(
    app: &App,
    what: &What,
) -> Result<(RevokeKind, Vec<String>, Vec<Disclosure>), Failure> {
    let (kind, people, lines) = match what {
        What::Person {
            person,
            share,
            kind,
        } => {
            let person = super::plan::person(app, person).await?;
            let mut db = app.store.read("reading the ledger").await?;
            let mut lines = ledger::of_person(&mut db, &person).await?;
            if let Some(share) = share {
                lines.retain(|line| line.share == *share);
                if lines.is_empty() {
                    return Err(Failure::not_found(
                        "that share did not carry this person; see `commonturf who-has`",
                    ));
                }
            }
            (*kind, vec![person], lines)
        }
        What::People { people, kind } => {
            let people = all_people(app, people).await?;
            let mut db = app.store.read("reading the ledger").await?;
            let mut lines = Vec::new();
            for person in &people {
                lines.extend(ledger::of_person(&mut db, person).await?);
            }
            (*kind, people, lines)
        }
        What::Share(share) => {
            let mut db = app.store.read("reading the ledger").await?;
            let given = store::share::find(&mut db, *share).await?;
            if given.is_none_or(|given| given.state == "void") {
                return Err(Failure::not_found(
                    "no share of this organization has that id; see `commonturf share list`",
                ));
            }
            let lines = ledger::of_share(&mut db, *share).await?;
            (RevokeKind::Recall, Vec::new(), lines)
        }
    };
    let coalition = crate::coalition::active(app).await?;
    let open = lines
        .into_iter()
        .filter(|line| is_open(&coalition.state, line, kind))
        .collect();
    Ok((kind, people, open))
}

/// The ids of people, each once; all of them are somebody, or nothing is done.
async fn all_people(app: &App, references: &[String]) -> Result<Vec<String>, Failure> {
    let checked = check(app, references).await?;
    if checked.problems.is_empty() {
        let ids: BTreeSet<String> = checked.people.into_iter().flatten().collect();
        return Ok(ids.into_iter().collect());
    }
    let some = checked.problems.iter().take(NAMED);
    let some: Vec<String> = some
        .map(|problem| format!("entry {}: {}", problem.n, problem.why))
        .collect();
    Err(Failure::input(format!(
        "{} of {} people cannot be found, and nothing was changed; {}",
        checked.problems.len(),
        references.len(),
        some.join("; ")
    )))
}

/// Whom references mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Ids in the order of the references; none where nobody or several fit.
    pub people: Vec<Option<String>>,
    /// What is wrong with the others.
    pub problems: Vec<Unknown>,
}

/// A reference that means nobody or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// Its number, from 1.
    pub n: usize,
    /// Why.
    pub why: String,
}

/// Looks up whom references mean; changes nothing.
///
/// # Errors
/// [`Failure`] when there are none or too many, or the database fails.
pub async fn check(app: &App, references: &[String]) -> Result<Checked, Failure> {
    if references.is_empty() || references.len() > PEOPLE {
        return Err(Failure::input(format!(
            "people: name 1 to {PEOPLE} people at once"
        )));
    }
    let mut checked = Checked {
        people: Vec::with_capacity(references.len()),
        problems: Vec::new(),
    };
    let mut db = app.store.read("looking for people").await?;
    for (n, reference) in (1..).zip(references) {
        match super::plan::person_in(&mut db, reference).await {
            Ok(person) => checked.people.push(Some(person)),
            Err(failure) if failure.0.status < 500 => {
                checked.people.push(None);
                let why = failure.0.detail;
                checked.problems.push(Unknown { n, why });
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(checked)
}

/// Whether a line can get a notice of this kind: it has none, a weaker one, or one that was refused; only
/// what rests can be lifted.
pub(super) fn is_open(state: &State, line: &Disclosure, kind: RevokeKind) -> bool {
    let known = line.revoke_kind.as_deref().and_then(RevokeKind::named);
    if kind == RevokeKind::Lift {
        return known == Some(RevokeKind::Restriction);
    }
    let known = known.filter(|known| *known != RevokeKind::Lift);
    let weaker = known.is_none_or(|known| !known.erases() && kind.erases());
    let Some(notice) = line.notice else {
        return known.is_none_or(|known| kind.erases() || !known.erases());
    };
    let receipt = state
        .notices
        .get(&notice)
        .and_then(|row| row.receipt.as_ref());
    weaker || receipt.is_some_and(|receipt| receipt.result == ErasureResult::Refused)
}

/// Lines by share, with whether the share is announced: before that nobody could be told.
async fn by_share(
    app: &App,
    lines: Vec<Disclosure>,
) -> Result<BTreeMap<EntryId, (bool, Vec<Disclosure>)>, Failure> {
    let mut db = app.store.read("reading shares").await?;
    let mut by_share: BTreeMap<EntryId, (bool, Vec<Disclosure>)> = BTreeMap::new();
    for line in lines {
        if let Some((_, known)) = by_share.get_mut(&line.share) {
            known.push(line);
            continue;
        }
        let given = store::share::find(&mut db, line.share).await?;
        let announced = given.is_some_and(|given| given.state == "announced");
        by_share.insert(line.share, (announced, vec![line]));
    }
    Ok(by_share)
}

async fn withdraw(
    tx: &mut Write,
    person: &str,
    kind: RevokeKind,
    now: i64,
) -> Result<usize, Failure> {
    if kind == RevokeKind::Lift {
        candidate::lift(&mut *tx, person).await?;
        return Ok(0);
    }
    let mut records = store::consent::of_person(&mut *tx, person).await?;
    // The last word counts, and this is it: a clock that is behind must not date it before the consent.
    let events = records.iter().flat_map(|consent| consent.record.events());
    let now = events.map(|event| event.event_time).fold(now, i64::max);
    if kind == RevokeKind::Restriction {
        records.clear(); // the consent stands, and is not used until the person agrees once more
    }
    let count = records.len();
    for mut consent in records {
        super::consent::withdraw(&mut consent.record, now).map_err(Failure::internal)?;
        consent.updated_at = now;
        store::consent::put(&mut *tx, &consent).await?;
    }
    candidate::recall(&mut *tx, person, kind.name(), now).await?;
    Ok(count)
}

/// Queues one notice for rows of one share, and notes it in the ledger.
pub(super) async fn queue(
    app: &App,
    tx: &mut Write,
    names: &Names,
    kind: RevokeKind,
    lines: &[Disclosure],
) -> Result<EntryId, Failure> {
    let rows = lines.iter().map(|line| (line, None)).collect();
    let id = notice::queue(app, &mut *tx, names, kind, rows).await?;
    ledger::set_revoked(&mut *tx, lines, Some(kind.name()), Some(id)).await?;
    Ok(id)
}

/// Waits until each notice that was queued is read back.
pub(super) async fn wait(app: &App, notices: &mut [Notice]) -> Result<(), Failure> {
    app.wake.outbox.notify_one();
    // All at once: whoever asked waits no longer for many notices than for one.
    let waits = notices.iter_mut().map(async |notice| {
        if let Some(id) = notice.notice {
            notice.state = match outbox::wait(app, id, crate::api::PATIENCE).await? {
                Fate::Done => "done",
                Fate::Waiting => "waiting",
                Fate::Void(_) => "void",
            };
        }
        Ok(())
    });
    try_join_all(waits).await.map(drop)
}

/// A share was announced: rows that were taken back while it waited get their notices now.
///
/// # Errors
/// When the database fails.
pub async fn after_announcement(
    app: &App,
    tx: &mut Write,
    state: &State,
    share: EntryId,
) -> anyhow::Result<()> {
    let waiting = ledger::waiting_for_notice(&mut *tx, share).await?;
    let mut by_kind: BTreeMap<String, Vec<Disclosure>> = BTreeMap::new();
    for line in waiting {
        let kind = line.revoke_kind.clone().unwrap_or_default();
        by_kind.entry(kind).or_default().push(line);
    }
    let names = Names::of(state);
    for (kind, lines) in by_kind {
        let kind = RevokeKind::named(&kind)
            .ok_or_else(|| store::StoreError::damaged("disclosure", "revoke_kind"))?;
        queue(app, &mut *tx, &names, kind, &lines)
            .await
            .map_err(|failure| anyhow::anyhow!("{}", failure.0.title))?;
    }
    Ok(())
}
