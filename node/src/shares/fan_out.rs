//! Notices on rows that were passed on: whoever holds them because of this organization is told in turn, by
//! itself and at once. No policy stands in its way.

use super::{
    carry_out,
    notice::{Names, RecalledRows},
    recall, rectify,
};
use crate::{
    app::App,
    store::{
        self, Write,
        share::{
            ledger::{self, Disclosure},
            notice::NoticeIn,
            onward,
        },
    },
};
use protocol::{
    entry::share::{ONWARD_NOTICES, Onward, RevokeKind},
    id::{EntryId, NodeId},
    state::State,
};
use std::collections::{BTreeMap, BTreeSet};

/// Gives notice of the rows of a notice to everybody whom they were passed on to, after it was carried out
/// here; answers whom and by which notices.
///
/// # Errors
/// When the database fails.
pub(super) async fn fan_out(
    app: &App,
    tx: &mut Write,
    state: &State,
    notice: &NoticeIn,
    recalled: &RecalledRows,
) -> anyhow::Result<Vec<Onward>> {
    if !onward::any(&mut *tx, notice.share).await? {
        return Ok(Vec::new());
    }
    let mut lines = Vec::new();
    for row in carry_out::named(notice, recalled) {
        lines.extend(onward::lines(&mut *tx, notice.share, *row).await?);
        if notice.kind.erases() {
            onward::forget_row(&mut *tx, notice.share, *row).await?;
        }
    }
    let mut by_share: BTreeMap<EntryId, Vec<Disclosure>> = BTreeMap::new();
    for line in lines {
        by_share.entry(line.share).or_default().push(line);
    }
    let names = Names::of(state);
    let mut told = BTreeSet::new();
    for (share, lines) in by_share {
        let Some(given) = store::share::find(&mut *tx, share).await? else {
            continue;
        };
        let announced = given.state == "announced";
        if notice.kind == RevokeKind::Rectification {
            let now = app.now().0;
            if given.expires_at.is_none_or(|expires| expires > now) {
                told.extend(correct(app, tx, &names, announced, &lines).await?);
            }
        } else {
            told.extend(take_back(app, tx, (state, &names), notice.kind, announced, lines).await?);
        }
    }
    Ok(listed(state, told))
}

/// Takes lines of one share back, rests or lifts them; who is told by which notice, earlier ones included.
async fn take_back(
    app: &App,
    tx: &mut Write,
    (state, names): (&State, &Names),
    kind: RevokeKind,
    announced: bool,
    lines: Vec<Disclosure>,
) -> anyhow::Result<Vec<(NodeId, Option<EntryId>)>> {
    let is_open = |line: &Disclosure| recall::is_open(state, line, kind);
    let (open, closed): (Vec<Disclosure>, Vec<Disclosure>) = lines.into_iter().partition(is_open);
    // Nobody has to be told that a row does not rest of which it was not told that it does.
    let closed = closed.into_iter().filter(|_| kind != RevokeKind::Lift);
    let mut told: Vec<(NodeId, Option<EntryId>)> =
        closed.map(|line| (line.recipient, line.notice)).collect();
    let Some(to) = open.first().map(|line| line.recipient) else {
        return Ok(told);
    };
    if announced {
        let queued = recall::queue(app, tx, names, kind, &open).await;
        let id = queued.map_err(|failure| anyhow::anyhow!("{}", failure.0.detail))?;
        told.push((to, Some(id)));
    } else {
        let kept = Some(kind.name()).filter(|_| kind != RevokeKind::Lift);
        ledger::set_revoked(&mut *tx, &open, kept, None).await?;
        if kind != RevokeKind::Lift {
            told.push((to, None));
        }
    }
    Ok(told)
}

/// Passes the correction of received rows on, as far as each was given.
async fn correct(
    app: &App,
    tx: &mut Write,
    names: &Names,
    announced: bool,
    lines: &[Disclosure],
) -> anyhow::Result<Vec<(NodeId, Option<EntryId>)>> {
    let mut told = Vec::new();
    for line in lines.iter().filter(|line| rectify::is_held(line)) {
        let Some(row) = line.via else {
            continue;
        };
        let Some(correction) = rectify::correction_of_received(tx, line, row).await? else {
            continue;
        };
        let mut notice = None;
        if announced {
            let sent = rectify::send(app, tx, names, line, correction).await;
            notice = Some(sent.map_err(|failure| anyhow::anyhow!("{}", failure.0.detail))?);
        }
        ledger::set_rectified(&mut *tx, line, notice, None).await?;
        told.push((line.recipient, notice));
    }
    Ok(told)
}

/// Those notices as a receipt lists them, with the answers that are there already.
fn listed(state: &State, told: BTreeSet<(NodeId, Option<EntryId>)>) -> Vec<Onward> {
    let answer = |notice: EntryId| {
        let row = state.notices.get(&notice)?;
        row.receipt.as_ref().map(|receipt| receipt.statement)
    };
    told.into_iter()
        .take(ONWARD_NOTICES)
        .map(|(to, notice)| Onward {
            to,
            notice,
            receipt: notice.and_then(answer),
        })
        .collect()
}
