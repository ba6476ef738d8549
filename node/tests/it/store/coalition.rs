//! The coalition's row, the folded state, the MLS rows, history and admissions.

use super::{NOW, TRICKY, entry, node};
use crate::site::stores;
use commonturf::store::{
    admission,
    coalition::{self, CoalitionRow, Phase},
    history,
    joining::{self, JoiningRow},
    sealed::RestKey,
};
use protocol::{
    chain::LogItem,
    comparison::Comparison,
    id::{CoalitionId, Hash, Lineage},
    state::State,
    time::Moment,
};

fn row() -> CoalitionRow {
    CoalitionRow {
        id: CoalitionId([1; 16]),
        name: "Riverside".to_owned(),
        lineage: Lineage([0xff; 16]),
        phase: Phase::Joining,
        stopped_because: None,
        keeper: node(1),
        keeper_url: "https://keeper.example.org".to_owned(),
        keeper_document: b"12".to_vec(),
    }
}

#[tokio::test]
async fn a_node_is_in_one_coalition_at_a_time_and_knows_how_far_it_has_come() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        assert!(coalition::find(&mut tx).await.unwrap().is_none());
        coalition::insert(&mut tx, &row(), NOW.0).await.unwrap();
        coalition::set_keeper_document(&mut tx, b"document")
            .await
            .unwrap();
        coalition::set_phase(&mut tx, Phase::Stopped, Some("why"))
            .await
            .unwrap();
        let found = coalition::find(&mut tx).await.unwrap().unwrap();
        assert_eq!(
            (found.phase, found.stopped_because.as_deref()),
            (Phase::Stopped, Some("why"))
        );
        assert_eq!((found.lineage, found.keeper), (row().lineage, row().keeper));
        assert_eq!(found.keeper_document, b"document");
        tx.commit().await.unwrap();
        let mut tx = test.store.write("writing").await.unwrap();
        assert!(
            coalition::insert(&mut tx, &row(), NOW.0)
                .await
                .unwrap_err()
                .is_unique_violation()
        );
    }
}

#[tokio::test]
async fn only_a_coalition_that_was_asked_and_not_entered_is_forgotten() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        coalition::insert(&mut tx, &row(), NOW.0).await.unwrap();
        coalition::put_mls_row(&mut tx, b"k", Some(b"v"))
            .await
            .unwrap();
        coalition::forget_joining(&mut tx).await.unwrap();
        assert!(coalition::find(&mut tx).await.unwrap().is_none());
        assert!(coalition::mls_rows(&mut tx).await.unwrap().is_empty());
        coalition::insert(&mut tx, &row(), NOW.0).await.unwrap();
        coalition::set_phase(&mut tx, Phase::Active, None)
            .await
            .unwrap();
        coalition::forget_joining(&mut tx).await.unwrap();
        assert!(coalition::find(&mut tx).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn another_request_to_join_was_compared_by_nobody() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        assert!(joining::find(&mut tx).await.unwrap().is_none());
        for n in [1, 2] {
            let row = JoiningRow {
                inviter: node(n),
                inviter_document: TRICKY[5].to_vec(),
                comparison: Comparison(Hash([n; 32])),
                asked_at: NOW,
                compared_at: Some(NOW),
            };
            joining::put(&mut tx, &row).await.unwrap();
            let known = joining::find(&mut tx).await.unwrap().unwrap();
            assert_eq!(
                (known.inviter, known.comparison),
                (row.inviter, row.comparison)
            );
            assert_eq!(known.inviter_document, row.inviter_document);
            assert_eq!((known.asked_at, known.compared_at), (NOW, None));
            joining::set_compared(&mut tx, NOW.plus(1)).await.unwrap();
            let known = joining::find(&mut tx).await.unwrap().unwrap();
            assert_eq!(known.compared_at, Some(NOW.plus(1)));
        }
        coalition::forget_joining(&mut tx).await.unwrap();
        assert!(joining::find(&mut tx).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn the_version_of_the_groups_state_lets_one_writer_through() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        coalition::put_mls_group(&mut tx, [7; 16], "format")
            .await
            .unwrap();
        let group = coalition::mls_group(&mut tx).await.unwrap().unwrap();
        assert_eq!(
            (group.version, group.group_id, group.storage_format.as_str()),
            (1, [7; 16], "format")
        );
        assert!(coalition::bump_mls_version(&mut tx, 1).await.unwrap());
        assert!(
            !coalition::bump_mls_version(&mut tx, 1).await.unwrap(),
            "the one that read before it"
        );
        for (n, bytes) in TRICKY.iter().enumerate() {
            coalition::put_mls_row(&mut tx, bytes, Some(bytes))
                .await
                .unwrap();
            coalition::put_mls_row(&mut tx, bytes, Some(&[n as u8]))
                .await
                .unwrap();
        }
        coalition::put_mls_row(&mut tx, TRICKY[1], None)
            .await
            .unwrap();
        let rows = coalition::mls_rows(&mut tx).await.unwrap();
        assert_eq!(rows.len(), TRICKY.len() - 1);
        assert_eq!(rows[TRICKY[0]], [0]);
    }
}

