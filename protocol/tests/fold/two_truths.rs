//! Members that signed two truths: what is proof, what is none, what follows, and how it ends.

use super::{
    recall::revoke,
    world::{Inside, World},
};
use protocol::{
    channel::Channel,
    codec,
    entry::{
        Entry,
        housekeeping::Tick,
        payload::Payload,
        share::RevokeKind,
        suppression::Suppress,
        two_truths::{Cosigned, QuarantineLift, Truths, TwoTruths},
    },
    fold::{
        Void,
        two_truths::{standing, votes},
    },
    id::{EntryId, Hash, Lineage},
    identity::{KeyUse, NodeSecrets, Particulars, SignedDocument, Skip},
    note::{self, TreeHead},
    time::DAY,
};

/// A member's cosignature over a length, with a root of its own.
fn word(world: &World, secrets: &NodeSecrets, size: u64, root: &[u8], seconds: u64) -> Cosigned {
    let meta = world.state.meta();
    let head = TreeHead {
        origin: note::origin(meta.coalition, meta.head.lineage),
        size,
        root: Hash::of(root),
    };
    let key = secrets.signing_key(KeyUse::Statement);
    Cosigned {
        root: head.root,
        seconds,
        signature: head.cosigned(&key, seconds),
    }
}

fn heads(world: &World, n: usize, size: u64) -> TwoTruths {
    let own = &world.actors[n].secrets;
    TwoTruths {
        node: world.id(n),
        truths: Truths::Heads {
            size,
            first: word(world, own, size, b"one", 900),
            second: word(world, own, size, b"another", 900),
        },
    }
}

/// Two documents of one number by a member.
fn documents(world: &World, n: usize) -> TwoTruths {
    let known: SignedDocument = codec::decode(&world.actors[n].document).unwrap();
    let document = known.verify(world.now).unwrap();
    let signed = |days: i64| {
        let particulars = Particulars {
            organization: document.organization.clone(),
            kind: document.kind.clone(),
            endpoints: document.endpoints.clone(),
            capabilities: document.capabilities.clone(),
            valid_until: world.now.plus(days * DAY),
        };
        let own = &world.actors[n].secrets;
        let next = own.document(particulars, Some((&known, Skip(4))));
        codec::encode(&next.unwrap()).into()
    };
    TwoTruths {
        node: world.id(n),
        truths: Truths::Documents {
            first: signed(100),
            second: signed(200),
        },
    }
}

fn is_quarantined(world: &World, n: usize) -> bool {
    standing(&world.state, world.id(n)).is_some()
}

/// Says what should prove nothing.
fn is_no_proof(world: &mut World, said: TwoTruths) {
    let void = world.void(0, said);
    assert!(matches!(void, Void::Signature(_)), "{void}");
    assert!(!is_quarantined(world, 1));
}

#[test]
fn a_member_that_cosigned_two_roots_of_one_length_is_quarantined_whoever_says_it() {
    for by in [0, 2] {
        let mut world = World::agreed(3, 0);
        let said = heads(&world, 1, 5);
        let proof = world.done(by, said.clone());
        assert_eq!(standing(&world.state, world.id(1)).unwrap().proof, proof);
        assert_eq!(world.void(by, said), Void::Repeated);
    }
}

#[test]
fn a_member_that_signed_two_documents_of_one_number_is_quarantined() {
    let mut world = World::agreed(3, 0);
    let said = documents(&world, 1);
    world.done(2, said);
    assert!(is_quarantined(&world, 1));
}

