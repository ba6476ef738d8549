//! Taking back: the person's word into the consent records, and a notice to everybody who was given
//! the person. No policy stands in its way.

use crate::{
    app::App,
    http::problem::Failure,
    store::{
        self, Write,
        share::{
            candidate,
            ledger::{self, Disclosure},
            notice::{self, NoticeOut},
        },
    },
    sync::outbox::{self, Fate},
};
use minicbor::{Decode, Encode};
use protocol::{
    codec::{self, Canonical},
    entry::share::{Revoke, RevokeKind},
    id::{EntryId, NodeId, RowRef},
    problem::ProblemKind,
    state::State,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The rows of a notice, as they are sealed to the recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecalledRows {
    /// Their names, rising.
    #[n(0)]
    pub rows: Vec<RowRef>,
}

impl Canonical for RecalledRows {
    const WHAT: &'static str = "list of recalled rows";
    const MAX_BYTES: usize = 20 * 1024 * 1024;
}

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
    /// A whole share.
    Share(EntryId),
}

/// What a recall did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recall {
    /// Whether nothing was changed.
    pub dry_run: bool,
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

/// The name under which a kind is stored and typed.
#[must_use]
pub fn kind_name(kind: RevokeKind) -> &'static str {
    match kind {
        RevokeKind::Withdrawal => "withdrawal",
        RevokeKind::Objection => "objection",
        RevokeKind::Erasure => "erasure",
        RevokeKind::Recall => "recall",
    }
}

/// Reads what [`kind_name`] prints.
#[must_use]
pub fn kind_named(name: &str) -> Option<RevokeKind> {
    [
        RevokeKind::Withdrawal,
        RevokeKind::Objection,
        RevokeKind::Erasure,
        RevokeKind::Recall,
    ]
    .into_iter()
    .find(|kind| kind_name(*kind) == name)
}

/// Takes something back and waits for the fold.
///
/// # Errors
/// [`Failure`] when there is no such person or share, or this node is in no coalition.
pub async fn revoke(app: &App, what: &What, dry_run: bool) -> Result<Recall, Failure> {
    let now = app.now();
    let (kind, person, lines) = lines(app, what).await?;
    let by_share = by_share(app, lines).await?;
    let state_names = names(app).await?;
    let whole_person = person
        .as_deref()
        .filter(|_| matches!(what, What::Person { share: None, .. }));
    let mut tx = app.store.write("taking back").await?;
    let mut consents_withdrawn = 0;
    if let Some(person) = whole_person {
        consents_withdrawn = withdraw(&mut tx, person, kind, now.0).await?;
    }
    let mut notices = Vec::new();
    for (share, (announced, lines)) in &by_share {
        let Some(to) = lines.first().map(|line| line.recipient) else {
            continue;
        };
        let id = if *announced && !dry_run {
            Some(queue(app, &mut tx, &state_names, *share, kind, lines).await?)
        } else {
            for line in lines {
                ledger::set_revoked(&mut tx, line, kind_name(kind), None).await?;
            }
            None
        };
        notices.push(Notice {
            notice: id,
            share: *share,
            to,
            name: state_names.name(to),
            rows: lines.len() as u64,
            state: if dry_run { "dry-run" } else { "share-waits" },
        });
    }
    if dry_run {
        drop(tx); // undone: nothing was changed
    } else {
        tx.commit().await?;
        app.wake.outbox.notify_one();
        for notice in &mut notices {
            if let Some(id) = notice.notice {
                notice.state = match outbox::wait(app, id, crate::api::PATIENCE).await? {
                    Fate::Done => "done",
                    Fate::Waiting => "waiting",
                    Fate::Void(_) => "void",
                };
            }
        }
    }
    Ok(Recall {
        dry_run,
        consents_withdrawn,
        notices,
    })
}

/// The ledger's lines that are not taken back yet.
async fn lines(
    app: &App,
    what: &What,
) -> Result<(RevokeKind, Option<String>, Vec<Disclosure>), Failure> {
    let (kind, person, lines) = match what {
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
            (*kind, Some(person), lines)
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
            (RevokeKind::Recall, None, lines)
        }
    };
    let open = lines
        .into_iter()
        .filter(|line| line.notice.is_none())
        .collect();
    Ok((kind, person, open))
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

/// What sealing and telling needs of the folded state, taken before any transaction.
#[derive(Debug)]
struct Names(BTreeMap<NodeId, (String, Option<protocol::seal::AgeRecipient>)>);

impl Names {
    fn of(state: &State) -> Self {
        let member = |node: &NodeId| {
            let key = state
                .document(*node)
                .and_then(|document| document.age_recipient());
            (*node, (crate::coalition::members::name(state, *node), key))
        };
        Self(state.members.iter().map(|(node, _)| member(node)).collect())
    }

    fn name(&self, node: NodeId) -> String {
        self.0
            .get(&node)
            .map_or_else(|| node.short(), |(name, _)| name.clone())
    }
}

async fn names(app: &App) -> Result<Names, Failure> {
    Ok(Names::of(&crate::coalition::active(app).await?.state))
}

async fn withdraw(
    tx: &mut Write,
    person: &str,
    kind: RevokeKind,
    now: i64,
) -> Result<usize, Failure> {
    let records = store::consent::of_person(&mut *tx, person).await?;
    let count = records.len();
    for mut consent in records {
        super::consent::withdraw(&mut consent.record, now).map_err(Failure::internal)?;
        consent.updated_at = now;
        store::consent::put(&mut *tx, &consent).await?;
    }
    candidate::recall(&mut *tx, person, kind_name(kind), now).await?;
    Ok(count)
}

/// Queues one notice for rows of one share.
async fn queue(
    app: &App,
    tx: &mut Write,
    names: &Names,
    share: EntryId,
    kind: RevokeKind,
    lines: &[Disclosure],
) -> Result<EntryId, Failure> {
    let to = lines
        .first()
        .map(|line| line.recipient)
        .ok_or_else(|| Failure::internal("a notice without rows"))?;
    let key = names.0.get(&to).and_then(|(_, key)| *key).ok_or_else(|| {
        Failure::new(
            ProblemKind::Conflict,
            "the recipient is not known to the coalition any more",
        )
    })?;
    let mut rows: Vec<RowRef> = lines.iter().map(|line| line.row_ref).collect();
    rows.sort_unstable();
    let plain = codec::encode(&RecalledRows { rows });
    let packed = outbox::pack_for(key, &plain)?;
    let revoke = Revoke {
        share,
        kind,
        count: lines.len() as u64,
        row_refs: packed.payload.clone(),
    };
    let id = outbox::queue(app, &mut *tx, revoke.into(), Some((&packed, &plain))).await?;
    let out = NoticeOut {
        notice: id,
        share,
        recipient: to,
        kind: kind_name(kind).to_owned(),
        count: lines.len() as u64,
        receipt: None,
        created_at: app.now().0,
    };
    notice::insert_out(&mut *tx, &out).await?;
    for line in lines {
        ledger::set_revoked(&mut *tx, line, kind_name(kind), Some(id)).await?;
    }
    Ok(id)
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
        let kind = kind_named(&kind)
            .ok_or_else(|| store::StoreError::damaged("disclosure", "revoke_kind"))?;
        queue(app, &mut *tx, &names, share, kind, &lines)
            .await
            .map_err(|failure| anyhow::anyhow!("{}", failure.0.title))?;
    }
    Ok(())
}
