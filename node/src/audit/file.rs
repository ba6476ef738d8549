//! Files for outsiders: the record of the log, and the proof of one person's row.

use super::checked;
use crate::{
    app::App,
    coalition,
    http::problem::Failure,
    store::{
        proof::{self, NoteRow, ShownRow},
        share::ledger,
    },
};
use protocol::{
    codec,
    evidence::{
        Body, DOCUMENTS, ENTRIES, Evidence, PersonProof, RECORD_ITEMS, Record, RecordItem, Shown,
        Vouched, document_in,
    },
    id::{CoalitionId, EntryId, Lineage, NodeId},
    identity::{IdentityDocument, KeyUse, SignedDocument},
    merkle::{self, inclusion_spans},
    note::Note,
    state::State,
    time::Moment,
};

/// Which log a file is about, and who its organizations are.
pub(super) struct About {
    pub(super) coalition: CoalitionId,
    pub(super) lineage: Lineage,
    pub(super) state: State,
}

pub(super) async fn about(app: &App) -> Result<About, Failure> {
    let coalition = coalition::active(app).await?;
    Ok(About {
        coalition: coalition.row.id,
        lineage: coalition.row.lineage,
        state: coalition.state.clone(),
    })
}

/// The documents that a file about what stands after a position needs: the newest of each organization
/// that is or was a member, and before them in time those that were retired later than the position
/// and list other keys for what a file shows.
///
/// # Errors
/// [`Failure`] when one file does not hold them: with some left out, true signatures would look false.
pub(super) fn documents(
    state: &State,
    after: u64,
    span: (Moment, Moment),
) -> Result<Vec<SignedDocument>, Failure> {
    let mut documents = Vec::new();
    for left in [false, true] {
        let members = state.members.iter();
        for (node, member) in members.filter(|(_, member)| member.left_at.is_some() == left) {
            documents.push(member.document.clone());
            documents.extend(retired(state, *node, after));
        }
    }
    let documents = documents.iter();
    let documents: Vec<SignedDocument> = documents
        .filter_map(|bytes| codec::decode(bytes).ok())
        .filter(|signed| document_in(signed, span).is_ok())
        .collect();
    if documents.len() > DOCUMENTS {
        return Err(Failure::input(format!(
            "one file holds at most {DOCUMENTS} identity documents, and members had {} in this time; a record \
             is shorter with a later start: --after",
            documents.len()
        )));
    }
    Ok(documents)
}

/// The documents of a node that were retired after a position, the newest first, less those whose keys
/// for heads and statements the next one kept.
fn retired(state: &State, node: NodeId, after: u64) -> Vec<Vec<u8>> {
    let keys = |document: &IdentityDocument| {
        [KeyUse::Head, KeyUse::Statement].map(|usage| document.key(usage).map(|key| key.public))
    };
    let mut following = state.document(node).as_ref().map(keys);
    let past: Vec<_> = protocol::fold::identity::past(state, node).collect();
    let mut retired = Vec::new();
    for (until, document) in past.into_iter().rev() {
        if until <= after {
            break;
        }
        let own = Some(keys(&document));
        if own != following
            && let Some(row) = state.past_documents.get(&(node, document.seq))
        {
            retired.push(row.document.clone());
        }
        following = own;
    }
    retired
}

fn shown(row: ShownRow) -> Shown {
    Shown {
        position: crate::store::natural(row.position),
        log_time: Moment(row.log_time),
        envelope: row.envelope,
        entry: row.entry,
    }
}

