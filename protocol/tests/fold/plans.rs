//! Plans: filed, replaced, withdrawn, gone when their days are over.

use super::world::World;
use protocol::{
    channel::Channel,
    entry::plan::PlanWithdraw,
    fold::{Void, plan::PLANS_PER_MEMBER},
    time::HOUR,
};

#[test]
fn a_plan_reserves_nothing_and_another_may_plan_the_same() {
    let mut world = World::agreed(3, 0);
    world.done(1, world.plan(0, 48, "ward 5"));
    world.done(2, world.plan(0, 48, "ward 5"));
    assert_eq!(world.state.plans.len(), 2);
    world.done(2, world.claim(Channel::Door, 0, 48, &[1, 2]));
}

#[test]
fn a_changed_plan_stands_in_the_place_of_the_old_one() {
    let mut world = World::agreed(3, 0);
    let old = world.done(1, world.plan(0, 48, "ward 5"));
    let mut changed = world.plan(24, 48, "ward 6");
    changed.replaces = Some(old);
    let new = world.done(1, changed.clone());
    assert!(!world.state.plans.has(&old));
    assert_eq!(world.state.plans.get(&new).unwrap().filed, changed);
    let (_, again) = world.say(1, changed);
    assert_eq!(again, Err(Void::Unknown("the plan")));
}

#[test]
fn only_its_author_takes_a_plan_back() {
    let mut world = World::agreed(3, 0);
    let plan = world.done(1, world.plan(0, 48, "ward 5"));
    let (_, foreign) = world.say(2, PlanWithdraw { plan });
    assert!(matches!(foreign, Err(Void::NotAllowed(_))));
    world.done(1, PlanWithdraw { plan });
    assert!(world.state.plans.is_empty());
}

#[test]
fn a_plan_is_gone_when_its_window_is_over() {
    let mut world = World::agreed(3, 0);
    world.done(1, world.plan(0, 48, "ward 5"));
    world.wait(47 * HOUR);
    world.done(2, world.plan(0, 48, "ward 6"));
    assert_eq!(world.state.plans.len(), 2);
    world.wait(2 * HOUR);
    world.done(2, world.plan(0, 48, "ward 7"));
    assert_eq!(world.state.plans.len(), 2);
}

#[test]
fn a_member_files_so_many_plans_and_may_still_change_them() {
    let mut world = World::agreed(3, 0);
    let mut last = None;
    for _ in 0..PLANS_PER_MEMBER {
        last = Some(world.done(1, world.plan(0, 48, "ward 5")));
    }
    let (_, more) = world.say(1, world.plan(0, 48, "ward 5"));
    assert!(matches!(more, Err(Void::Bounds(_))));
    let mut changed = world.plan(0, 24, "ward 5");
    changed.replaces = last;
    world.done(1, changed);
    assert_eq!(world.state.plans.len(), PLANS_PER_MEMBER);
}
