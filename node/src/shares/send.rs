//! Sending: rows from the mask, sealed to one recipient; ledger, blob and entry in one transaction.

use super::{
    payload::{SHARE_BYTES, Salt, SharedRow, SharedRows, VERSION},
    plan::{Ask, Plan, Recipient, Tally, Universe},
    preview::Preview,
    sift::Subject,
};
use crate::{
    api::PATIENCE,
    app::App,
    http::problem::Failure,
    store::{
        self, Write,
        share::{
            self, Given, candidate,
            ledger::{self, Disclosure, Proof},
            onward,
        },
    },
    sync::outbox::{self, Fate},
};
use futures_util::future::try_join_all;
use policy::FieldClass;
use protocol::{
    blob::Manifest,
    codec,
    entry::share::{Share, row_leaf},
    fold::share::SHARE_ROWS,
    id::{EntryId, Hash, NodeId, RowRef},
    merkle::Tree,
    problem::ProblemKind,
    seal::{self, AgeRecipient},
    time::Moment,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What became of a share to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The share; absent when nothing flows or nothing was sent.
    pub share: Option<EntryId>,
    /// `done`, `waiting`, `void`, `nothing` or `dry-run`.
    pub state: &'static str,
    /// Why it is void.
    pub note: Option<String>,
    /// What flows and what not.
    #[serde(flatten)]
    pub preview: Preview,
}

impl Sent {
    /// What a dry run answers.
    #[must_use]
    pub fn dry_run(preview: Preview) -> Self {
        Self {
            share: None,
            state: "dry-run",
            note: None,
            preview,
        }
    }
}

/// The rows to one recipient, and whose they are.
#[derive(Debug, Default)]
struct Load {
    rows: Vec<SharedRow>,
    lines: Vec<(String, SharedLine)>,
    expires: Option<Moment>,
}

#[derive(Debug)]
struct SharedLine {
    via: Option<(EntryId, RowRef)>,
    fields: String,
    basis: String,
    consent_record: Option<String>,
}

/// Shares that are decided and wait in the outbox, one for each recipient.
#[derive(Debug)]
pub struct Decided {
    /// To whom, and what flows to it; the share where anything does.
    shares: Vec<(Option<EntryId>, Preview)>,
}

impl Decided {
    /// The shares that wait.
    pub fn shares(&self) -> impl Iterator<Item = EntryId> {
        self.shares.iter().filter_map(|(share, _)| *share)
    }
}

/// Sends what flows of a list or of received rows, one share to each recipient, and waits for the fold.
///
/// # Errors
/// [`Failure`] when the list, a recipient or the agreement is not there, or somebody took
/// something back meanwhile.
pub async fn send(
    app: &App,
    ask: Ask,
    universe: impl Into<Universe>,
) -> Result<Vec<Sent>, Failure> {
    let decided = decide(app, ask, universe).await?;
    let mut sent = Vec::new();
    let fates = try_join_all(decided.shares.iter().map(async |(share, _)| match share {
        Some(share) => outbox::wait(app, *share, PATIENCE).await.map(Some),
        None => Ok(None),
    }));
    let fates = fates.await?;
    for ((share, preview), fate) in decided.shares.into_iter().zip(fates) {
        let (state, note) = match fate {
            None => ("nothing", None),
            Some(Fate::Done) => ("done", None),
            Some(Fate::Waiting) => ("waiting", None),
            Some(Fate::Void(why)) => ("void", Some(why)),
        };
        sent.push(Sent {
            share,
            state,
            note,
            preview,
        });
    }
    Ok(sent)
}

