//! What the vectors of the fold are made from. Files that exist are never written over.
//! Long because it is a table with a row per kind of entry.

use super::{
    file::{hex, variant},
    particular::{approval, dispute, exception, remove, use_notice},
    world::{Actor, Inside, START, Said, World, proposal, token},
};
use protocol::{
    channel::Channel,
    codec,
    entry::{
        Class, Entry,
        claim::{ClaimRelease, ClaimRenew},
        contact_report::ContactReport,
        housekeeping::{Keyset, Tick},
        membership::Genesis,
        parting::Leave,
        payload::{Channels, ContactEffect, ContactRow, Payload, SuppressionRow, write_rows},
        plan::PlanWithdraw,
        share::{
            ERASURE_PREFIX, ErasureReceipt, ErasureResult, ErasureStatement, NoticeAck, Onward,
            Revoke, RevokeKind, ShareReceived,
        },
        suppression::{Suppress, SuppressWithdraw},
    },
    fold::Outcome,
    id::{EntryId, Hash},
    state::State,
    time::{DAY, HOUR, Moment},
    token::KeyShare,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::{Value, json};

/// Members 0 (keeper), 1 and 2; 3 waits at the door; 4 has an invitation.
const ACTORS: u8 = 5;

/// The states that vectors start from.
pub(crate) fn states() -> Vec<(String, Value)> {
    let vector = |why: &str, state: &State| {
        json!({
            "section": "protocol.md 6",
            "why": why,
            "snapshot": hex(&state.snapshot()),
            "hash": state.hash().to_string(),
        })
    };
    vec![
        (
            "empty".to_owned(),
            vector("a log without entries", &World::empty(1).state),
        ),
        (
            "working".to_owned(),
            vector(
                "three parties with a claim, a plan, a share, a notice, a draft, a newcomer",
                &working(),
            ),
        ),
    ]
}

fn working() -> State {
    let mut world = World::agreed(ACTORS, 2);
    world.done(1, world.invitation(7, 20));
    world.done(0, world.request(7, 3));
    world.done(1, world.invitation(8, 20));
    world.done(1, world.claim(Channel::Door, 0, 240, &[1, 2]));
    world.done(1, world.plan(0, 240, "ward 5"));
    let share = world.done(1, world.share(2, 10));
    world.done(1, revoke(share, 4));
    let onward = world.done(2, world.share(0, 5));
    world.done(2, revoke(onward, 3));
    let mut draft = world.draft();
    draft.terms = draft.terms.replace("min_cell = 10", "min_cell = 12");
    world.done(0, proposal(&draft));
    for n in [0, 2] {
        let sign = world.signature(n, draft.hash());
        world.done(n, sign);
    }
    world.done(0, remove(world.id(2)));
    world.state
}

pub(crate) fn revoke(share: EntryId, count: u64) -> Revoke {
    Revoke {
        share,
        kind: RevokeKind::Withdrawal,
        count,
        row_refs: Payload::Inline(b"sealed to the recipient".to_vec()),
    }
}

pub(crate) fn inline(bytes: &[u8]) -> Payload {
    Payload::Inline(bytes.to_vec())
}

pub(crate) fn assertion(channels: u8) -> Payload {
    let row = SuppressionRow {
        token: token(5),
        channels: Channels(channels),
        deceased: false,
    };
    Payload::Inline(write_rows([row]))
}

pub(crate) fn contact(at: Moment) -> ContactReport {
    let row = ContactRow {
        token: token(4),
        at,
        effect: ContactEffect::Contact,
    };
    ContactReport {
        generation: 1,
        channel: Channel::Door,
        rows: Payload::Inline(write_rows([row])),
        claim: None,
    }
}

/// Ids that stand in the working state.
pub(crate) struct Known {
    pub(crate) claim: EntryId,
    pub(crate) plan: EntryId,
    pub(crate) share: EntryId,
    pub(crate) notice: EntryId,
    pub(crate) onward: EntryId,
    pub(crate) draft: Hash,
}

pub(crate) fn known(state: &State) -> Known {
    let mut shares = state.shares.iter();
    let share = shares.find(|(_, row)| row.announced.count == 10);
    let of = |count| state.notices.iter().find(|(_, row)| row.count == count);
    Known {
        claim: *state.claims.iter().next().unwrap().0,
        plan: *state.plans.iter().next().unwrap().0,
        share: *share.unwrap().0,
        notice: *of(4).unwrap().0,
        onward: *of(3).unwrap().0,
        draft: *state
            .agreements
            .iter()
            .find(|(_, row)| row.active_from.is_none())
            .unwrap()
            .0,
    }
}

pub(crate) fn world(working: &State) -> World {
    let mut world = World::at(working.clone(), START, ACTORS);
    world.wait(HOUR);
    world
}

pub(crate) fn statement(world: &World, known: &Known, erased: u64) -> Vec<u8> {
    let notice = world.state.notices.get(&known.notice).unwrap();
    codec::encode(&ErasureStatement {
        node: world.id(2),
        notice: known.notice,
        share: known.share,
        result: ErasureResult::Erased,
        erased,
        completed_at: world.now,
        backups_expire_by: world.now.plus(30 * DAY),
        retained: Vec::new(),
        suppression_kept: true,
        notice_position: notice.position,
        notice_hash: notice.hash,
        onward: vec![Onward {
            to: world.id(0),
            notice: Some(known.onward),
            receipt: None,
        }],
    })
}

pub(crate) fn receipt(world: &World, signer: usize, statement: Vec<u8>) -> ErasureReceipt {
    let signature = world.actors[signer].states(&[ERASURE_PREFIX, &statement].concat());
    ErasureReceipt {
        statement,
        signature,
    }
}

pub(crate) fn keyset(generation: u32, node: protocol::id::NodeId) -> Keyset {
    let (_, keyset) = KeyShare::found(generation, node, &mut ChaCha8Rng::seed_from_u64(5));
    Keyset {
        keyset: codec::encode(&keyset),
    }
}

pub(crate) fn genesis(actor: &Actor, name: &str) -> Genesis {
    Genesis {
        name: name.to_owned(),
        document: actor.document.clone(),
    }
}

/// One good entry of each kind: section, state, entry, author.
#[expect(clippy::too_many_lines, reason = "a table with a row per kind")]
pub(crate) fn good(working: &State) -> Vec<(&'static str, &'static str, Entry, usize)> {
    let world = world(working);
    let known = known(working);
    let mut draft = world.draft();
    draft.terms = draft.terms.replace("min_cell = 10", "min_cell = 14");
    let part = Some(Payload::Inline(write_rows([token(2)])));
    let received = ShareReceived {
        share: known.share,
        accepted: 7,
        dropped: 3,
    };
    let head = working.meta().head.position;
    let checkpoint = world.checkpoint(1, head);
    let mut fourth = world.request(8, 4);
    fourth.node = world.id(4);
    vec![
        (
            "5.1",
            "empty",
            genesis(&world.actors[0], "Riverside").into(),
            0,
        ),
        ("5.1", "working", world.invitation(9, 3).into(), 1),
        ("5.1", "working", fourth.into(), 0),
        ("5.2", "working", proposal(&draft).into(), 1),
        ("5.2", "working", world.signature(1, known.draft).into(), 1),
        (
            "5.5",
            "working",
            world.claim(Channel::Door, 24, 48, &[2, 3]).into(),
            2,
        ),
        (
            "5.5",
            "working",
            ClaimRenew { claim: known.claim }.into(),
            1,
        ),
        (
            "5.5",
            "working",
            ClaimRelease {
                claim: known.claim,
                tokens: part,
            }
            .into(),
            1,
        ),
        ("5.4", "working", world.plan(24, 48, "ward 27").into(), 2),
        (
            "5.4",
            "working",
            PlanWithdraw { plan: known.plan }.into(),
            1,
        ),
        ("5.6", "working", contact(world.now).into(), 2),
        (
            "5.7",
            "working",
            Suppress {
                generation: 1,
                rows: assertion(0b0011),
            }
            .into(),
            2,
        ),
        (
            "5.7",
            "working",
            SuppressWithdraw {
                generation: 1,
                rows: assertion(0b0001),
            }
            .into(),
            2,
        ),
        ("5.8", "working", world.share(1, 3).into(), 2),
        ("5.8", "working", received.into(), 2),
        ("5.9", "working", revoke(known.share, 2).into(), 1),
        (
            "5.9",
            "working",
            NoticeAck {
                notice: known.notice,
            }
            .into(),
            2,
        ),
        (
            "5.9",
            "working",
            receipt(&world, 2, statement(&world, &known, 4)).into(),
            2,
        ),
        ("5.10", "working", keyset(2, world.id(0)).into(), 0),
        ("5.10", "working", checkpoint.into(), 1),
        ("5.10", "working", Tick {}.into(), 0),
        ("5.9", "working", exception(known.notice).into(), 1),
        ("5.9", "working", dispute(known.share, 3).into(), 2),
        ("5.11", "working", Leave {}.into(), 2),
        ("5.11", "working", remove(world.id(1)).into(), 2),
        ("5.11", "working", approval(&world, 2).into(), 1),
        ("5.8", "working", use_notice(known.share, 0).into(), 2),
        ("5.14", "working", super::identity::next(&world).into(), 1),
    ]
    .into_iter()
    .chain(super::ceremony::good(working))
    .chain(super::overlap::good(working))
    .chain(super::rotation::good(working))
    .chain(super::hand_on::good(working))
    .chain(super::two_truths::good(working))
    .collect()
}

/// Everything that the fold's vectors are about.
pub(crate) fn all(working: &State) -> Vec<(String, Value)> {
    let mut vectors = Vec::new();
    for (section, start, entry, author) in good(working) {
        let kind = entry.kind();
        vectors.push(one(
            working,
            section,
            start,
            "",
            "as its section asks",
            author,
            &entry,
        ));
        // Refusals that every kind has.
        if kind != "genesis" {
            let why = "its author is no member";
            vectors.push(one(
                working,
                section,
                start,
                "by_a_stranger",
                why,
                4,
                &entry,
            ));
        }
        vectors.push(other_class(working, section, start, author, &entry));
        vectors.push(used_id(working, section, author, &entry));
        if entry.evidence().is_some() {
            vectors.push(other_evidence(working, section, author, &entry));
        }
    }
    vectors.extend(super::particular::entries(working));
    vectors.extend(super::ceremony::refused(working));
    vectors.extend(super::identity::refused(working));
    vectors.extend(super::overlap::refused(working));
    vectors.extend(super::rotation::refused(working));
    vectors.extend(super::hand_on::refused(working));
    vectors.extend(super::two_truths::refused(working));
    vectors.extend(super::particular::commits(working));
    vectors
}

pub(crate) fn start(working: &State, name: &str) -> World {
    match name {
        "empty" => World::empty(ACTORS),
        "working" => world(working),
        other => world(&super::file::state(other)),
    }
}

/// A vector of what the fold makes of an entry now.
pub(crate) fn one(
    working: &State,
    section: &str,
    from: &str,
    name: &str,
    why: &str,
    author: usize,
    entry: &Entry,
) -> (String, Value) {
    let mut world = start(working, from);
    let id = EntryId([0xaa; 16]);
    let header = world.header(author, id, entry);
    let rows = match entry.payload() {
        Some(Payload::Inline(rows)) => Some(rows.clone()),
        _ => None,
    };
    let said = world.next(
        author,
        id,
        header,
        Inside::Entry(Box::new(entry.clone()), rows),
    );
    vector(world, section, from, entry.kind(), name, why, said)
}

fn other_class(
    working: &State,
    section: &str,
    from: &str,
    author: usize,
    entry: &Entry,
) -> (String, Value) {
    let mut world = start(working, from);
    let id = EntryId([0xaa; 16]);
    let mut header = world.header(author, id, entry);
    header.class = if header.class == Class::Data {
        Class::Claims
    } else {
        Class::Data
    };
    let said = world.next(
        author,
        id,
        header,
        Inside::Entry(Box::new(entry.clone()), None),
    );
    vector(
        world,
        section,
        from,
        entry.kind(),
        "other_class",
        "its class is another kind's",
        said,
    )
}

fn other_evidence(working: &State, section: &str, author: usize, entry: &Entry) -> (String, Value) {
    let mut world = world(working);
    let id = EntryId([0xaa; 16]);
    let mut header = world.header(author, id, entry);
    header.evidence = Some(Hash::of(b"another entry"));
    let said = world.next(
        author,
        id,
        header,
        Inside::Entry(Box::new(entry.clone()), None),
    );
    let why = "its header shows the hash of another entry";
    vector(
        world,
        section,
        "working",
        entry.kind(),
        "other_evidence",
        why,
        said,
    )
}

fn used_id(working: &State, section: &str, author: usize, entry: &Entry) -> (String, Value) {
    let mut world = world(working);
    let id = known(working).share;
    let header = world.header(author, id, entry);
    let said = world.next(
        author,
        id,
        header,
        Inside::Entry(Box::new(entry.clone()), None),
    );
    vector(
        world,
        section,
        "working",
        entry.kind(),
        "used_id",
        "its id has taken effect",
        said,
    )
}

pub(crate) fn vector(
    mut world: World,
    section: &str,
    from: &str,
    kind: &str,
    name: &str,
    why: &str,
    said: Said,
) -> (String, Value) {
    let mut value = json!({
        "section": format!("protocol.md {section}"),
        "kind": kind,
        "why": why,
        "state": from,
        "log_time": said.at.time.0,
        "sealed": hex(&said.item.sealed),
        "author": said.at.author.to_string(),
        "entry_id": hex(&said.at.entry.0),
        "class": format!("{:?}", said.header.class).to_lowercase(),
        "blobs": said.header.blobs.iter().map(|blob| hex(&blob.0.0)).collect::<Vec<_>>(),
        "evidence": said.header.evidence.map(|hash| hex(&hash.0)),
    });
    match &said.inside {
        Inside::Entry(entry, rows) => {
            value["entry"] = json!(hex(&codec::encode(&**entry)));
            value["rows"] = rows.as_deref().map(hex).into();
        }
        Inside::Commit {
            added,
            removed,
            author_key,
            opens,
            rejoin,
        } => {
            value["commit"] = json!({
                "added": added.iter().map(|(node, key)| json!([node.to_string(), hex(key)])).collect::<Vec<_>>(),
                "removed": removed.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "author_key": author_key.map(|key| hex(&key)),
                "opens": opens,
                "rejoin": rejoin,
            });
        }
    }
    let outcome = world.fold(said);
    let name = if name.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}_{name}")
    };
    match outcome {
        Ok(outcome) => {
            let words = match outcome {
                Outcome::Done => "done".to_owned(),
                Outcome::Claim(d) => {
                    format!("granted {}, refused {}", d.granted.len(), d.refused.len())
                }
                Outcome::AgreementInForce(hash) => format!("agreement {hash} in force"),
                Outcome::Parted(claims) => format!("parted, claims ended {}", claims.len()),
            };
            value["expect"] = json!(format!("{words}; state {}", world.state.hash()));
            (format!("accept_{name}"), value)
        }
        Err(void) => {
            value["error"] = json!(variant(&void));
            (format!("refuse_{name}"), value)
        }
    }
}
