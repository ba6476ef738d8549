//! Packets: a granted claim cut into what one canvasser does in a shift.
//!
//! Packets are this node's own; allies see the claim alone. What a packet holds is filtered anew each
//! time that it is printed: a suppression or a release that came meanwhile counts.

use super::{
    cut::{self, Door},
    places::{Placed, Places},
};
use crate::{
    app::App,
    claims::{
        change::{self, Part},
        universe::Target,
        walk_list::{self, Guest, Holding, Stop},
    },
    http::problem::Failure,
    store::{
        self,
        claim::Phase,
        packet::{Packet, PacketState},
    },
};
use protocol::{
    channel::Channel,
    id::{EntryId, RowRef},
    problem::ProblemKind,
    token::Token,
};
use std::collections::BTreeSet;

/// The most stops of one packet.
pub const PACKET_STOPS: usize = 500;
/// The longest name of who walks a packet, in bytes.
pub const ASSIGNEE_BYTES: usize = 100;

/// The short code of a packet: the claim's number and its own.
#[must_use]
pub fn code(packet: &Packet) -> String {
    format!("{}-{}", packet.claim_number, packet.number)
}

/// What a claim was cut into.
#[derive(Debug)]
pub struct Made {
    /// The packets in order.
    pub packets: Vec<Packet>,
    /// Stops without coordinates, which follow street by street.
    pub without_point: u64,
    /// Contact points of the claim at which nobody may be contacted now; they are in no packet.
    pub closed: u64,
}

/// Cuts a granted claim; packets that nobody has yet are replaced.
///
/// # Errors
/// [`Failure`] when the size is out of range, the claim is not in force, or somebody has a packet of it.
pub async fn make(app: &App, claim: &str, size: usize, dry_run: bool) -> Result<Made, Failure> {
    if !(1..=PACKET_STOPS).contains(&size) {
        return Err(Failure::input(format!(
            "a packet has 1 to {PACKET_STOPS} doors; 20 to 45 are a shift"
        )));
    }
    let holding = walk_list::holding(app, claim).await?;
    let claim_id = holding.claim.id.to_string();
    let all = walk_list::stops(app, &holding).await?;
    let (doors, closed) = doors(app, &holding, &all).await?;
    if doors.is_empty() {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "there is nothing to cut: at none of the claim's contact points may anybody be contacted",
        ));
    }
    let without_point = doors.iter().filter(|door| door.position.is_none()).count() as u64;
    let cut = cut::cut(doors, size);
    let mut tx = app.store.write("cutting packets").await?;
    let known = store::packet::all(&mut tx, Some(&claim_id)).await?;
    if let Some(taken) = known
        .iter()
        .find(|packet| packet.state != PacketState::Unassigned)
    {
        return Err(Failure::new(
            ProblemKind::Conflict,
            format!(
                "packet {} is {}; a claim is cut anew only while nobody has a packet of it",
                code(taken),
                taken.state.name().replace('_', " ")
            ),
        ));
    }
    store::packet::remove_all(&mut tx, &claim_id).await?;
    let mut packets = Vec::new();
    for (number, doors) in (1..).zip(cut) {
        let packet = Packet {
            packet_id: RowRef::random(&mut crate::ambient::rng()).to_string(),
            claim_id: claim_id.clone(),
            claim_number: holding.number,
            number,
            state: PacketState::Unassigned,
            assignee: String::new(),
            stops: doors.len() as u64,
        };
        let stops: Vec<String> = doors.into_iter().map(|door| door.id).collect();
        store::packet::insert(&mut tx, &packet, &stops, app.now().0).await?;
        packets.push(packet);
    }
    if !dry_run {
        tx.commit().await?;
    }
    Ok(Made {
        packets,
        without_point,
        closed,
    })
}

/// The contact points at which somebody may be contacted, as doors to cut, and how many others.
async fn doors(app: &App, holding: &Holding, all: &[Stop]) -> Result<(Vec<Door>, u64), Failure> {
    let channel = holding.claim.channel;
    let places = Places::read(app).await?;
    let coalition = crate::coalition::active(app).await?;
    let open = |stop: &&Stop| !stop.contactable(&coalition.state, channel).is_empty();
    let doors: Vec<Door> = all
        .iter()
        .filter(open)
        .map(|stop| {
            let placed = place(&places, stop, &stop.contactable(&coalition.state, channel));
            let unit = stop.point.value.rsplit('|').next().unwrap_or_default();
            Door {
                id: stop.point.point_id.clone(),
                // Calls are made from a chair: their order is not on the ground.
                position: placed.position.filter(|_| channel == Channel::Door),
                street: stop.point.street.clone(),
                number: stop.point.number,
                unit: walk_list::natural(unit),
            }
        })
        .collect();
    let closed = (all.len() - doors.len()) as u64;
    Ok((doors, closed))
}

