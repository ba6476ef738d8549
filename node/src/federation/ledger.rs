//! `POST ledger`: what members have had evaluated, for a keeper of the same keys that has forgotten it.
//! Spec: section 8.5.

use super::{Caller, cbor, read_cbor};
use crate::{
    app::App,
    http::problem::Failure,
    keeper::ledger::keyset,
    store::{self, ledger::Line},
};
use axum::{Extension, extract::State, response::Response};
use bytes::Bytes;
use minicbor::{Decode, Encode};
use protocol::{codec::Canonical, id::NodeId, limits::LEDGER_PAGE, problem::ProblemKind};

/// Asks for slots of a generation.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Ask {
    /// The generation of match tokens.
    #[n(0)]
    pub generation: u32,
    /// Slots after this one, by member, class and number; none from the first one on.
    #[n(1)]
    pub after: Option<Place>,
}

/// Where a slot stands in a ledger.
#[derive(Debug, Clone, Copy, Encode, Decode)]
pub struct Place {
    /// Whose.
    #[n(0)]
    pub member: NodeId,
    /// Class of the points.
    #[n(1)]
    pub class: u8,
    /// The member's own number of the batch.
    #[n(2)]
    pub slot: u64,
}

/// A slot as it travels.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Entry {
    /// Where it stands.
    #[n(0)]
    pub place: Place,
    /// The digest of its points.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// How many points it has.
    #[n(2)]
    pub points: u64,
    /// When it was bound, in milliseconds since 1970; 0 where nobody noted it.
    #[n(3)]
    pub at: i64,
}

/// Slots of a generation, in order; the last page has fewer than [`LEDGER_PAGE`].
#[derive(Debug, Clone, Encode, Decode)]
pub struct Page {
    /// The slots.
    #[n(0)]
    pub slots: Vec<Entry>,
}

impl Canonical for Ask {
    const WHAT: &'static str = "question for a ledger";
    const MAX_BYTES: usize = 256;
}

impl Canonical for Page {
    const WHAT: &'static str = "page of a ledger";
    const MAX_BYTES: usize = 1024 * 1024;
}

impl Entry {
    /// As this keeper keeps it.
    #[must_use]
    pub fn line(&self) -> Line {
        Line {
            member: self.place.member,
            class: self.place.class,
            slot: self.place.slot,
            digest: self.digest.to_vec(),
            points: self.points,
            at: self.at,
        }
    }

    fn of(line: Line) -> Option<Self> {
        Some(Self {
            place: Place {
                member: line.member,
                class: line.class,
                slot: line.slot,
            },
            digest: line.digest.try_into().ok()?,
            points: line.points,
            at: line.at,
        })
    }
}

/// Hands a page of this keeper's ledger to another keeper of the same keys.
pub async fn page(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    let ask: Ask = read_cbor(&body)?;
    let keeps = keyset(&app, ask.generation).await.is_some_and(|keyset| {
        keyset.id_of(&caller.node).is_some() && keyset.id_of(&app.me).is_some()
    });
    if !keeps {
        return Err(Failure::new(
            ProblemKind::Forbidden,
            "only a keeper of these keys is told what members had evaluated under them",
        ));
    }
    let after = ask
        .after
        .map(|place| (place.member, place.class, place.slot));
    let mut db = app.store.read("reading a ledger").await?;
    if store::ledger::has_gap(&mut db, ask.generation).await? {
        return Err(Failure::new(
            ProblemKind::Repair,
            "this keeper's own ledger may have gaps; ask another one",
        ));
    }
    let lines = store::ledger::after(&mut db, ask.generation, after, LEDGER_PAGE).await?;
    drop(db);
    let slots = lines.into_iter().map(Entry::of);
    let slots = slots
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Failure::internal("the ledger holds a digest of another length"))?;
    Ok(cbor(&Page { slots }))
}
