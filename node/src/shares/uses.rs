//! Uses of received rows: announced to everybody first, and no more than the agreement allows.
//!
//! The fold counts and dates uses; this side asks before rows leave the node, and says when they may.

use crate::{
    app::App, coalition::members, http::problem::Failure, store::share::received, sync::outbox,
};
use protocol::{
    entry::use_notice::UseNotice,
    id::{EntryId, NodeId},
    problem::ProblemKind,
    state::{
        State,
        rules::Rules,
        uses::{USE_LASTS, USES_AHEAD},
    },
    time::{HOUR, Moment},
};
use serde::Serialize;

/// How the use of a received share stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// `open`, `announced`, `none` or `used_up`.
    pub state: &'static str,
    /// When the use that is open or announced begins.
    pub from: Option<Moment>,
    /// When that use ends.
    pub until: Option<Moment>,
    /// How many more uses may be announced now.
    pub left: u64,
    /// When there is room for another, where there is none.
    pub room_from: Option<Moment>,
    /// Hours between the announcement of a use and its beginning.
    pub notice_hours: i64,
}

impl Standing {
    /// How the use of a share stands at a moment.
    #[must_use]
    pub fn of(state: &State, rules: &Rules, share: EntryId, now: Moment) -> Self {
        let open = state.use_at(share, now).map(|row| row.from);
        let ahead = || {
            let begins = state.uses_of(share).map(|(_, row)| row.from);
            begins.filter(|from| now < *from).min()
        };
        let begins = now.plus(rules.notice);
        let left = state.uses_left(rules, share, begins);
        let from = open.or_else(ahead);
        Self {
            state: match (open, from) {
                (Some(_), _) => "open",
                (None, Some(_)) => "announced",
                (None, None) if left == 0 => "used_up",
                (None, None) => "none",
            },
            from,
            until: from.map(|from| from.plus(USE_LASTS)),
            left,
            room_from: state.room_for_use(rules, share).filter(|_| left == 0),
            notice_hours: rules.notice / HOUR,
        }
    }

    /// Why rows may not leave the node now, and what to do.
    fn refusal(&self, share: EntryId) -> String {
        let day = |at: Option<Moment>| at.map(moment).unwrap_or_default();
        match self.state {
            "announced" => format!(
                "the use of share {share} is announced; it begins at {}, and until then its rows stay where they are",
                day(self.from)
            ),
            "used_up" => format!(
                "share {share} was used as often as the agreement allows; another use may begin at {}",
                day(self.room_from)
            ),
            _ => format!(
                "nobody has announced a use of share {share}: say `commonturf received announce --share {share}`; it may \
                 begin {} hours later, and the agreement allows {} more",
                self.notice_hours, self.left
            ),
        }
    }
}

fn moment(at: Moment) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}

/// Whether a share's rows may leave the node now.
///
/// # Errors
/// A `conflict` that says when they may, or what to announce.
pub async fn may_begin(app: &App, share: EntryId) -> Result<(), Failure> {
    let standing = standing(app, share).await?;
    if standing.state == "open" {
        return Ok(());
    }
    Err(Failure::new(ProblemKind::Conflict, standing.refusal(share)))
}

async fn standing(app: &App, share: EntryId) -> Result<Standing, Failure> {
    let coalition = crate::coalition::active(app).await?;
    let (_, rules) = coalition.state.rules().ok_or_else(no_agreement)?;
    Ok(Standing::of(&coalition.state, rules, share, app.now()))
}

fn no_agreement() -> Failure {
    Failure::new(
        ProblemKind::Conflict,
        "no agreement is in force, so nothing says how shared rows may be used",
    )
}

/// When a use that is announced now would begin; changes nothing. Without a moment it begins as soon as
/// the agreement lets it.
///
/// # Errors
/// [`Failure`] when no such share is held, its time is over by then, or it was used as often as the
/// agreement allows.
pub async fn would_begin(
    app: &App,
    share: EntryId,
    from: Option<Moment>,
) -> Result<Moment, Failure> {
    let conflict = |why: String| Failure::new(ProblemKind::Conflict, why);
    let now = app.now();
    let mut db = app.store.read("announcing a use").await?;
    let known = received::find(&mut db, share).await?.ok_or_else(|| {
        Failure::not_found("no received share has that id; see `commonturf received list`")
    })?;
    drop(db);
    if known.state != "stored" {
        return Err(conflict(format!(
            "share {share} is {}; there is nothing in it to use",
            known.state
        )));
    }
    let coalition = crate::coalition::active(app).await?;
    let (_, rules) = coalition.state.rules().ok_or_else(no_agreement)?;
    let begins = from.unwrap_or(now).max(now.plus(rules.notice));
    if begins > now.plus(USES_AHEAD) {
        return Err(Failure::input(
            "from: a use is announced at most 90 days ahead",
        ));
    }
    if let Some(end) = known.expires_at.filter(|end| *end <= begins.0) {
        return Err(conflict(format!(
            "share {share} may be used until {} only; a use could begin at {}",
            moment(Moment(end)),
            moment(begins)
        )));
    }
    let room = coalition.state.room_for_use(rules, share);
    if let Some(room) = room.filter(|room| begins < *room) {
        return Err(conflict(format!(
            "share {share} was used as often as the agreement allows ({} times a year); another use may begin at {}",
            rules.use_limit,
            moment(room)
        )));
    }
    Ok(begins)
}

/// Announces a use of a received share; the entry that does so.
///
/// # Errors
/// As [`would_begin`].
pub async fn announce(app: &App, share: EntryId, from: Option<Moment>) -> Result<EntryId, Failure> {
    would_begin(app, share, from).await?;
    let notice = UseNotice {
        share,
        from: from.unwrap_or_else(|| app.now()),
    };
    let mut tx = app.store.write("announcing a use").await?;
    let entry = outbox::queue(app, &mut tx, notice.into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(entry)
}

/// A use that some member announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announced {
    /// The share.
    pub share: EntryId,
    /// Who uses it.
    pub by: NodeId,
    /// Its name.
    pub by_name: String,
    /// Who gave it.
    pub from_name: String,
    /// What for.
    pub purpose: String,
    /// On which channel.
    pub channel: String,
    /// When it begins.
    pub from: Moment,
    /// When it ends.
    pub until: Moment,
    /// When it was announced, in log time.
    pub at: Moment,
}

/// Every announced use of the coalition's last year, the latest first.
///
/// # Errors
/// [`Failure`] when this node is in no coalition.
pub async fn all(app: &App) -> Result<Vec<Announced>, Failure> {
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    let mut uses: Vec<Announced> = state
        .uses
        .iter()
        .filter_map(|((share, _), row)| {
            let given = state.shares.get(share)?;
            Some(Announced {
                share: *share,
                by: given.announced.to,
                by_name: members::name(state, given.announced.to),
                from_name: members::name(state, given.from),
                purpose: given.announced.purpose.clone(),
                channel: given.announced.channel.name().to_owned(),
                from: row.from,
                until: row.from.plus(USE_LASTS),
                at: row.at,
            })
        })
        .collect();
    uses.sort_by_key(|one| std::cmp::Reverse((one.at, one.share)));
    Ok(uses)
}
