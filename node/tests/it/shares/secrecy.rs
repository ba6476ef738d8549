//! Nobody but the recipient sees whom a share is about: not the keeper, not the logs.

use super::{
    net::{Net, ask},
    people::{LIST, who},
};
use commonturf::shares;
use policy::FieldClass;
use protocol::entry::share::RevokeKind;
use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};

/// Keeps every line that is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every file below a directory.
fn bytes_below(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(bytes_below(&path));
        } else {
            bytes.extend(std::fs::read(&path).unwrap());
        }
    }
    bytes
}

fn has(bytes: &[u8], needle: &str) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

#[tokio::test]
async fn names_and_numbers_stay_out_of_logs_entries_and_the_keepers_database() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // For the whole process: what other tests log meanwhile must not name anybody either.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let net = Net::of(&[
        ("Tenants United", "c4"),
        ("Nurses Local", "union"),
        ("Clean Air Fund", "c3"),
    ])
    .await;
    let people = [who(0, &["Clean Air Fund"]), who(1, &["Clean Air Fund"])];
    net.nodes[1].add(&people).await;
    net.settle().await;
    let fields = [FieldClass::Identity, FieldClass::Postal, FieldClass::Phone];
    net.send(1, ask(&["Clean Air Fund"], &fields), LIST).await;
    net.revoke(1, "personaaa", RevokeKind::Erasure).await;
    let received = shares::view::received(&net.nodes[2].app).await.unwrap();
    assert_eq!((received[0].accepted, received[0].held), (2, 1));

    let logged = lines.0.lock().unwrap().clone();
    assert!(!logged.is_empty());
    let keeper = bytes_below(net.dir(0));
    let recipient = bytes_below(net.dir(2));
    // The search itself works: who holds the row has its name on disk.
    assert!(has(&recipient, "Quillfeatherb"));
    for canary in [
        "Quillfeather",
        "Canarya",
        "Canaryb",
        "6145550100",
        "6145550101",
        "Wren Street",
        "quill.example",
    ] {
        assert!(!has(&logged, canary), "{canary} in the logs");
        assert!(!has(&keeper, canary), "{canary} at the keeper");
    }
    // What was taken back is overwritten at the recipient too, once its log is folded into the file.
    net.nodes[2].sql("DELETE FROM received_row").await;
    net.nodes[2].app.store.close().await;
    let recipient = bytes_below(net.dir(2));
    assert!(!has(&recipient, "Quillfeathera"), "erased row on disk");
}
