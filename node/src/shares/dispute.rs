//! What a recipient tells everybody of a share that should not have been as it was.

use super::{setting::Setting, take::Judged};
use crate::{
    app::App,
    coalition::members,
    http::problem::Failure,
    store::{
        Write,
        share::received::{self, Received},
    },
    sync::outbox,
};
use policy::{End, FieldClass, Flow, Row};
use protocol::{
    entry::recall::{Dispute, DisputeCode},
    id::EntryId,
    state::State,
    time::Moment,
};
use serde::Serialize;

/// Rows of a share that should not have been there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Faults {
    /// Of people who were taken back and have not agreed again since.
    resurfaced: u64,
    /// With more than agreement and law let through by what the sender knew.
    overshared: u64,
}

impl Faults {
    /// Counts them. What only the recipient knows, wishes and contacts and tombstones, and its own
    /// policy, is no fault of the sender; the moment is that of the announcement.
    pub(super) fn of(
        setting: &Setting,
        flow: &Flow,
        classes: &[FieldClass],
        judged: &[Judged],
        announced: Moment,
    ) -> Self {
        let known: Vec<Row> = judged
            .iter()
            .map(|judged| {
                let mut row = judged.facts.clone();
                row.facts.suppressed = false;
                row.facts.recent_contact = false;
                row.facts.tombstoned = false;
                row
            })
            .collect();
        let gate = setting.gate.without_own();
        // The sender may have decided before it read of the disputes that suspend it.
        let flow = Flow {
            suspended: false,
            ..flow.clone()
        };
        let outcome = gate.decide(End::Receive, &flow, &known, classes, announced.0);
        let surplus = judged.iter().zip(&outcome.masks).filter(|(judged, mask)| {
            let had = judged.row.fields.mask();
            had.iter().any(|class| !mask.contains(class))
        });
        Self {
            resurfaced: judged.iter().filter(|row| row.resurfaced).count() as u64,
            overshared: surplus.count() as u64,
        }
    }

    /// Notes what was found, and tells the coalition what it must know.
    pub(super) async fn report(
        self,
        app: &App,
        tx: &mut Write,
        share: &Received,
    ) -> anyhow::Result<()> {
        if self.resurfaced > 0 {
            let code = DisputeCode::ErasedResurfaced;
            say(app, tx, share, code, self.resurfaced).await?;
        }
        if self.overshared > 0 {
            let code = DisputeCode::Overshare;
            tracing::warn!(
                share = %share.share,
                rows = self.overshared,
                "{}: rows held more than agreement and law let through; it was dropped",
                code.code()
            );
            received::set_overshared(&mut *tx, share.share, self.overshared).await?;
            // Once can be a mistake; it is counted here and told when it is done again.
            if received::has_overshared(&mut *tx, share.sender, share.share).await? {
                say(app, tx, share, code, self.overshared).await?;
            }
        }
        Ok(())
    }
}

async fn say(
    app: &App,
    tx: &mut Write,
    share: &Received,
    code: DisputeCode,
    count: u64,
) -> anyhow::Result<()> {
    tracing::warn!(share = %share.share, count, code = code.code(), "a share is disputed");
    let dispute = Dispute {
        share: share.share,
        code,
        count,
    };
    outbox::queue(app, tx, dispute.into(), None).await?;
    Ok(())
}

/// A dispute as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// The share.
    pub share: EntryId,
    /// `E_ERASED_RESURFACED` or `W_OVERSHARE`.
    pub code: &'static str,
    /// The sender's name.
    pub from: String,
    /// The recipient's, who reports it.
    pub by: String,
    /// Whether this organization reports it, and so can settle it.
    pub own: bool,
    /// How many rows.
    pub rows: u64,
    /// Since when, in log time.
    pub at: Moment,
}

/// Disputes that are not settled, the latest first; every member sees the same ones.
#[must_use]
pub fn open(app: &App, state: &State) -> Vec<Open> {
    let mut open: Vec<Open> = state
        .disputes
        .iter()
        .filter(|(_, row)| row.settled.is_none())
        .map(|(key, row)| Open {
            share: key.share,
            code: key.code.code(),
            from: members::name(state, row.from),
            by: members::name(state, row.by),
            own: row.by == app.me,
            rows: row.count,
            at: row.at,
        })
        .collect();
    open.sort_by_key(|dispute| (std::cmp::Reverse(dispute.at), dispute.share));
    open
}

/// Settles a dispute of this organization about a share; the entry that says so.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn settle(app: &App, share: EntryId, code: &str) -> Result<EntryId, Failure> {
    let code = [DisputeCode::ErasedResurfaced, DisputeCode::Overshare]
        .into_iter()
        .find(|known| known.code() == code)
        .ok_or_else(|| Failure::input("code: it is E_ERASED_RESURFACED or W_OVERSHARE"))?;
    {
        let coalition = crate::coalition::active(app).await?;
        let open = open(app, &coalition.state);
        let own = |open: &Open| open.own && open.share == share && open.code == code.code();
        if !open.iter().any(own) {
            return Err(Failure::not_found(
                "this organization has no such open dispute; `commonturf receipts disputes` lists them",
            ));
        }
    }
    let dispute = Dispute {
        share,
        code,
        count: 0,
    };
    let mut tx = app.store.write("settling a dispute").await?;
    let entry = outbox::queue(app, &mut tx, dispute.into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(entry)
}
