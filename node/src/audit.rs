//! What lets an outsider check this organization's word: how the log is vouched for, whose books do
//! not agree, and files that prove it ([`file`](mod@file)).

pub mod file;
pub mod fork;
pub mod truths;

use crate::{
    app::App,
    coalition::{self, members},
    http::problem::Failure,
    store::proof::{self, Fork, KEEPER},
    sync::{coalition::Coalition, vouch},
};
use protocol::{id::NodeId, note::Note, state::reconcile::OneSided};
use serde::Serialize;

/// How the log is vouched for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Up to which entry this node has folded.
    pub position: u64,
    /// The root of the log tree there.
    pub root: protocol::id::Hash,
    /// Up to which entry the keeper's signed head was checked against it.
    pub checked: u64,
    /// Who vouches with a signature, the keeper first.
    pub vouched: Vec<Vouched>,
    /// Signed heads that cannot both be true.
    pub forks: Vec<Fork>,
    /// Shares whose two ends do not agree.
    pub one_sided: usize,
}

/// A checked signature under a head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vouched {
    /// Who.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// `keeper` or `member`.
    pub role: &'static str,
    /// How many entries it is about.
    pub entries: i64,
    /// When it was checked.
    pub at: i64,
}

/// Tells how the log is vouched for.
///
/// # Errors
/// [`Failure`] when this node is in no coalition or the database fails.
pub async fn status(app: &App) -> Result<Status, Failure> {
    let mut db = app.store.read("auditing").await?;
    let (notes, forks) = (proof::notes(&mut db).await?, proof::forks(&mut db).await?);
    drop(db);
    let coalition = coalition::active(app).await?;
    let state = &coalition.state;
    let meta = state.meta();
    let mut vouched = Vec::new();
    for row in &notes {
        let (node, role) = match row.signer.parse() {
            Ok(node) => (node, "member"),
            Err(_) => (keeper_of(&coalition, &row.note), KEEPER),
        };
        vouched.push(Vouched {
            node,
            name: members::name(state, node),
            role,
            entries: row.size,
            at: row.at,
        });
    }
    Ok(Status {
        position: meta.head.position,
        root: meta.tree.root(),
        checked: checked(&notes),
        vouched,
        forks,
        one_sided: state.one_sided(meta.head.log_time).len(),
    })
}

/// Whose a keeper's note is.
fn keeper_of(coalition: &Coalition, note: &str) -> NodeId {
    let head_keys = vouch::head_keys(&coalition.row, &coalition.state);
    let note: Option<Note> = note.parse().ok();
    note.and_then(|note| vouch::signer(&head_keys, &note, 0))
        .unwrap_or(coalition.row.keeper)
}

/// How many entries the keeper's latest checked note is about.
fn checked(notes: &[proof::NoteRow]) -> u64 {
    let keeper = notes.iter().find(|row| row.signer == KEEPER);
    keeper
        .and_then(|row| row.note.parse::<Note>().ok())
        .map_or(0, |note| note.head.size)
}

/// A share whose two ends do not agree, with names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What differs.
    #[serde(flatten)]
    pub share: OneSided,
    /// The sender's name.
    pub from_name: String,
    /// The recipient's name.
    pub to_name: String,
}

/// Every share, of anybody, whose two ends do not agree.
///
/// # Errors
/// [`Failure`] when this node is in no coalition.
pub async fn reconcile(app: &App) -> Result<Vec<Difference>, Failure> {
    let coalition = coalition::active(app).await?;
    let state = &coalition.state;
    let now = state.meta().head.log_time.max(app.now());
    Ok(state
        .one_sided(now)
        .into_iter()
        .map(|share| Difference {
            from_name: members::name(state, share.from),
            to_name: members::name(state, share.to),
            share,
        })
        .collect())
}
