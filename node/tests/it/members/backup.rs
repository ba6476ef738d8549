//! Sealed copies: they hold nothing in the clear, open for the right keys alone, and come back.

use crate::support::{
    coalition::{Coalition, NOON},
    people::{Somebody, put},
};
use commonturf::{backup, config::NodeDir, store::coalition::Phase};
use protocol::seal::AgeIdentity;
use std::path::{Path, PathBuf};

const CANARY: Somebody<'_> = Somebody {
    given: "Zebulon",
    surname: "Quicksilver",
    line1: "12 Elm St",
    phone: "614-555-0101",
    email: "",
    voter_id: "OH1",
    van_id: "501",
};

struct Copied {
    coalition: Coalition,
    folder: tempfile::TempDir,
    identity: AgeIdentity,
}

impl Copied {
    async fn of_node_1() -> Self {
        let coalition = Coalition::two().await;
        put(coalition.node(1), "ours", &[CANARY]).await;
        coalition.settle().await;
        let folder = tempfile::tempdir().unwrap();
        let identity = AgeIdentity::generate(&mut commonturf::ambient::rng());
        let dir = NodeDir(coalition.dir(1).join("node"));
        let file = folder.path().join("backup");
        backup::write(&dir, identity.recipient(), &file, NOON)
            .await
            .unwrap();
        Self {
            coalition,
            folder,
            identity,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("backup")
    }

    fn key(&self, n: usize) -> PathBuf {
        NodeDir(self.coalition.dir(n).join("node")).key()
    }

    async fn restore(&self, file: &Path, identity: &AgeIdentity, key: &Path) -> Outcome {
        let dir = tempfile::tempdir().unwrap();
        let node = NodeDir(dir.path().join("node"));
        let made = backup::restore(&node, file, identity, key, NOON).await;
        let left = std::fs::read_dir(&node.0).map_or(0, Iterator::count);
        Outcome { made, left, dir }
    }
}

struct Outcome {
    made: anyhow::Result<protocol::id::NodeId>,
    left: usize,
    dir: tempfile::TempDir,
}

#[tokio::test]
async fn a_node_from_a_copy_reads_first_and_then_comes_back() {
    let mut copied = Copied::of_node_1().await;
    let outcome = copied
        .restore(&copied.file(), &copied.identity, &copied.key(1))
        .await;
    assert_eq!(outcome.made.unwrap(), copied.coalition.id(1));
    copied.coalition.replace(1, outcome.dir).await;
    let app = copied.coalition.node(1).clone();
    let phase = async || app.coalition.read().await.as_ref().unwrap().row.phase;
    assert_eq!(phase().await, Phase::Restored);
    // Nothing was said since the copy, and nobody could know: it comes back all the same.
    copied.coalition.settle().await;
    assert_eq!(phase().await, Phase::Active);
    let state = copied.coalition.state().await;
    let member = state.active(copied.coalition.id(1)).unwrap();
    assert!(member.returned.is_some());
    let mut db = app.store.read("test").await.unwrap();
    let people: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM person")
        .fetch_one(&mut *db)
        .await
        .unwrap();
    assert_eq!(people, 1);
}

#[tokio::test]
async fn a_copy_tells_nothing_to_whoever_steals_it() {
    let copied = Copied::of_node_1().await;
    let bytes = std::fs::read(copied.file()).unwrap();
    for canary in ["Zebulon", "Quicksilver", "SQLite", "6145550101"] {
        let found = bytes
            .windows(canary.len())
            .any(|window| window == canary.as_bytes());
        assert!(!found, "{canary}");
    }
    use std::os::unix::fs::PermissionsExt;
    let mode = copied.file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

#[tokio::test]
async fn the_wrong_keys_open_nothing_and_leave_nothing_behind() {
    let copied = Copied::of_node_1().await;
    let other = AgeIdentity::generate(&mut commonturf::ambient::rng());
    let outcome = copied.restore(&copied.file(), &other, &copied.key(1)).await;
    assert!(outcome.made.is_err());
    assert_eq!(outcome.left, 0);
    let outcome = copied
        .restore(&copied.file(), &copied.identity, &copied.key(0))
        .await;
    let why = outcome.made.unwrap_err().to_string();
    assert!(why.contains("another node's"), "{why}");
    assert_eq!(outcome.left, 0);
}

#[tokio::test]
async fn a_copy_that_was_cut_off_or_changed_is_refused() {
    let copied = Copied::of_node_1().await;
    let whole = std::fs::read(copied.file()).unwrap();
    let changed = copied.folder.path().join("changed");
    let mut flipped = whole.clone();
    let middle = whole.len() / 2;
    flipped[middle] ^= 1;
    for bytes in [
        whole[..whole.len() - 1].to_vec(),
        whole[..middle].to_vec(),
        flipped,
        Vec::new(),
        b"commonturf backup v1\n".to_vec(),
    ] {
        std::fs::write(&changed, bytes).unwrap();
        let outcome = copied
            .restore(&changed, &copied.identity, &copied.key(1))
            .await;
        assert!(outcome.made.is_err());
        assert_eq!(outcome.left, 0);
    }
}

#[tokio::test]
async fn a_directory_that_holds_something_is_left_alone() {
    let copied = Copied::of_node_1().await;
    let node = NodeDir(copied.coalition.dir(0).join("node"));
    let (file, key) = (copied.file(), copied.key(1));
    let made = backup::restore(&node, &file, &copied.identity, &key, NOON).await;
    assert!(made.is_err());
    assert!(node.config().exists());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine"), "mine").unwrap();
    let node = NodeDir(folder.path().to_owned());
    let made = backup::restore(&node, &file, &copied.identity, &key, NOON).await;
    assert!(made.is_err());
    assert!(folder.path().join("mine").exists());
}

#[tokio::test]
async fn a_database_that_was_restored_by_other_means_is_marked_in_place() {
    let mut copied = Copied::of_node_1().await;
    let dir = NodeDir(copied.coalition.dir(1).join("node"));
    backup::mark_in_place(&dir, NOON).await.unwrap();
    copied.coalition.restart(1).await;
    let app = copied.coalition.node(1).clone();
    copied.coalition.settle().await;
    let state = copied.coalition.state().await;
    assert!(state.active(app.me).unwrap().returned.is_some());
}
