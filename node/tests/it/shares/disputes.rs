//! Shares that should not have been as they were: the recipient drops what is too much, and tells all.

use super::{
    net::{Net, Node, ask},
    people::{LIST, who},
};
use commonturf::{
    shares::{self, dispute, payload, preview},
    sync::outbox,
};
use policy::FieldClass;
use protocol::{
    blob::Manifest,
    channel::Channel,
    codec,
    entry::share::{Consideration, RevokeKind, Share},
    id::{EntryId, RowRef},
    seal,
    time::DAY,
};

const ALLIES: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("Nurses Local", "union"),
];
const TO: [&str; 1] = ["Clean Air Fund"];
const FIELDS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];

async fn open(node: &Node) -> Vec<dispute::Open> {
    let coalition = commonturf::coalition::active(&node.app).await.unwrap();
    dispute::open(&node.app, &coalition.state)
}

#[tokio::test]
async fn an_erased_person_that_is_shared_again_is_dropped_and_all_members_learn_of_it() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &TO), who(1, &TO)]).await;
    net.settle().await;
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    for node in &net.nodes {
        assert!(open(node).await.is_empty());
    }
    // A sender that forgets what it was told.
    net.nodes[0].sql("DELETE FROM recalled").await;
    net.nodes[0]
        .sql("DELETE FROM consent WHERE person_id = 'personaaa'")
        .await;
    net.nodes[0].agrees_before(&who(0, &TO)).await;
    net.pass(DAY).await;
    let sent = net.send(0, ask(&TO, &FIELDS), LIST).await;
    let share = sent[0].share.unwrap();
    for (n, node) in net.nodes.iter().enumerate() {
        let open = open(node).await;
        assert_eq!(open.len(), 1);
        let dispute = &open[0];
        assert_eq!((dispute.code, dispute.rows), ("E_ERASED_RESURFACED", 1));
        assert_eq!((dispute.share, dispute.own), (share, n == 1));
        assert_eq!(dispute.from, "Tenants United");
    }
    // Whoever reports it settles it.
    let code = "E_ERASED_RESURFACED";
    assert!(
        dispute::settle(&net.nodes[0].app, share, code)
            .await
            .is_err()
    );
    assert!(
        dispute::settle(&net.nodes[1].app, share, "E_OTHER")
            .await
            .is_err()
    );
    dispute::settle(&net.nodes[1].app, share, code)
        .await
        .unwrap();
    net.settle().await;
    assert!(open(&net.nodes[2]).await.is_empty());
}

#[tokio::test]
async fn a_share_that_was_ordered_before_the_notice_is_no_fault() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &TO), who(1, &TO)]).await;
    net.settle().await;
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    net.away(1, true);
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    net.away(1, false);
    net.settle().await;
    let received = shares::view::received(&net.nodes[1].app).await.unwrap();
    assert_eq!(received[0].dropped["people"]["law.tombstoned"], 1);
    assert!(open(&net.nodes[1]).await.is_empty());
}

