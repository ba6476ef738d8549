//! The repair of an only keeper, and what members keep for it.

use crate::support::alone::stores;
use commonturf::store::{
    keeper,
    repair::{self, Stage},
    tail,
};
use protocol::{
    blob::BlobId,
    chain::{LogItem, LogLine},
    entry::Class,
    id::{Hash, NodeId},
    limits::{TAIL_ENTRIES, TAIL_KEPT},
    time::Moment,
};

fn item(position: u64, time: i64) -> LogItem {
    LogItem {
        position,
        log_time: Moment(time),
        sealed: position.to_be_bytes().to_vec(),
    }
}

#[tokio::test]
async fn a_repair_moves_on_and_a_new_one_forgets_it() {
    for node in stores().await {
        let mut tx = node.app.store.write("test").await.unwrap();
        assert!(repair::find(&mut tx).await.unwrap().is_none());
        repair::begin(&mut tx, 7, 1_000).await.unwrap();
        let member = NodeId([3; 32]);
        repair::put_word(&mut tx, member, 9, 2_000).await.unwrap();
        repair::put_word(&mut tx, member, 10, 3_000).await.unwrap();
        assert_eq!(repair::words(&mut tx).await.unwrap(), [(member, 10)]);
        repair::set_stage(&mut tx, Stage::Returning, Some(12))
            .await
            .unwrap();
        repair::set_group(&mut tx, 12, b"group").await.unwrap();
        let blob = BlobId(Hash::of(b"state"));
        repair::set_came(&mut tx, 13, Some(blob)).await.unwrap();
        repair::set_stage(&mut tx, Stage::Done, None).await.unwrap();
        let found = repair::find(&mut tx).await.unwrap().unwrap();
        assert_eq!(
            (found.stage, found.before, found.after),
            (Stage::Done, 7, Some(12))
        );
        assert_eq!(found.group, Some((12, b"group".to_vec())));
        assert_eq!(found.came, Some((13, Some(blob))));
        repair::begin(&mut tx, 13, 4_000).await.unwrap();
        let found = repair::find(&mut tx).await.unwrap().unwrap();
        assert_eq!((found.stage, found.came), (Stage::Gathering, None));
        assert!(repair::words(&mut tx).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn bytes_are_filled_in_behind_their_own_line_only() {
    for node in stores().await {
        let mut tx = node.app.store.write("test").await.unwrap();
        let said = item(1, 5);
        let line: LogLine = said.line();
        keeper::append_line(&mut tx, &line, Hash::ZERO)
            .await
            .unwrap();
        assert_eq!(repair::lacking(&mut tx, 0, 0, 10).await.unwrap(), [1]);
        assert_eq!(repair::lost(&mut tx, 0).await.unwrap(), (1, Some(1)));
        let author = NodeId([4; 32]);
        for wrong in [
            item(2, 5),
            item(1, 6),
            LogItem {
                sealed: vec![9],
                ..said.clone()
            },
        ] {
            let taken = repair::fill(&mut tx, &wrong, author, Class::Data).await;
            assert!(!taken.unwrap());
        }
        assert!(
            repair::fill(&mut tx, &said, author, Class::Data)
                .await
                .unwrap()
        );
        assert!(repair::lacking(&mut tx, 0, 0, 10).await.unwrap().is_empty());
        assert_eq!(keeper::after(&mut tx, 0, 10).await.unwrap(), [said]);
    }
}

#[tokio::test]
async fn a_member_keeps_so_many_entries_for_so_long_and_no_more() {
    for node in stores().await {
        let mut tx = node.app.store.write("test").await.unwrap();
        let items = [item(1, 0), item(2, 10), item(3, 20)];
        let all: Vec<&LogItem> = items.iter().collect();
        tail::put(&mut tx, &all).await.unwrap();
        tail::put(&mut tx, &all).await.unwrap();
        assert_eq!(tail::find(&mut tx, 1).await.unwrap().as_ref(), Some(all[0]));
        tail::let_go(&mut tx, TAIL_ENTRIES + 1, Moment(0))
            .await
            .unwrap();
        assert!(tail::find(&mut tx, 1).await.unwrap().is_none());
        tail::let_go(&mut tx, 3, Moment(TAIL_KEPT + 11))
            .await
            .unwrap();
        assert!(tail::find(&mut tx, 2).await.unwrap().is_none());
        assert!(tail::find(&mut tx, 3).await.unwrap().is_some());
    }
}
