//! Members that signed two truths: seeing it, telling the coalition, and what follows. Spec: protocol.md,
//! section 5.16.

use crate::{
    app::App,
    coalition::members,
    http::problem::Failure,
    store::{
        self, Write,
        proof::{self, Fork},
    },
    sync::{heads, outbox},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use protocol::{
    codec,
    entry::two_truths::{QuarantineLift, TwoTruths},
    evidence::{Body, Evidence, NOTES, accusations},
    fold::two_truths::{judge, standing, votes},
    id::{EntryId, NodeId},
    identity::{IdentityDocument, SignedDocument},
    note::Note,
    problem::ProblemKind,
    state::{
        State,
        quarantine::{QuarantineRow, Twice},
    },
};
use serde::Serialize;

/// What begins the reason where a member signed two truths: that freezes nobody else.
const TWO_TRUTHS: &str = "E_TWO_TRUTHS";
/// What begins a document where a note may stand, too.
const DOCUMENT: &str = "commonturf document ";
/// So many members tell the coalition by themselves what all of them see; the others may.
const TELLERS: usize = 3;

/// Whether evidence is about a member that signed two truths: the log itself has one history then.
#[must_use]
pub fn is_about_a_member(fork: &Fork) -> bool {
    fork.why.starts_with(TWO_TRUTHS)
}

/// A signed document as a line, as evidence is stored.
fn text(signed: &SignedDocument) -> String {
    format!("{DOCUMENT}{}", STANDARD.encode(codec::encode(signed)))
}

/// Reads such a line; none when it is something else.
fn document(text: &str) -> Option<SignedDocument> {
    let bytes = STANDARD.decode(text.strip_prefix(DOCUMENT)?).ok()?;
    codec::decode(&bytes).ok()
}

/// What was kept as evidence, sorted: notes, and documents that are in no roster.
pub(super) fn kept(forks: &[Fork]) -> (Vec<String>, Vec<SignedDocument>) {
    let texts = forks
        .iter()
        .flat_map(|fork| [Some(&fork.shown), fork.known.as_ref()])
        .flatten()
        .filter(|text| heads::parse(text).is_none());
    let (mut notes, mut documents) = (Vec::new(), Vec::new());
    for text in texts {
        match document(text) {
            Some(signed) if !documents.contains(&signed) => documents.push(signed),
            None if notes.len() < NOTES && !notes.contains(text) => notes.push(text.clone()),
            _ => {}
        }
    }
    (notes, documents)
}

/// A member cosigned a head: if it cosigned another one of that length, that is kept and told.
///
/// # Errors
/// When the database fails.
pub async fn cosigned(
    app: &App,
    tx: &mut Write,
    state: &State,
    author: NodeId,
    shown: &Note,
) -> store::Result<()> {
    let forks = proof::forks(&mut *tx).await?;
    let (mut notes, _) = kept(&forks);
    notes.extend(
        proof::note_of(&mut *tx, &author.to_string())
            .await?
            .map(|row| row.note),
    );
    notes.retain(|text| {
        let known: Option<Note> = text.parse().ok();
        known.is_some_and(|known| known.head.size == shown.head.size && known != *shown)
    });
    let shown_text = shown.to_string();
    for known in notes {
        let why = format!(
            "{TWO_TRUTHS}: {} cosigned two different roots over {} entries",
            author.short(),
            shown.head.size
        );
        let pair = [known.clone(), shown_text.clone()];
        see(app, tx, state, why, (&shown_text, known), &pair, &[]).await?;
    }
    Ok(())
}

/// A document that the fold did not take: if its node signed another one of that number, that is kept
/// and told.
///
/// # Errors
/// When the database fails.
pub async fn refused_document(
    app: &App,
    tx: &mut Write,
    state: &State,
    bytes: &[u8],
) -> store::Result<()> {
    let Ok(signed) = codec::decode::<SignedDocument>(bytes) else {
        return Ok(());
    };
    let Ok(claimed) = codec::decode::<IdentityDocument>(&signed.document) else {
        return Ok(());
    };
    let member = state.members.get(&claimed.node_id);
    let past = state
        .past_documents
        .get(&(claimed.node_id, claimed.seq))
        .map(|past| &past.document);
    let known: Vec<SignedDocument> = member
        .map(|member| &member.document)
        .into_iter()
        .chain(past)
        .filter_map(|bytes| codec::decode(bytes).ok())
        .collect();
    for known in known {
        let why = format!(
            "{TWO_TRUTHS}: {} signed two different identity documents of number {}",
            claimed.node_id.short(),
            claimed.seq
        );
        let pair = [known.clone(), signed.clone()];
        see(
            app,
            tx,
            state,
            why,
            (&text(&signed), text(&known)),
            &[],
            &pair,
        )
        .await?;
    }
    Ok(())
}

/// Keeps what proves two truths, and tells the coalition where it is this node's turn.
async fn see(
    app: &App,
    tx: &mut Write,
    state: &State,
    why: String,
    (shown, known): (&str, String),
    notes: &[String],
    documents: &[SignedDocument],
) -> store::Result<()> {
    let meta = state.meta();
    let log = (meta.coalition, meta.head.lineage);
    for said in accusations(log, notes, documents) {
        if said.node == app.me || judge(state, &said).is_err() {
            continue;
        }
        tracing::error!(why, "a member signed two truths");
        let fork = Fork {
            why: why.clone(),
            shown: shown.to_owned(),
            known: Some(known.clone()),
            at: app.now().0,
        };
        proof::put_fork(&mut *tx, &fork).await?;
        let mut tellers = state.roster().filter(|(node, _)| **node != said.node);
        if tellers
            .by_ref()
            .take(TELLERS)
            .any(|(node, _)| *node == app.me)
        {
            outbox::queue(app, tx, said.into(), None).await?;
        }
    }
    Ok(())
}

/// What may be held against a member, for a preview and after the fact.
#[derive(Debug, Serialize)]
pub struct Accusation {
    /// Who.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// `heads` of one length, or `documents` of one number.
    pub what: Twice,
    /// The length or number.
    pub number: u64,
    /// What was said; absent in a dry run.
    pub entry: Option<EntryId>,
}

/// Tells the coalition that members signed two truths: by a file of evidence, or by what this node has
/// seen itself.
///
/// # Errors
/// [`Failure`] when there is nothing that the coalition would take for proof.
pub async fn accuse(
    app: &App,
    file: Option<&[u8]>,
    dry_run: bool,
) -> Result<Vec<Accusation>, Failure> {
    let said = match file {
        Some(bytes) => in_file(app, bytes).await?,
        None => seen(app).await?,
    };
    let mut found = Vec::new();
    {
        let coalition = crate::coalition::active(app).await?;
        let mut why = None;
        for said in said {
            match judge(&coalition.state, &said) {
                Ok((what, number)) => {
                    let name = members::name(&coalition.state, said.node);
                    let node = said.node;
                    let known = found
                        .iter()
                        .any(|(known, _): &(Accusation, _)| known.node == node);
                    if !known {
                        let accusation = Accusation {
                            node,
                            name,
                            what,
                            number,
                            entry: None,
                        };
                        found.push((accusation, said));
                    }
                }
                Err(void) => why = why.or(Some(void.to_string())),
            }
        }
        if found.is_empty() {
            let why = why.unwrap_or_else(|| "nothing in it contradicts anything else".to_owned());
            return Err(Failure::input(format!(
                "this proves nothing new against a present member: {why}"
            )));
        }
    }
    let mut accusations = Vec::new();
    let mut tx = app.store.write("telling of two truths").await?;
    for (mut accusation, said) in found {
        if !dry_run {
            accusation.entry = Some(outbox::queue(app, &mut tx, said.into(), None).await?);
        }
        accusations.push(accusation);
    }
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(accusations)
}

async fn in_file(app: &App, bytes: &[u8]) -> Result<Vec<TwoTruths>, Failure> {
    let evidence = Evidence::read(bytes).map_err(|error| Failure::input(error.to_string()))?;
    let Body::Fork(proof) = evidence.body else {
        return Err(Failure::input(
            "this file is a record of a log or a person's proof; what accuses somebody comes from: commonturf audit \
             export --fork",
        ));
    };
    let coalition = crate::coalition::active(app).await?;
    if (proof.coalition, proof.lineage) != (coalition.row.id, coalition.row.lineage) {
        return Err(Failure::input("this file is about another log"));
    }
    Ok(proof.accusations())
}

async fn seen(app: &App) -> Result<Vec<TwoTruths>, Failure> {
    let mut db = app.store.read("looking for two truths").await?;
    let (notes, documents) = kept(&proof::forks(&mut db).await?);
    drop(db);
    let coalition = crate::coalition::active(app).await?;
    let log = (coalition.row.id, coalition.row.lineage);
    Ok(accusations(log, &notes, &documents))
}

/// A member's quarantine, for pages and programs.
#[derive(Debug, Clone, Serialize)]
pub struct Quarantine {
    /// Who.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Whether it is about this organization.
    pub about_us: bool,
    /// What it signed, in words.
    pub signed: String,
    /// Who proved it.
    pub by: String,
    /// Since when, in log time.
    pub at: i64,
    /// How many agree that it may go on.
    pub agree: usize,
    /// How many must.
    pub needed: usize,
    /// Whether this organization has agreed.
    pub ours: bool,
}

/// Every quarantine that stands.
#[must_use]
pub fn quarantines(state: &State, me: NodeId) -> Vec<Quarantine> {
    let standing = state
        .quarantines
        .iter()
        .filter(|(node, row)| row.stands && state.active(**node).is_some());
    standing
        .map(|(node, row)| {
            let (agree, needed) = votes(state, *node);
            Quarantine {
                node: *node,
                name: members::name(state, *node),
                about_us: *node == me,
                signed: signed(row),
                by: members::name(state, row.by),
                at: row.at.0,
                agree,
                needed,
                ours: row.approvals.contains(&me),
            }
        })
        .collect()
}

fn signed(row: &QuarantineRow) -> String {
    match row.what {
        Twice::Heads => format!(
            "vouched for two different logs of {} entries, which cannot both be true",
            row.number
        ),
        Twice::Documents => format!(
            "signed two different identity documents of number {}",
            row.number
        ),
    }
}

/// Refuses to claim or give anything while this organization is quarantined.
///
/// # Errors
/// [`Failure`] with what is to be done.
pub async fn nothing_new_while_quarantined(app: &App) -> Result<(), Failure> {
    let guard = app.coalition.read().await;
    let row = guard
        .as_ref()
        .and_then(|coalition| standing(&coalition.state, app.me));
    match row {
        None => Ok(()),
        Some(row) => Err(Failure::new(
            ProblemKind::Conflict,
            format!(
                "E_QUARANTINED: this organization's node {}, so nothing new is granted to it and nothing flows to it; \
                 what you take back, suppress and answer still goes out. Find out who used its keys, renew them with \
                 `commonturf identity rotate`, and ask the other members to lift the quarantine",
                signed(row)
            ),
        )),
    }
}

/// Refuses to give anything to a quarantined organization.
///
/// # Errors
/// [`Failure`].
pub fn may_be_given(state: &State, node: NodeId) -> Result<(), Failure> {
    match standing(state, node) {
        None => Ok(()),
        Some(row) => Err(Failure::new(
            ProblemKind::Conflict,
            format!(
                "E_QUARANTINED: {} {}, so nothing flows to it until the members lift the quarantine",
                members::name(state, node),
                signed(row)
            ),
        )),
    }
}

/// What lifting a quarantine takes, for a preview and after the fact.
#[derive(Debug, Serialize)]
pub struct Lifting {
    /// Who.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// How many agree.
    pub agree: usize,
    /// How many must.
    pub needed: usize,
    /// What was said; absent in a dry run.
    pub entry: Option<EntryId>,
}

/// Agrees that a quarantined member may go on.
///
/// # Errors
/// [`Failure`] when nobody has that name, or it is not quarantined.
pub async fn lift(app: &App, who: &str, dry_run: bool) -> Result<Lifting, Failure> {
    let (mut lifting, said) = {
        let coalition = crate::coalition::active(app).await?;
        let state = &coalition.state;
        let node = members::find(state, who)?;
        let name = members::name(state, node);
        let row = standing(state, node)
            .ok_or_else(|| Failure::not_found(format!("{name} is not quarantined")))?;
        if node == app.me || standing(state, app.me).is_some() {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "who signed two truths does not decide about a quarantine; the other members do",
            ));
        }
        let (agree, needed) = votes(state, node);
        let lifting = Lifting {
            node,
            name,
            agree,
            needed,
            entry: None,
        };
        let proof = row.proof;
        (lifting, QuarantineLift { node, proof })
    };
    if !dry_run {
        let mut tx = app.store.write("lifting a quarantine").await?;
        lifting.entry = Some(outbox::queue(app, &mut tx, said.into(), None).await?);
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(lifting)
}
