//! The ledger of rows that were passed on, and what ends a restriction.

use super::{entry, node};
use crate::site::stores;
use commonturf::store::{
    Write,
    share::{
        candidate,
        ledger::{self, Disclosure, Proof},
        mark::{self, Mark},
        onward, received,
    },
};
use protocol::{
    channel::Channel,
    id::{Hash, RowRef},
    token::{Class, Token},
};

fn line(person: &str, via: Option<u8>) -> Disclosure {
    Disclosure {
        share: entry(1),
        person: person.to_owned(),
        row_ref: RowRef([person.len().try_into().unwrap(); 16]),
        recipient: node(2),
        fields: "[]".to_owned(),
        basis: "consent".to_owned(),
        consent_record: None,
        sent_at: 1,
        revoke_kind: None,
        notice: None,
        rectified: None,
        via: via.map(|row| (entry(9), RowRef([row; 16]))),
        rectify_with: None,
    }
}

async fn given(tx: &mut Write, line: &Disclosure) {
    let proof = Proof {
        leaf: Hash::of(b"leaf"),
        secret: Some(([7; 32], b"row".to_vec())),
    };
    ledger::insert(tx, line, &proof).await.unwrap();
}

#[tokio::test]
async fn the_ledger_knows_by_which_received_row_somebody_was_given() {
    for test in stores().await {
        let mut tx = test.store.write("test").await.unwrap();
        let (own, first, second) = (
            line("own", None),
            line("row:1", Some(1)),
            line("row:22", Some(2)),
        );
        for line in [&own, &first, &second] {
            given(&mut tx, line).await;
        }
        for row in [1, 2] {
            let tokens = [
                (Class::Person, Token([row; 16])),
                (Class::Door, Token([5; 16])),
            ];
            let name = RowRef([row; 16]);
            received::insert_row(&mut tx, entry(9), name, "{}", "{}", &tokens, &[0; 32])
                .await
                .unwrap();
        }
        assert!(onward::any(&mut tx, entry(9)).await.unwrap());
        assert!(!onward::any(&mut tx, entry(8)).await.unwrap());
        let found = onward::lines(&mut tx, entry(9), RowRef([1; 16]))
            .await
            .unwrap();
        assert_eq!(found, std::slice::from_ref(&first));
        let tokens = onward::tokens(&mut tx, entry(9), (&[1; 16], &[1; 16]))
            .await
            .unwrap();
        assert_eq!(tokens.len(), 1);
        assert_eq!(tokens[&vec![1; 16]].len(), 2);
        // A row at rest or gone may not have been passed on just now.
        assert_eq!(onward::lost(&mut tx, entry(1)).await.unwrap(), 0);
        let (rest, row) = (Mark::Restricted, RowRef([1; 16]));
        mark::put(&mut tx, entry(9), row, rest, entry(3))
            .await
            .unwrap();
        received::erase_row(&mut tx, entry(9), RowRef([2; 16]))
            .await
            .unwrap();
        assert_eq!(onward::lost(&mut tx, entry(1)).await.unwrap(), 2);
        assert!(mark::lift(&mut tx, entry(9), row).await.unwrap());
        assert!(!mark::lift(&mut tx, entry(9), row).await.unwrap());
        assert_eq!(onward::lost(&mut tx, entry(1)).await.unwrap(), 1);
        // Copies go row by row, or with the whole share; own ones stay.
        let secret = async |tx: &mut Write, line: &Disclosure| {
            let found = ledger::secret(tx, line.share, line.row_ref).await;
            found.unwrap().is_some()
        };
        onward::forget_row(&mut tx, entry(9), row).await.unwrap();
        assert!(!secret(&mut tx, &first).await && secret(&mut tx, &second).await);
        onward::forget_share(&mut tx, &entry(9).to_string())
            .await
            .unwrap();
        assert!(!secret(&mut tx, &second).await && secret(&mut tx, &own).await);
    }
}

#[tokio::test]
async fn lines_are_taken_back_many_at_once_and_come_back() {
    for test in stores().await {
        let mut tx = test.store.write("test").await.unwrap();
        let many: Vec<Disclosure> = (0..900).map(|n| line(&format!("p{n:09}"), None)).collect();
        for line in &many {
            given(&mut tx, line).await;
        }
        let (some, rest) = many.split_at(850);
        ledger::set_revoked(&mut tx, some, Some("restriction"), Some(entry(4)))
            .await
            .unwrap();
        let revoked = async |tx: &mut Write| {
            let all = ledger::of_share(tx, entry(1)).await.unwrap();
            let revoked = all.iter().filter(|line| line.revoke_kind.is_some());
            assert!(revoked.clone().all(|line| line.notice == Some(entry(4))));
            revoked.count()
        };
        assert_eq!(revoked(&mut tx).await, 850);
        ledger::set_revoked(&mut tx, some, None, None)
            .await
            .unwrap();
        assert_eq!(revoked(&mut tx).await, 0);
        ledger::set_revoked(&mut tx, &[], Some("erasure"), None)
            .await
            .unwrap();
        let one = &rest[0];
        ledger::set_rectified(&mut tx, one, None, Some("another"))
            .await
            .unwrap();
        let waiting = ledger::waiting_for_correction(&mut tx, entry(1))
            .await
            .unwrap();
        assert_eq!(waiting[0].rectify_with.as_deref(), Some("another"));
        ledger::set_rectified(&mut tx, one, Some(entry(5)), None)
            .await
            .unwrap();
        assert!(
            ledger::waiting_for_correction(&mut tx, entry(1))
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_restriction_covers_nothing_stronger_and_its_end_ends_nothing_stronger() {
    for test in stores().await {
        let mut tx = test.store.write("test").await.unwrap();
        for (person, kind) in [
            ("row:a", "objection"),
            ("row:a", "restriction"),
            ("row:b", "restriction"),
            ("own", "restriction"),
            ("own", "erasure"),
        ] {
            candidate::recall(&mut tx, person, kind, 1).await.unwrap();
        }
        for person in ["row:a", "row:b", "own"] {
            candidate::lift(&mut tx, person).await.unwrap();
        }
        let left = onward::recalled(&mut tx).await.unwrap();
        assert_eq!(left.into_iter().collect::<Vec<_>>(), ["row:a"]);
        assert_eq!(candidate::recalled_since(&mut tx, 1).await.unwrap(), 2);
        let none = candidate::suppressed(&mut tx, Channel::Door).await.unwrap();
        assert!(none.is_empty());
    }
}
