//! Contact reports: this organization's own attempts, told by token once an agreement is in force.
//!
//! Reports of any age are told: a late paper result still opens the recontact window. Nobody's name
//! and nobody's answer is in them. What a member may not read by the rules stays untold.

use crate::{
    app::App,
    disclosure,
    import::EffectClass,
    store::{self, contact_report::Untold},
    sync::outbox,
};
use policy::PublicationKind;
use protocol::{
    channel::Channel,
    entry::{
        contact_report::ContactReport,
        payload::{ContactEffect, ContactRow, write_rows},
    },
    id::Hash,
    time::{DAY, HOUR, Moment},
};

/// The most attempts of one report.
const REPORT_ROWS: i64 = 10_000;
/// After a refusal the gate is asked again so much later: the own policy may have changed.
const ASK_AGAIN: i64 = HOUR / 12;

/// Why contact reports wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Under which agreement.
    pub agreement: Hash,
    /// Since when.
    pub at: Moment,
    /// Who may not read them and why, in plain words.
    pub reason: String,
}

/// Tells the coalition of every own attempt that it has not been told.
///
/// # Errors
/// When the database fails.
pub async fn tell(app: &App) -> anyhow::Result<()> {
    let Some(Standing {
        generation,
        log_time,
        agreement,
    }) = standing(app).await
    else {
        return Ok(());
    };
    if waits(app, agreement) {
        return Ok(());
    }
    // The fold refuses a report from the future; a day that is not over is stamped with its end.
    let until = log_time.max(app.now()).plus(DAY);
    let (mut told, mut asked, mut refused) = (false, false, None);
    for channel in Channel::ALL {
        if !has_untold(app, channel, generation, until).await? {
            continue;
        }
        asked = true;
        // Asked before the transaction: the gate reads the coalition, which is locked first.
        if let Err(refusal) =
            disclosure::allowed(app, PublicationKind::ContactReport, channel).await
        {
            refused = refused.or(Some(refusal.0.detail));
            continue;
        }
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
            generation,
        };
        let id = outbox::queue(app, &mut tx, entry.into(), Some((&packed, &bytes))).await?;
        for row in &rows {
            store::contact_report::set_told(&mut tx, &row.id, id).await?;
        }
        tx.commit().await?;
        app.wake.outbox.notify_one();
        told = true;
    }
    if asked {
        withhold(app, agreement, refused);
    }
    if told {
        app.wake.jobs.notify_one();
    }
    Ok(())
}

/// What a report is made under.
struct Standing {
    generation: u32,
    log_time: Moment,
    agreement: Hash,
}

/// The agreement, where this organization is a party to one, with log time and the tokens in use.
async fn standing(app: &App) -> Option<Standing> {
    let guard = app.coalition.read().await;
    let coalition = guard.as_ref().filter(|coalition| coalition.is_active())?;
    let (hash, agreement) = coalition.state.agreement()?;
    let meta = coalition.state.meta();
    agreement.has(app.me).then_some(Standing {
        generation: meta.generation?,
        log_time: meta.head.log_time,
        agreement: hash,
    })
}

async fn has_untold(
    app: &App,
    channel: Channel,
    generation: u32,
    until: Moment,
) -> anyhow::Result<bool> {
    let mut db = app.store.read("looking for contacts to tell").await?;
    let first = store::contact_report::untold(&mut db, channel, generation, until, 1).await?;
    Ok(!first.is_empty())
}

/// Whether the gate refused under this agreement a moment ago.
fn waits(app: &App, agreement: Hash) -> bool {
    app.wake.withheld.borrow().as_ref().is_some_and(|withheld| {
        withheld.agreement == agreement && app.now() < withheld.at.plus(ASK_AGAIN)
    })
}

/// Notes for people whether the gate refused, and why.
fn withhold(app: &App, agreement: Hash, reason: Option<String>) {
    let withheld = reason.map(|reason| {
        tracing::warn!(reason, "contact reports are not published");
        Withheld {
            agreement,
            at: app.now(),
            reason,
        }
    });
    app.wake.withheld.send_replace(withheld);
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
