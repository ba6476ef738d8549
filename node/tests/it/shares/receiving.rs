//! Receiving: this node's own gate, malformed rows, expiry, export.

use super::{
    net::{Net, ask},
    people::{LIST, who},
};
use crate::support::coalition::NOON;
use commonturf::{
    shares::{self, export, payload},
    sync::outbox,
};
use policy::FieldClass;
use protocol::{
    blob::Manifest,
    channel::Channel,
    codec,
    entry::share::{Consideration, Share},
    id::{EntryId, Hash, NodeId, RowRef},
    seal,
    time::{DAY, Moment},
};

const ALLIES: [(&str, &str); 2] = [("Tenants United", "c4"), ("Clean Air Fund", "c3")];
const FIELDS: [FieldClass; 3] = [FieldClass::Identity, FieldClass::Postal, FieldClass::Phone];

#[tokio::test]
async fn the_recipients_own_gate_drops_people_and_fields_and_counts_them() {
    let net = Net::of(&ALLIES).await;
    let mut canvassed = who(1, &["Clean Air Fund"]);
    canvassed.source = "own_canvass";
    net.nodes[0]
        .add(&[who(0, &["Clean Air Fund"]), canvassed])
        .await;
    let own = r#"
        @id("own.permit") @reason("All that is not forbidden.")
        permit (principal, action, resource);
        @id("own.no-phones") @reason("We take no phone numbers.")
        forbid (principal, action == Turf::Action::"receivePhone", resource);
        @id("own.no-canvassed") @reason("We take nobody who was canvassed.")
        forbid (principal, action in Turf::Action::"Receive", resource is Turf::Person)
        when { resource.source == Turf::Source::"own_canvass" };
    "#;
    std::fs::write(net.nodes[1].app.dir.0.join("own-policy.cedar"), own).unwrap();
    net.send(0, ask(&["Clean Air Fund"], &FIELDS), LIST).await;
    let received = shares::view::received(&net.nodes[1].app).await.unwrap();
    let share = &received[0];
    assert_eq!((share.announced, share.accepted, share.held), (2, 1, 1));
    assert_eq!(share.dropped["people"]["own.no-canvassed"], 1);
    assert_eq!(share.dropped["values"]["phone"], 2);
    let given = shares::view::given(&net.nodes[0].app).await.unwrap();
    // The sender learns whole cells of what the recipient's own rules dropped: here nothing.
    assert_eq!((given[0].accepted, given[0].dropped), (Some(2), Some(0)));
    let csv = net.export(1).await;
    assert!(csv.contains("Canarya") && !csv.contains("Canaryb") && !csv.contains("+1614"));
}

#[tokio::test]
async fn the_sender_learns_whole_cells_of_what_the_recipient_dropped() {
    let net = Net::of(&ALLIES).await;
    let people: Vec<_> = (0..15)
        .map(|n| {
            let mut person = who(n, &["Clean Air Fund"]);
            person.source = if n < 12 { "own_canvass" } else { "own_signup" };
            person
        })
        .collect();
    net.nodes[0].add(&people).await;
    let own = r#"
        @id("own.permit") @reason("All that is not forbidden.")
        permit (principal, action, resource);
        @id("own.no-canvassed") @reason("We take nobody who was canvassed.")
        forbid (principal, action in Turf::Action::"Receive", resource is Turf::Person)
        when { resource.source == Turf::Source::"own_canvass" };
    "#;
    std::fs::write(net.nodes[1].app.dir.0.join("own-policy.cedar"), own).unwrap();
    net.send(0, ask(&["Clean Air Fund"], &FIELDS), LIST).await;
    let received = shares::view::received(&net.nodes[1].app).await.unwrap();
    assert_eq!((received[0].accepted, received[0].held), (3, 3));
    let given = shares::view::given(&net.nodes[0].app).await.unwrap();
    // Twelve were dropped; two more or fewer would be told alike.
    assert_eq!((given[0].accepted, given[0].dropped), (Some(5), Some(10)));
    let one_sided = commonturf::audit::reconcile(&net.nodes[0].app).await;
    assert!(one_sided.unwrap().is_empty(), "the ends still add up");
}

#[tokio::test]
async fn a_wish_that_only_the_recipient_knows_stops_the_person_there() {
    let net = Net::of(&ALLIES).await;
    let person = who(0, &["Clean Air Fund"]);
    net.nodes[0].add(std::slice::from_ref(&person)).await;
    net.nodes[1].add(&[person]).await;
    // An opt-out is not told to the coalition.
    net.nodes[1]
        .sql(
            "INSERT INTO suppression (suppression_id, person_id, channels, deceased, reason, source, since) \
             VALUES ('s', 'personaaa', 1, 0, 'opt_out', 'desk', 1)",
        )
        .await;
    net.settle().await;
    let sent = net.send(0, ask(&["Clean Air Fund"], &FIELDS), LIST).await;
    assert_eq!(sent[0].preview.flow, 1);
    let received = shares::view::received(&net.nodes[1].app).await.unwrap();
    assert_eq!(received[0].accepted, 0);
    assert_eq!(received[0].dropped["people"]["law.suppressed"], 1);
}

