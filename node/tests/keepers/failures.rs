//! Keepers that die: a minority stops nothing, a majority stops everything and loses nothing.

use super::net::{Net, sealed};
use commonturf::{keeper, sync::keepers::Quorum};
use protocol::{chain::AppendResult, problem::ProblemKind};

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_dies_is_replaced_nothing_is_lost_and_it_catches_up() {
    let mut net = Net::of(3, 3).await;
    let first = net.say(1, "before").await;
    net.all_folded(first).await;
    let leader = net.leader().await;
    net.stop(leader).await;
    let other = net.running()[0];
    let second = net.say(other, "meanwhile").await;
    net.all_folded(second).await;
    assert_ne!(net.leader().await, leader);
    net.start(leader).await;
    net.all_folded(second).await;
    net.until("the keeper that was away has caught up", async || {
        let positions = [
            net.status(0).await,
            net.status(1).await,
            net.status(2).await,
        ];
        let mut positions = positions.into_iter().map(|status| Some(status?.position));
        let one = positions.next()??;
        positions.all(|other| other == Some(one)).then_some(())
    })
    .await;
    let third = net.say(leader, "afterwards").await;
    net.all_folded(third).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_nothing_is_ordered_and_everybody_is_told() {
    let mut net = Net::of(3, 3).await;
    let leader = net.leader().await;
    let rest: Vec<usize> = (0..3).filter(|n| *n != leader).collect();
    for n in &rest {
        net.stop(*n).await;
    }
    let app = net.node(leader).clone();
    let refusal = net
        .until("the lone leader notices", async || {
            let entry = sealed(&app).await;
            let refusal = keeper::log::append(&app, app.me, vec![entry]).await;
            let refusal = refusal.unwrap_err().0;
            let unknown = refusal.kind() == Some(ProblemKind::OutcomeUnknown);
            (!unknown).then_some(refusal)
        })
        .await;
    assert_eq!(refusal.kind(), Some(ProblemKind::NoQuorum), "{refusal:?}");
    // What a majority had before the others stopped may have come to its place meanwhile.
    let before = *app.wake.kept.borrow();
    let entry = sealed(&app).await;
    let again = keeper::log::append(&app, app.me, vec![entry]).await;
    assert!(again.is_err(), "{again:?}");
    assert_eq!(*app.wake.kept.borrow(), before, "something was ordered");
    let waiting = net.say(leader, "a friend").await;
    net.until("the pages say so", async || {
        let (lines, quorum) = net.lines(leader).await;
        let unreachable = lines.iter().filter(|line| line.role == "unreachable");
        (quorum == Quorum::NoQuorum && unreachable.count() == 2).then_some(())
    })
    .await;
    net.start(rest[0]).await;
    net.all_folded(waiting).await;
    net.until("the pages say that it goes on", async || {
        let (lines, quorum) = net.lines(leader).await;
        let roles: Vec<&str> = lines.iter().map(|line| line.role.as_str()).collect();
        let whole = roles.contains(&"leader") && roles.contains(&"follower");
        (quorum == Quorum::Ok && whole).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_have_one_position_whichever_keeper_is_given_them() {
    let net = Net::of(3, 3).await;
    let leader = net.leader().await;
    let author = net.node(leader);
    let entry = sealed(author).await;
    let at = |n: usize| keeper::log::append(net.node(n), author.me, vec![entry.clone()]);
    let first = at(leader).await.unwrap().results;
    assert!(matches!(first[..], [AppendResult::Ordered { .. }]));
    for n in 0..3 {
        let again = net
            .until("the entry has come to each keeper", async || {
                at(n).await.ok()
            })
            .await;
        assert_eq!(again.results, first);
    }
    // New bytes are the leader's to order, and a follower says who that is.
    let follower = (0..3).find(|n| *n != leader).unwrap();
    let fresh = sealed(author).await;
    let refusal = keeper::log::append(net.node(follower), author.me, vec![fresh])
        .await
        .unwrap_err()
        .0;
    assert_eq!(refusal.kind(), Some(ProblemKind::NotLeader));
    assert_eq!(refusal.leader, Some(author.me));
}
