//! Doing an operation: the node's own work, as its desk and its loops call it.

mod counts;
mod keepers;

use super::{
    evil,
    op::{Op, Place},
    people::{self, LISTS, ORGANIZATIONS, PEOPLE},
    world::World,
};
use anyhow::{Result, anyhow, ensure};
use commonturf::{
    claims::{
        change::{self, Part},
        take::{self, From, Question},
    },
    coalition as work,
    http::problem::Failure,
    jobs,
    plans::{self, draft::Intention},
    shares::{
        plan::Ask,
        recall::{self, What},
        send,
    },
    store::{self, claim::Phase, person_suppression::Cause},
    suppressions::mark::{self, Mark, Subject},
};
use policy::{FieldClass, Purpose};
use protocol::{
    channel::Channel,
    entry::{
        payload::Channels,
        plan::Place as Where,
        share::{Consideration, RevokeKind},
    },
    id::EntryId,
    time::{HOUR, Moment},
};

/// What an operation came to.
#[derive(Debug, Default)]
pub struct Done {
    /// Entries that a node has promised to say.
    pub promised: Vec<EntryId>,
    /// Why it was not done; that alone is no fault.
    pub refused: Option<String>,
}

/// An error that the simulation cannot live with: a node that does not start.
#[derive(Debug)]
pub struct Broken(pub anyhow::Error);

fn failed(failure: Failure) -> anyhow::Error {
    anyhow!("{}: {}", failure.0.title, failure.0.detail)
}

/// Does one operation.
///
/// # Errors
/// [`Broken`] when a node does not start again.
pub async fn act(world: &mut World, op: &Op) -> Result<Done, Broken> {
    match op {
        Op::Disk {
            node,
            after,
            failing,
            stage,
            during,
        } => {
            world.sites[*node].disk.fail(*after, *failing, *stage);
            let done = Box::pin(act(world, during)).await;
            world.sites[*node].disk.heal();
            done
        }
        Op::Crash {
            node,
            after,
            stage,
            during,
        } => {
            world.sites[*node].disk.die(*after, *stage);
            let done = Box::pin(act(world, during)).await;
            world.restart(*node).await.map_err(Broken)?;
            done
        }
        Op::Torn {
            node,
            after,
            bytes,
            during,
        } => {
            world.sites[*node].disk.die(*after, Place::Committed);
            let done = Box::pin(act(world, during)).await;
            // Only what nobody was told of can be torn off: the disk has the rest.
            if world.sites[*node].disk.is_dead() {
                world.start_torn(*node, *bytes).await.map_err(Broken)?;
            }
            world.sites[*node].disk.heal();
            done
        }
        Op::Restart { node } => world.restart(*node).await.map_err(Broken).map(nothing),
        Op::BackUp { node } => world.back_up(*node).await.map_err(Broken).map(nothing),
        Op::Restore { node, marked } => {
            let restored = world.restore(*node, *marked).await;
            restored.map_err(Broken).map(nothing)
        }
        other => Ok(match plain(world, other).await {
            Ok(promised) => Done {
                promised,
                refused: None,
            },
            Err(error) => Done {
                promised: Vec::new(),
                refused: Some(format!("{error:#}")),
            },
        }),
    }
}

fn nothing<T>(_: T) -> Done {
    Done::default()
}

/// The nodes without which an operation cannot be.
fn needed(op: &Op) -> Vec<usize> {
    let stranger = ORGANIZATIONS.len() - 1;
    let own = op.node().into_iter();
    match op {
        Op::Read { node }
        | Op::Push { node }
        | Op::Contact { node, .. }
        | Op::Import { node, .. }
        | Op::Mark { node, .. }
        | Op::KeepAgain { node }
        | Op::ComeBack { node } => vec![*node],
        Op::Join => vec![stranger],
        Op::Approve { .. } => own.chain([stranger]).collect(),
        Op::Rotate { by, .. } => own.chain(*by).collect(),
        _ => own.collect(),
    }
}

