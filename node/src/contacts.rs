//! Contact reports: this organization's own attempts, told by token once an agreement is in force.
//!
//! Reports of any age are told: a late paper result still opens the recontact window. Nobody's name
//! and nobody's answer is in them.

use crate::{
    app::App,
    import::EffectClass,
    store::{self, contact_report::Untold},
    sync::outbox,
};
use protocol::{
    channel::Channel,
    entry::{
        contact_report::ContactReport,
        payload::{ContactEffect, ContactRow, write_rows},
    },
    time::DAY,
};

/// The most attempts of one report.
const REPORT_ROWS: i64 = 10_000;

/// Tells the coalition of every own attempt that it has not been told.
///
/// # Errors
/// When the database fails.
pub async fn tell(app: &App) -> anyhow::Result<()> {
    let Some((generation, log_time)) = standing(app).await else {
        return Ok(());
    };
    // The fold refuses a report from the future; a day that is not over is stamped with its end.
    let until = log_time.max(app.now()).plus(DAY);
    let mut told = false;
    for channel in Channel::ALL {
        let mut tx = app.store.write("telling contacts").await?;
        let rows =
            store::contact_report::untold(&mut tx, channel, generation, until, REPORT_ROWS).await?;
        if rows.is_empty() {
            continue;
        }
        let bytes = write_rows(rows.iter().filter_map(row));
        let packed = outbox::pack(&bytes)?;
        let entry = ContactReport {
            channel,
            rows: packed.payload.clone(),
            claim: None,
        };
        let id = outbox::queue(app, &mut tx, entry.into(), Some((&packed, &bytes))).await?;
        for row in &rows {
            store::contact_report::set_told(&mut tx, &row.id, id).await?;
        }
        tx.commit().await?;
        app.wake.outbox.notify_one();
        told = true;
    }
    if told {
        app.wake.jobs.notify_one();
    }
    Ok(())
}

/// The generation of tokens in use and log time, where this organization is a party to an agreement.
async fn standing(app: &App) -> Option<(u32, protocol::time::Moment)> {
    let guard = app.coalition.read().await;
    let coalition = guard.as_ref().filter(|coalition| coalition.is_active())?;
    let (_, agreement) = coalition.state.agreement()?;
    let meta = coalition.state.meta();
    agreement
        .has(app.me)
        .then_some((meta.generation?, meta.head.log_time))
}

fn row(untold: &Untold) -> Option<ContactRow> {
    let effect = match untold.effect.parse().ok()? {
        EffectClass::AttemptOnly => ContactEffect::Attempt,
        EffectClass::ContactMade | EffectClass::Answer => ContactEffect::Contact,
        _ => return None,
    };
    Some(ContactRow {
        token: untold.token,
        at: untold.at,
        effect,
    })
}