#[tokio::test]
async fn the_folded_state_is_read_back_row_by_row() {
    for test in stores().await {
        let mut state = State::start(CoalitionId([1; 16]), Lineage([2; 16]));
        state.seen.put(5, entry(5));
        state.seen.put(6, entry(6));
        let mut tx = test.store.write("writing").await.unwrap();
        coalition::put_state(&mut tx, &state.take_changes())
            .await
            .unwrap();
        state.seen.remove(&5);
        state.seen.put(6, entry(7));
        coalition::put_state(&mut tx, &state.take_changes())
            .await
            .unwrap();
        let read = coalition::state(&mut tx).await.unwrap();
        assert_eq!((&read, read.hash()), (&state, state.hash()));
        sqlx::query("UPDATE fold_row SET v = k")
            .execute(&mut *tx)
            .await
            .unwrap();
        assert!(
            coalition::state(&mut tx).await.is_err(),
            "a damaged row is no state"
        );
    }
}

#[tokio::test]
async fn the_hash_of_a_position_is_kept_as_it_was_first() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        let hash = |n: u8| Hash([n; 32]);
        coalition::put_fold_hash(&mut tx, 64, hash(1), hash(2))
            .await
            .unwrap();
        coalition::put_fold_hash(&mut tx, 64, hash(3), hash(4))
            .await
            .unwrap();
        let found = coalition::fold_hash(&mut tx, 64).await.unwrap().unwrap();
        assert_eq!(found, (vec![1; 32], vec![2; 32]));
        assert!(coalition::fold_hash(&mut tx, 65).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_member_that_contradicts_counts_once_until_it_agrees() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        for (member, position) in [(1, 64), (1, 128), (2, 64)] {
            coalition::note_contradiction(&mut tx, node(member), position)
                .await
                .unwrap();
        }
        assert_eq!(coalition::contradictions(&mut tx).await.unwrap(), 2);
        coalition::forget_contradiction(&mut tx, node(1))
            .await
            .unwrap();
        coalition::forget_contradiction(&mut tx, node(9))
            .await
            .unwrap();
        assert_eq!(coalition::contradictions(&mut tx).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn history_has_one_line_per_position_and_shows_the_latest_first() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        for position in 1..=3 {
            let item = LogItem {
                position,
                log_time: Moment(9),
                sealed: Vec::new(),
            };
            history::insert(&mut tx, &history::Line::of(&item.line()))
                .await
                .unwrap();
        }
        let lines = history::latest(&mut tx, 2).await.unwrap();
        assert_eq!(
            lines.iter().map(|line| line.position).collect::<Vec<_>>(),
            [3, 2]
        );
        tx.commit().await.unwrap();
        let item = LogItem {
            position: 3,
            log_time: Moment(9),
            sealed: Vec::new(),
        };
        let mut tx = test.store.write("writing").await.unwrap();
        let again = history::insert(&mut tx, &history::Line::of(&item.line()))
            .await
            .unwrap_err();
        assert!(again.is_unique_violation());
    }
}

#[tokio::test]
async fn an_admission_is_sealed_at_rest_and_handed_over_in_order() {
    for test in stores().await {
        let rest = RestKey::new([3; 32]);
        let mut tx = test.store.write("writing").await.unwrap();
        for (n, position) in [(2_u8, 9), (1, 5)] {
            let new = admission::New {
                node: node(n),
                welcome: b"welcome canary",
                snapshot: b"12",
                position,
            };
            admission::insert(&mut tx, &rest, &new).await.unwrap();
        }
        let stored: Vec<Vec<u8>> = sqlx::query_scalar("SELECT welcome FROM admission")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
        assert!(
            stored
                .iter()
                .all(|bytes| !bytes.windows(6).any(|part| part == b"canary"))
        );
        let first = admission::first(&mut tx, &rest).await.unwrap().unwrap();
        assert_eq!((first.node, first.position), (node(1), 5));
        assert_eq!(
            (first.welcome.as_slice(), first.snapshot.as_slice()),
            (b"welcome canary".as_slice(), b"12".as_slice())
        );
        assert!(
            admission::first(&mut tx, &RestKey::new([4; 32]))
                .await
                .is_err()
        );
        admission::remove(&mut tx, node(1)).await.unwrap();
        assert_eq!(
            admission::first(&mut tx, &rest)
                .await
                .unwrap()
                .unwrap()
                .node,
            node(2)
        );
    }
}