async fn plain(world: &mut World, op: &Op) -> Result<Vec<EntryId>> {
    let none = Vec::new();
    for node in needed(op) {
        ensure!(world.runs(node), "the node does not run");
    }
    match op {
        Op::Pass { seconds } => world.run(seconds * 1_000).await,
        Op::Skew { node, seconds } => {
            world.sites[*node].skew = seconds * 1_000;
            world.pass(0);
        }
        Op::Read { node } => world.read(*node).await?,
        Op::Push { node } => world.push(*node).await?,
        Op::Jobs { node } => jobs::run_all(world.app(*node)).await,
        Op::Contact { node, person, ago } => {
            let at = world.app(*node).now().plus(-ago * HOUR).0;
            people::reached(world.app(*node), *person, at).await?;
        }
        Op::Import { node, person } => {
            people::put(world.app(*node), *node, 0, &[*person]).await?;
        }
        Op::Wire { node, fates } => world.network.fates(*node, false, fates),
        Op::Raft { node, fates } => world.network.fates(*node, true, fates),
        Op::Late => world.network.arrive_late().await,
        Op::Replay { back } => world.network.replay(*back).await,
        Op::Cut { node, cut } => world.network.cut(*node, *cut),
        Op::Evil { node, how } => {
            world.sites[*node].evil = true;
            evil::misbehave(world, *node, *how).await?;
        }
        Op::Mark { .. } => mark(world, op).await?,
        Op::Invite { .. } | Op::Join | Op::Approve { .. } => return membership(world, op).await,
        Op::Propose { node } => {
            let proposed = work::agreement::propose(world.app(*node), None).await;
            return proposed.map_err(failed).map(|(_, entry)| vec![entry]);
        }
        Op::Sign { node } => {
            let signed = work::agreement::sign(world.app(*node), None).await;
            return signed.map_err(failed).map(|(_, entry)| vec![entry]);
        }
        Op::Claim { .. } | Op::Renew { .. } | Op::Release { .. } => return claim(world, op).await,
        Op::Share { .. } | Op::Revoke { .. } | Op::Recall { .. } => return share(world, op).await,
        Op::Leave { .. } | Op::Remove { .. } => return part(world, op).await,
        Op::Plan { .. } | Op::Unplan { .. } => return plan(world, op).await,
        Op::Keepers { node, keepers } => return keepers::entrust(world, *node, keepers).await,
        Op::Rotate { .. } => return keepers::rotate(world, op).await,
        Op::Count { .. } | Op::Answer { .. } => return counts::count(world, op).await,
        Op::KeepAgain { .. } | Op::ComeBack { .. } => keepers::help(world, op).await?,
        _ => keepers::befall(world, op).await?,
    }
    Ok(none)
}

async fn mark(world: &World, op: &Op) -> Result<()> {
    let Op::Mark {
        node,
        person,
        channel,
        withdraw,
    } = op
    else {
        return Ok(());
    };
    let mark = Mark {
        subject: Subject::Person(people::id(*person)),
        channels: Channels::only(*channel),
        cause: Cause::DoNotContact,
        source: "cli",
        withdraw: *withdraw,
        dry_run: false,
    };
    let marked = mark::mark(world.app(*node), &mark).await;
    marked.map_err(failed).map(drop)
}

async fn membership(world: &mut World, op: &Op) -> Result<Vec<EntryId>> {
    let stranger = ORGANIZATIONS.len() - 1;
    let name = ORGANIZATIONS[stranger].0;
    match op {
        Op::Invite { node } => {
            let invited = work::invite::invite(world.app(*node), name, 72).await;
            let (invite, entry) = invited.map_err(failed)?;
            world.invite = Some(invite.to_string());
            Ok(vec![entry])
        }
        Op::Join => {
            let code = world.invite.clone();
            let code = code.ok_or_else(|| anyhow!("nobody has invited yet"))?;
            let asked = work::join::ask(world.app(stranger), &code).await;
            asked.map_err(failed).map(|_| Vec::new())
        }
        Op::Approve { node } => {
            let (ours, theirs) = (world.app(*node), world.app(stranger));
            let digits = crate::door::compared(ours, theirs).await?;
            let approved = work::join::approve(ours, name, Some(&digits)).await;
            // A change of the group may become needless; it is no promise.
            approved.map_err(failed).map(|_| Vec::new())
        }
        _ => Ok(Vec::new()),
    }
}

/// A day so many days from a moment.
fn day(now: Moment, ahead: i64) -> Result<jiff::civil::Date> {
    let days = jiff::Span::new().try_days(ahead)?;
    let day: jiff::civil::Date = now.date().parse()?;
    Ok(day.checked_add(days)?)
}

/// The own claims in force, the oldest first.
async fn granted(world: &World, node: usize) -> Result<Vec<String>> {
    let mut db = world.app(node).store.read("looking for claims").await?;
    let claims = store::claim::latest(&mut db, 1_000).await?;
    let mut granted: Vec<_> = claims
        .into_iter()
        .filter(|claim| claim.phase == Phase::Granted)
        .map(|claim| (claim.position, claim.id.to_string()))
        .collect();
    granted.sort();
    Ok(granted.into_iter().map(|(_, id)| id).collect())
}

async fn claim(world: &World, op: &Op) -> Result<Vec<EntryId>> {
    match op {
        Op::Claim {
            node,
            list,
            channel,
            ahead,
            days,
        } => {
            let app = world.app(*node);
            let question = Question {
                from: From::List(people::list_name(*list)),
                channel: *channel,
                first: day(app.now(), *ahead)?,
                last: day(app.now(), ahead + days - 1)?,
                portion: None,
            };
            let taken = take::take(app, question).await.map_err(failed)?;
            Ok(vec![taken.1])
        }
        Op::Renew { node, nth } => {
            let claims = granted(world, *node).await?;
            ensure!(!claims.is_empty(), "no claim is in force");
            let renewed = change::renew(world.app(*node), &claims[nth % claims.len()]).await;
            renewed.map_err(failed).map(|(_, entry)| vec![entry])
        }
        Op::Release { node, nth, whole } => {
            let claims = granted(world, *node).await?;
            ensure!(!claims.is_empty(), "no claim is in force");
            let part = if *whole { Part::Whole } else { Part::Rest };
            let claim = &claims[nth % claims.len()];
            let released = change::release(world.app(*node), claim, part).await;
            released.map_err(failed).map(|(_, entry, _)| vec![entry])
        }
        _ => Ok(Vec::new()),
    }
}