fn place(places: &Places, stop: &Stop, people: &[&Guest]) -> Placed {
    places.of_target(&Target {
        point: stop.point.clone(),
        people: people
            .iter()
            .map(|guest| guest.person.person_id.clone())
            .collect(),
    })
}

/// Packets of a claim, or of all.
///
/// # Errors
/// [`Failure`] when there is no such claim.
pub async fn list(app: &App, claim: Option<&str>) -> Result<Vec<Packet>, Failure> {
    let claim = match claim {
        Some(claim) => {
            let found = crate::claims::show::find(app, claim).await?;
            Some(found.id.to_string())
        }
        None => None,
    };
    let mut db = app.store.read("listing packets").await?;
    Ok(store::packet::all(&mut db, claim.as_deref()).await?)
}

/// The packet with a code.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn find(app: &App, code: &str) -> Result<Packet, Failure> {
    let numbers = code
        .trim()
        .split_once('-')
        .and_then(|(claim, number)| Some((claim.parse().ok()?, number.parse().ok()?)));
    let (claim, number): (i64, i64) = numbers.ok_or_else(|| {
        Failure::input(
            "name a packet by its code, for example 17-3: the claim's number and its own",
        )
    })?;
    let mut db = app.store.read("finding a packet").await?;
    let found = store::packet::find(&mut db, claim, number).await?;
    found.ok_or_else(|| {
        Failure::not_found("no such packet; `commonturf packets list` shows the packets there are")
    })
}

/// Somebody takes a packet, or, with an empty name, nobody has it any more.
///
/// # Errors
/// [`Failure`] when there is no such packet or it is done.
pub async fn assign(app: &App, code: &str, assignee: &str) -> Result<Packet, Failure> {
    let assignee = assignee.trim();
    if !assignee.is_empty() && !protocol::fold::share::is_line(assignee, ASSIGNEE_BYTES) {
        return Err(Failure::input(format!(
            "the name of who walks a packet is one line of at most {ASSIGNEE_BYTES} bytes"
        )));
    }
    let before = find(app, code).await?;
    let to = match (before.state, assignee.is_empty()) {
        (PacketState::Done, _) => return Err(refused(&before, "is done; nobody can take it")),
        (_, true) => PacketState::Unassigned,
        (PacketState::InProgress, false) => PacketState::InProgress,
        (_, false) => PacketState::Assigned,
    };
    let packet = Packet {
        state: to,
        assignee: assignee.to_owned(),
        ..before.clone()
    };
    write(app, before.state, packet).await
}

/// Somebody sets out with a packet.
///
/// # Errors
/// [`Failure`] when there is no such packet or nobody has it.
pub async fn start(app: &App, code: &str) -> Result<Packet, Failure> {
    let before = find(app, code).await?;
    match before.state {
        PacketState::Assigned | PacketState::InProgress => {}
        PacketState::Unassigned => {
            return Err(refused(&before, "has nobody to walk it; assign it first"));
        }
        PacketState::Done => return Err(refused(&before, "is done")),
    }
    let packet = Packet {
        state: PacketState::InProgress,
        ..before.clone()
    };
    write(app, before.state, packet).await
}

/// What the end of a packet gives back.
#[derive(Debug)]
pub struct Finished {
    /// The packet.
    pub packet: Packet,
    /// Contact points that nobody of this organization reached in the window; they are given back.
    pub rest: u64,
    /// The entry that gives them back; none where there is nothing, or it was kept.
    pub entry: Option<EntryId>,
}