/// Sends a row that nobody agreed to, past the sender's own gate.
async fn sneak(net: &Net, n: u8) -> EntryId {
    let app = &net.nodes[0].app;
    let share = EntryId::random(&mut commonturf::ambient::rng());
    let row = payload::SharedRow {
        row_ref: RowRef([n; 16]),
        fields: payload::Fields {
            postal: Some(payload::Postal {
                line1: "1 Elm St".to_owned(),
                ..payload::Postal::default()
            }),
            ..payload::Fields::default()
        },
        grounds: payload::Grounds {
            originator: app.me,
            source: "own_signup".to_owned(),
            basis: "consent".to_owned(),
            jurisdiction: "US-OH".to_owned(),
            terms_allow: true,
            partisan: false,
            consent: None,
            nonpublic: false,
            coordinated: Vec::new(),
            independent: Vec::new(),
        },
        tokens: Vec::new(),
    };
    let rows = payload::SharedRows {
        version: payload::VERSION,
        share,
        from: app.me,
        to: net.nodes[1].app.me,
        rows: vec![row],
        salts: vec![payload::Salt([n; 32])],
    };
    let key = net.nodes[1].app.keys().secrets.age().recipient();
    let sealed = seal::seal(&codec::encode(&rows), &[key]).unwrap();
    let manifest = Manifest::of(&sealed).unwrap();
    let agreement = {
        let coalition = commonturf::coalition::active(app).await.unwrap();
        coalition.state.agreement().unwrap().0
    };
    let entry = Share {
        to: net.nodes[1].app.me,
        purpose: "gotv".to_owned(),
        channel: Channel::Door,
        fields: vec!["postal".to_owned()],
        count: 1,
        agreement,
        blob: manifest.id(),
        bytes: sealed.len() as u64,
        expires: None,
        root: rows.root().unwrap(),
        consideration: Consideration::none(),
    };
    let mut tx = app.store.write("test").await.unwrap();
    outbox::keep_blob(app, &mut tx, &manifest, &sealed)
        .await
        .unwrap();
    outbox::queue_as(app, &mut tx, share, entry.into(), None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    net.settle().await;
    share
}

#[tokio::test]
async fn sharing_too_much_is_dropped_and_counted_and_told_when_it_happens_again() {
    let net = Net::of(&ALLIES).await;
    sneak(&net, 1).await;
    let received = shares::view::received(&net.nodes[1].app).await.unwrap();
    assert_eq!((received[0].accepted, received[0].held), (0, 0));
    assert!(
        open(&net.nodes[2]).await.is_empty(),
        "once can be a mistake"
    );
    let second = sneak(&net, 2).await;
    let open = open(&net.nodes[2]).await;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].code, open[0].share), ("W_OVERSHARE", second));
}

#[tokio::test]
async fn two_open_disputes_suspend_the_flow_to_that_recipient_until_one_is_settled() {
    let net = Net::of(&ALLIES).await;
    let both = ["Clean Air Fund", "Nurses Local"];
    net.nodes[0].add(&[who(0, &both)]).await;
    net.settle().await;
    let flows = async || {
        let previews = preview::preview(&net.nodes[0].app, ask(&both, &FIELDS), LIST).await;
        let previews = previews.unwrap();
        let flows: Vec<u64> = previews.iter().map(|preview| preview.flow).collect();
        (flows, previews)
    };
    sneak(&net, 1).await;
    let second = sneak(&net, 2).await;
    assert_eq!(flows().await.0, [1, 1], "one dispute suspends nothing");
    sneak(&net, 3).await;
    let (now, previews) = flows().await;
    assert_eq!(now, [0, 1], "only toward whom it sent too much");
    let rule = &previews[0].withheld[0];
    assert_eq!(rule.rule, "law.suspended-flow");
    assert!(rule.fix.as_deref().unwrap().contains("receipts settle"));
    // A sender that goes on all the same finds nobody who takes it.
    let sent = net.send(0, ask(&TO, &FIELDS), LIST).await;
    assert_eq!((sent[0].share, sent[0].state), (None, "nothing"));
    sneak(&net, 4).await;
    let received = shares::view::received(&net.nodes[1].app).await.unwrap();
    assert_eq!(received[0].dropped["people"]["law.suspended-flow"], 1);
    for open in open(&net.nodes[1]).await {
        if open.share != second {
            let app = &net.nodes[1].app;
            dispute::settle(app, open.share, open.code).await.unwrap();
        }
    }
    net.settle().await;
    assert_eq!(flows().await.0, [1, 1]);
}

#[tokio::test]
async fn what_the_recipients_own_policy_drops_is_no_fault_of_the_sender() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &TO)]).await;
    net.settle().await;
    let own = r#"
        @id("own.permit") @reason("All that is not forbidden.")
        permit (principal, action, resource);
        @id("own.nobody") @reason("We take nobody.")
        forbid (principal, action in [Turf::Action::"Receive"], resource);
    "#;
    std::fs::write(net.nodes[1].app.dir.0.join("own-policy.cedar"), own).unwrap();
    for _ in 0..2 {
        net.send(0, ask(&TO, &FIELDS), LIST).await;
    }
    let received = shares::view::received(&net.nodes[1].app).await.unwrap();
    assert!(received.iter().all(|share| share.accepted == 0));
    assert!(open(&net.nodes[1]).await.is_empty());
}