#[test]
fn what_the_accused_did_not_sign_is_no_proof() {
    let mut world = World::agreed(3, 0);
    let good = heads(&world, 1, 5);
    let Truths::Heads { first, second, .. } = good.truths.clone() else {
        panic!("heads")
    };
    let with = |size, first, second| TwoTruths {
        node: good.node,
        truths: Truths::Heads {
            size,
            first,
            second,
        },
    };
    let stranger = word(&world, &world.actors[2].secrets, 5, b"another", 900);
    let mut altered = second;
    altered.root = Hash::of(b"a third");
    let mut later = second;
    later.seconds += 1;
    let mut cut = second;
    cut.signature.0[0] ^= 1;
    for forged in [stranger, altered, later, cut] {
        is_no_proof(&mut world, with(5, first, forged));
        is_no_proof(&mut world, with(5, forged, first));
    }
    // What was signed of one length says nothing of another.
    is_no_proof(&mut world, with(6, first, second));
    let mut elsewhere = world.state.clone();
    let mut meta = elsewhere.meta();
    meta.head.lineage = Lineage([9; 16]);
    elsewhere.meta.put((), meta);
    assert!(protocol::fold::two_truths::judge(&elsewhere, &good).is_err());
    // Another member's two words are nothing against this one.
    let mut borrowed = heads(&world, 2, 5);
    borrowed.node = world.id(1);
    is_no_proof(&mut world, borrowed);
    let mut borrowed = documents(&world, 2);
    borrowed.node = world.id(1);
    is_no_proof(&mut world, borrowed);
}

#[test]
fn what_an_honest_node_may_sign_twice_is_no_proof() {
    let mut world = World::agreed(3, 0);
    let own = &world.actors[1].secrets;
    let with = |first, second| TwoTruths {
        node: world.id(1),
        truths: Truths::Heads {
            size: 5,
            first,
            second,
        },
    };
    let first = word(&world, own, 5, b"one", 900);
    // The same again, and the same with another moment.
    let same = with(first, first);
    let again = with(first, word(&world, own, 5, b"one", 901));
    // By a node that was set back and stayed silent for its hour.
    let restored = with(first, word(&world, own, 5, b"another", 900 + 3_600));
    let Truths::Documents { first, .. } = documents(&world, 1).truths else {
        panic!("documents")
    };
    let renewed = TwoTruths {
        node: world.id(1),
        truths: Truths::Documents {
            first: first.clone(),
            second: world.actors[1].document.clone().into(),
        },
    };
    let twice = TwoTruths {
        node: world.id(1),
        truths: Truths::Documents {
            first: first.clone(),
            second: first,
        },
    };
    for said in [same, again, restored, renewed, twice] {
        is_no_proof(&mut world, said);
    }
}

#[test]
fn a_document_by_another_root_and_bytes_that_are_none_are_no_proof() {
    let mut world = World::agreed(3, 0);
    let Truths::Documents { first, second } = documents(&world, 1).truths else {
        panic!("documents")
    };
    let mut forged: SignedDocument = codec::decode(&second).unwrap();
    forged.signature.0[5] ^= 1;
    for bytes in [codec::encode(&forged), b"nothing".to_vec(), Vec::new()] {
        let said = TwoTruths {
            node: world.id(1),
            truths: Truths::Documents {
                first: first.clone(),
                second: bytes.into(),
            },
        };
        is_no_proof(&mut world, said);
    }
}

#[test]
fn nobody_is_accused_who_is_no_member() {
    let mut world = World::agreed(4, 1);
    let said = heads(&world, 3, 5);
    assert!(matches!(world.void(0, said), Void::Unknown(_)));
}

#[test]
fn nothing_is_granted_to_a_quarantined_member_and_nothing_flows_to_it() {
    let mut world = World::agreed(4, 0);
    let held = world.done(1, world.claim(Channel::Door, 0, 48, &[1]));
    let said = heads(&world, 1, 5);
    world.done(0, said);
    let refused: Vec<Entry> = vec![
        world.claim(Channel::Door, 0, 48, &[2]).into(),
        protocol::entry::claim::ClaimRenew { claim: held }.into(),
        world.plan(0, 48, "ward 5").into(),
        world.share(2, 3).into(),
        world.invitation(9, 3).into(),
        world.overlap_ask(&[2], None).into(),
    ];
    for entry in refused {
        let kind = entry.kind();
        let void = world.void(1, entry);
        assert!(matches!(void, Void::Quarantined(_)), "{kind}: {void}");
    }
    let to_it = world.void(2, world.share(1, 3));
    assert!(matches!(to_it, Void::Quarantined(_)), "{to_it}");
    let with_it = world.void(2, world.overlap_ask(&[1], None));
    assert!(matches!(with_it, Void::Quarantined(_)), "{with_it}");
    let counted_by_it = world.void(2, world.overlap_ask(&[3], Some(1)));
    assert!(
        matches!(counted_by_it, Void::Quarantined(_)),
        "{counted_by_it}"
    );
    // The others go on, and what it holds ends by itself.
    assert!(world.state.claims.has(&held));
    world.done(2, world.share(3, 3));
    world.done(2, world.claim(Channel::Door, 0, 48, &[7]));
}