/// Decides what flows of a list or of received rows and puts it into the outbox, without waiting for the fold.
///
/// # Errors
/// As [`send`].
pub async fn decide(
    app: &App,
    ask: Ask,
    universe: impl Into<Universe>,
) -> Result<Decided, Failure> {
    crate::audit::fork::nothing_new_while_frozen(app).await?;
    crate::audit::truths::nothing_new_while_quarantined(app).await?;
    let universe = universe.into();
    let plan = Plan::make(app, ask).await?;
    let mut loads: Vec<Load> = plan.recipients.iter().map(|_| Load::default()).collect();
    let mut held = 0;
    let mut take = |n: usize, subject: &Subject, row: SharedRow| {
        held += 1;
        if held > SHARE_ROWS {
            return Err(Failure::input(
                "the shares of one request have at most 1,000,000 people together; name fewer recipients at once",
            ));
        }
        if let Some(load) = loads.get_mut(n) {
            load.expires = earlier(load.expires, subject.expires_at());
            load.lines
                .push((subject.id().to_owned(), line(&row, subject)));
            load.rows.push(row);
        }
        Ok(())
    };
    let tallies = plan.walk(app, &universe, Some(&mut take)).await?;
    let list = match &universe {
        Universe::List(name) => super::plan::list(app, name).await?,
        Universe::Received(_) => String::new(),
    };
    let mut prepared = Vec::new();
    for ((recipient, tally), load) in plan.recipients.iter().zip(&tallies).zip(loads) {
        prepared.push(if load.rows.is_empty() {
            None
        } else {
            Some(prepare(app, &plan, recipient, tally, &list, load).await?)
        });
    }
    let shares: Vec<Option<EntryId>> = prepared
        .iter()
        .map(|prepared| prepared.as_ref().map(|prepared| prepared.given.share))
        .collect();
    queue(app, &plan, prepared.into_iter().flatten()).await?;
    app.wake.outbox.notify_one();
    let previews = plan
        .recipients
        .iter()
        .zip(&tallies)
        .map(|(recipient, tally)| Preview::of(&plan.setting.gate, recipient, tally));
    Ok(Decided {
        shares: shares.into_iter().zip(previews).collect(),
    })
}

/// The earlier of two ends; none means that it does not end.
fn earlier(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn line(row: &SharedRow, subject: &Subject) -> SharedLine {
    let record: Option<serde_json::Value> = row
        .grounds
        .consent
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok());
    SharedLine {
        via: subject.via(),
        fields: classes(row.fields.mask().iter()),
        basis: row.grounds.basis.clone(),
        consent_record: record.and_then(|record| record["record_id"].as_str().map(str::to_owned)),
    }
}

/// Classes as the JSON list that tables hold.
fn classes(fields: impl Iterator<Item = FieldClass>) -> String {
    serde_json::json!(fields.map(FieldClass::name).collect::<Vec<_>>()).to_string()
}

/// A share that is sealed and waits to be written down.
#[derive(Debug)]
struct Prepared {
    given: Given,
    entry: Share,
    manifest: Manifest,
    sealed: Vec<u8>,
    lines: Vec<((String, SharedLine), RowRef, Proof)>,
}

impl Proof {
    /// What proves a row later: its leaf, its salt and its bytes.
    fn of(row: &SharedRow, salt: Salt) -> Self {
        let bytes = codec::encode(row);
        Self {
            leaf: row_leaf(&salt.0, &bytes),
            secret: Some((salt.0, bytes)),
        }
    }
}

/// The share tree over some rows.
struct Salted {
    salts: Vec<Salt>,
    proofs: BTreeMap<RowRef, Proof>,
    root: Hash,
}

impl Salted {
    /// Salts rows that stand in their order.
    fn of(rows: &[SharedRow]) -> Self {
        let mut rng = crate::ambient::rng();
        let mut tree = Tree::default();
        let mut proofs = BTreeMap::new();
        let mut salts = Vec::with_capacity(rows.len());
        for row in rows {
            let salt = Salt::random(&mut rng);
            let proof = Proof::of(row, salt);
            tree.push(proof.leaf);
            salts.push(salt);
            proofs.insert(row.row_ref, proof);
        }
        Self {
            salts,
            proofs,
            root: tree.root(),
        }
    }
}

