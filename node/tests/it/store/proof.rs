//! The log tree on disk: roots, proofs and what lies before this node came in.

use super::{NOW, entry};
use crate::site::stores;
use commonturf::store::{
    keeper,
    proof::{self, Fork, KEEPER, NoteRow},
};
use protocol::{
    chain::{Head, LogItem},
    entry::Class,
    id::{Hash, Lineage},
    limits::EVIDENCE_KEPT,
    merkle::{self, Tree, consistency_spans, inclusion_spans},
};

const LINEAGE: Lineage = Lineage([5; 16]);

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| merkle::leaf(&n.to_be_bytes())).collect()
}

#[tokio::test]
async fn roots_and_proofs_come_from_stored_subtrees() {
    for store in stores().await {
        let leaves = leaves(70);
        let mut tx = store.store.write("test").await.unwrap();
        let mut tree = Tree::default();
        let mut nodes = Vec::new();
        for leaf in &leaves {
            tree.push_and_note(*leaf, |at, hash| nodes.push((at, hash)));
        }
        proof::put_nodes(&mut tx, nodes.clone()).await.unwrap();
        proof::put_nodes(&mut tx, nodes).await.unwrap();
        assert_eq!(proof::tree_at(&mut tx, 70).await.unwrap(), Some(tree));
        for size in [0, 1, 2, 63, 64, 69] {
            let n = usize::try_from(size).unwrap();
            let root = proof::root_at(&mut tx, size).await.unwrap();
            assert_eq!(root, Some(merkle::root(&leaves[..n])));
            let spans = consistency_spans(size, 70).unwrap();
            let made = proof::prove(&mut tx, spans).await.unwrap();
            assert_eq!(made, merkle::prove_consistency(&leaves, size));
            let spans = inclusion_spans(size, 70).unwrap();
            let made = proof::prove(&mut tx, spans).await.unwrap();
            assert_eq!(made, merkle::prove_inclusion(&leaves, size));
        }
        assert_eq!(proof::root_at(&mut tx, 71).await.unwrap(), None);
    }
}

#[tokio::test]
async fn who_came_in_later_proves_what_followed_and_nothing_before() {
    for store in stores().await {
        let leaves = leaves(50);
        let mut tx = store.store.write("test").await.unwrap();
        let mut tree = Tree::default();
        leaves[..13].iter().for_each(|leaf| tree.push(*leaf));
        proof::put_nodes(&mut tx, tree.peaks()).await.unwrap();
        let mut nodes = Vec::new();
        for leaf in &leaves[13..] {
            tree.push_and_note(*leaf, |at, hash| nodes.push((at, hash)));
        }
        proof::put_nodes(&mut tx, nodes).await.unwrap();
        for at in 13..50 {
            let spans = inclusion_spans(at, 50).unwrap();
            let made = proof::prove(&mut tx, spans).await.unwrap();
            assert_eq!(made, merkle::prove_inclusion(&leaves, at));
        }
        let spans = inclusion_spans(3, 50).unwrap();
        assert_eq!(proof::prove(&mut tx, spans).await.unwrap(), None);
        assert_eq!(proof::root_at(&mut tx, 7).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_keepers_tree_is_kept_and_made_up_from_its_log() {
    for store in stores().await {
        let mut tx = store.store.write("test").await.unwrap();
        let mut head = Head::start(LINEAGE);
        let mut tree = Tree::default();
        for position in 1..=5_u8 {
            let item = LogItem {
                position: u64::from(position),
                log_time: NOW,
                sealed: vec![position],
            };
            head = head.after(&item).unwrap();
            let author = super::node(1);
            keeper::append(&mut tx, &item, head.chain, author, Class::Data)
                .await
                .unwrap();
            tree.push(item.leaf(LINEAGE));
            if position == 3 {
                proof::put_keeper_tree(&mut tx, &tree).await.unwrap();
            }
        }
        assert_eq!(proof::keeper_tree(&mut tx, LINEAGE).await.unwrap(), tree);
    }
}

#[tokio::test]
async fn notes_are_kept_per_signer_and_evidence_up_to_its_limit() {
    for store in stores().await {
        let mut tx = store.store.write("test").await.unwrap();
        let note = |signer: &str, size| NoteRow {
            signer: signer.to_owned(),
            size,
            note: format!("{size}\n\n\u{2014} line"),
            at: NOW.0,
        };
        for row in [note("aaa", 1), note(KEEPER, 2), note("aaa", 3)] {
            proof::put_note(&mut tx, &row).await.unwrap();
        }
        let notes = proof::notes(&mut tx).await.unwrap();
        assert_eq!(notes, [note(KEEPER, 2), note("aaa", 3)]);
        let mut fork = Fork {
            why: "E_LOG_FORK".to_owned(),
            shown: "one".to_owned(),
            known: None,
            at: NOW.0,
        };
        for n in 0..EVIDENCE_KEPT + 2 {
            fork.at = i64::try_from(n).unwrap();
            fork.shown = n.to_string();
            // The same once more is the same.
            for _ in 0..2 {
                proof::put_fork(&mut tx, &fork).await.unwrap();
            }
        }
        let forks = proof::forks(&mut tx).await.unwrap();
        assert_eq!(forks.len(), EVIDENCE_KEPT);
        assert_eq!((forks[0].at, forks[999].at), (0, 999));
        assert_eq!(proof::shown(&mut tx, entry(1)).await.unwrap(), None);
    }
}
