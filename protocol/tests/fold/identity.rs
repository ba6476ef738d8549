//! Identity documents: all members switch keys at one position, and nobody switches back.

use super::world::{Inside, START, World};
use protocol::{
    codec,
    entry::{
        agreement::AgreementSign,
        housekeeping::Tick,
        membership::Identity,
        payload::{Channels, Payload, SuppressionRow, write_rows},
        suppression::Suppress,
    },
    fold::{
        Outcome, Void,
        identity::{DOCUMENTS_PER_DAY, GRACE},
    },
    identity::{IdentityDocument, KeyUse, NodeSecrets, Particulars, SignedDocument, Skip},
    time::{DAY, HOUR, Moment},
    version::Versions,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

const ALL: [KeyUse; 5] = [
    KeyUse::Request,
    KeyUse::Mls,
    KeyUse::Age,
    KeyUse::Head,
    KeyUse::Statement,
];

fn signed(world: &World, n: usize) -> SignedDocument {
    let id = world.id(n);
    codec::decode(&world.state.members.get(&id).unwrap().document).unwrap()
}

fn read(signed: &SignedDocument) -> IdentityDocument {
    codec::decode(&signed.document).unwrap()
}

/// What stays when a document is renewed.
fn same(world: &World, n: usize) -> Particulars {
    let document = read(&signed(world, n));
    Particulars {
        organization: document.organization,
        kind: document.kind,
        endpoints: document.endpoints,
        capabilities: document.capabilities,
        valid_until: world.now.plus(390 * DAY),
    }
}

fn fresh(world: &World, n: usize, uses: &[KeyUse], seed: u64) -> NodeSecrets {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    world.actors[n].secrets.rotated(uses, &mut rng)
}

fn entry(document: &SignedDocument) -> Identity {
    Identity {
        document: codec::encode(document),
    }
}

/// The next document of a member with fresh keys.
fn next(world: &World, n: usize, secrets: &NodeSecrets) -> Identity {
    let known = signed(world, n);
    entry(
        &secrets
            .document(same(world, n), Some((&known, Skip(0))))
            .unwrap(),
    )
}

/// A member changes these keys, and uses the new ones from there on.
pub(super) fn rotate(world: &mut World, n: usize, uses: &[KeyUse], seed: u64) {
    let secrets = fresh(world, n, uses, seed);
    let said = next(world, n, &secrets);
    world.done(n, said);
    world.actors[n].secrets = secrets;
}

#[test]
fn all_members_know_the_new_keys_from_one_position_on() {
    let mut world = World::agreed(3, 0);
    let before = read(&signed(&world, 1));
    rotate(&mut world, 1, &[KeyUse::Request, KeyUse::Age], 40);
    let after = world.state.document(world.id(1)).unwrap();
    assert_eq!(after.seq, 2);
    assert_ne!(after.key(KeyUse::Request), before.key(KeyUse::Request));
    assert_eq!(after.key(KeyUse::Mls), before.key(KeyUse::Mls));
    let past = world.state.past_documents.get(&(world.id(1), 1)).unwrap();
    assert_eq!(past.until, world.state.meta().head.position);
    world.done(1, world.plan(0, 48, "ward 5"));
}

#[test]
fn another_member_may_carry_the_document_of_one_whose_keys_were_stolen() {
    let mut world = World::agreed(3, 0);
    let said = next(&world, 1, &fresh(&world, 1, &ALL, 41));
    world.done(2, said);
    assert_eq!(world.state.document(world.id(1)).unwrap().seq, 2);
    // The thief still seals in its name with the old key, and nothing of it counts.
    let thief = world.void(1, world.plan(0, 48, "ward 5"));
    assert_eq!(thief, Void::RetiredKey);
}

#[test]
fn a_document_with_another_predecessor_is_void() {
    let mut world = World::agreed(3, 0);
    let first = signed(&world, 1);
    rotate(&mut world, 1, &[KeyUse::Age], 42);
    let secrets = fresh(&world, 1, &[KeyUse::Age], 43);
    // Number 2 again, after the first one: the number that comes next is 3.
    let again = secrets
        .document(same(&world, 1), Some((&first, Skip(0))))
        .unwrap();
    let lower = world.void(1, entry(&again));
    assert!(matches!(lower, Void::Signature(_)), "{lower}");
    // Number 3, but after a document that never stood in the log.
    let elsewhere = secrets
        .document(same(&world, 1), Some((&again, Skip(0))))
        .unwrap();
    let other = world.void(1, entry(&elsewhere));
    assert!(matches!(other, Void::Signature(_)), "{other}");
    assert_eq!(world.state.document(world.id(1)).unwrap().seq, 2);
}

#[test]
fn a_document_under_another_root_is_void() {
    let mut world = World::agreed(3, 0);
    let known = signed(&world, 1);
    let other = NodeSecrets::generate(&mut ChaCha8Rng::seed_from_u64(44));
    let document = other
        .document(same(&world, 1), Some((&known, Skip(0))))
        .unwrap();
    // It is by itself another node's, and that node is no member.
    let unknown = world.void(1, entry(&document));
    assert_eq!(unknown, Void::Unknown("the member whose document this is"));
    // With the member's node id in it, the id is not the hash of the root.
    let mut claimed = read(&document);
    claimed.node_id = world.id(1);
    let forged = SignedDocument {
        document: codec::encode(&claimed),
        signature: document.signature,
    };
    assert!(matches!(world.void(1, entry(&forged)), Void::Signature(_)));
    // With the member's root in it, the signature is not that root's.
    let mut claimed = read(
        &world.actors[1]
            .secrets
            .document(same(&world, 1), Some((&known, Skip(0))))
            .unwrap(),
    );
    claimed.endpoints = vec!["https://thief.example.org".parse().unwrap()];
    let forged = SignedDocument {
        document: codec::encode(&claimed),
        signature: document.signature,
    };
    assert!(matches!(world.void(1, entry(&forged)), Void::Signature(_)));
}

#[test]
fn a_members_document_does_not_follow_anothers() {
    let mut world = World::agreed(3, 0);
    let secrets = fresh(&world, 1, &ALL, 45);
    let foreign = signed(&world, 2);
    let document = secrets
        .document(same(&world, 1), Some((&foreign, Skip(0))))
        .unwrap();
    assert!(matches!(
        world.void(1, entry(&document)),
        Void::Signature(_)
    ));
}

#[test]
fn a_document_changes_neither_name_nor_kind_nor_gives_up_an_address() {
    let mut world = World::agreed(3, 0);
    let known = signed(&world, 1);
    let changes: [fn(&mut Particulars); 3] = [
        |now| now.organization = "Maple".parse().unwrap(),
        |now| now.kind = "c3".parse().unwrap(),
        |now| now.endpoints = Vec::new(),
    ];
    for change in changes {
        let mut now = same(&world, 1);
        change(&mut now);
        let document = world.actors[1]
            .secrets
            .document(now, Some((&known, Skip(0))))
            .unwrap();
        assert!(matches!(
            world.void(1, entry(&document)),
            Void::NotAllowed(_)
        ));
    }
}

#[test]
fn a_document_says_what_its_node_speaks_now_and_keeps_a_version_in_common_with_all() {
    let mut world = World::agreed(3, 0);
    let versions = |min, max| Versions::new(min, max).unwrap();
    let speaking = |world: &World, n: usize, spoken: Versions| {
        let mut now = same(world, n);
        now.capabilities = vec![spoken.capability()];
        let known = signed(world, n);
        let secrets = &world.actors[n].secrets;
        entry(&secrets.document(now, Some((&known, Skip(0)))).unwrap())
    };
    let apart = speaking(&world, 1, versions(2, 3));
    assert!(matches!(world.void(1, apart), Void::NotAllowed(_)));
    for n in 0..3 {
        assert_eq!(world.state.meta().versions, Some(versions(1, 1)), "{n}");
        let newer = speaking(&world, n, versions(1, 2));
        world.done(n, newer);
    }
    // Once all are updated, all speak the newer one.
    assert_eq!(world.state.meta().versions, Some(versions(1, 2)));
    let alone = speaking(&world, 2, versions(3, 3));
    assert!(matches!(world.void(2, alone), Void::NotAllowed(_)));
}

#[test]
fn a_member_without_an_address_gets_one_and_can_keep_the_log() {
    let mut world = World::agreed(5, 0);
    let id = world.id(4);
    let naming = |world: &World| {
        let mut draft = world.draft();
        draft.keepers = vec![id];
        super::world::proposal(&draft)
    };
    let early = naming(&world);
    assert!(matches!(
        world.void(4, early),
        Void::NotAllowed(_) | Void::Bounds(_)
    ));
    let mut now = same(&world, 4);
    now.endpoints = vec!["https://elm.example.org".parse().unwrap()];
    let known = signed(&world, 4);
    let document = world.actors[4]
        .secrets
        .document(now, Some((&known, Skip(0))))
        .unwrap();
    world.done(4, entry(&document));
    let late = naming(&world);
    world.done(4, late);
}

#[test]
fn a_retired_key_never_comes_back() {
    let mut world = World::agreed(3, 0);
    let old = NodeSecrets::from_bytes(&world.actors[1].secrets.to_bytes()).unwrap();
    rotate(&mut world, 1, &[KeyUse::Statement], 46);
    let reused = next(&world, 1, &old);
    assert!(matches!(world.void(1, reused), Void::NotAllowed(_)));
}

#[test]
fn nobody_lists_the_key_of_another_member() {
    let mut world = World::agreed(3, 0);
    let known = signed(&world, 1);
    let mut document = read(
        &world.actors[1]
            .secrets
            .document(same(&world, 1), Some((&known, Skip(0))))
            .unwrap(),
    );
    let theirs = *read(&signed(&world, 2)).key(KeyUse::Request).unwrap();
    document.keys[0] = theirs;
    let root = world.actors[1].secrets.signing_key(KeyUse::Root);
    let document = document.sign(&root).unwrap();
    assert!(matches!(
        world.void(1, entry(&document)),
        Void::NotAllowed(_)
    ));
}

#[test]
fn what_the_old_statement_key_signed_holds_no_more_after_the_position() {
    let mut world = World::agreed(3, 0);
    let hash = world.propose(0);
    let early: AgreementSign = world.signature(1, hash);
    rotate(&mut world, 1, &[KeyUse::Statement], 47);
    assert!(matches!(world.void(1, early), Void::Signature(_)));
    let late = world.signature(1, hash);
    world.done(1, late);
    assert_ne!(world.state.meta().agreement, None);
}

#[test]
fn until_its_leaf_bears_the_new_key_nothing_of_a_member_counts() {
    let mut world = World::agreed(3, 0);
    let old = world.actors[1].mls_key();
    rotate(&mut world, 1, &[KeyUse::Mls], 48);
    assert_eq!(world.void(1, world.plan(0, 48, "ward 5")), Void::RetiredKey);
    let Inside::Commit {
        added,
        removed,
        author_key,
        opens,
        rejoin,
    } = world.renewing(1)
    else {
        unreachable!()
    };
    assert_ne!(author_key, Some(old));
    let with_the_old_key = Inside::Commit {
        added,
        removed,
        author_key: Some(old),
        opens,
        rejoin,
    };
    assert_eq!(world.commit(1, with_the_old_key), Err(Void::RetiredKey));
    let with_the_new_key = world.renewing(1);
    assert_eq!(world.commit(1, with_the_new_key), Ok(Outcome::Done));
    world.done(1, world.plan(0, 48, "ward 5"));
}

#[test]
fn nobody_comes_back_from_outside_with_a_key_that_was_retired() {
    let mut world = World::agreed(3, 0);
    let Inside::Commit { opens, .. } = world.returning(1) else {
        unreachable!()
    };
    let thief = Inside::Commit {
        added: Vec::new(),
        removed: Vec::new(),
        author_key: Some(world.actors[1].mls_key()),
        opens,
        rejoin: true,
    };
    rotate(&mut world, 1, &[KeyUse::Mls], 49);
    assert_eq!(world.commit(1, thief), Err(Void::RetiredKey));
}

#[test]
fn a_member_that_was_removed_does_not_bring_its_retired_keys_back() {
    let mut world = World::agreed(4, 1);
    let (first, id) = (world.actors[2].document.clone(), world.id(2));
    rotate(&mut world, 2, &[KeyUse::Request], 50);
    let latest = world.state.members.get(&id).unwrap().document.clone();
    world.done(2, protocol::entry::parting::Leave {});
    let removing = world.removing(0, &[2]);
    assert!(world.commit(0, removing).is_ok());
    let invitation = world.invitation(9, 3);
    world.done(0, invitation);
    world.actors[2].document = first;
    let early = world.request(9, 2);
    assert!(matches!(world.void(0, early), Void::Signature(_)));
    world.actors[2].document = latest;
    let late = world.request(9, 2);
    world.done(0, late);
}

#[test]
fn a_node_has_so_many_documents_a_day() {
    let mut world = World::agreed(3, 0);
    for n in 0..DOCUMENTS_PER_DAY {
        rotate(&mut world, 1, &[KeyUse::Age], 60 + n as u64);
    }
    let more = next(&world, 1, &fresh(&world, 1, &[KeyUse::Age], 90));
    assert!(matches!(world.void(1, more.clone()), Void::Bounds(_)));
    world.wait(DAY);
    world.done(1, more);
}

#[test]
fn a_document_counts_for_24_hours_after_it_ran_out_and_no_longer() {
    let mut world = World::agreed(3, 0);
    let until: Moment = START.plus(300 * DAY);
    world.now = until.plus(GRACE);
    world.done(1, world.plan(0, 48, "ward 5"));
    world.now = until.plus(GRACE + 1);
    assert_eq!(world.void(1, world.plan(0, 48, "ward 6")), Void::Expired);
    let renewing = world.renewing(1);
    assert_eq!(world.commit(1, renewing), Err(Void::Expired));
}

#[test]
fn a_member_whose_document_ran_out_protects_people_and_renews() {
    let mut world = World::agreed(3, 0);
    world.now = START.plus(300 * DAY).plus(GRACE + HOUR);
    let suppress = no_contact(7);
    world.done(1, suppress);
    world.done(0, Tick {});
    let back = world.returning(2);
    assert_eq!(world.commit(2, back), Ok(Outcome::Done));
    rotate(&mut world, 1, &[], 0);
    world.done(1, world.plan(0, 48, "ward 5"));
}

#[test]
fn a_document_that_has_run_out_itself_is_void() {
    let mut world = World::agreed(3, 0);
    let known = signed(&world, 1);
    for days in [-1, 401] {
        let mut now = same(&world, 1);
        now.valid_until = world.now.plus(days * DAY);
        let document = world.actors[1]
            .secrets
            .document(now, Some((&known, Skip(0))))
            .unwrap();
        assert!(matches!(
            world.void(1, entry(&document)),
            Void::Signature(_)
        ));
    }
}

fn no_contact(n: u8) -> Suppress {
    let row = SuppressionRow {
        token: super::world::token(n),
        channels: Channels::EVERY,
        deceased: false,
    };
    Suppress {
        generation: 1,
        rows: Payload::Inline(write_rows([row])),
    }
}