/// A packet is over. What no own contact is known of is given back to allies, unless it is kept.
///
/// # Errors
/// [`Failure`] when there is no such packet, or it is done already.
pub async fn finish(app: &App, code: &str, keep: bool, dry_run: bool) -> Result<Finished, Failure> {
    let before = find(app, code).await?;
    if before.state == PacketState::Done {
        return Err(refused(&before, "is done already"));
    }
    let rest = rest(app, &before).await?;
    let count = rest.len() as u64;
    if dry_run {
        return Ok(Finished {
            packet: before,
            rest: count,
            entry: None,
        });
    }
    // Given back first: a crash in between leaves a packet that can be finished again.
    let entry = if keep || rest.is_empty() {
        None
    } else {
        let (_, entry, _) = change::release(app, &before.claim_id, Part::Tokens(rest)).await?;
        Some(entry)
    };
    let packet = Packet {
        state: PacketState::Done,
        ..before.clone()
    };
    Ok(Finished {
        packet: write(app, before.state, packet).await?,
        rest: count,
        entry,
    })
}

/// The tokens of a packet's stops that the claim still holds and nobody of this organization reached.
async fn rest(app: &App, packet: &Packet) -> Result<BTreeSet<Token>, Failure> {
    let claim = crate::claims::show::find(app, &packet.claim_id).await?;
    if claim.phase != Phase::Granted {
        return Ok(BTreeSet::new());
    }
    let generation = crate::claims::ground(app).await?.generation;
    let mut db = app.store.read("reading what of a packet is left").await?;
    let visited = store::claim::visited(&mut db, claim.channel, claim.from).await?;
    let visited: BTreeSet<Token> = visited.into_iter().collect();
    let held = store::claim::points(&mut db, claim.id).await?;
    let held: BTreeSet<Token> = held
        .into_iter()
        .filter(|point| point.state == "granted")
        .map(|point| point.token)
        .collect();
    let mut rest = BTreeSet::new();
    for point_id in store::packet::stops(&mut db, &packet.packet_id)
        .await?
        .keys()
    {
        let Some(point) = store::reach::by_id(&mut db, point_id, generation).await? else {
            continue;
        };
        if point.tokens().all(|token| !visited.contains(&token)) {
            rest.extend(point.tokens().filter(|token| held.contains(token)));
        }
    }
    Ok(rest)
}

fn refused(packet: &Packet, why: &str) -> Failure {
    Failure::new(
        ProblemKind::Conflict,
        format!("packet {} {why}", code(packet)),
    )
}

async fn write(app: &App, before: PacketState, packet: Packet) -> Result<Packet, Failure> {
    let mut tx = app.store.write("changing a packet").await?;
    if !store::packet::change(&mut tx, &packet, before, app.now().0).await? {
        return Err(refused(
            &packet,
            "was changed by somebody else just now; look again",
        ));
    }
    tx.commit().await?;
    Ok(packet)
}

/// A stop of a packet, with the people to meet there now.
pub(crate) struct Call {
    /// Its number within the packet, which stays when others close.
    pub(crate) number: usize,
    /// The contact point.
    pub(crate) stop: Stop,
    /// Where it lies.
    pub(crate) placed: Placed,
}

/// A packet to be printed.
pub(crate) struct Opened {
    /// The packet.
    pub(crate) packet: Packet,
    /// The claim.
    pub(crate) holding: Holding,
    /// The stops that are still held and open, in walking order.
    pub(crate) calls: Vec<Call>,
}

/// Reads a packet's stops as they are now.
///
/// # Errors
/// [`Failure`] when there is no such packet, it is done, or its claim is not in force.
pub(crate) async fn open(app: &App, code: &str) -> Result<Opened, Failure> {
    let packet = find(app, code).await?;
    if packet.state == PacketState::Done {
        return Err(refused(
            &packet,
            "is done; what was left of it is given back",
        ));
    }
    let holding = walk_list::holding(app, &packet.claim_id).await?;
    let mut db = app.store.read("reading a packet's stops").await?;
    let numbers = store::packet::stops(&mut db, &packet.packet_id).await?;
    drop(db);
    let places = Places::read(app).await?;
    let stops = walk_list::stops(app, &holding).await?;
    let coalition = crate::coalition::active(app).await?;
    let mut calls: Vec<Call> = Vec::new();
    for stop in stops {
        let number = numbers.get(&stop.point.point_id);
        let Some(number) = number.and_then(|number| usize::try_from(*number).ok()) else {
            continue;
        };
        let people = stop.contactable(&coalition.state, holding.claim.channel);
        if people.is_empty() {
            continue;
        }
        let placed = place(&places, &stop, &people);
        calls.push(Call {
            number,
            stop,
            placed,
        });
    }
    calls.sort_by_key(|call| call.number);
    Ok(Opened {
        packet,
        holding,
        calls,
    })
}
