//! Keepers that change: from one to three to five and back, a dead one replaced, one that was
//! restored from a backup.

use super::net::{Net, name, sealed};
use commonturf::{coalition, keeper, store};
use protocol::problem::ProblemKind;

/// More entries than the Raft log keeps once it was cut.
const LONG: usize = 1_700;

#[tokio::test(flavor = "multi_thread")]
async fn keepers_grow_and_shrink_and_a_dead_one_is_replaced_while_members_go_on() {
    let mut net = Net::of(5, 1).await;
    let all = [0, 1, 2, 3, 4];
    net.entrust(&[0, 1, 2], &all).await;
    let entry = net.say(4, "three keepers").await;
    net.all_folded(entry).await;
    net.entrust(&[0, 1, 2, 3, 4], &all).await;
    let entry = net.say(3, "five keepers").await;
    net.all_folded(entry).await;
    net.entrust(&[0, 1, 2], &all).await;
    let entry = net.say(4, "three again").await;
    net.all_folded(entry).await;
    net.until(
        "who keeps the log no longer has given up its part",
        async || {
            let status = net.status(4).await?;
            status.id.is_none().then_some(())
        },
    )
    .await;
    // The founder dies. It cannot sign, and need not: only the keepers change.
    net.stop(0).await;
    net.entrust(&[1, 2, 3], &[1, 2, 3]).await;
    let entry = net.say(4, "without the founder").await;
    net.all_folded(entry).await;
    net.start(0).await;
    net.all_folded(entry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_from_a_backup_does_not_vote_and_comes_back_under_another_id() {
    let mut net = Net::of(3, 3).await;
    let leader = net.leader().await;
    let victim = (0..3).find(|n| *n != leader).unwrap();
    let before = net.status(victim).await.unwrap().id;
    let backup = tempfile::tempdir().unwrap();
    net.stop(victim).await;
    let database = net.folder(victim).join("node.db");
    std::fs::copy(&database, backup.path().join("node.db")).unwrap();
    net.start(victim).await;
    let entry = net.say(leader, "after the backup").await;
    net.all_folded(entry).await;
    net.stop(victim).await;
    std::fs::copy(backup.path().join("node.db"), &database).unwrap();
    net.start(victim).await;
    let app = net.node(victim).clone();
    let status = net.status(victim).await.unwrap();
    assert_eq!((status.id, &*status.role), (None, "repair"));
    assert!(app.kept.refused().unwrap().contains("keep-again"));
    let refusal = keeper::log::page(&app, 0).await.unwrap_err().0;
    assert_eq!(refusal.kind(), Some(ProblemKind::Repair));
    keeper::raft::keep_again(&app).await.unwrap();
    net.until("it votes again, under a new id", async || {
        let status = net.status(victim).await?;
        let votes = status.role == "follower" || status.role == "leader";
        (votes && status.id.is_some() && status.id != before).then_some(())
    })
    .await;
    let again = keeper::raft::keep_again(&app).await.unwrap_err().0;
    assert_eq!(again.kind(), Some(ProblemKind::Conflict));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_comes_late_reads_the_log_by_pages_and_has_it_to_the_byte() {
    let net = Net::of(3, 1).await;
    let founder = net.node(0);
    for _ in 0..LONG {
        let entry = sealed(founder).await;
        keeper::log::append(founder, founder.me, vec![entry])
            .await
            .unwrap();
    }
    let mut db = founder.store.read("looking").await.unwrap();
    let first = store::raft::entries(&mut db, 0, 1, 1).await.unwrap();
    drop(db);
    assert!(first.is_empty(), "the Raft log was never cut");
    net.entrust(&[0, 1, 2], &[0, 1, 2]).await;
    let entry = net.say(1, "behind it all").await;
    net.all_folded(entry).await;
    // The new keepers make keys meanwhile, so the log grows while it is read.
    let logs = net
        .until("all keepers have one log", async || {
            let mut logs = Vec::new();
            for n in 0..3 {
                let mut db = net.node(n).store.read("looking").await.unwrap();
                logs.push(store::keeper::after(&mut db, 0, i64::MAX).await.unwrap());
            }
            (logs[1] == logs[0] && logs[2] == logs[0]).then_some(logs)
        })
        .await;
    assert!(logs[0].len() > LONG);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_comes_when_old_entries_are_gone_has_every_line_and_what_is_left() {
    let net = Net::of(3, 1).await;
    let founder = net.node(0);
    for _ in 0..LONG {
        let entry = sealed(founder).await;
        keeper::log::append(founder, founder.me, vec![entry])
            .await
            .unwrap();
    }
    let entry = net.say(1, "before it all goes").await;
    net.all_folded(entry).await;
    let gone = LONG as u64;
    let mut tx = founder.store.write("test").await.unwrap();
    store::keeper::prune(&mut tx, 0, gone).await.unwrap();
    tx.commit().await.unwrap();
    net.entrust(&[0, 1, 2], &[0, 1, 2]).await;
    let entry = net.say(1, "behind it all").await;
    net.all_folded(entry).await;
    let logs = net
        .until("all keepers have one log", async || {
            let mut logs = Vec::new();
            for n in 0..3 {
                let page = keeper::log::page(net.node(n), gone).await.ok()?;
                let mut db = net.node(n).store.read("looking").await.unwrap();
                let lines = store::keeper::lines(&mut db, 0, i64::MAX).await.unwrap();
                let left = store::keeper::after(&mut db, gone, i64::MAX).await.unwrap();
                logs.push((lines, left, page.head));
            }
            (logs[1] == logs[0] && logs[2] == logs[0]).then_some(logs)
        })
        .await;
    assert!(logs[0].0.len() > LONG && !logs[0].1.is_empty());
    for n in 0..3 {
        let mut db = net.node(n).store.read("looking").await.unwrap();
        assert_eq!(store::keeper::pruned(&mut db).await.unwrap(), gone);
        let refused = keeper::log::page(net.node(n), 0).await.unwrap_err().0;
        assert_eq!(refused.kind(), Some(ProblemKind::LogPruned));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_keeper_from_a_backup_says_so_and_is_not_let_back_with_an_empty_log() {
    let mut net = Net::of(1, 1).await;
    let backup = tempfile::tempdir().unwrap();
    let database = net.folder(0).join("node.db");
    net.stop(0).await;
    std::fs::copy(&database, backup.path().join("node.db")).unwrap();
    net.start(0).await;
    let entry = net.say(0, "after the backup").await;
    net.all_folded(entry).await;
    net.stop(0).await;
    std::fs::copy(backup.path().join("node.db"), &database).unwrap();
    net.start(0).await;
    assert!(net.node(0).kept.refused().is_some());
    let refusal = keeper::raft::keep_again(net.node(0)).await.unwrap_err().0;
    assert_eq!(refusal.kind(), Some(ProblemKind::Conflict));
    assert!(refusal.detail.contains("only keeper"), "{}", refusal.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn keepers_are_refused_in_wrong_numbers_and_where_nobody_is() {
    let net = Net::of(3, 1).await;
    for (keepers, part) in [
        (vec![name(0), name(1)], "1, 3 or 5"),
        (vec![], "1, 3 or 5"),
        (vec![name(0), name(0), name(0), name(1)], "1, 3 or 5"),
        (vec![name(0), name(1), "Nobody".to_owned()], "no member"),
    ] {
        let wanted = coalition::agreement::Wanted {
            keepers: Some(&keepers),
            ..Default::default()
        };
        let refusal = coalition::agreement::draft(net.node(0), wanted)
            .await
            .unwrap_err()
            .0;
        assert!(refusal.detail.contains(part), "{}", refusal.detail);
    }
}
