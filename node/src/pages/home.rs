//! The first page: how the coalition stands, and what waits for whom.

use super::{
    Page,
    door::{self, Door, Newcomer},
    frame::{self, Frame, Section},
    render,
    when::When,
    words,
};
use crate::{
    api,
    api::status::{AgreementStatus, CoalitionStatus},
    app::App,
    audit::truths::Quarantine,
    coalition as work,
    sync::keepers::Quorum,
};
use askama::Template;
use axum::{extract::State, http::Uri};
use protocol::{
    id::NodeId,
    state::{State as Folded, rows::NoticeRow},
    time::Moment,
};

/// The most lines of one kind that the page shows.
const LINES: usize = 50;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "home.html")]
pub struct Home {
    frame: Frame,
    create: String,
    join: String,
    invite: String,
    door: Option<Door>,
    coalition: Option<Standing>,
}

/// How the coalition stands.
#[derive(Debug)]
struct Standing {
    newcomers: Vec<Newcomer>,
    drafts: Vec<Draft>,
    removals: Vec<Removal>,
    /// Members that signed two truths.
    quarantines: Vec<Quarantine>,
    receipts: Vec<Receipt>,
    /// Who asks for a count of what lists have in common.
    overlaps: Vec<String>,
    outbox: i64,
    tokens: u64,
    /// Why contact reports are not told.
    withheld: Option<String>,
    members: Vec<Member>,
    agreement: Option<AgreementStatus>,
    position: u64,
    epoch: u64,
    log_time: When,
    head: String,
    state_hash: String,
    answered: Option<String>,
    no_quorum: bool,
    frozen: Option<String>,
    keepers: Vec<Keeper>,
}

/// A keeper of the log.
#[derive(Debug)]
struct Keeper {
    name: String,
    role: String,
    lag: Option<u64>,
    heard: Option<String>,
    error: Option<String>,
}

/// A draft of the agreement.
#[derive(Debug)]
struct Draft {
    hash: String,
    version: u32,
    title: String,
    proposer: String,
    missing: Vec<String>,
    ours: bool,
}

/// A proposal that a member goes.
#[derive(Debug)]
struct Removal {
    node: String,
    name: String,
    reason: String,
    proposer: String,
    agree: usize,
    needed: usize,
    ours: bool,
    about_us: bool,
}

/// A member.
#[derive(Debug)]
struct Member {
    node: String,
    name: String,
    id: String,
    kind: String,
    keeper: bool,
    you: bool,
    party: bool,
    leaving: bool,
    returned: Option<When>,
}

/// A revocation whose receipt is not there yet.
#[derive(Debug)]
struct Receipt {
    /// Whether this organization owes it.
    owed_by_us: bool,
    ally: String,
    count: u64,
    why: &'static str,
    due: When,
    distance: String,
    overdue: bool,
}

/// Shows the page.
pub async fn show(State(app): State<App>, uri: Uri) -> Page {
    let frame = Frame::read(&app, Section::Home, &uri).await;
    let mut status = api::status::read(&app).await?;
    let door = status.coalition.as_mut();
    let door = door.and_then(|coalition| coalition.door.take());
    let door = door.map(|door| Door::new(&frame, door));
    let classes = api::tokens::read(&app).await?.classes;
    let tokens = classes.iter().map(|class| class.waiting).sum();
    let guard = app.coalition.read().await;
    let coalition = guard
        .as_ref()
        .zip(status.coalition)
        .map(|(coalition, status)| Standing::new(&app, &frame, &coalition.state, status, tokens));
    drop(guard);
    render(&Home {
        frame,
        create: frame::command(
            &app,
            "coalition create \"Name of the coalition\" --agreement template:us-issue-table",
        ),
        join: frame::command(&app, "coalition join CODE"),
        invite: frame::command(&app, "coalition invite --to-name \"Name of the ally\""),
        door,
        coalition,
    })
}

