//! What keepers refuse of each other.

use super::net::Net;
use commonturf::{
    app::App,
    keeper::raft,
    sync::{keeper_client::Keeper, keepers::Seat},
};
use protocol::problem::ProblemKind;

/// What a node is told that calls another as keepers call each other.
async fn refusal(from: &App, to: &App, path: &str, body: Vec<u8>) -> Option<ProblemKind> {
    let keeper = {
        let guard = from.coalition.read().await;
        let coalition = guard.as_ref().unwrap();
        let seat = Seat::of_member(from, coalition, to.me).unwrap();
        Keeper::at(coalition.row.id, seat)
    };
    let answer = keeper.raft(from, path, body).await;
    answer.unwrap_err().kind()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_keepers_speak_to_keepers_and_only_in_their_own_name() {
    let net = Net::of(4, 3).await;
    let leader = net.leader().await;
    let follower = (0..3).find(|n| *n != leader).unwrap();
    let other = (0..3).find(|n| *n != leader && *n != follower).unwrap();
    let (leads, follows) = (net_id(&net, leader).await, net_id(&net, follower).await);
    let vote = |to: u64, term: u64, from: u64| raft::vote_request(to, term, from);
    let [leader, follower, other, member] =
        [leader, follower, other, 3].map(|n| net.node(n).clone());
    let told = |from: &App, body| refusal_of(from.clone(), follower.clone(), body);
    // A member that is no keeper, whatever it says.
    assert_eq!(
        told(&member, vote(follows, 99, leads)).await,
        Some(ProblemKind::NotMember)
    );
    // A keeper in another's name, and one that means an earlier life of this node.
    assert_eq!(
        told(&other, vote(follows, 99, leads)).await,
        Some(ProblemKind::Forbidden)
    );
    assert_eq!(
        told(&leader, vote(follows ^ 1, 99, leads)).await,
        Some(ProblemKind::Conflict)
    );
    // Bytes that mean nothing, and too many of them.
    assert_eq!(
        told(&leader, vec![0x80]).await,
        Some(ProblemKind::Unsupported)
    );
    assert_eq!(
        told(&leader, vec![0; 3 * 1024 * 1024 + 1]).await,
        Some(ProblemKind::TooLarge)
    );
    let after = net.status(0).await.unwrap();
    assert_eq!(after.leader, Some(leader.me), "somebody was believed");
}

async fn refusal_of(from: App, to: App, body: Vec<u8>) -> Option<ProblemKind> {
    refusal(&from, &to, "vote", body).await
}

async fn net_id(net: &Net, n: usize) -> u64 {
    net.status(n).await.unwrap().id.unwrap()
}
