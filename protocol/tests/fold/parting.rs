//! Who goes, and who comes back: leaving, removal for cause, the way back from outside.

use super::world::{Inside, World, proposal};
use protocol::{
    channel::Channel,
    entry::{
        housekeeping::Tick,
        parting::{Leave, Remove, RemoveApprove},
    },
    fold::{
        Outcome, Void,
        membership::RETURN_EVERY,
        parting::{PROPOSAL_DAYS, is_settled, votes},
    },
    id::EntryId,
    time::DAY,
};

fn remove(world: &World, n: usize) -> Remove {
    Remove {
        node: world.id(n),
        reason: "it sold a list".to_owned(),
    }
}

fn approve(world: &World, n: usize, proposal: EntryId) -> RemoveApprove {
    RemoveApprove {
        node: world.id(n),
        proposal,
    }
}

fn refused(outcome: Result<Outcome, Void>) -> bool {
    matches!(outcome, Err(Void::NotAllowed(_)))
}

#[test]
fn a_member_that_leaves_is_removed_by_another_and_its_claims_end() {
    let mut world = World::agreed(3, 0);
    let claim = world.done(1, world.claim(Channel::Door, 0, 48, &[1, 2]));
    let removing = world.removing(0, &[1]);
    assert!(refused(world.commit(0, removing.clone())));
    world.done(1, Leave {});
    assert!(refused(world.commit(1, world.removing(1, &[1]))));
    assert_eq!(
        world.commit(0, removing.clone()),
        Ok(Outcome::Parted(vec![claim]))
    );
    assert!(world.state.active(world.id(1)).is_none());
    assert!(!world.state.claims.has(&claim));
    assert_eq!(world.state.meta().epoch_floor, 12);
    // It is gone: what it says, and another removal, change nothing.
    assert!(matches!(
        world.void(1, Leave {}),
        Void::NotAllowed("the author is not a member")
    ));
    assert!(refused(world.commit(0, removing)));
    // Another takes the doors at once.
    let taken = world.say(2, world.claim(Channel::Door, 0, 48, &[1, 2])).1;
    let Ok(Outcome::Claim(decision)) = taken else {
        panic!("{taken:?}")
    };
    assert_eq!(decision.granted.len(), 2);
}

#[test]
fn more_than_two_thirds_of_those_who_stay_must_agree_to_a_removal() {
    let mut world = World::agreed(5, 0);
    let proposal = world.done(1, remove(&world, 4));
    assert_eq!(votes(&world.state, world.id(4)), (1, 3));
    let removing = world.removing(0, &[4]);
    assert!(refused(world.commit(0, removing.clone())));
    world.done(2, approve(&world, 4, proposal));
    assert!(refused(world.commit(0, removing.clone())));
    assert!(refused(Err(world.void(4, approve(&world, 4, proposal)))));
    assert_eq!(world.void(2, approve(&world, 4, proposal)), Void::Repeated);
    world.done(0, approve(&world, 4, proposal));
    assert!(is_settled(&world.state, world.id(4)));
    // What was agreed about one member is nothing against another.
    assert!(refused(world.commit(0, world.removing(0, &[3]))));
    assert!(refused(world.commit(0, world.removing(0, &[3, 4]))));
    assert_eq!(world.commit(0, removing), Ok(Outcome::Parted(Vec::new())));
}

#[test]
fn the_word_of_a_member_that_has_gone_does_not_count() {
    let mut world = World::agreed(5, 0);
    let proposal = world.done(1, remove(&world, 4));
    world.done(2, approve(&world, 4, proposal));
    world.done(2, Leave {});
    world.commit(0, world.removing(0, &[2])).unwrap();
    assert_eq!(votes(&world.state, world.id(4)), (1, 3));
    assert!(refused(world.commit(0, world.removing(0, &[4]))));
}

#[test]
fn the_only_keeper_of_the_log_stays() {
    let mut world = World::agreed(3, 0);
    assert!(refused(Err(world.void(0, Leave {}))));
    assert!(refused(Err(world.void(1, remove(&world, 0)))));
    assert!(refused(world.commit(1, world.removing(1, &[0]))));
}

#[test]
fn an_approval_is_of_one_proposal_and_an_old_proposal_may_be_made_anew() {
    let mut world = World::agreed(4, 0);
    let first = world.done(1, remove(&world, 3));
    assert!(refused(Err(world.void(2, remove(&world, 3)))));
    world.wait(PROPOSAL_DAYS * DAY);
    let second = world.done(2, remove(&world, 3));
    assert!(matches!(
        world.void(0, approve(&world, 3, first)),
        Void::Unknown(_)
    ));
    assert!(matches!(
        world.void(0, approve(&world, 2, second)),
        Void::Unknown(_)
    ));
    world.done(0, approve(&world, 3, second));
}

