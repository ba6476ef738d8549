//! Two histories: who signed both is named, and nobody else.

use super::world::{COALITION, LINEAGE, Organization, START, WORLD, World};
use crate::{
    chain::Head,
    evidence::{Body, Evidence, ForkProof, Report, SignedHead, verify},
    id::{Hash, Lineage},
    identity::KeyUse,
    note::{Note, NoteSignature, TreeHead},
};

fn head(by: &Organization, position: u64, chain: &[u8]) -> SignedHead {
    let head = Head {
        lineage: LINEAGE,
        position,
        chain: Hash::of(chain),
        log_time: START,
    };
    let key = by.secrets.signing_key(KeyUse::Head);
    SignedHead {
        node: by.id(),
        head,
        signature: key.sign(&head.signed_bytes()),
    }
}

fn proof(world: &World, heads: Vec<SignedHead>, notes: Vec<Note>) -> ForkProof {
    ForkProof {
        coalition: COALITION,
        lineage: LINEAGE,
        seen: START,
        heads,
        notes: notes.iter().map(Note::to_string).collect(),
        documents: world.documents(),
    }
}

fn checked(proof: ForkProof) -> Report {
    verify(&Evidence::new(Body::Fork(proof)).bytes()).unwrap()
}

fn cosigned(by: &Organization, head: TreeHead) -> Note {
    cosigned_at(by, head, 7)
}

fn cosigned_at(by: &Organization, head: TreeHead, seconds: u64) -> Note {
    let key = by.secrets.signing_key(KeyUse::Statement);
    let signature = head.cosigned(&key, seconds);
    let line = NoteSignature::member(by.id(), &key.public(), seconds, signature);
    Note {
        head,
        signatures: vec![line],
    }
}

#[test]
fn a_keeper_that_signed_two_chains_of_one_length_is_named() {
    let world = &*WORLD;
    let keeper = &world.keeper;
    let heads = vec![head(keeper, 9, b"one"), head(keeper, 9, b"two")];
    let report = checked(proof(world, heads, Vec::new()));
    assert!(report.holds, "{report}");
    assert_eq!(report.accused, [keeper.id()]);
    assert!(report.to_string().contains("it showed two histories"));
}

#[test]
fn who_signed_two_roots_of_one_length_is_named_keeper_or_member() {
    let world = &*WORLD;
    let mut other = world.head(20);
    other.root = Hash::of(b"another history");
    let key = world.keeper.secrets.signing_key(KeyUse::Head);
    let keeper = vec![world.signed(20), other.clone().signed(&key)];
    let member = vec![
        cosigned(&world.member, world.head(20)),
        cosigned(&world.member, other),
    ];
    for (notes, liar) in [(keeper, &world.keeper), (member, &world.member)] {
        let report = checked(proof(world, Vec::new(), notes));
        assert!(report.holds, "{report}");
        assert_eq!(report.accused, [liar.id()]);
    }
}

#[test]
fn a_member_that_was_set_back_and_vouches_again_an_hour_later_is_not_accused() {
    let world = &*WORLD;
    let mut other = world.head(20);
    other.root = Hash::of(b"another history");
    for (seconds, is_accused) in [(7 + 3_599, true), (7 + 3_600, false)] {
        let notes = vec![
            cosigned(&world.member, world.head(20)),
            cosigned_at(&world.member, other.clone(), seconds),
        ];
        let proof = proof(world, Vec::new(), notes);
        let said = proof.accusations();
        assert_eq!(!said.is_empty(), is_accused);
        let report = checked(proof);
        assert_eq!(!report.accused.is_empty(), is_accused, "{report}");
    }
}

#[test]
fn two_documents_of_one_number_name_their_organization() {
    let world = &*WORLD;
    let mut proof = proof(world, Vec::new(), Vec::new());
    let known = proof
        .documents
        .iter()
        .find(|signed| {
            let document = signed.verify_undated().unwrap();
            document.node_id == world.member.id()
        })
        .unwrap();
    let mut document = known.verify_undated().unwrap();
    document.valid_until = document.valid_until.plus(-1);
    let root = world.member.secrets.signing_key(KeyUse::Root);
    let second = document.sign(&root).unwrap();
    assert!(!checked(proof.clone()).holds);
    proof.documents.push(second);
    let report = checked(proof.clone());
    assert!(report.holds, "{report}");
    assert_eq!(report.accused, [world.member.id()]);
    assert_eq!(proof.accusations().len(), 1);
}

#[test]
fn where_two_sign_what_differs_both_are_named_and_neither_is_accused() {
    let world = &*WORLD;
    let mut other = world.head(20);
    other.root = Hash::of(b"another history");
    let notes = vec![world.signed(20), cosigned(&world.member, other)];
    let report = checked(proof(world, Vec::new(), notes));
    assert!(report.holds, "{report}");
    assert!(report.accused.is_empty());
    assert!(report.to_string().contains("does not tell"));
}

#[test]
fn who_is_honest_is_never_accused() {
    let world = &*WORLD;
    let keeper = &world.keeper;
    let honest = |n: u64| head(keeper, n, &n.to_be_bytes());
    let mut forged = head(keeper, 9, b"two");
    forged.head.chain = Hash::of(b"three");
    let mut borrowed = head(&world.member, 9, b"two");
    borrowed.node = keeper.id();
    let mut elsewhere = head(keeper, 9, b"two");
    elsewhere.head.lineage = Lineage([9; 16]);
    let key = keeper.secrets.signing_key(KeyUse::Head);
    elsewhere.signature = key.sign(&elsewhere.head.signed_bytes());
    for heads in [
        Vec::new(),
        vec![honest(9)],
        vec![honest(9), honest(9)],
        vec![honest(9), honest(10), honest(8)],
        vec![honest(9), forged],
        vec![honest(9), borrowed],
        vec![honest(9), elsewhere],
    ] {
        let report = checked(proof(
            world,
            heads,
            vec![world.signed(20), world.signed(21)],
        ));
        assert!(!report.holds, "{report}");
        assert!(report.accused.is_empty(), "{report}");
    }
    let mut altered = world.signed(20);
    altered.head.root = Hash::of(b"another history");
    let report = checked(proof(world, Vec::new(), vec![world.signed(20), altered]));
    assert!(!report.holds && report.accused.is_empty(), "{report}");
}

#[test]
fn without_the_documents_nothing_is_proved() {
    let world = &*WORLD;
    let heads = vec![
        head(&world.keeper, 9, b"one"),
        head(&world.keeper, 9, b"two"),
    ];
    let mut proof = proof(world, heads, Vec::new());
    proof.documents.clear();
    let report = checked(proof);
    assert!(!report.holds && report.accused.is_empty(), "{report}");
}
