//! Versions of the agreement: who may propose what, whose signatures count, when it is in force.

use super::world::{World, proposal};
use protocol::{
    agreement::{Agreement, facts::Attestation},
    codec,
    entry::agreement::{AgreementPropose, AgreementSign},
    fold::{self, Outcome, Void, agreement::DRAFTS_PER_MEMBER},
    id::{CoalitionId, Hash},
};

#[test]
fn an_agreement_is_in_force_with_the_last_signature_and_not_before() {
    let mut world = World::joined(3, 0);
    let hash = world.propose(1);
    for n in [2, 0] {
        let sign = world.signature(n, hash);
        world.done(n, sign);
        assert_eq!(world.state.meta().agreement, None);
    }
    let last = world.signature(1, hash);
    assert_eq!(world.say(1, last).1, Ok(Outcome::AgreementInForce(hash)));
    assert_eq!(world.state.meta().agreement, Some(hash));
    assert_eq!(world.state.rules().unwrap().0, hash);
}

#[test]
fn a_draft_that_does_not_fit_the_coalition_is_void() {
    let mut world = World::agreed(3, 1);
    let base = world.draft();
    let with = |change: &dyn Fn(&mut Agreement)| {
        let mut draft = base.clone();
        change(&mut draft);
        proposal(&draft)
    };
    let stranger = world.id(2);
    let foreign = with(&|d| d.coalition = CoalitionId([9; 16]));
    assert!(matches!(world.void(0, foreign), Void::NotAllowed(_)));
    for entry in [
        with(&|d| d.version += 1),
        with(&|d| d.version = 1),
        with(&|d| d.before = Hash::ZERO),
    ] {
        assert_eq!(world.void(0, entry), Void::Agreement);
    }
    for entry in [
        with(&|d| drop(d.parties.pop())),
        with(&|d| d.parties.reverse()),
        with(&|d| d.parties[0].name = "Somebody else".to_owned()),
        with(&|d| d.parties[0].kind = "pac".to_owned()),
        with(&|d| d.parties[0].node = stranger),
        with(&|d| d.keepers.clear()),
        with(&|d| d.keepers.push(stranger)),
    ] {
        assert!(matches!(world.void(0, entry), Void::Bounds(_)));
    }
    for entry in [
        with(&|d| d.terms = "not terms".to_owned()),
        with(&|d| d.terms.push_str("\nsurprise = 1\n")),
        with(&|d| d.parties[0].facts.jurisdiction = "ohio".to_owned()),
        with(&|d| d.parties[0].facts.jurisdiction = "unknown".to_owned()),
        with(&|d| d.parties[0].facts.jurisdiction = "US-OH".to_owned()),
        with(&|d| d.parties[0].facts.coordinated = races(&["The Senate"])),
        with(&|d| d.parties[0].facts.coordinated = races(&["oh-sen", "oh-gov"])),
        with(&|d| d.parties[0].facts.independent = races(&["oh-sen", "oh-sen"])),
        with(&|d| d.parties[0].facts.independent = (10..=30).map(|n| n.to_string()).collect()),
        with(&|d| d.parties[0].facts.attested = attested("", "2026-11-25")),
        with(&|d| d.parties[0].facts.attested = attested("Ann Lee, treasurer", "yesterday")),
        AgreementPropose {
            agreement: vec![0x80],
        },
        AgreementPropose {
            agreement: [codec::encode(&base), vec![0]].concat(),
        },
    ] {
        assert!(matches!(world.void(0, entry), Void::Entry(_)));
    }
    world.done(1, proposal(&base));
    assert_eq!(world.void(0, proposal(&base)), Void::Repeated);
}

