//! What a keeper holds: the log, newcomers, evaluation slots.

use super::{TRICKY, node};
use crate::site::stores;
use commonturf::store::keeper::{self, Slot};
use protocol::{
    chain::{Head, LogItem},
    entry::Class,
    id::{Hash, Lineage},
    time::Moment,
};

const LINEAGE: Lineage = Lineage([2; 16]);

fn item(position: u64, sealed: &[u8]) -> LogItem {
    LogItem {
        position,
        log_time: Moment(100 + i64::try_from(position).unwrap()),
        sealed: sealed.to_vec(),
    }
}

#[tokio::test]
async fn the_log_is_read_back_in_order_with_its_chain() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        let mut head = keeper::head(&mut tx, LINEAGE).await.unwrap();
        assert_eq!(head, Head::start(LINEAGE));
        for (n, bytes) in (1..).zip(TRICKY) {
            let item = item(n, bytes);
            head = head.after(&item).unwrap();
            keeper::append(&mut tx, &item, head.chain, node(1), Class::Claims)
                .await
                .unwrap();
        }
        assert_eq!(keeper::head(&mut tx, LINEAGE).await.unwrap(), head);
        let items = keeper::after(&mut tx, 2, 3).await.unwrap();
        assert_eq!(
            items,
            [item(3, TRICKY[2]), item(4, TRICKY[3]), item(5, TRICKY[4])]
        );
        assert_eq!(
            keeper::chain_at(&mut tx, head.position).await.unwrap(),
            Some(head.chain)
        );
        assert_eq!(keeper::chain_at(&mut tx, 99).await.unwrap(), None);
        let found = keeper::position_of(&mut tx, Hash::of(TRICKY[1]))
            .await
            .unwrap();
        assert_eq!(found, Some((2, Moment(102))));
        assert_eq!(
            keeper::position_of(&mut tx, Hash::of(b"unknown"))
                .await
                .unwrap(),
            None
        );
        assert!(
            keeper::after(&mut tx, u64::MAX, 3)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_position_and_an_entry_are_in_the_log_once() {
    for test in stores().await {
        for (position, bytes) in [(1, b"other".as_slice()), (2, b"one")] {
            let mut tx = test.store.write("writing").await.unwrap();
            keeper::append(&mut tx, &item(1, b"one"), Hash::ZERO, node(1), Class::Data)
                .await
                .unwrap();
            let again = keeper::append(
                &mut tx,
                &item(position, bytes),
                Hash::ZERO,
                node(1),
                Class::Data,
            )
            .await;
            assert!(again.unwrap_err().is_unique_violation());
        }
    }
}

#[tokio::test]
async fn an_invitation_is_one_newcomers_and_a_second_request_forgets_the_admission() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        let token = Hash::of(b"token");
        keeper::put_join(&mut tx, node(1), token, b"12", 1)
            .await
            .unwrap();
        assert!(
            keeper::set_admission(&mut tx, node(1), b"34")
                .await
                .unwrap()
        );
        assert!(
            !keeper::set_admission(&mut tx, node(2), b"34")
                .await
                .unwrap()
        );
        let row = keeper::join(&mut tx, node(1)).await.unwrap().unwrap();
        assert_eq!(
            (row.document.as_slice(), row.admission.as_deref()),
            (b"12".as_slice(), Some(b"34".as_slice()))
        );
        keeper::put_join(&mut tx, node(1), token, b"56", 2)
            .await
            .unwrap();
        assert!(
            keeper::join(&mut tx, node(1))
                .await
                .unwrap()
                .unwrap()
                .admission
                .is_none()
        );
        assert_eq!(
            keeper::join_by_token(&mut tx, token).await.unwrap(),
            Some(node(1).to_string())
        );
        assert_eq!(
            keeper::join_by_token(&mut tx, Hash::ZERO).await.unwrap(),
            None
        );
        tx.commit().await.unwrap();
        let mut tx = test.store.write("writing").await.unwrap();
        let other = keeper::put_join(&mut tx, node(2), token, b"78", 3).await;
        assert!(other.unwrap_err().is_unique_violation());
    }
}

#[tokio::test]
async fn a_slot_is_bound_once_and_its_points_are_counted_per_member_class_and_generation() {
    for test in stores().await {
        let slot = |member, class, generation, slot| Slot {
            member: node(member),
            class,
            generation,
            slot,
        };
        let mut tx = test.store.write("writing").await.unwrap();
        assert_eq!(
            keeper::points_used(&mut tx, slot(1, 0, 1, 0))
                .await
                .unwrap(),
            0
        );
        for (n, which) in [
            slot(1, 0, 1, 0),
            slot(1, 0, 1, 1),
            slot(1, 1, 1, 0),
            slot(1, 0, 2, 0),
            slot(2, 0, 1, 0),
        ]
        .into_iter()
        .enumerate()
        {
            keeper::bind_slot(&mut tx, which, b"12", 10 + n as u64, 7)
                .await
                .unwrap();
        }
        assert_eq!(
            keeper::points_used(&mut tx, slot(1, 0, 1, 9))
                .await
                .unwrap(),
            21
        );
        assert_eq!(
            keeper::slot_digest(&mut tx, slot(1, 0, 1, 1))
                .await
                .unwrap()
                .unwrap(),
            b"12"
        );
        assert_eq!(
            keeper::slot_digest(&mut tx, slot(1, 0, 1, 2))
                .await
                .unwrap(),
            None
        );
        tx.commit().await.unwrap();
        let mut tx = test.store.write("writing").await.unwrap();
        let again = keeper::bind_slot(&mut tx, slot(1, 0, 1, 0), b"34", 1, 7).await;
        assert!(again.unwrap_err().is_unique_violation());
    }
}
