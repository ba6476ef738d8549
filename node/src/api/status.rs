//! `GET /status`: the coalition as this node sees it.

use crate::{
    app::{App, Contact},
    audit::truths::{self, Quarantine},
    coalition::compare::{self, Door, Newcomer},
    http::problem::Failure,
    keeper::raft::repair::Report,
    keys,
    shares::dispute,
    store::{self, coalition::Phase},
    sync::keepers::{self, KeeperLine, Quorum},
};
use axum::{Json, extract::State};
use protocol::{
    agreement::Agreement,
    codec,
    id::{CoalitionId, Hash, NodeId},
    state::State as Folded,
    time::Moment,
};

/// What `coalition status` and the home page show.
#[derive(Debug, serde::Serialize)]
pub struct Status {
    /// This node.
    pub node: NodeId,
    /// This organization.
    pub name: String,
    /// This node's identity document.
    pub document: keys::standing::Standing,
    /// The coalition, if there is one.
    pub coalition: Option<CoalitionStatus>,
}

/// The coalition.
#[derive(Debug, serde::Serialize)]
pub struct CoalitionStatus {
    /// Its id.
    pub id: CoalitionId,
    /// Its name.
    pub name: String,
    /// How far this node has come.
    pub phase: Phase,
    /// Why folding stopped, if it did.
    pub stopped_because: Option<String>,
    /// Why nothing new is granted or printed: the log has two histories.
    pub frozen: Option<String>,
    /// The MLS epoch.
    pub epoch: u64,
    /// The position up to which this node has folded.
    pub position: u64,
    /// Log time there.
    pub log_time: i64,
    /// The chain hash there.
    pub head: Hash,
    /// The hash of the folded state there.
    pub state_hash: Hash,
    /// Members.
    pub members: Vec<MemberStatus>,
    /// Newcomers who wait for approval.
    pub waiting: Vec<Newcomer>,
    /// The door at which this node waits itself, before it is a member.
    pub door: Option<Door>,
    /// Members that others propose to remove.
    pub removals: Vec<RemovalStatus>,
    /// Members that signed two truths.
    pub quarantines: Vec<Quarantine>,
    /// The agreement in force.
    pub agreement: Option<AgreementStatus>,
    /// Drafts that wait for signatures.
    pub drafts: Vec<AgreementStatus>,
    /// What members report of shares and has not been settled.
    pub disputes: Vec<dispute::Open>,
    /// Entries of this node that have not come back yet.
    pub outbox: i64,
    /// How the keeper was reached last.
    pub keeper_contact: Contact,
    /// The keepers, as each says of itself.
    pub keepers: Vec<KeeperLine>,
    /// Whether entries can be ordered: `ok`, `no-quorum`, or `unknown` while nobody was asked.
    pub quorum: Quorum,
    /// How this node's own repair stands, where it is the only keeper and was restored from a backup.
    pub repair: Option<Report>,
    /// Why own contact reports are not published, if the gate refuses them.
    pub reports_withheld: Option<String>,
}

/// A member.
#[derive(Debug, serde::Serialize)]
pub struct MemberStatus {
    /// Its node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Its legal kind.
    pub kind: String,
    /// Whether it keeps the log.
    pub keeper: bool,
    /// Whether it is this organization.
    pub you: bool,
    /// Whether it is a party to the agreement in force.
    pub party: bool,
    /// Whether it has said that it leaves.
    pub leaving: bool,
    /// When it last came back from a backup or a stop, in log time.
    pub returned_at: Option<i64>,
}

/// A proposal that a member goes.
#[derive(Debug, serde::Serialize)]
pub struct RemovalStatus {
    /// Who shall go.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Who proposed it.
    pub proposer: String,
    /// How many agree.
    pub agree: usize,
    /// How many must.
    pub needed: usize,
    /// Whether this organization has agreed.
    pub ours: bool,
    /// Whether it is about this organization.
    pub about_us: bool,
}

/// A version of the agreement.
#[derive(Debug, serde::Serialize)]
pub struct AgreementStatus {
    /// 1, 2, 3, ...
    pub version: u32,
    /// Its hash.
    pub hash: Hash,
    /// Who keeps the log under it.
    pub keepers: Vec<String>,
    /// The hash of the version before.
    pub before: Hash,
    /// Its title.
    pub title: String,
    /// Who proposed it.
    pub proposer: String,
    /// Who has signed.
    pub signed: Vec<String>,
    /// Who has not.
    pub missing: Vec<String>,
}

/// Tells how the coalition stands.
pub async fn status(State(app): State<App>) -> Result<Json<Status>, Failure> {
    Ok(Json(read(&app).await?))
}