/// Seals the rows to one recipient.
async fn prepare(
    app: &App,
    plan: &Plan,
    recipient: &Recipient,
    tally: &Tally,
    list: &str,
    load: Load,
) -> Result<Prepared, Failure> {
    let share = EntryId::random(&mut crate::ambient::rng());
    let (mut rows, lines) = (load.rows, load.lines);
    let expires = earlier(plan.ask.expires, load.expires);
    let refs: Vec<_> = rows.iter().map(|row| row.row_ref).collect();
    rows.sort_by_key(|row| row.row_ref);
    let count = rows.len() as u64;
    let Salted {
        salts,
        mut proofs,
        root,
    } = Salted::of(&rows);
    let plain = codec::encode(&SharedRows {
        version: VERSION,
        share,
        from: app.me,
        to: recipient.node,
        rows,
        salts,
    });
    if plain.len() > SHARE_BYTES {
        return Err(Failure::input(
            "the rows of one share have at most 512 MiB; share smaller lists or fewer fields",
        ));
    }
    let key = key_of(app, recipient).await?;
    let sealed = seal::seal(&plain, &[key]).map_err(Failure::internal)?;
    let manifest = Manifest::of(&sealed).map_err(Failure::internal)?;
    let names = names(tally);
    let entry = Share {
        to: recipient.node,
        purpose: plan.ask.purpose.name().to_owned(),
        channel: plan.ask.channel,
        fields: names.clone(),
        count,
        agreement: plan.setting.agreement,
        blob: manifest.id(),
        bytes: sealed.len() as u64,
        expires,
        root,
        consideration: plan.ask.consideration.clone(),
    };
    let given = Given {
        share,
        recipient: recipient.node.to_string(),
        purpose: entry.purpose.clone(),
        channel: plan.ask.channel.name().to_owned(),
        fields: serde_json::json!(names).to_string(),
        list: list.to_owned(),
        count,
        withheld: serde_json::json!(tally.people_withheld).to_string(),
        agreement: plan.setting.agreement.to_string(),
        state: "queued".to_owned(),
        note: None,
        expires_at: expires.map(|expires| expires.0),
        created_at: plan.now.0,
    };
    Ok(Prepared {
        given,
        entry,
        manifest,
        sealed,
        lines: lines
            .into_iter()
            .zip(refs)
            .filter_map(|(line, row)| Some((line, row, proofs.remove(&row)?)))
            .collect(),
    })
}

/// The classes that flow, as an entry lists them.
fn names(tally: &Tally) -> Vec<String> {
    let mut names: Vec<String> = tally
        .fields
        .keys()
        .map(|class| class.name().to_owned())
        .collect();
    names.sort_unstable();
    names
}

/// Writes down all shares of one request, or none: ledger, blob and entry in one transaction.
async fn queue(
    app: &App,
    plan: &Plan,
    shares: impl Iterator<Item = Prepared>,
) -> Result<(), Failure> {
    let mut tx = app.store.write("sharing").await?;
    if candidate::recalled_since(&mut tx, plan.now.0).await? > 0 {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "somebody took back a consent while the share was made; nothing was sent, try again",
        ));
    }
    for share in shares {
        let (id, to) = (share.given.share, share.entry.to);
        share::insert(&mut tx, &share.given).await?;
        write_ledger(&mut tx, &share.given, to, share.lines).await?;
        if onward::lost(&mut tx, id).await? > 0 {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "a received row was taken back while the share was made; nothing was sent, try again",
            ));
        }
        outbox::keep_blob(app, &mut tx, &share.manifest, &share.sealed).await?;
        outbox::queue_as(app, &mut tx, id, share.entry.into(), None).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// To whose age key the rows are sealed.
async fn key_of(app: &App, recipient: &Recipient) -> Result<AgeRecipient, Failure> {
    let coalition = crate::coalition::active(app).await?;
    coalition
        .state
        .document(recipient.node)
        .and_then(|document| document.age_recipient())
        .ok_or_else(|| Failure::internal("a member's document names no key to seal to"))
}

/// One line of the disclosure ledger for each person that flows.
async fn write_ledger(
    tx: &mut Write,
    given: &Given,
    recipient: NodeId,
    lines: Vec<((String, SharedLine), RowRef, Proof)>,
) -> store::Result<()> {
    for ((person, line), row_ref, proof) in lines {
        let line = Disclosure {
            share: given.share,
            person,
            row_ref,
            recipient,
            fields: line.fields,
            basis: line.basis,
            consent_record: line.consent_record,
            sent_at: given.created_at,
            revoke_kind: None,
            notice: None,
            rectified: None,
            via: line.via,
            rectify_with: None,
        };
        ledger::insert(&mut *tx, &line, &proof).await?;
    }
    Ok(())
}
