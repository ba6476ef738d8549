//! What the vectors of the fold are made from. Files that exist are never written over.

use super::{
    COMMIT,
    file::{hex, variant},
    world::{Actor, Inside, START, Said, World, proposal, token},
};
use protocol::{
    channel::Channel,
    codec,
    entry::{
        Class, Entry,
        agreement::AgreementSign,
        claim::{ClaimRelease, ClaimRenew},
        contact_report::ContactReport,
        housekeeping::{Checkpoint, Keyset, Tick},
        membership::Genesis,
        payload::{Channels, ContactEffect, ContactRow, Payload, SuppressionRow, write_rows},
        share::{
            ERASURE_PREFIX, ErasureReceipt, ErasureResult, ErasureStatement, NoticeAck, Revoke,
            RevokeKind, ShareReceived,
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
                "three parties with a claim, a share, a notice, a draft, a newcomer",
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
    let share = world.done(1, world.share(2, 10));
    world.done(1, revoke(share, 4));
    let mut draft = world.draft();
    draft.terms = draft.terms.replace("min_cell = 10", "min_cell = 12");
    world.done(0, proposal(&draft));
    for n in [0, 2] {
        let sign = world.signature(n, draft.hash());
        world.done(n, sign);
    }
    world.state
}

fn revoke(share: EntryId, count: u64) -> Revoke {
    Revoke {
        share,
        kind: RevokeKind::Withdrawal,
        count,
        row_refs: Payload::Inline(b"sealed to the recipient".to_vec()),
    }
}

fn inline(bytes: &[u8]) -> Payload {
    Payload::Inline(bytes.to_vec())
}

fn assertion(channels: u8) -> Payload {
    let row = SuppressionRow {
        token: token(5),
        channels: Channels(channels),
        deceased: false,
    };
    Payload::Inline(write_rows([row]))
}

fn contact(at: Moment) -> ContactReport {
    let row = ContactRow {
        token: token(4),
        at,
        effect: ContactEffect::Contact,
    };
    ContactReport {
        channel: Channel::Door,
        rows: Payload::Inline(write_rows([row])),
        claim: None,
    }
}

/// Ids that stand in the working state.
struct Known {
    claim: EntryId,
    share: EntryId,
    notice: EntryId,
    draft: Hash,
}

fn known(state: &State) -> Known {
    Known {
        claim: *state.claims.iter().next().unwrap().0,
        share: *state.shares.iter().next().unwrap().0,
        notice: *state.notices.iter().next().unwrap().0,
        draft: *state
            .agreements
            .iter()
            .find(|(_, row)| row.active_from.is_none())
            .unwrap()
            .0,
    }
}

fn world(working: &State) -> World {
    let mut world = World::at(working.clone(), START, ACTORS);
    world.wait(HOUR);
    world
}

fn statement(world: &World, known: &Known, erased: u64) -> Vec<u8> {
    codec::encode(&ErasureStatement {
        node: world.id(2),
        notice: known.notice,
        share: known.share,
        result: ErasureResult::Erased,
        erased,
        completed_at: world.now,
        backups_expire_by: world.now.plus(30 * DAY),
    })
}

fn receipt(world: &World, signer: usize, statement: Vec<u8>) -> ErasureReceipt {
    let signature = world.actors[signer].states(&[ERASURE_PREFIX, &statement].concat());
    ErasureReceipt {
        statement,
        signature,
    }
}

fn keyset(generation: u32, node: protocol::id::NodeId) -> Keyset {
    let (_, keyset) = KeyShare::found(generation, node, &mut ChaCha8Rng::seed_from_u64(5));
    Keyset {
        keyset: codec::encode(&keyset),
    }
}

fn genesis(actor: &Actor, name: &str) -> Genesis {
    Genesis {
        name: name.to_owned(),
        document: actor.document.clone(),
    }
}

/// One good entry of each kind: section, state, entry, author.
#[expect(clippy::too_many_lines, reason = "a table: one line or two per case")]
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
    let checkpoint = Checkpoint {
        position: head,
        state: working.hash(),
        authenticator: Hash::of(b"authenticator"),
    };
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
        ("5.6", "working", contact(world.now).into(), 2),
        (
            "5.7",
            "working",
            Suppress {
                rows: assertion(0b0011),
            }
            .into(),
            2,
        ),
        (
            "5.7",
            "working",
            SuppressWithdraw {
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
    ]
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
    }
    vectors.extend(particular(working));
    vectors.extend(commits(working));
    vectors
}

/// Refusals that only one kind has: name, why, author, entry.
#[expect(clippy::too_many_lines, reason = "a table: one line or two per case")]
fn particular(working: &State) -> Vec<(String, Value)> {
    let w = world(working);
    let k = known(working);
    let unknown = EntryId([9; 16]);
    let claim = |change: &dyn Fn(&mut protocol::entry::claim::Claim)| {
        let mut claim = w.claim(Channel::Door, 24, 48, &[2, 3]);
        change(&mut claim);
        Entry::from(claim)
    };
    let share = |change: &dyn Fn(&mut protocol::entry::share::Share)| {
        let mut share = w.share(1, 3);
        change(&mut share);
        Entry::from(share)
    };
    let mut other_party = w.draft();
    other_party.parties.pop();
    let mut bad_terms = w.draft();
    bad_terms.terms = "nothing".to_owned();
    let mut old_version = w.draft();
    old_version.version = 1;
    let mut cut_package = w.request(8, 4);
    cut_package.key_package.pop();
    let me = w.id(2);
    let cases: Vec<(&str, &str, &str, &str, usize, Entry)> = vec![
        (
            "5.1",
            "empty",
            "foreign_document",
            "the document is another node's",
            1,
            genesis(&w.actors[0], "Riverside").into(),
        ),
        (
            "5.1",
            "empty",
            "hidden_name",
            "the name turns the text around",
            0,
            genesis(&w.actors[0], "River\u{202e}side").into(),
        ),
        (
            "5.1",
            "working",
            "second",
            "the log has its first entry",
            0,
            genesis(&w.actors[0], "Riverside").into(),
        ),
        (
            "5.1",
            "working",
            "long_life",
            "good for more than thirty days",
            1,
            w.invitation(9, 31).into(),
        ),
        (
            "5.1",
            "working",
            "known_token",
            "its token is another's",
            2,
            w.invitation(7, 3).into(),
        ),
        (
            "5.1",
            "working",
            "by_a_member",
            "only a keeper announces newcomers",
            1,
            w.request(8, 4).into(),
        ),
        (
            "5.1",
            "working",
            "unknown_token",
            "nobody made this invitation",
            0,
            w.request(99, 4).into(),
        ),
        (
            "5.1",
            "working",
            "spent_token",
            "another newcomer used the invitation",
            0,
            w.request(7, 4).into(),
        ),
        (
            "5.1",
            "working",
            "cut_package",
            "the key package is cut off",
            0,
            cut_package.into(),
        ),
        (
            "5.2",
            "working",
            "old_version",
            "version 1 is in force already",
            0,
            proposal(&old_version).into(),
        ),
        (
            "5.2",
            "working",
            "missing_party",
            "a member is not named",
            0,
            proposal(&other_party).into(),
        ),
        (
            "5.2",
            "working",
            "bad_terms",
            "the terms cannot be read",
            0,
            proposal(&bad_terms).into(),
        ),
        (
            "5.2",
            "working",
            "unknown_draft",
            "nobody proposed it",
            1,
            AgreementSign {
                agreement: Hash::ZERO,
                signature: [0; 64],
            }
            .into(),
        ),
        (
            "5.2",
            "working",
            "bad_signature",
            "the signature is not over the draft",
            1,
            AgreementSign {
                agreement: k.draft,
                signature: [0; 64],
            }
            .into(),
        ),
        (
            "5.2",
            "working",
            "twice",
            "the signer has signed",
            2,
            w.signature(2, k.draft).into(),
        ),
        (
            "5.5",
            "working",
            "other_agreement",
            "made under another agreement",
            2,
            claim(&|c| c.agreement = Hash::ZERO),
        ),
        (
            "5.5",
            "working",
            "too_late",
            "ordered after grant_by",
            2,
            claim(&|c| c.grant_by = START),
        ),
        (
            "5.5",
            "working",
            "too_long",
            "longer than the agreement allows",
            2,
            claim(&|c| c.to = c.from.plus(15 * DAY)),
        ),
        (
            "5.5",
            "working",
            "rows_out_of_order",
            "the tokens fall",
            2,
            claim(&|c| c.tokens = inline(&[[3; 16], [2; 16]].concat())),
        ),
        (
            "5.5",
            "working",
            "by_another",
            "the claim is another's",
            2,
            ClaimRenew { claim: k.claim }.into(),
        ),
        (
            "5.5",
            "working",
            "unknown",
            "there is no such claim",
            1,
            ClaimRenew { claim: unknown }.into(),
        ),
        (
            "5.5",
            "working",
            "by_another",
            "the claim is another's",
            2,
            ClaimRelease {
                claim: k.claim,
                tokens: None,
            }
            .into(),
        ),
        (
            "5.5",
            "working",
            "unknown",
            "there is no such claim",
            1,
            ClaimRelease {
                claim: unknown,
                tokens: None,
            }
            .into(),
        ),
        (
            "5.6",
            "working",
            "future",
            "three days ahead of log time",
            2,
            contact(w.now.plus(3 * DAY)).into(),
        ),
        (
            "5.6",
            "working",
            "cut_row",
            "the last row is cut off",
            2,
            ContactReport {
                rows: inline(&[1; 24]),
                ..contact(w.now)
            }
            .into(),
        ),
        (
            "5.7",
            "working",
            "no_rows",
            "it says nothing",
            2,
            Suppress { rows: inline(&[]) }.into(),
        ),
        (
            "5.7",
            "working",
            "unknown_channel",
            "there is no fifth channel",
            2,
            Suppress {
                rows: assertion(0b1_0000),
            }
            .into(),
        ),
        (
            "5.7",
            "working",
            "no_rows",
            "it says nothing",
            2,
            SuppressWithdraw { rows: inline(&[]) }.into(),
        ),
        (
            "5.8",
            "working",
            "to_itself",
            "sender and recipient are one",
            2,
            share(&|s| s.to = me),
        ),
        (
            "5.8",
            "working",
            "fields_out_of_order",
            "the field classes fall",
            2,
            share(&|s| s.fields.reverse()),
        ),
        (
            "5.8",
            "working",
            "nobody",
            "it has no persons",
            2,
            share(&|s| s.count = 0),
        ),
        (
            "5.8",
            "working",
            "by_the_sender",
            "only the recipient answers",
            1,
            ShareReceived {
                share: k.share,
                accepted: 1,
                dropped: 0,
            }
            .into(),
        ),
        (
            "5.8",
            "working",
            "more_than_sent",
            "more rows than were announced",
            2,
            ShareReceived {
                share: k.share,
                accepted: 10,
                dropped: 1,
            }
            .into(),
        ),
        (
            "5.9",
            "working",
            "by_the_recipient",
            "only the sender takes it back",
            2,
            revoke(k.share, 2).into(),
        ),
        (
            "5.9",
            "working",
            "more_than_shared",
            "more rows than were shared",
            1,
            revoke(k.share, 11).into(),
        ),
        (
            "5.9",
            "working",
            "by_the_sender",
            "only the recipient answers",
            1,
            NoticeAck { notice: k.notice }.into(),
        ),
        (
            "5.9",
            "working",
            "unknown",
            "there is no such notice",
            2,
            NoticeAck { notice: unknown }.into(),
        ),
        (
            "5.9",
            "working",
            "anothers_key",
            "signed by another member",
            2,
            receipt(&w, 1, statement(&w, &k, 4)).into(),
        ),
        (
            "5.9",
            "working",
            "more_than_taken_back",
            "more rows than the notice has",
            2,
            receipt(&w, 2, statement(&w, &k, 5)).into(),
        ),
        (
            "5.10",
            "working",
            "by_a_member",
            "only a keeper announces keys",
            1,
            keyset(2, w.id(0)).into(),
        ),
        (
            "5.10",
            "working",
            "generation_left_out",
            "generations follow one another",
            0,
            keyset(3, w.id(0)).into(),
        ),
        (
            "5.10",
            "working",
            "ahead",
            "its position is not behind",
            1,
            Checkpoint {
                position: u64::MAX,
                state: Hash::ZERO,
                authenticator: Hash::ZERO,
            }
            .into(),
        ),
        (
            "5.10",
            "working",
            "by_a_member",
            "only a keeper lets time pass",
            1,
            Tick {}.into(),
        ),
    ];
    cases
        .into_iter()
        .map(|(section, start, name, why, author, entry)| {
            one(working, section, start, name, why, author, &entry)
        })
        .collect()
}

fn start(working: &State, name: &str) -> World {
    if name == "empty" {
        World::empty(ACTORS)
    } else {
        world(working)
    }
}

/// A vector of what the fold makes of an entry now.
fn one(
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

fn commits(working: &State) -> Vec<(String, Value)> {
    type Change =
        fn(&mut World, &mut Vec<(protocol::id::NodeId, [u8; 32])>, &mut Vec<protocol::id::NodeId>);
    let cases: [(&str, &str, usize, Change); 6] = [
        (
            "",
            "the inviter adds the newcomer that waits",
            1,
            |_, _, _| (),
        ),
        ("by_another", "another member invited it", 0, |_, _, _| ()),
        (
            "other_key",
            "the added key is not the one in the newcomer's document",
            1,
            |_, added, _| added[0].1[0] ^= 1,
        ),
        (
            "nobody_asked",
            "the added node never asked",
            1,
            |w, added, _| added[0].0 = w.id(4),
        ),
        (
            "removal",
            "no member is removed in this version",
            1,
            |w, _, removed| removed.push(w.id(2)),
        ),
        ("by_a_stranger", "its author is no member", 4, |_, _, _| ()),
    ];
    let mut vectors = Vec::new();
    for (name, why, author, change) in cases {
        let mut world = world(working);
        let Inside::Commit {
            mut added,
            mut removed,
            author_key,
            opens,
        } = world.adding(author, 3)
        else {
            unreachable!()
        };
        change(&mut world, &mut added, &mut removed);
        let id = EntryId([0xaa; 16]);
        let header = super::world::header(
            world.id(author),
            id,
            Class::Control,
            protocol::envelope::Form::Commit,
            Vec::new(),
        );
        let said = world.next(
            author,
            id,
            header,
            Inside::Commit {
                added,
                removed,
                author_key,
                opens,
            },
        );
        vectors.push(vector(world, "5.1", "working", COMMIT, name, why, said));
    }
    vectors
}

fn vector(
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
        } => {
            value["commit"] = json!({
                "added": added.iter().map(|(node, key)| json!([node.to_string(), hex(key)])).collect::<Vec<_>>(),
                "removed": removed.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "author_key": author_key.map(|key| hex(&key)),
                "opens": opens,
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
