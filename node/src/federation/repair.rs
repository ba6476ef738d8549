//! `repair`: members hand the only keeper back what it lost. Spec: section 8.10.

use super::{Caller, cbor, read_cbor};
use crate::{
    app::App, federation::rejoin::GroupNow, http::problem::Failure, keeper::raft::repair,
    store::repair::Stage,
};
use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use bytes::Bytes;
use minicbor::{Decode, Encode};
use protocol::{
    blob::BlobId,
    chain::{LogItem, LogLine},
    codec::Canonical,
    id::Hash,
    limits::REPAIR_BYTES,
    problem::ProblemKind,
    sign::RequestView,
};

/// What a keeper tells a member of its repair.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RepairNow {
    /// [`RepairNow::DONE`], [`RepairNow::GATHERING`] or [`RepairNow::RETURNING`].
    #[n(0)]
    pub stage: u8,
    /// The last position of its log.
    #[n(1)]
    pub position: u64,
    /// The root of the log tree there.
    #[n(2)]
    pub root: Hash,
    /// Positions of which it has the line alone, from where it was asked, as many as fit a page.
    #[n(3)]
    pub lacks: Vec<u64>,
    /// How far the caller had read when it said that it has handed back all that it holds.
    #[n(4)]
    pub heard: Option<u64>,
    /// Whether it needs the group, from a member that has read up to the last position.
    #[n(5)]
    pub wants_group: bool,
    /// Its commit from outside, of which no member has told yet what came of it.
    #[n(6)]
    pub commit: Option<u64>,
}

impl RepairNow {
    /// Nothing is to be repaired.
    pub const DONE: u8 = 0;
    /// Members hand back what they hold.
    pub const GATHERING: u8 = 1;
    /// The keeper comes back into the group.
    pub const RETURNING: u8 = 2;

    /// The number of a stage.
    #[must_use]
    pub fn stage(stage: Stage) -> u8 {
        match stage {
            Stage::Done => Self::DONE,
            Stage::Gathering => Self::GATHERING,
            Stage::Returning => Self::RETURNING,
        }
    }
}

impl Canonical for RepairNow {
    const WHAT: &'static str = "standing of a repair";
    const MAX_BYTES: usize = 16 * 1024;
}

/// What a member hands back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Word {
    /// Lines behind the keeper's log, up to a head that the keeper signed.
    #[n(0)]
    Lines {
        /// The keeper's own signed note over the last of them.
        #[n(0)]
        note: String,
        /// In order.
        #[n(1)]
        lines: Vec<LogLine>,
    },
    /// What was said, for lines that the keeper has.
    #[n(1)]
    Items {
        /// In order.
        #[n(0)]
        items: Vec<LogItem>,
    },
    /// That is all that this member holds.
    #[n(2)]
    Said {
        /// How far it has read.
        #[n(0)]
        reached: u64,
    },
    /// The group as it is at the end of the keeper's log.
    #[n(3)]
    Group {
        /// The end of the log.
        #[n(0)]
        position: u64,
        /// The group.
        #[n(1)]
        now: GroupNow,
    },
    /// What came of the keeper's commit from outside.
    #[n(4)]
    State {
        /// Its position.
        #[n(0)]
        position: u64,
        /// The folded state there, sealed to the keeper; none where the commit is void.
        #[n(1)]
        snapshot: Option<BlobId>,
    },
}

impl Canonical for Word {
    const WHAT: &'static str = "what a member hands back";
    const MAX_BYTES: usize = REPAIR_BYTES;
}

/// From where it is asked what is lacking.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[serde(default)]
    after: u64,
}

/// Tells a member what this keeper lacks.
pub async fn ask(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(ask): Query<Ask>,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    Ok(cbor(&repair::now(&app, caller.node, ask.after).await?))
}

/// Takes what a member hands back, and tells what is lacking then.
pub async fn hear(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    repair::hear(&app, caller.node, read_cbor(&body)?).await?;
    Ok(cbor(&repair::now(&app, caller.node, 0).await?))
}

/// Refuses what a keeper in repair does not answer: everything, while it gathers; afterwards nothing that
/// would order, evaluate or admit, until it knows again who is a member.
///
/// # Errors
/// `repair`.
pub(super) fn gate(app: &App, caller: &Caller, view: &RequestView<'_>) -> Result<(), Failure> {
    let stage = app.kept.stage();
    let call = view.path.splitn(5, '/').nth(4).unwrap_or_default();
    let always =
        matches!(call, "status" | "repair") || call == "blobs" || call.starts_with("blobs/");
    let open = match stage {
        None | Some(Stage::Done) => true,
        Some(Stage::Gathering) => always,
        Some(Stage::Returning) => {
            let reads = view.method == "GET" && matches!(call, "log" | "log/lines");
            always || reads || caller.node == app.me
        }
    };
    if open {
        return Ok(());
    }
    Err(Failure::new(
        ProblemKind::Repair,
        "this keeper was restored from a backup; it orders and grants nothing until members have handed back \
         what they hold and it is in the group again",
    ))
}
