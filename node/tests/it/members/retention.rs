//! How far back keepers hold what was said, and what becomes of whoever was away for longer.

use super::{of, phase, say};
use crate::support::coalition::Coalition;
use commonturf::{
    keeper::{log, retention},
    store::{self, coalition::Phase},
    sync::keeper_client::Keeper,
};
use protocol::{chain::Head, problem::ProblemKind, time::DAY};

/// So often something is said: the keeper works in between.
const ROUNDS: usize = 3;

/// Lets days pass, and something be said after them: that brings log time, and every member's checkpoint.
async fn days(coalition: &Coalition, days: i64) {
    coalition.pass(days * DAY).await;
    for _ in 0..ROUNDS {
        say(coalition, 0).await;
    }
}

async fn pruned(coalition: &Coalition) -> u64 {
    let mut db = coalition.node(0).store.read("test").await.unwrap();
    store::keeper::pruned(&mut db).await.unwrap()
}

async fn position(coalition: &Coalition, n: usize) -> u64 {
    let guard = coalition.node(n).coalition.read().await;
    guard.as_ref().unwrap().state.meta().head.position
}

#[tokio::test]
async fn what_all_have_read_goes_after_a_month_and_its_lines_stay() {
    let coalition = of(3).await;
    say(&coalition, 1).await;
    let then = position(&coalition, 0).await;
    days(&coalition, 29).await;
    assert_eq!(pruned(&coalition).await, 0, "a month is not over");
    days(&coalition, 3).await;
    let gone = pruned(&coalition).await;
    assert!(gone >= then, "{gone} of {then}");
    let keeper = coalition.node(0);
    let refused = log::page(keeper, gone - 1).await.unwrap_err();
    assert_eq!(refused.0.kind(), Some(ProblemKind::LogPruned));
    assert!(log::page(keeper, gone).await.is_ok());
    // The lines lead from the beginning to the head that was signed.
    let outline = log::outline(keeper, 0).await.unwrap();
    assert_eq!(outline.pruned, gone);
    let (head, lineage) = {
        let guard = keeper.coalition.read().await;
        let coalition = guard.as_ref().unwrap();
        (coalition.state.meta().head, coalition.row.lineage)
    };
    let chained = outline
        .lines
        .iter()
        .try_fold(Head::start(lineage), |head, line| head.after_line(line));
    assert_eq!(chained, Ok(head));
    // Whoever comes in later needs nothing of it.
    say(&coalition, 2).await;
    coalition.state().await;
}

#[tokio::test]
async fn what_somebody_has_not_read_stays_until_half_a_year_is_over() {
    let coalition = of(3).await;
    coalition.away(1, true);
    let read = position(&coalition, 1).await;
    say(&coalition, 2).await;
    days(&coalition, 100).await;
    assert!(pruned(&coalition).await <= read);
    coalition.away(1, false);
    coalition.settle().await;
    let state = coalition.state().await;
    assert!(state.active(coalition.id(1)).unwrap().returned.is_none());
    assert_eq!(phase(coalition.node(1)).await, Phase::Active);
}

#[tokio::test]
async fn who_was_away_for_longer_comes_back_with_what_came_of_it() {
    let coalition = of(3).await;
    coalition.away(1, true);
    let read = position(&coalition, 1).await;
    say(&coalition, 2).await;
    days(&coalition, 182).await;
    days(&coalition, 1).await;
    assert!(pruned(&coalition).await > read);
    coalition.away(1, false);
    for _ in 0..ROUNDS {
        coalition.settle().await;
    }
    let state = coalition.state().await;
    assert!(state.active(coalition.id(1)).unwrap().returned.is_some());
    assert_eq!(phase(coalition.node(1)).await, Phase::Active);
    say(&coalition, 1).await;
    coalition.state().await;
}

#[tokio::test]
async fn a_keeper_lets_nothing_go_that_it_has_not_folded_itself() {
    let coalition = of(2).await;
    let keeper = coalition.node(0);
    coalition.pass(400 * DAY).await;
    retention::run(keeper).await.unwrap();
    assert_eq!(pruned(&coalition).await, 0, "log time has not passed");
}

#[tokio::test]
async fn lines_are_for_members() {
    let coalition = of(2).await;
    let stranger = Coalition::two().await;
    let keepers = {
        let guard = coalition.node(1).coalition.read().await;
        Keeper::of(coalition.node(1), guard.as_ref().unwrap())
    };
    assert!(keepers.outline(coalition.node(1), 0).await.is_ok());
    let refused = keepers.outline(stranger.node(1), 0).await;
    assert!(refused.is_err());
}
