//! Plans: what members intend, filed before anything is claimed, so that allies can talk in time.
//!
//! A plan is worked out from what somebody says ([`draft`]), compared with the plans of others
//! ([`meet`]), filed, and shown to people ([`show`]). It names places and never people.

pub mod draft;
pub mod meet;
pub mod show;

use crate::{app::App, disclosure, http::problem::Failure, store, sync::outbox};
use draft::{Draft, Intention};
use policy::PublicationKind;
use protocol::{
    entry::{Entry, plan::PlanWithdraw},
    id::EntryId,
};

/// Files a plan that every member may read.
///
/// # Errors
/// [`Failure`] when the intention cannot be used or a member may not read the plan.
pub async fn file(app: &App, intention: Intention) -> Result<(Draft, EntryId), Failure> {
    let draft = draft::work_out(app, intention).await?;
    if let Some(withheld) = &draft.withheld {
        return Err(Failure::new(
            protocol::problem::ProblemKind::Conflict,
            withheld.clone(),
        ));
    }
    let id = say(app, draft.entry.clone().into()).await?;
    Ok((draft, id))
}

/// Takes an own plan back.
///
/// # Errors
/// [`Failure`] when there is no such plan of this organization.
pub async fn withdraw(app: &App, beginning: &str) -> Result<(EntryId, EntryId), Failure> {
    let plan = show::find_own(app, beginning).await?;
    let entry = say(app, PlanWithdraw { plan }.into()).await?;
    Ok((plan, entry))
}

/// Why this organization's plans are not published, if so.
async fn withheld(
    app: &App,
    purpose: policy::Purpose,
    channel: protocol::channel::Channel,
) -> Option<String> {
    let allowed = disclosure::allowed_for(app, PublicationKind::Plan, purpose, channel).await;
    allowed.err().map(|refusal| refusal.0.detail)
}

async fn say(app: &App, entry: Entry) -> store::Result<EntryId> {
    let mut tx = app.store.write("saying a plan").await?;
    let id = outbox::queue(app, &mut tx, entry, None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(id)
}