async fn part(world: &World, op: &Op) -> Result<Vec<EntryId>> {
    match op {
        Op::Leave { node } => {
            let app = world.app(*node);
            let mut promised = Vec::new();
            // First by decisions that wait for nothing; what is left to take back then is nothing.
            for share in given(world, *node).await? {
                promised.extend(recalled(world, *node, &What::Share(share)).await?);
            }
            if promised.is_empty() {
                let leaving = work::parting::leave(app, true, false).await;
                promised.extend(leaving.map_err(failed)?.entry);
            }
            Ok(promised)
        }
        Op::Remove { node, whom, agree } => {
            let (name, _) = ORGANIZATIONS[*whom];
            let reason = (!agree).then_some("It does not answer.");
            let removal = work::parting::remove(world.app(*node), name, reason, false).await;
            Ok(removal.map_err(failed)?.entry.into_iter().collect())
        }
        _ => Ok(Vec::new()),
    }
}

async fn plan(world: &World, op: &Op) -> Result<Vec<EntryId>> {
    match op {
        Op::Plan {
            node,
            list,
            ahead,
            days,
        } => {
            let app = world.app(*node);
            let intention = Intention {
                channel: Channel::Door,
                from: day(app.now(), *ahead)?,
                to: day(app.now(), ahead + days - 1)?,
                purpose: Purpose::Gotv,
                label: format!("Round of {}", people::list_name(*list)),
                areas: Vec::new(),
                places: vec![Where::Postal("us 45402".to_owned())],
                list: None,
                volume: Some(40),
                contact: "Ask at the desk".to_owned(),
                replaces: None,
            };
            let filed = plans::file(app, intention).await.map_err(failed)?;
            Ok(vec![filed.1])
        }
        Op::Unplan { node, nth } => {
            let app = world.app(*node);
            let shown = plans::show::list(app).await.map_err(failed)?;
            let own: Vec<String> = shown
                .iter()
                .filter(|plan| plan.mine)
                .map(|plan| plan.plan.to_string())
                .collect();
            ensure!(!own.is_empty(), "no plan is filed");
            let withdrawn = plans::withdraw(app, &own[nth % own.len()]).await;
            Ok(vec![withdrawn.map_err(failed)?.1])
        }
        _ => Ok(Vec::new()),
    }
}

/// Shares that a node gave, the oldest first.
async fn given(world: &World, node: usize) -> Result<Vec<EntryId>> {
    let mut db = world.app(node).store.read("looking for shares").await?;
    let shares: Vec<String> =
        sqlx::query_scalar("SELECT share_id FROM share_out ORDER BY created_at, share_id")
            .fetch_all(&mut *db)
            .await?;
    let parsed = shares.iter().map(|share| Ok(share.parse()?));
    parsed.collect()
}

async fn share(world: &World, op: &Op) -> Result<Vec<EntryId>> {
    match op {
        Op::Share { node, list, to } => {
            let ask = Ask {
                to: vec![ORGANIZATIONS[*to].0.to_owned()],
                purpose: Purpose::Gotv,
                channel: Channel::Door,
                fields: vec![FieldClass::Identity, FieldClass::Postal],
                expires: None,
                consideration: Consideration::none(),
            };
            let list = people::list_name(*list % LISTS);
            let decided = send::decide(world.app(*node), ask, list.as_str()).await;
            Ok(decided.map_err(failed)?.shares().collect())
        }
        Op::Revoke {
            node,
            person,
            erase,
        } => {
            let kind = if *erase {
                RevokeKind::Erasure
            } else {
                RevokeKind::Restriction
            };
            let what = What::Person {
                person: people::id(*person % PEOPLE),
                share: None,
                kind,
            };
            recalled(world, *node, &what).await
        }
        Op::Recall { node, nth } => {
            let shares = given(world, *node).await?;
            ensure!(!shares.is_empty(), "nothing was shared");
            let share = shares[nth % shares.len()];
            recalled(world, *node, &What::Share(share)).await
        }
        _ => Ok(Vec::new()),
    }
}

async fn recalled(world: &World, node: usize, what: &What) -> Result<Vec<EntryId>> {
    let recall = recall::decide(world.app(node), what, false).await;
    let notices = recall.map_err(failed)?.notices;
    Ok(notices
        .into_iter()
        .filter_map(|notice| notice.notice)
        .collect())
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 3] = [Self::Begin, Self::Commit, Self::Committed];
}