/// What [`status`] tells, for pages too.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn read(app: &App) -> Result<Status, Failure> {
    let mut db = app.store.read("reading the status").await?;
    let outbox = store::outbox::waiting(&mut db).await?;
    drop(db);
    let door = compare::door(app).await?;
    let frozen = crate::audit::fork::frozen(app).await?;
    let repair = crate::keeper::raft::repair::report(app).await?;
    let guard = app.coalition.read().await;
    let log_time = guard
        .as_ref()
        .map_or(Moment(0), |coalition| coalition.state.meta().head.log_time);
    let coalition = match guard.as_ref() {
        None => None,
        Some(coalition) => {
            let meta = coalition.state.meta();
            let epoch = if coalition.is_active() {
                coalition.group()?.epoch()
            } else {
                0
            };
            let agreement = coalition.state.agreement();
            Some(CoalitionStatus {
                id: coalition.row.id,
                name: coalition.row.name.clone(),
                phase: coalition.row.phase,
                stopped_because: coalition.row.stopped_because.clone(),
                frozen,
                epoch,
                position: meta.head.position,
                log_time: meta.head.log_time.0,
                head: meta.head.chain,
                state_hash: coalition.state.hash(),
                members: members(
                    &coalition.state,
                    app.me,
                    agreement.as_ref().map(|(_, agreement)| agreement),
                ),
                waiting: compare::newcomers(&coalition.state, app.me),
                door,
                removals: removals(&coalition.state, app.me),
                quarantines: truths::quarantines(&coalition.state, app.me),
                agreement: agreement.and_then(|(hash, _)| version(&coalition.state, hash)),
                drafts: drafts(&coalition.state),
                disputes: dispute::open(app, &coalition.state),
                outbox,
                keepers: keepers::lines(app, coalition),
                quorum: keepers::quorum(app, coalition),
                repair,
                keeper_contact: app.wake.contact.borrow().clone(),
                reports_withheld: app
                    .wake
                    .withheld
                    .borrow()
                    .as_ref()
                    .map(|withheld| withheld.reason.clone()),
            })
        }
    };
    Ok(Status {
        node: app.me,
        name: app.name.clone(),
        document: keys::standing::of(app, log_time),
        coalition,
    })
}

fn members(state: &Folded, me: NodeId, agreement: Option<&Agreement>) -> Vec<MemberStatus> {
    state
        .roster()
        .map(|(node, member)| MemberStatus {
            node: *node,
            name: member.name.clone(),
            kind: member.kind.clone(),
            keeper: member.keeper,
            you: *node == me,
            party: agreement.is_some_and(|agreement| agreement.has(*node)),
            leaving: member.leaving.is_some(),
            returned_at: member.returned.map(|returned| returned.at.0),
        })
        .collect()
}

fn removals(state: &Folded, me: NodeId) -> Vec<RemovalStatus> {
    let name = |node| crate::coalition::members::name(state, node);
    let status = |(node, row): (&NodeId, &protocol::state::rows::RemovalRow)| {
        let (agree, needed) = protocol::fold::parting::votes(state, *node);
        RemovalStatus {
            node: *node,
            name: name(*node),
            reason: row.reason.clone(),
            proposer: row
                .approvals
                .first()
                .map(|node| name(*node))
                .unwrap_or_default(),
            agree,
            needed,
            ours: row.approvals.contains(&me),
            about_us: *node == me,
        }
    };
    state.removals.iter().map(status).collect()
}

fn drafts(state: &Folded) -> Vec<AgreementStatus> {
    let open = state
        .agreements
        .iter()
        .filter(|(_, row)| row.active_from.is_none());
    let mut drafts: Vec<_> = open.map(|(hash, row)| (row.position, *hash)).collect();
    drafts.sort_unstable();
    drafts
        .into_iter()
        .filter_map(|(_, hash)| version(state, hash))
        .collect()
}

/// A version or draft in words.
#[must_use]
pub fn version(state: &Folded, hash: Hash) -> Option<AgreementStatus> {
    let row = state.agreements.get(&hash)?;
    let agreement: Agreement = codec::decode(&row.bytes).ok()?;
    let title = policy::terms::Terms::parse(&agreement.terms)
        .map(|terms| terms.title)
        .unwrap_or_default();
    let has_signed = |node: NodeId| row.signatures.iter().any(|signed| signed.node == node);
    let names = |signed: bool| {
        agreement
            .parties
            .iter()
            .filter(|party| has_signed(party.node) == signed)
            .map(|party| party.name.clone())
            .collect()
    };
    Some(AgreementStatus {
        version: agreement.version,
        hash,
        keepers: agreement
            .keepers
            .iter()
            .map(|node| crate::coalition::members::name(state, *node))
            .collect(),
        before: agreement.before,
        title,
        proposer: crate::coalition::members::name(state, row.proposer),
        signed: names(true),
        missing: names(false),
    })
}
