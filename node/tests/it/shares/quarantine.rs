//! A member that signs two truths: all others quarantine it by themselves, what it takes back still goes
//! out, and nobody is quarantined by a false word.

use super::{
    net::{Net, ask},
    people::{LIST, who},
};
use commonturf::{
    api,
    audit::{fork, truths},
    shares::send,
    store::proof,
    sync::outbox,
};
use policy::FieldClass;
use protocol::{
    entry::{
        Entry,
        housekeeping::Checkpoint,
        membership::Identity,
        share::RevokeKind,
        two_truths::{Cosigned, Truths, TwoTruths},
    },
    evidence::verify,
    fold::two_truths::standing,
    id::{EntryId, Hash},
    identity::KeyUse,
    note::{Note, TreeHead},
};

const ALLIES: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("Nurses Local", "union"),
];
const FIELDS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];
const BOTH: [&str; 2] = ["Clean Air Fund", "Nurses Local"];

/// A coalition in which one person went from the first node to both others.
async fn shared() -> Net {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &BOTH)]).await;
    net.settle().await;
    net.send(0, ask(&BOTH, &FIELDS), LIST).await;
    // On the next day everybody vouches for the log where it stands.
    net.hours(24).await;
    let friend = commonturf::coalition::invite::invite(&net.nodes[1].app, "first friend", 5);
    friend.await.unwrap();
    net.settle().await;
    net
}

/// The head that a member vouched for last, as another one knows it.
async fn vouched(net: &Net, n: usize, by: usize) -> Note {
    let mut db = net.nodes[by].app.store.read("test").await.unwrap();
    let row = proof::note_of(&mut db, &net.id(n).to_string())
        .await
        .unwrap();
    row.unwrap().note.parse().unwrap()
}