/// A row that says next to nothing.
fn row(originator: NodeId) -> payload::SharedRow {
    payload::SharedRow {
        row_ref: RowRef([1; 16]),
        fields: payload::Fields::default(),
        grounds: payload::Grounds {
            originator,
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
    }
}

/// Announces bytes as a share of one person.
async fn announce(net: &Net, sealed: &[u8], share: EntryId, root: Hash) {
    let app = &net.nodes[0].app;
    let agreement = {
        let coalition = commonturf::coalition::active(app).await.unwrap();
        coalition.state.agreement().unwrap().0
    };
    let manifest = Manifest::of(sealed).unwrap();
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
        root,
        consideration: Consideration::none(),
    };
    let mut tx = app.store.write("test").await.unwrap();
    outbox::keep_blob(app, &mut tx, &manifest, sealed)
        .await
        .unwrap();
    outbox::queue_as(app, &mut tx, share, entry.into(), None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    net.settle().await;
}

#[tokio::test]
async fn rows_that_cannot_be_used_end_the_share_with_a_plain_note() {
    let net = Net::of(&ALLIES).await;
    let mut rng = commonturf::ambient::rng();
    let key = net.nodes[1].app.secrets.age().recipient();
    let empty = |share| payload::SharedRows {
        version: payload::VERSION,
        share,
        from: net.nodes[0].app.me,
        to: net.nodes[1].app.me,
        rows: Vec::new(),
        salts: Vec::new(),
    };
    let own = EntryId::random(&mut rng);
    let foreign = EntryId::random(&mut rng);
    let sealed = |bytes: &[u8]| seal::seal(bytes, &[key]).unwrap();
    let swapped = EntryId::random(&mut rng);
    let one = payload::SharedRows {
        rows: vec![row(net.nodes[0].app.me)],
        salts: vec![payload::Salt([7; 32])],
        ..empty(swapped)
    };
    let unsalted = EntryId::random(&mut rng);
    let bare = payload::SharedRows {
        salts: Vec::new(),
        share: unsalted,
        ..one.clone()
    };
    let root = "other rows than its root";
    let cases = [
        (swapped, sealed(&codec::encode(&one)), root),
        (unsalted, sealed(&codec::encode(&bare)), root),
        (
            EntryId::random(&mut rng),
            b"no age file".to_vec(),
            "cannot be opened",
        ),
        (
            EntryId::random(&mut rng),
            sealed(b"no rows"),
            "cannot be read",
        ),
        (own, sealed(&codec::encode(&empty(own))), "number of people"),
        (
            EntryId::random(&mut rng),
            sealed(&codec::encode(&empty(foreign))),
            "another share",
        ),
    ];
    for (share, sealed, said) in cases {
        announce(&net, &sealed, share, Hash::of(b"a root")).await;
        let received = shares::view::received(&net.nodes[1].app).await.unwrap();
        let row = received.iter().find(|row| row.share == share).unwrap();
        assert_eq!((row.state.as_str(), row.accepted), ("failed", 0));
        assert!(row.note.as_deref().unwrap().contains(said), "{row:?}");
        let coalition = commonturf::coalition::active(&net.nodes[0].app)
            .await
            .unwrap();
        let answer = coalition.state.shares.get(&share).unwrap().received;
        let answer = answer.unwrap();
        assert_eq!((answer.accepted, answer.dropped), (0, 1));
    }
}

#[tokio::test]
async fn rows_are_exported_with_purpose_and_end_and_never_after_it() {
    let net = Net::of(&ALLIES).await;
    let mut formula = who(0, &["Clean Air Fund"]);
    formula.given = "=HYPERLINK(1)".to_owned();
    net.nodes[0].add(&[formula]).await;
    let mut wanted = ask(&["Clean Air Fund"], &FIELDS);
    wanted.expires = Some(NOON.plus(3 * DAY));
    let sent = net.send(0, wanted, LIST).await;
    let share = sent[0].share;
    let app = &net.nodes[1].app;
    net.announce_uses(1).await;
    let csv = export::export(app, share).await.unwrap().csv;
    let csv = String::from_utf8(csv).unwrap();
    let row = csv.lines().nth(1).unwrap();
    for part in [
        "gotv",
        "2026-11-28T",
        "'=HYPERLINK",
        "+16145550100",
        "consent",
    ] {
        assert!(row.contains(part), "{part}: {row}");
    }
    net.pass(4 * DAY).await;
    // Even before the job has run, an expired row is not exported.
    assert!(export::export(app, share).await.is_err());
    net.settle().await;
    let received = shares::view::received(app).await.unwrap();
    assert_eq!(
        (received[0].state.as_str(), received[0].held),
        ("expired", 0)
    );
    let all = net.export(1).await;
    assert_eq!(all.lines().count(), 1);
}

#[tokio::test]
async fn a_share_that_would_have_expired_already_is_not_made() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &["Clean Air Fund"])]).await;
    let mut wanted = ask(&["Clean Air Fund"], &FIELDS);
    wanted.expires = Some(Moment(NOON.0 - DAY));
    let refused = shares::send::send(&net.nodes[0].app, wanted, LIST).await;
    assert!(refused.unwrap_err().0.detail.contains("expired"));
}
