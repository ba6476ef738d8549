//! Exceptions of the sender, and what the recipient must keep.

use crate::{
    app::App,
    http::problem::Failure,
    store::share::{
        mark::{self, Retention},
        received,
    },
    sync::outbox,
};
use policy::FieldClass;
use protocol::{
    entry::{
        recall::{APPROVER_BYTES, ExceptionKind, NoticeException, REASON_BYTES},
        share::GROUND_BYTES,
    },
    fold::share::is_line,
    id::EntryId,
    problem::ProblemKind,
    time::Moment,
};

/// Says that nobody waits for the receipt of a notice any more; the entry that says so.
///
/// # Errors
/// [`Failure`] when it is no open notice of this organization, or the words do not fit.
pub async fn except(
    app: &App,
    notice: EntryId,
    kind: ExceptionKind,
    reason: &str,
    approver: &str,
) -> Result<EntryId, Failure> {
    let (reason, approver) = (reason.trim(), approver.trim());
    if !is_line(reason, REASON_BYTES) {
        return Err(Failure::input(format!(
            "reason: say in one line of plain text, at most {REASON_BYTES} bytes, why it is {}",
            kind.name()
        )));
    }
    if !is_line(approver, APPROVER_BYTES) {
        return Err(Failure::input(format!(
            "approver: name the person who answers for it, in at most {APPROVER_BYTES} bytes"
        )));
    }
    {
        let coalition = crate::coalition::active(app).await?;
        let known = coalition.state.notices.get(&notice);
        let known = known.filter(|known| known.from == app.me).ok_or_else(|| {
            Failure::not_found("this organization gave no such notice; see `commonturf receipts`")
        })?;
        if known.receipt.is_some() || known.exception.is_some() {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "the notice has its receipt or an exception already; nobody waits for it",
            ));
        }
    }
    let exception = NoticeException {
        notice,
        kind,
        reason: reason.to_owned(),
        approver: approver.to_owned(),
    };
    let mut tx = app.store.write("excepting a notice").await?;
    let entry = outbox::queue(app, &mut tx, exception.into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(entry)
}

/// Notes that a class of fields of a received share must be kept when its rows are taken back: then
/// the receipt says so, with the ground.
///
/// # Errors
/// [`Failure`] when there is no such share, no ground, or the day is past.
pub async fn retain(
    app: &App,
    share: EntryId,
    class: FieldClass,
    ground: &str,
    until: Moment,
) -> Result<(), Failure> {
    let ground = ground.trim();
    if !is_line(ground, GROUND_BYTES) {
        return Err(Failure::input(format!(
            "ground: name in one line of plain text, at most {GROUND_BYTES} bytes, the law that makes you keep it"
        )));
    }
    if until <= app.now() {
        return Err(Failure::input("until: that day is past"));
    }
    let mut tx = app.store.write("noting what is kept").await?;
    let known = received::find(&mut tx, share).await?;
    let classes = known.ok_or_else(|| {
        Failure::not_found("no received share has that id; see `commonturf received list`")
    })?;
    let classes: Vec<FieldClass> =
        serde_json::from_str(&classes.fields).map_err(Failure::internal)?;
    if !classes.contains(&class) {
        return Err(Failure::input(format!(
            "class: the share has no {} fields",
            class.name()
        )));
    }
    let retention = Retention {
        share,
        class,
        ground: ground.to_owned(),
        until,
    };
    mark::retain(&mut tx, &retention).await?;
    tx.commit().await?;
    Ok(())
}
