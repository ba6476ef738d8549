//! Sending: what was previewed flows, what was withheld is not in the payload, and a share under an
//! agreement that is gone is void.

use super::{
    net::{Net, ask},
    people::{LIST, who},
};
use commonturf::{
    coalition,
    shares::{
        self,
        payload::{Fields, SharedRows},
        preview,
    },
    store::{self, outbox::Progress},
};
use policy::FieldClass;
use protocol::{codec, id::EntryId, seal, token::Class};

const ALLIES: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("Nurses Local", "union"),
];

/// Opens the rows of a share as its recipient does, from what the keeper stores.
async fn opened(net: &Net, share: EntryId, recipient: usize) -> SharedRows {
    let keeper = &net.nodes[0].app;
    let blob = {
        let coalition = coalition::active(keeper).await.unwrap();
        coalition.state.shares.get(&share).unwrap().blob()
    };
    let mut db = keeper.store.read("test").await.unwrap();
    let mut sealed = Vec::new();
    for n in store::blob::present(&mut db, blob).await.unwrap() {
        let chunk = store::blob::chunk(&mut db, blob, n).await.unwrap();
        sealed.extend(chunk.unwrap());
    }
    let key = net.nodes[recipient].app.keys().secrets.age();
    codec::decode(&seal::open(&sealed, &key, shares::payload::SHARE_BYTES).unwrap()).unwrap()
}

#[tokio::test]
async fn what_was_previewed_flows_and_is_taken_by_the_recipient() {
    let net = Net::of(&ALLIES).await;
    let people = [
        who(0, &["Clean Air Fund"]),
        who(1, &["Clean Air Fund", "Nurses Local"]),
        who(2, &[]),
    ];
    net.nodes[0].add(&people).await;
    net.settle().await;
    let wanted = ask(
        &["Clean Air Fund", "Nurses Local"],
        &[FieldClass::Identity, FieldClass::Postal, FieldClass::Phone],
    );
    let previews = preview::preview(&net.nodes[0].app, wanted.clone(), LIST)
        .await
        .unwrap();
    let sent = net.send(0, wanted, LIST).await;
    assert_eq!(sent.len(), 2);
    for (sent, preview) in sent.iter().zip(&previews) {
        assert_eq!((sent.state, &sent.preview), ("done", preview));
    }
    for (node, held) in [(1, 2), (2, 1)] {
        let received = shares::view::received(&net.nodes[node].app).await.unwrap();
        let [one] = received.as_slice() else {
            panic!("{received:?}");
        };
        assert_eq!(
            (one.accepted, one.held, one.state.as_str()),
            (held, held, "stored")
        );
        assert_eq!(one.name, "Tenants United");
    }
    let given = shares::view::given(&net.nodes[0].app).await.unwrap();
    let taken: Vec<_> = given.iter().map(|share| share.accepted).collect();
    assert_eq!(taken.iter().flatten().sum::<u64>(), 3, "{given:#?}");
}

#[tokio::test]
async fn a_preview_and_a_share_without_anybody_change_nothing() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &[])]).await;
    let wanted = ask(&["Clean Air Fund"], &[FieldClass::Postal]);
    preview::preview(&net.nodes[0].app, wanted.clone(), LIST)
        .await
        .unwrap();
    let sent = net.send(0, wanted, LIST).await;
    assert_eq!((sent[0].state, sent[0].share), ("nothing", None));
    let coalition = coalition::active(&net.nodes[0].app).await.unwrap();
    assert!(coalition.state.shares.is_empty());
    drop(coalition);
    let given = shares::view::given(&net.nodes[0].app).await.unwrap();
    assert!(given.is_empty());
}

#[tokio::test]
async fn a_payload_holds_no_field_outside_the_mask_and_no_token_of_one() {
    let net = Net::of(&ALLIES).await;
    // The forms agree to names, addresses and phones, never to e-mail addresses or opinions.
    net.nodes[0]
        .add(&[who(0, &["Clean Air Fund"]), who(1, &["Clean Air Fund"])])
        .await;
    net.settle().await;
    let everything = net
        .send(0, ask(&["Clean Air Fund"], FieldClass::ALL), LIST)
        .await;
    let rows = opened(&net, everything[0].share.unwrap(), 1).await;
    assert_eq!(rows.rows.len(), 2);
    for row in &rows.rows {
        assert!(row.fields.identity.is_some() && !row.fields.phones.is_empty());
        assert!(row.fields.emails.is_empty() && row.fields.political.is_none());
        let classes: Vec<Class> = row.tokens.iter().map(|token| token.class).collect();
        assert!(!classes.contains(&Class::Email));
        assert!(classes.contains(&Class::Person) && classes.contains(&Class::Phone));
    }
    let text = format!("{rows:?}");
    for secret in ["quill.example", "secret-opinion", "personaaa\"", "record-"] {
        let shown = text.contains(secret);
        // The record's id is shown on purpose: it is how both sides speak of the consent.
        assert_eq!(shown, secret == "record-", "{secret}");
    }

    let doors = net
        .send(0, ask(&["Clean Air Fund"], &[FieldClass::Postal]), LIST)
        .await;
    let rows = opened(&net, doors[0].share.unwrap(), 1).await;
    for row in &rows.rows {
        let only_doors = Fields {
            postal: row.fields.postal.clone(),
            ..Fields::default()
        };
        assert_eq!(row.fields, only_doors);
        assert!(row.tokens.iter().all(|token| token.class == Class::Door));
    }
    let mut names: Vec<_> = rows.rows.iter().map(|row| row.row_ref).collect();
    names.dedup();
    assert_eq!(names.len(), 2);
}

#[tokio::test]
async fn a_share_under_an_agreement_that_is_gone_is_void_and_leaves_the_ledger() {
    let net = Net::of(&ALLIES).await;
    let sender = &net.nodes[1];
    sender.add(&[who(0, &["Nurses Local"])]).await;
    net.settle().await;
    net.away(1, true);
    // The share is decided while the sender is away ...
    net.send_unheard(1, ask(&["Nurses Local"], &[FieldClass::Postal]), LIST)
        .await;
    assert_eq!(
        shares::holders(&sender.app, "personaaa").await.unwrap()[0].status,
        "queued"
    );
    // ... and ordered right behind the signature that brings another agreement into force.
    let other = policy::template("us-issue-table")
        .unwrap()
        .text
        .replace("ack_hours = 24", "ack_hours = 48");
    coalition::agreement::propose(&net.nodes[0].app, Some(&other))
        .await
        .unwrap();
    net.settle().await;
    net.sign(2).await;
    net.settle().await;
    net.away(1, false);
    net.read(1).await;
    net.sign(1).await;
    net.settle().await;
    let given = shares::view::given(&sender.app).await.unwrap();
    let [share] = given.as_slice() else {
        panic!("{given:?}");
    };
    assert_eq!(share.state, "void");
    assert!(share.note.as_deref().unwrap().contains("agreement"));
    assert_eq!(sender.fate(share.share).await.progress, Progress::Void);
    assert!(
        shares::holders(&sender.app, "personaaa")
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        shares::view::received(&net.nodes[2].app)
            .await
            .unwrap()
            .is_empty()
    );
}
