//! Two histories of the log: whether claims are frozen, and the file that proves it to others.

use super::{
    file::{About, about, documents},
    truths,
};
use crate::{
    app::App,
    http::problem::Failure,
    store::proof::{self, Fork},
    sync::{coalition::Coalition, heads, vouch},
};
use protocol::{
    evidence::{Body, DOCUMENTS, Evidence, ForkProof, HEADS, NOTES, SignedHead},
    fold,
    id::NodeId,
    note::Note,
    problem::ProblemKind,
};

/// What freezes claims begins so. A member whose books differ freezes nobody.
const FORK: &str = "E_LOG_FORK";

/// Why nothing new is granted or printed, while a keeper in office has signed what cannot be true.
/// It is over when the members have put others in its place.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn frozen(app: &App) -> Result<Option<String>, Failure> {
    let mut db = app.store.read("looking for two histories").await?;
    let forks = proof::forks(&mut db).await?;
    drop(db);
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref() else {
        return Ok(None);
    };
    let keepers = fold::agreement::keepers(&coalition.state);
    let of_a_keeper = |fork: &&Fork| {
        let signer = signer(coalition, fork);
        fork.why.starts_with(FORK) && signer.is_none_or(|signer| keepers.contains(&signer))
    };
    Ok(forks.iter().find(of_a_keeper).map(|fork| fork.why.clone()))
}

/// Who signed what contradicts.
fn signer(coalition: &Coalition, fork: &Fork) -> Option<NodeId> {
    if let Some(head) = heads::parse(&fork.shown) {
        return Some(head.node);
    }
    let note: Note = fork.shown.parse().ok()?;
    vouch::signer(
        &vouch::head_keys(&coalition.row, &coalition.state),
        &note,
        0,
    )
}

/// Refuses to grant, print or give anything new while claims are frozen.
///
/// # Errors
/// [`Failure`] with what is to be done.
pub async fn nothing_new_while_frozen(app: &App) -> Result<(), Failure> {
    match frozen(app).await? {
        None => Ok(()),
        Some(why) => Err(Failure::new(
            ProblemKind::Conflict,
            format!(
                "claims are frozen because the log has two histories ({why}); what is taken back still goes out. Show \
                 the other members `commonturf audit export --fork`, and agree on other keepers"
            ),
        )),
    }
}

/// Everything that this node has seen signed and that cannot all be true, as a file.
///
/// # Errors
/// [`Failure`] when it has seen nothing of the kind.
pub async fn file(app: &App) -> Result<Vec<u8>, Failure> {
    let About {
        coalition,
        lineage,
        state,
    } = about(app).await?;
    let mut db = app.store.read("proving two histories").await?;
    let forks = proof::forks(&mut db).await?;
    let checked = proof::notes(&mut db).await?;
    drop(db);
    if forks.is_empty() {
        return Err(Failure::not_found(
            "this node has seen nothing that contradicts; there are no two histories to prove",
        ));
    }
    let seen = forks
        .iter()
        .flat_map(|fork| [Some(&fork.shown), fork.known.as_ref()]);
    let seen: Vec<&String> = seen.flatten().collect();
    let mut shown: Vec<SignedHead> = seen.iter().filter_map(|text| heads::parse(text)).collect();
    shown.truncate(HEADS);
    let (mut notes, two_of_one_number) = truths::kept(&forks);
    for row in &checked {
        if notes.len() < NOTES && !notes.contains(&row.note) {
            notes.push(row.note.clone());
        }
    }
    let mut proof = ForkProof {
        coalition,
        lineage,
        seen: app.now(),
        heads: shown,
        notes,
        documents: Vec::new(),
    };
    // Whatever was signed, at whatever position: retired keys too.
    proof.documents = documents(&state, 0, proof.span())?;
    for signed in two_of_one_number {
        if proof.documents.len() < DOCUMENTS && !proof.documents.contains(&signed) {
            proof.documents.push(signed);
        }
    }
    Ok(Evidence::new(Body::Fork(proof)).bytes())
}