#[test]
fn after_a_removal_the_agreement_stays_and_a_new_version_names_who_stayed() {
    let mut world = World::agreed(3, 0);
    let mut draft = world.draft();
    draft.terms = draft.terms.replace("min_cell = 10", "min_cell = 12");
    world.done(0, proposal(&draft));
    let in_force = world.state.meta().agreement;
    world.done(2, Leave {});
    world.commit(0, world.removing(0, &[2])).unwrap();
    // The draft named who has gone, so nobody could ever put it in force.
    assert!(!world.state.agreements.has(&draft.hash()));
    assert_eq!(world.state.meta().agreement, in_force);
    world.done(0, world.share(1, 3));
    assert!(refused(Err(world.void(0, world.share(2, 3)))));
    let next = world.propose(1);
    for n in [0, 1] {
        let sign = world.signature(n, next);
        world.done(n, sign);
    }
    assert_eq!(world.state.meta().agreement, Some(next));
}

#[test]
fn who_has_gone_may_be_invited_again() {
    let mut world = World::agreed(3, 0);
    world.done(2, Leave {});
    world.commit(0, world.removing(0, &[2])).unwrap();
    world.done(1, world.invitation(50, 3));
    world.done(0, world.request(50, 2));
    let adding = world.adding(1, 2);
    assert_eq!(world.commit(1, adding), Ok(Outcome::Done));
    let member = world.state.active(world.id(2)).unwrap();
    assert!(member.leaving.is_none() && member.left_at.is_none());
}

#[test]
fn newcomers_of_a_member_that_goes_need_another_invitation() {
    let mut world = World::agreed(4, 1);
    world.done(2, world.invitation(50, 3));
    world.done(0, world.request(50, 3));
    world.done(2, Leave {});
    world.commit(0, world.removing(0, &[2])).unwrap();
    assert!(world.state.joins.is_empty());
    let again = world.request(50, 3);
    assert!(matches!(world.void(0, again), Void::Unknown(_)));
}

#[test]
fn a_commit_that_adds_and_removes_is_void() {
    let mut world = World::agreed(4, 1);
    world.done(1, world.invitation(50, 3));
    world.done(0, world.request(50, 3));
    world.done(2, Leave {});
    let Inside::Commit { added, .. } = world.adding(1, 3) else {
        unreachable!()
    };
    let Inside::Commit {
        removed,
        author_key,
        opens,
        rejoin,
        ..
    } = world.removing(1, &[2])
    else {
        unreachable!()
    };
    let both = Inside::Commit {
        added,
        removed,
        author_key,
        opens,
        rejoin,
    };
    assert!(refused(world.commit(1, both)));
}

#[test]
fn a_member_comes_back_once_an_hour_and_closes_what_was_sealed_before() {
    let mut world = World::agreed(3, 0);
    assert_eq!(world.commit(1, world.returning(1)), Ok(Outcome::Done));
    assert_eq!(world.state.meta().epoch_floor, 12);
    let returned = world.state.active(world.id(1)).unwrap().returned.unwrap();
    assert_eq!(returned.at, world.now);
    world.wait(RETURN_EVERY - 1);
    let soon = world.commit(1, world.returning(1));
    assert!(matches!(soon, Err(Void::Bounds(_))), "{soon:?}");
    // Others are not held up, and the hour passes.
    assert_eq!(world.commit(2, world.returning(2)), Ok(Outcome::Done));
    world.wait(1);
    assert_eq!(world.commit(1, world.returning(1)), Ok(Outcome::Done));
}

#[test]
fn a_removed_member_a_stranger_and_another_key_do_not_come_back() {
    let mut world = World::agreed(4, 1);
    assert!(refused(world.commit(3, world.returning(3))));
    let mut other = world.returning(1);
    if let Inside::Commit { author_key, .. } = &mut other {
        *author_key = Some(world.actors[2].mls_key());
    }
    assert!(matches!(world.commit(1, other), Err(Void::Signature(_))));
    world.done(1, Leave {});
    world.commit(0, world.removing(0, &[1])).unwrap();
    assert!(refused(world.commit(1, world.returning(1))));
    world.done(0, Tick {});
}

#[test]
fn who_comes_back_changes_nothing_else() {
    let mut world = World::agreed(3, 0);
    world.done(2, Leave {});
    let mut inside = world.removing(1, &[2]);
    if let Inside::Commit { rejoin, .. } = &mut inside {
        *rejoin = true;
    }
    assert!(refused(world.commit(1, inside)));
}