#[test]
fn what_a_quarantined_member_takes_back_suppresses_or_answers_counts() {
    let mut world = World::agreed(3, 0);
    let given = world.done(1, world.share(2, 3));
    let got = world.done(2, world.share(1, 3));
    let taken_back = world.done(2, revoke(got, RevokeKind::Withdrawal, 1));
    let said = heads(&world, 1, 5);
    world.done(0, said);
    world.done(1, revoke(given, RevokeKind::Withdrawal, 1));
    world.done(1, protocol::entry::share::NoticeAck { notice: taken_back });
    let rows = protocol::entry::payload::write_rows([protocol::entry::payload::SuppressionRow {
        token: super::world::token(1),
        channels: protocol::entry::payload::Channels::EVERY,
        deceased: false,
    }]);
    let suppress = Suppress {
        generation: 1,
        rows: Payload::Inline(rows),
    };
    world.done(1, suppress);
    world.done(1, protocol::entry::parting::Leave {});
}

#[test]
fn the_members_lift_it_and_the_same_proof_counts_no_more() {
    let mut world = World::agreed(5, 0);
    let said = heads(&world, 1, 5);
    let proof = world.done(0, said.clone());
    let lift = |proof: EntryId, world: &World| QuarantineLift {
        node: world.id(1),
        proof,
    };
    assert_eq!(votes(&world.state, world.id(1)), (0, 3));
    let own = world.void(1, lift(proof, &world));
    assert!(matches!(own, Void::NotAllowed(_)), "{own}");
    let other = world.void(0, lift(EntryId([9; 16]), &world));
    assert!(matches!(other, Void::Unknown(_)), "{other}");
    world.done(0, lift(proof, &world));
    assert_eq!(world.void(0, lift(proof, &world)), Void::Repeated);
    world.done(2, lift(proof, &world));
    assert!(is_quarantined(&world, 1));
    world.done(3, lift(proof, &world));
    assert!(!is_quarantined(&world, 1));
    world.done(1, world.plan(0, 48, "ward 5"));
    let again = world.void(4, said);
    assert!(matches!(again, Void::NotAllowed(_)), "{again}");
    // What it signs twice from here on is another matter.
    let later = heads(&world, 1, world.state.meta().head.position + 50);
    world.done(4, later);
    assert!(is_quarantined(&world, 1));
}

#[test]
fn a_quarantined_member_does_not_lift_anothers_and_its_word_does_not_count() {
    let mut world = World::agreed(4, 0);
    let (one, two) = (heads(&world, 1, 5), heads(&world, 2, 5));
    let proof = world.done(0, one);
    let node = world.id(1);
    world.done(2, QuarantineLift { node, proof });
    assert_eq!(votes(&world.state, node), (1, 3));
    world.done(0, two);
    assert_eq!(votes(&world.state, node), (0, 2));
    let refused = world.void(2, QuarantineLift { node, proof });
    assert!(matches!(refused, Void::NotAllowed(_)), "{refused}");
}

#[test]
fn a_quarantined_member_brings_nobody_in_and_a_keeper_keeps_time_all_the_same() {
    let mut world = World::agreed(4, 1);
    world.done(1, world.invitation(7, 3));
    world.done(0, world.request(7, 3));
    let (one, keeper) = (heads(&world, 1, 5), heads(&world, 0, 5));
    world.done(0, one);
    let adding: Inside = world.adding(1, 3);
    let void = world.commit(1, adding).unwrap_err();
    assert!(matches!(void, Void::Quarantined(_)), "{void}");
    world.done(2, keeper);
    world.done(0, Tick {});
    // It renews its keys in the group as ever.
    world.commit(1, world.renewing(1)).unwrap();
}