async fn say(net: &Net, n: usize, entry: impl Into<Entry>) -> EntryId {
    let app = &net.nodes[n].app;
    let mut tx = app.store.write("test").await.unwrap();
    let id = outbox::queue(app, &mut tx, entry.into(), None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    app.wake.outbox.notify_one();
    net.settle().await;
    id
}

/// A cosignature of a member under another root of a length that it has vouched for.
async fn other_word(net: &Net, n: usize) -> (TreeHead, Cosigned, Cosigned) {
    let known = vouched(net, n, 1).await;
    let line = &known.signatures[0];
    let seconds = line.time.unwrap();
    let key = net.nodes[n]
        .app
        .keys()
        .secrets
        .signing_key(KeyUse::Statement);
    let head = TreeHead {
        root: Hash::of(b"another history"),
        ..known.head.clone()
    };
    let first = Cosigned {
        root: known.head.root,
        seconds,
        signature: line.signature,
    };
    let second = Cosigned {
        root: head.root,
        seconds,
        signature: head.cosigned(&key, seconds),
    };
    (head, first, second)
}

/// A member vouches for another log of a length for which it has vouched.
async fn lies(net: &Net, n: usize) {
    let (head, _, second) = other_word(net, n).await;
    let word = Checkpoint {
        position: head.size,
        state: Hash::of(b"another state"),
        authenticator: Hash::of(b"another group"),
        root: second.root,
        seconds: second.seconds,
        cosignature: second.signature,
    };
    say(net, n, word).await;
}

async fn is_quarantined(net: &Net, n: usize) -> [bool; 3] {
    let mut seen = [false; 3];
    for (by, seen) in seen.iter_mut().enumerate() {
        *seen = standing(&net.state_of(by).await, net.id(n)).is_some();
    }
    seen
}

#[tokio::test]
async fn a_member_that_vouches_for_two_logs_is_quarantined_by_all_and_takes_back_all_the_same() {
    let net = shared().await;
    assert_eq!(is_quarantined(&net, 0).await, [false; 3]);
    lies(&net, 0).await;
    assert_eq!(is_quarantined(&net, 0).await, [true; 3]);
    // Anybody checks it without a node.
    let file = fork::file(&net.nodes[1].app).await.unwrap();
    let report = verify(&file).unwrap();
    assert!(report.holds, "{report}");
    assert_eq!(report.accused, [net.id(0)]);
    // Pages and status say it, the accused's own too.
    for (n, about_us) in [(0, true), (1, false)] {
        let status = api::status::read(&net.nodes[n].app).await.unwrap();
        let quarantines = status.coalition.unwrap().quarantines;
        assert_eq!(quarantines.len(), 1);
        assert_eq!(quarantines[0].about_us, about_us);
        assert!(quarantines[0].signed.contains("two different logs"));
    }
    // It is granted nothing, and given nothing.
    let own = &net.nodes[0].app;
    let why = truths::nothing_new_while_quarantined(own)
        .await
        .unwrap_err();
    assert!(
        why.0.detail.starts_with("E_QUARANTINED"),
        "{}",
        why.0.detail
    );
    let refused = send::decide(own, ask(&BOTH, &FIELDS), LIST).await;
    assert!(refused.unwrap_err().0.detail.starts_with("E_QUARANTINED"));
    let to_it = send::decide(&net.nodes[1].app, ask(&["Tenants United"], &FIELDS), LIST).await;
    assert!(to_it.unwrap_err().0.detail.starts_with("E_QUARANTINED"));
    // What it takes back reaches everybody, and is answered.
    let recall = net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    assert!(recall.notices.iter().all(|notice| notice.state == "done"));
    for n in [1, 2] {
        assert!(!net.export(n).await.contains("Canarya"));
    }
    // The others go on, and may let it go on.
    let (_, entry) = commonturf::coalition::invite::invite(&net.nodes[1].app, "a friend", 5)
        .await
        .unwrap();
    net.settle().await;
    assert!(net.nodes[1].fate(entry).await.progress != commonturf::store::outbox::Progress::Void);
    truths::lift(&net.nodes[1].app, "Tenants United", false)
        .await
        .unwrap();
    net.settle().await;
    assert_eq!(is_quarantined(&net, 0).await, [true; 3]);
    truths::lift(&net.nodes[2].app, "Tenants United", false)
        .await
        .unwrap();
    net.settle().await;
    assert_eq!(is_quarantined(&net, 0).await, [false; 3]);
    truths::nothing_new_while_quarantined(own).await.unwrap();
}

#[tokio::test]
async fn what_a_quarantined_members_program_says_all_the_same_is_void_with_the_reason() {
    let net = shared().await;
    lies(&net, 0).await;
    let (_, entry) = commonturf::coalition::invite::invite(&net.nodes[0].app, "a friend", 5)
        .await
        .unwrap();
    net.settle().await;
    let fate = net.nodes[0].fate(entry).await;
    assert!(fate.note.unwrap().starts_with("E_QUARANTINED"));
}

#[tokio::test]
async fn a_forged_accusation_is_void_and_nobody_is_quarantined() {
    let net = shared().await;
    let (head, first, _) = other_word(&net, 0).await;
    let liar = net.nodes[1]
        .app
        .keys()
        .secrets
        .signing_key(KeyUse::Statement);
    let forged = Cosigned {
        root: head.root,
        signature: head.cosigned(&liar, first.seconds),
        ..first
    };
    let said = TwoTruths {
        node: net.id(0),
        truths: Truths::Heads {
            size: head.size,
            first,
            second: forged,
        },
    };
    let entry = say(&net, 1, said).await;
    assert!(
        net.nodes[1]
            .fate(entry)
            .await
            .note
            .unwrap()
            .contains("did not sign both")
    );
    assert_eq!(is_quarantined(&net, 0).await, [false; 3]);
    assert!(truths::accuse(&net.nodes[1].app, None, true).await.is_err());
}

#[tokio::test]
async fn a_person_tells_the_coalition_what_a_file_proves() {
    let net = shared().await;
    // The second word was shown to one node alone, out of the log.
    let (head, _, second) = other_word(&net, 0).await;
    let mut note = vouched(&net, 0, 1).await;
    let known = note.to_string();
    note.head = head;
    note.signatures[0].signature = second.signature;
    let shown = proof::Fork {
        why: "E_TWO_TRUTHS: shown by hand".to_owned(),
        shown: note.to_string(),
        known: Some(known),
        at: 0,
    };
    let mut tx = net.nodes[2].app.store.write("test").await.unwrap();
    proof::put_fork(&mut tx, &shown).await.unwrap();
    tx.commit().await.unwrap();
    let file = fork::file(&net.nodes[2].app).await.unwrap();
    let app = &net.nodes[1].app;
    let preview = truths::accuse(app, Some(&file), true).await.unwrap();
    assert_eq!((preview[0].node, preview[0].entry), (net.id(0), None));
    net.settle().await;
    assert_eq!(is_quarantined(&net, 0).await, [false; 3]);
    truths::accuse(app, Some(&file), false).await.unwrap();
    net.settle().await;
    assert_eq!(is_quarantined(&net, 0).await, [true; 3]);
    let again = truths::accuse(app, Some(&file), false).await;
    assert!(again.is_err());
}

#[tokio::test]
async fn two_documents_of_one_number_quarantine_where_the_log_shows_the_second() {
    let net = shared().await;
    let (first, second) = {
        let keys = net.nodes[2].app.keys();
        let document = net.nodes[2].app.identity();
        let signed = |days: i64| {
            let particulars = protocol::identity::Particulars {
                organization: document.organization.clone(),
                kind: document.kind.clone(),
                endpoints: document.endpoints.clone(),
                capabilities: document.capabilities.clone(),
                valid_until: net.now().plus(days * protocol::time::DAY),
            };
            let skip = protocol::identity::Skip(3);
            let next = keys
                .secrets
                .document(particulars, Some((&keys.document, skip)));
            protocol::codec::encode(&next.unwrap())
        };
        (signed(100), signed(200))
    };
    say(&net, 2, Identity { document: first }).await;
    assert_eq!(is_quarantined(&net, 2).await, [false; 3]);
    say(&net, 0, Identity { document: second }).await;
    assert_eq!(is_quarantined(&net, 2).await, [true; 3]);
    let report = verify(&fork::file(&net.nodes[1].app).await.unwrap()).unwrap();
    assert_eq!(report.accused, [net.id(2)], "{report}");
}