/// The record of the log after a position, up to the last head that the keeper signed: without
/// anything personal.
///
/// # Errors
/// [`Failure`] when there is nothing to record, it is too long for one file, or it begins before
/// this node came in.
pub async fn record(app: &App, after: Option<u64>) -> Result<Vec<u8>, Failure> {
    let about = about(app).await?;
    let mut db = app.store.read("recording the log").await?;
    let first = proof::first_read(&mut db).await?.unwrap_or(1);
    let after = after.unwrap_or(first.saturating_sub(1));
    let notes = proof::notes(&mut db).await?;
    let end = checked(&notes);
    if end <= after {
        return Err(Failure::input(format!(
            "the keeper's latest checked head is about {end} entries; there is nothing to record after {after}"
        )));
    }
    if end - after > RECORD_ITEMS as u64 {
        return Err(Failure::input(format!(
            "one file holds at most {RECORD_ITEMS} entries of the log and there are {}; name a later start with --after",
            end - after
        )));
    }
    let start = if after.saturating_add(1) < first {
        None
    } else {
        proof::tree_at(&mut db, after).await?
    };
    let Some(start) = start else {
        return Err(Failure::input(
            "this node came in later and cannot record what was before it; a member that was there can",
        ));
    };
    let items = proof::items(&mut db, after, end).await?;
    let limit = i64::try_from(ENTRIES).unwrap_or(i64::MAX);
    let entries = proof::all_shown(&mut db, after, end, limit).await?;
    let notes = notes
        .into_iter()
        .filter(|row| (after..=end).contains(&row.size.unsigned_abs()));
    let mut record = Record {
        coalition: about.coalition,
        lineage: about.lineage,
        start,
        items: items
            .into_iter()
            .map(|(time, sealed)| RecordItem {
                log_time: Moment(time),
                sealed,
            })
            .collect(),
        notes: notes.map(|row| row.note).collect(),
        documents: Vec::new(),
        entries: entries.into_iter().map(shown).collect(),
    };
    record.documents = documents(&about.state, after, record.span())?;
    Ok(Evidence::new(Body::Record(record)).bytes())
}

/// The proof of what a share of this organization carried of one person. It holds the row: give it
/// to the person, or to whom the law says.
///
/// # Errors
/// [`Failure`] when the share did not carry the person, its salt is erased, or nobody has signed a
/// head over it yet.
pub async fn person(app: &App, share: EntryId, reference: &str) -> Result<Vec<u8>, Failure> {
    let person = crate::shares::plan::person(app, reference).await?;
    let about = about(app).await?;
    let mut db = app.store.read("proving a row").await?;
    let lines = ledger::of_person(&mut db, &person).await?;
    let line = lines.into_iter().find(|line| line.share == share);
    let line = line.ok_or_else(|| {
        Failure::not_found("that share did not carry this person; see `commonturf who-has`")
    })?;
    let secret = ledger::secret(&mut db, share, line.row_ref).await?;
    let (salt, row) = secret.ok_or_else(|| {
        Failure::not_found(
            "the salt of this row was erased with the row; nobody can prove it any more",
        )
    })?;
    let leaves = ledger::leaves(&mut db, share).await?;
    let index = leaves.iter().position(|(row, _)| *row == line.row_ref);
    let index = index.ok_or_else(|| Failure::internal("a line of the ledger is gone"))? as u64;
    let leaves: Vec<_> = leaves.into_iter().map(|(_, leaf)| leaf).collect();
    let path = merkle::prove_inclusion(&leaves, index)
        .ok_or_else(|| Failure::internal("a share without rows"))?;
    let announced = proof::shown(&mut db, share).await?.map(shown);
    let announced = announced.ok_or_else(|| {
        Failure::input("the share has not come back from the log yet; try again in a moment")
    })?;
    let notes = proof::notes(&mut db).await?;
    let vouched = vouched(&mut db, &notes, announced.position).await?;
    if vouched.is_empty() {
        return Err(Failure::input(
            "no signed head of the log covers the share yet; try again in a moment",
        ));
    }
    let mut proof = PersonProof {
        coalition: about.coalition,
        lineage: about.lineage,
        share: announced,
        vouched,
        documents: Vec::new(),
        salt,
        row,
        index,
        path,
    };
    let position = proof.share.position.saturating_sub(1);
    proof.documents = documents(&about.state, position, proof.span())?;
    Ok(Evidence::new(Body::Person(proof)).bytes())
}

/// The notes that cover a position, each with the way from there to its root.
async fn vouched(
    db: &mut sqlx::AnyConnection,
    notes: &[NoteRow],
    position: u64,
) -> Result<Vec<Vouched>, Failure> {
    let mut vouched = Vec::new();
    for row in notes {
        let size = row
            .note
            .parse::<Note>()
            .map_err(Failure::internal)?
            .head
            .size;
        let Some(spans) = inclusion_spans(position.saturating_sub(1), size) else {
            continue;
        };
        if let Some(path) = proof::prove(&mut *db, spans).await? {
            vouched.push(Vouched {
                note: row.note.clone(),
                path,
            });
        }
    }
    Ok(vouched)
}
