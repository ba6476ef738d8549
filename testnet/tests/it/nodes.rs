//! The harness: real processes that start, answer, refuse, die and come back.

use std::time::Duration;
use testnet::nodes::{Member, Node, Organization, Program, found_quietly, settled};

const TENANTS: Organization<'static> = Organization {
    name: "Tenants United",
    kind: "c4",
    keeper: true,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_answers_survives_a_kill_and_ends_when_asked() {
    let program = Program::build().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::launch(&program, &folder.path().join("a"), TENANTS)
        .await
        .unwrap();
    let before = node.run(&["coalition", "status"]).await.unwrap();
    assert_eq!(before["name"], "Tenants United");
    node.kill().await.unwrap();
    let down = node.run(&["coalition", "status"]).await.unwrap_err();
    assert_eq!((down.exit, down.code()), (1, "not-running"));
    node.start().await.unwrap();
    let after = node.run(&["coalition", "status"]).await.unwrap();
    assert_eq!(before["node"], after["node"]);
    node.stop().await.unwrap();
    assert_eq!(node.process(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_carries_its_exit_code_and_its_problem() {
    let program = Program::build().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let node = Node::launch(&program, &folder.path().join("a"), TENANTS)
        .await
        .unwrap();
    let refused = node.run(&["agreement", "sign"]).await.unwrap_err();
    assert_eq!(refused.exit, 1);
    assert!(!refused.code().is_empty(), "{refused}");
    let misused = node.run(&["agreement", "sing"]).await.unwrap_err();
    assert_eq!(misused.exit, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_were_brought_together_fold_to_one_state() {
    let program = Program::build().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let votes = Organization {
        name: "Marlow Votes",
        kind: "c3",
        keeper: false,
    };
    let members = [("a", TENANTS), ("b", votes)].map(|(slug, who)| Member { slug, who });
    let nodes = found_quietly(&program, folder.path(), &members, "template:us-issue-table")
        .await
        .unwrap();
    let all: Vec<&Node> = nodes.iter().collect();
    let stand = settled(&all, Duration::from_secs(30)).await.unwrap();
    assert_eq!(stand[0].position, stand[1].position);
    assert_eq!(stand[0].state_hash, stand[1].state_hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_toward_several_recipients_can_be_measured() {
    let figures = testnet::bench::preview::run(120, 3).await.unwrap();
    assert_eq!(figures["decisions"], 120 * 3 * 4);
    assert!(figures["people_that_flow_to_the_first"].as_u64() > Some(0));
    let refused = testnet::bench::preview::run(10, 11).await.unwrap_err();
    assert!(refused.to_string().contains("1 to 10"), "{refused:#}");
}