impl Standing {
    fn new(app: &App, frame: &Frame, state: &Folded, status: CoalitionStatus, tokens: u64) -> Self {
        let answered = status.keeper_contact.answered_at;
        let keepers = status.keepers.into_iter().map(|keeper| Keeper {
            name: keeper.name,
            role: keeper.role,
            lag: keeper.lag.filter(|lag| *lag > 0),
            heard: keeper.answered_at.map(|at| frame.calendar.distance(at)),
            error: keeper.error,
        });
        Self {
            newcomers: door::newcomers(frame, status.waiting),
            drafts: drafts(state, app.me, status.drafts),
            receipts: receipts(frame, state, app.me),
            overlaps: crate::overlap::show::askers(state, app.me),
            outbox: status.outbox,
            withheld: status.reports_withheld,
            tokens,
            removals: status.removals.into_iter().map(Removal::from).collect(),
            quarantines: status.quarantines,
            members: status
                .members
                .into_iter()
                .map(|member| Member::new(frame, member))
                .collect(),
            agreement: status.agreement,
            position: status.position,
            epoch: status.epoch,
            log_time: frame.calendar.moment(Moment(status.log_time)),
            head: status.head.short(),
            state_hash: status.state_hash.short(),
            answered: answered.map(|at| frame.calendar.distance(at)),
            no_quorum: status.quorum == Quorum::NoQuorum,
            frozen: status.frozen,
            keepers: keepers.collect(),
        }
    }

    /// How many things wait for this organization's people.
    fn to_do(&self) -> usize {
        let newcomers = self
            .newcomers
            .iter()
            .filter(|newcomer| newcomer.digits.is_some())
            .count();
        let drafts = self.drafts.iter().filter(|draft| draft.ours).count();
        let receipts = self
            .receipts
            .iter()
            .filter(|receipt| receipt.overdue)
            .count();
        let removals = self
            .removals
            .iter()
            .filter(|removal| !removal.ours && !removal.about_us)
            .count();
        newcomers + drafts + receipts + removals + self.overlaps.len() + self.quarantines.len()
    }
}

impl From<api::status::RemovalStatus> for Removal {
    fn from(removal: api::status::RemovalStatus) -> Self {
        Self {
            node: removal.node.to_string(),
            name: removal.name,
            reason: removal.reason,
            proposer: removal.proposer,
            agree: removal.agree,
            needed: removal.needed,
            ours: removal.ours,
            about_us: removal.about_us,
        }
    }
}

impl Member {
    fn new(frame: &Frame, member: api::status::MemberStatus) -> Self {
        Self {
            node: member.node.to_string(),
            leaving: member.leaving,
            returned: member
                .returned_at
                .map(|at| frame.calendar.moment(Moment(at))),
            id: member.node.short(),
            kind: words::kind(&member.kind),
            name: member.name,
            keeper: member.keeper,
            you: member.you,
            party: member.party,
        }
    }
}

fn drafts(state: &Folded, me: NodeId, drafts: Vec<AgreementStatus>) -> Vec<Draft> {
    let drafts = drafts.into_iter().take(LINES);
    drafts
        .map(|draft| Draft {
            ours: super::agreement::waits_for(state, draft.hash, me),
            hash: draft.hash.to_string(),
            version: draft.version,
            title: draft.title,
            proposer: draft.proposer,
            missing: draft.missing,
        })
        .collect()
}

/// Receipts that are not there, the most urgent first.
fn receipts(frame: &Frame, state: &Folded, me: NodeId) -> Vec<Receipt> {
    let now = state.meta().head.log_time;
    let mut open: Vec<&NoticeRow> = state
        .notices
        .iter()
        .map(|(_, notice)| notice)
        .filter(|notice| notice.receipt.is_none() && (notice.from == me || notice.to == me))
        .collect();
    open.sort_by_key(|notice| notice.due);
    let lines = open.into_iter().take(LINES);
    lines
        .map(|notice| {
            let owed_by_us = notice.to == me;
            let ally = if owed_by_us { notice.from } else { notice.to };
            Receipt {
                owed_by_us,
                ally: work::members::name(state, ally),
                count: notice.count,
                why: words::revocation(notice.kind),
                due: frame.calendar.moment(notice.due),
                distance: frame.calendar.distance(notice.due),
                overdue: notice.due < now,
            }
        })
        .collect()
}