fn races(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn attested(by: &str, on: &str) -> Option<Attestation> {
    Some(Attestation {
        by: by.to_owned(),
        on: on.to_owned(),
    })
}

#[test]
fn an_agreement_between_both_sides_of_a_race_is_void_at_every_member() {
    let mut world = World::agreed(3, 0);
    let mut draft = world.draft();
    draft.parties[0].facts.coordinated = races(&["us-oh-gov-2026", "us-oh-sen-2026"]);
    draft.parties[2].facts.independent = races(&["us-oh-sen-2026"]);
    let Void::Firewall(reason) = world.void(1, proposal(&draft)) else {
        panic!("both sides of the senate race share no coalition");
    };
    for word in [
        draft.parties[0].name.as_str(),
        draft.parties[2].name.as_str(),
        "us-oh-sen-2026",
        "separate coalitions",
    ] {
        assert!(reason.contains(word), "{reason}");
    }
    let mut alone = world.draft();
    alone.parties[1].facts.coordinated = races(&["us-oh-gov-2026"]);
    alone.parties[1].facts.independent = races(&["us-oh-gov-2026"]);
    assert!(matches!(world.void(1, proposal(&alone)), Void::Firewall(_)));
    draft.parties[2].facts.independent = races(&["us-oh-ag-2026"]);
    world.done(1, proposal(&draft));
}

#[test]
fn facts_are_signed_with_the_agreement_and_carried_into_the_next_version() {
    let mut world = World::agreed(3, 1);
    let place = policy::Jurisdiction::US;
    let mut draft = world.draft();
    let plain = draft.parties[1].facts.clone();
    draft.parties[1].facts.federal = true;
    draft.parties[1].facts.jurisdiction = "us-oh".to_owned();
    draft.parties[1].facts.coordinated = races(&["us-oh-gov-2026"]);
    draft.parties[1].facts.attested = attested("Ann Lee, treasurer", "2026-11-25");
    assert_ne!(draft.hash(), world.draft().hash(), "they are signed");
    world.done(0, proposal(&draft));
    for n in 0..2 {
        let sign = world.signature(n, draft.hash());
        world.done(n, sign);
    }
    assert_eq!(world.state.meta().agreement, Some(draft.hash()));
    world.comes_in(2);
    let newcomer = world.id(2);
    for party in fold::agreement::parties(&world.state, place) {
        let before = draft
            .parties
            .iter()
            .find(|before| before.node == party.node);
        assert_eq!(before.is_none(), party.node == newcomer);
        let expected = before.map_or(&plain, |before| &before.facts);
        assert_eq!(&party.facts, expected);
    }
}

#[test]
fn a_signature_counts_once_and_only_over_the_draft_by_its_signer() {
    let mut world = World::joined(3, 0);
    let hash = world.propose(0);
    let good = world.signature(1, hash);
    let unknown = AgreementSign {
        agreement: Hash::of(b"another"),
        ..good
    };
    let good = world.signature(1, hash);
    assert_eq!(world.void(1, unknown), Void::Unknown("the draft"));
    assert!(
        matches!(world.void(2, good.clone()), Void::Signature(_)),
        "somebody else's"
    );
    let mut changed = good.clone();
    changed.signature[63] ^= 1;
    assert!(matches!(world.void(1, changed), Void::Signature(_)));
    let without_prefix = AgreementSign {
        agreement: hash,
        signature: world.actors[1].states(&codec::encode(&world.draft())),
    };
    assert!(matches!(world.void(1, without_prefix), Void::Signature(_)));
    world.done(1, good.clone());
    assert_eq!(world.void(1, good), Void::Repeated);
}

#[test]
fn who_is_no_party_does_not_sign_and_who_comes_later_is_bound_by_a_new_version() {
    let mut world = World::agreed(3, 1);
    let first = world.state.meta().agreement.unwrap();
    let old_draft = world.propose(0);
    world.comes_in(2);
    let outsider = world.signature(2, old_draft);
    assert_eq!(
        world.void(2, outsider),
        Void::NotAllowed("only a party signs")
    );
    for n in [0, 1] {
        let sign = world.signature(n, old_draft);
        world.done(n, sign);
    }
    assert_eq!(
        world.state.meta().agreement,
        Some(first),
        "it names not all members"
    );
    let draft = world.propose(2);
    for n in 0..3 {
        let sign = world.signature(n, draft);
        world.done(n, sign);
    }
    assert_eq!(world.state.meta().agreement, Some(draft));
}

#[test]
fn drafts_that_can_no_longer_win_are_gone_and_a_version_in_force_is_not_signed_again() {
    let mut world = World::agreed(2, 0);
    let mut other = world.draft();
    other.terms = other.terms.replace("min_cell = 10", "min_cell = 12");
    world.done(1, proposal(&other));
    let draft = world.propose(0);
    for n in [0, 1] {
        let sign = world.signature(n, draft);
        world.done(n, sign);
    }
    assert!(!world.state.agreements.has(&other.hash()));
    let again = world.signature(0, draft);
    assert_eq!(world.void(0, again), Void::Agreement);
    let stale = AgreementSign {
        agreement: other.hash(),
        signature: [0; 64],
    };
    assert_eq!(world.void(0, stale), Void::Unknown("the draft"));
}

#[test]
fn nobody_pushes_out_anothers_draft() {
    let mut world = World::joined(2, 0);
    let honest = world.propose(0);
    let mut own = Vec::new();
    for n in 0..=DRAFTS_PER_MEMBER {
        let mut draft = world.draft();
        draft.terms = draft
            .terms
            .replace("min_cell = 10", &format!("min_cell = {}", 11 + n));
        world.done(1, proposal(&draft));
        own.push(draft.hash());
    }
    assert!(world.state.agreements.has(&honest));
    assert!(!world.state.agreements.has(&own[0]));
    assert!(own[1..].iter().all(|hash| world.state.agreements.has(hash)));
}

/// A draft that changes nothing but who keeps the log.
fn with_keepers(world: &World, keepers: &[usize]) -> Agreement {
    let mut ids: Vec<_> = keepers.iter().map(|n| world.id(*n)).collect();
    ids.sort_unstable();
    Agreement {
        keepers: ids,
        ..world.draft()
    }
}

#[test]
fn keepers_change_with_the_signatures_of_more_than_half_and_of_each_new_keeper() {
    let mut world = World::agreed(4, 0);
    let draft = with_keepers(&world, &[0, 1, 2]);
    let hash = draft.hash();
    world.done(0, proposal(&draft));
    // More than half have signed, and a new keeper has not.
    for n in [0, 3, 1] {
        let sign = world.signature(n, hash);
        world.done(n, sign);
    }
    assert_ne!(world.state.meta().agreement, Some(hash));
    let last = world.signature(2, hash);
    assert_eq!(world.say(2, last).1, Ok(Outcome::AgreementInForce(hash)));
    let keeps = |world: &World, n: usize| world.state.active(world.id(n)).unwrap().keeper;
    assert_eq!(
        [0, 1, 2, 3].map(|n| keeps(&world, n)),
        [true, true, true, false]
    );
    assert!(fold::agreement::kept_lately(&world.state, world.id(0)));
    // The dead one is replaced without it.
    let draft = with_keepers(&world, &[1, 2, 3]);
    let hash = draft.hash();
    world.done(1, proposal(&draft));
    for n in [1, 2] {
        let sign = world.signature(n, hash);
        world.done(n, sign);
    }
    let last = world.signature(3, hash);
    assert_eq!(world.say(3, last).1, Ok(Outcome::AgreementInForce(hash)));
    assert_eq!(
        [0, 1, 2, 3].map(|n| keeps(&world, n)),
        [false, true, true, true]
    );
    // Until all have changed over, who kept it before still belongs to the circle.
    assert!(fold::agreement::kept_lately(&world.state, world.id(0)));
}

#[test]
fn whoever_changes_more_than_the_keepers_needs_every_signature() {
    let mut world = World::agreed(3, 0);
    let mut draft = with_keepers(&world, &[0, 1, 2]);
    draft.parties[0].facts.federal = !draft.parties[0].facts.federal;
    let hash = draft.hash();
    world.done(0, proposal(&draft));
    for n in [0, 1] {
        let sign = world.signature(n, hash);
        world.done(n, sign);
    }
    assert_ne!(world.state.meta().agreement, Some(hash));
}

#[test]
fn keepers_in_wrong_numbers_or_without_an_address_are_void() {
    let mut world = World::agreed(5, 0);
    for keepers in [&[0, 1][..], &[0, 1, 2, 3], &[0, 1, 4], &[4]] {
        let draft = with_keepers(&world, keepers);
        assert!(
            matches!(world.void(0, proposal(&draft)), Void::Bounds(_)),
            "{keepers:?}"
        );
    }
    let mut twice = with_keepers(&world, &[0, 1, 2]);
    twice.keepers[1] = twice.keepers[0];
    assert!(matches!(world.void(0, proposal(&twice)), Void::Bounds(_)));
    let mut unordered = with_keepers(&world, &[0, 1, 2]);
    unordered.keepers.reverse();
    assert!(matches!(
        world.void(0, proposal(&unordered)),
        Void::Bounds(_)
    ));
}
