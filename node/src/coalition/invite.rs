//! Inviting: a one-use code that is told to one person.

use crate::{app::App, http::problem::Failure, sync::outbox};
use protocol::{
    entry,
    id::EntryId,
    invite::{Invite, InviteParts, InviteToken},
    problem::ProblemKind,
    sign::LogPoint,
    time::HOUR,
};

/// How long an invitation is good unless told otherwise, in hours.
pub const HOURS_DEFAULT: u32 = 72;

/// Makes an invitation; the code is shown once and not stored.
///
/// # Errors
/// [`Failure`] when the name cannot be used or the hours are out of bounds.
pub async fn invite(app: &App, to_name: &str, hours: u32) -> Result<(Invite, EntryId), Failure> {
    if hours == 0 || hours > 24 * 30 {
        return Err(Failure::input("an invitation is good for 1 to 720 hours"));
    }
    let to_name: protocol::identity::Name = to_name
        .parse()
        .map_err(|error| Failure::input(format!("{error}")))?;
    let token = InviteToken::random(&mut crate::ambient::rng());
    let token_hash = token.hash();
    let expires = app.now().plus(i64::from(hours) * HOUR);
    let invite = {
        let coalition = super::active(app).await?;
        let meta = coalition.state.meta();
        let keeper = coalition.row.keeper;
        let document = coalition.state.document(keeper);
        let keeper_url = document
            .and_then(|document| document.endpoints.first().cloned())
            .ok_or_else(|| {
                Failure::new(
                    ProblemKind::Unavailable,
                    "the log has no first entry yet; try again",
                )
            })?;
        Invite::from(InviteParts {
            coalition: meta.coalition,
            coalition_name: meta.name.parse().map_err(Failure::internal)?,
            inviter: app.me,
            keeper,
            keeper_url,
            token,
            expires,
            log: LogPoint {
                lineage: meta.head.lineage,
                position: meta.head.position,
                chain: meta.head.chain,
            },
        })
    };
    let entry = entry::membership::Invite {
        token_hash,
        to_name: to_name.to_string(),
        expires,
    };
    let mut tx = app.store.write("inviting").await?;
    let id = outbox::queue(app, &mut tx, entry.into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok((invite, id))
}