#[cfg(test)]
fn quarantines(text: &str) -> Vec<Quarantine> {
    [true, false]
        .map(|about_us| Quarantine {
            node: NodeId([7; 32]),
            name: text.to_owned(),
            about_us,
            signed: text.to_owned(),
            by: text.to_owned(),
            at: 0,
            agree: 1,
            needed: 2,
            ours: false,
        })
        .into()
}

#[cfg(test)]
impl Home {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::Home, text);
        let when = frame.calendar.moment(Moment(1_795_604_160_000));
        let text = || text.to_owned();
        Self {
            create: text(),
            join: text(),
            invite: text(),
            door: None,
            coalition: Some(Standing {
                newcomers: [true, false]
                    .map(|ours| Newcomer::sample(&text(), when.clone(), ours))
                    .into(),
                drafts: [true, false]
                    .map(|ours| Draft {
                        hash: text(),
                        version: 2,
                        title: text(),
                        proposer: text(),
                        missing: vec![text(), text()],
                        ours,
                    })
                    .into(),
                removals: Removal::samples(&text()),
                quarantines: quarantines(&text()),
                receipts: [true, false]
                    .map(|owed_by_us| Receipt {
                        owed_by_us,
                        ally: text(),
                        count: 3,
                        why: "withdrawal",
                        due: when.clone(),
                        distance: text(),
                        overdue: true,
                    })
                    .into(),
                overlaps: vec![text()],
                outbox: 2,
                withheld: Some(text()),
                tokens: 5,
                members: vec![Member::sample(&text(), when.clone())],
                agreement: Some(AgreementStatus {
                    version: 1,
                    hash: protocol::id::Hash::ZERO,
                    before: protocol::id::Hash::ZERO,
                    keepers: vec![text()],
                    title: text(),
                    proposer: text(),
                    signed: vec![text()],
                    missing: vec![text()],
                }),
                position: 12,
                epoch: 2,
                log_time: when,
                head: text(),
                state_hash: text(),
                answered: Some(text()),
                no_quorum: true,
                frozen: Some(text()),
                keepers: vec![Keeper::sample(&text())],
            }),
            frame,
        }
    }

    /// The page of a node that waits at a door.
    pub(super) fn sample_joining(text: &str) -> Self {
        let mut home = Self::sample(text);
        home.frame.phase = Some(crate::store::coalition::Phase::Joining);
        home.door = Some(Door::sample(text, &home.frame));
        home
    }
}

#[cfg(test)]
impl Keeper {
    fn sample(text: &str) -> Self {
        let text = || text.to_owned();
        Self {
            name: text(),
            role: text(),
            lag: Some(3),
            heard: Some(text()),
            error: Some(text()),
        }
    }
}

#[cfg(test)]
impl Removal {
    fn samples(text: &str) -> Vec<Self> {
        let sample = |(ours, about_us)| Self {
            node: text.to_owned(),
            name: text.to_owned(),
            reason: text.to_owned(),
            proposer: text.to_owned(),
            agree: 1,
            needed: 3,
            ours,
            about_us,
        };
        [(true, false), (false, true), (false, false)]
            .map(sample)
            .into()
    }
}

#[cfg(test)]
impl Member {
    fn sample(text: &str, when: When) -> Self {
        Self {
            node: text.to_owned(),
            name: text.to_owned(),
            id: text.to_owned(),
            kind: text.to_owned(),
            keeper: true,
            you: true,
            party: true,
            leaving: true,
            returned: Some(when),
        }
    }
}
