//! Rows that rest, rows that are corrected, parts that a law keeps, and notices that nobody waits for.

use super::{
    net::{Net, ask, corrects},
    people::{LIST, who},
};
use commonturf::shares::{
    self, except, preview,
    recall::{self, What},
    rectify::{self, Rectification},
    view::{Holder, Receipt, ReceivedShare},
};
use policy::FieldClass;
use protocol::{
    entry::{recall::ExceptionKind, share::RevokeKind},
    id::EntryId,
    time::DAY,
};

const ALLIES: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("Nurses Local", "union"),
];
const FIELDS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];
const BOTH: [&str; 2] = ["Clean Air Fund", "Nurses Local"];

async fn shared() -> (Net, Vec<EntryId>) {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &BOTH), who(1, &BOTH)]).await;
    net.settle().await;
    let sent = net.send(0, ask(&BOTH, &FIELDS), LIST).await;
    let shares = sent.iter().map(|sent| sent.share.unwrap()).collect();
    (net, shares)
}

async fn csv(net: &Net, node: usize) -> String {
    net.export(node).await
}

async fn receipts(net: &Net) -> Vec<Receipt> {
    let app = &net.nodes[0].app;
    shares::view::receipts(app, false).await.unwrap()
}

async fn received(net: &Net, node: usize) -> ReceivedShare {
    let received = shares::view::received(&net.nodes[node].app).await.unwrap();
    received.into_iter().next().unwrap()
}

async fn holder(net: &Net, name: &str) -> Holder {
    let app = &net.nodes[0].app;
    let holders = shares::holders(app, "personaaa").await.unwrap();
    holders
        .into_iter()
        .find(|holder| holder.name == name)
        .unwrap()
}

async fn flows(net: &Net, to: &str) -> u64 {
    let previews = preview::preview(&net.nodes[0].app, ask(&[to], &FIELDS), LIST).await;
    previews.unwrap()[0].flow
}

#[tokio::test]
async fn a_restricted_row_stays_and_is_not_used_until_it_is_erased() {
    let (net, _) = shared().await;
    let recall = net.revoke(0, "personaaa", RevokeKind::Restriction).await;
    assert_eq!((recall.consents_withdrawn, recall.notices.len()), (0, 2));
    let share = received(&net, 1).await;
    assert_eq!((share.accepted, share.held, share.resting), (2, 1, 1));
    let text = csv(&net, 1).await;
    assert!(!text.contains("Canarya") && text.contains("Canaryb"));
    let all = receipts(&net).await;
    assert!(
        all.iter()
            .all(|r| r.state == "restricted" && r.erased == Some(1))
    );
    assert_eq!(holder(&net, "Nurses Local").await.status, "restricted");
    assert_eq!(flows(&net, "Nurses Local").await, 1);
    // The same once more says nothing new; erasure is stronger.
    let again = net.revoke(0, "personaaa", RevokeKind::Restriction).await;
    assert!(again.notices.is_empty());
    let erased = net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    assert_eq!(erased.notices.len(), 2);
    let share = received(&net, 1).await;
    assert_eq!((share.held, share.resting), (1, 0));
    assert_eq!(holder(&net, "Nurses Local").await.status, "erased");
    let weaker = net.revoke(0, "personaaa", RevokeKind::Restriction).await;
    assert!(weaker.notices.is_empty());
}

#[tokio::test]
async fn a_restriction_that_is_lifted_leaves_the_row_as_it_was() {
    let (net, _) = shared().await;
    let nothing = net.revoke(0, "personaaa", RevokeKind::Lift).await;
    assert!(nothing.notices.is_empty(), "nothing rests");
    net.revoke(0, "personaaa", RevokeKind::Restriction).await;
    net.away(1, true);
    let lift = net.revoke(0, "personaaa", RevokeKind::Lift).await;
    assert_eq!((lift.consents_withdrawn, lift.notices.len()), (0, 2));
    // It rests until the recipient has said that it does not.
    assert_eq!(holder(&net, "Clean Air Fund").await.status, "restricted");
    assert_eq!(holder(&net, "Nurses Local").await.status, "held");
    net.away(1, false);
    net.settle().await;
    let share = received(&net, 1).await;
    assert_eq!((share.held, share.resting), (2, 0));
    assert!(csv(&net, 1).await.contains("Canarya"));
    assert_eq!(holder(&net, "Clean Air Fund").await.status, "held");
    assert_eq!(
        flows(&net, "Nurses Local").await,
        2,
        "and it is shared again"
    );
    let lifted = receipts(&net).await;
    let lifted = lifted
        .iter()
        .filter(|r| r.state == "lifted" && r.erased == Some(1));
    assert_eq!(lifted.count(), 2);
    let given = shares::view::given(&net.nodes[0].app).await.unwrap();
    assert!(given.iter().all(|share| share.taken_back == 0));
    // It can rest once more, and then go.
    net.revoke(0, "personaaa", RevokeKind::Restriction).await;
    assert_eq!(received(&net, 1).await.resting, 1);
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    let lift = net.revoke(0, "personaaa", RevokeKind::Lift).await;
    assert!(lift.notices.is_empty(), "what is gone is not lifted");
    assert_eq!(flows(&net, "Nurses Local").await, 1);
}

#[tokio::test]
async fn a_lift_ends_no_objection() {
    let (net, _) = shared().await;
    net.revoke(0, "personaaa", RevokeKind::Objection).await;
    net.revoke(0, "personaaa", RevokeKind::Restriction).await;
    net.revoke(0, "personaaa", RevokeKind::Lift).await;
    let app = &net.nodes[0].app;
    let mut db = app.store.read("test").await.unwrap();
    let kind: String = sqlx::query_scalar("SELECT kind FROM recalled")
        .fetch_one(&mut *db)
        .await
        .unwrap();
    assert_eq!(kind, "objection");
}

#[tokio::test]
async fn a_person_whose_record_is_gone_is_corrected_by_another_record() {
    let (net, _) = shared().await;
    for sql in [
        "DELETE FROM person_list WHERE person_id = 'personaaa'",
        "DELETE FROM person_point WHERE person_id = 'personaaa'",
        "DELETE FROM consent WHERE person_id = 'personaaa'",
        "DELETE FROM person WHERE person_id = 'personaaa'",
    ] {
        net.nodes[0].sql(sql).await;
    }
    let app = &net.nodes[0].app;
    let refused = rectify::rectify(app, &corrects("personaaa"), false).await;
    let said = refused.unwrap_err().0.detail;
    for way in ["--person personaaa --with", "--kind erasure"] {
        assert!(said.contains(way), "{said}");
    }
    let mut again = who(2, &BOTH);
    again.surname = "Corrected".to_owned();
    net.nodes[0].add(&[again]).await;
    let what = Rectification {
        with: Some("personccc".to_owned()),
        ..corrects("personaaa")
    };
    let dry = rectify::rectify(app, &what, true).await.unwrap();
    assert_eq!(dry.notices.len(), 2);
    let recall = net.during(rectify::rectify(app, &what, false)).await;
    assert_eq!(recall.unwrap().notices.len(), 2);
    net.settle().await;
    let text = csv(&net, 1).await;
    assert!(
        text.contains("Corrected") && !text.contains("Quillfeathera"),
        "{text}"
    );
    let unknown = Rectification {
        with: Some("nobody".to_owned()),
        ..corrects("personaaa")
    };
    assert!(rectify::rectify(app, &unknown, false).await.is_err());
}

#[tokio::test]
async fn a_row_restricted_before_it_was_fetched_rests_from_its_first_moment() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &BOTH), who(1, &BOTH)]).await;
    net.settle().await;
    net.away(1, true);
    net.send(0, ask(&["Clean Air Fund"], &FIELDS), LIST).await;
    net.revoke(0, "personaaa", RevokeKind::Restriction).await;
    net.away(1, false);
    net.settle().await;
    let share = received(&net, 1).await;
    assert_eq!((share.held, share.resting), (1, 1));
    assert_eq!(receipts(&net).await[0].state, "restricted");
}

#[tokio::test]
async fn a_correction_replaces_what_was_shared_and_nothing_else() {
    let net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &BOTH), who(1, &BOTH)]).await;
    net.settle().await;
    let own = r#"
        @id("own.permit") @reason("All that is not forbidden.")
        permit (principal, action, resource);
        @id("own.no-phones") @reason("We take no phone numbers.")
        forbid (principal, action == Turf::Action::"receivePhone", resource);
    "#;
    std::fs::write(net.nodes[1].app.dir.0.join("own-policy.cedar"), own).unwrap();
    let fields = [FieldClass::Identity, FieldClass::Postal, FieldClass::Phone];
    net.send(0, ask(&BOTH, &fields), LIST).await;
    net.nodes[0]
        .sql("UPDATE person SET surname = 'Corrected' WHERE person_id = 'personaaa'")
        .await;
    net.nodes[0]
        .sql("UPDATE person SET address = '{}' WHERE person_id = 'personaaa'")
        .await;
    let recall = net.rectify(0, "personaaa").await;
    assert!(recall.notices.iter().all(|notice| notice.state == "done"));
    for (node, name) in [(1, "Clean Air Fund"), (2, "Nurses Local")] {
        let text = csv(&net, node).await;
        let row = text.lines().find(|line| line.contains("Canarya")).unwrap();
        assert!(
            row.contains("Corrected") && !text.contains("Quillfeathera"),
            "{row}"
        );
        assert!(
            !row.contains("Wren Street"),
            "a class that is empty now: {row}"
        );
        assert!(!row.contains("canary0@"), "never shared: {row}");
        let took_phones = node == 2;
        assert_eq!(row.contains("+16145550100"), took_phones, "{row}");
        assert!(text.contains("Quillfeatherb"));
        let holder = holder(&net, name).await;
        assert_eq!(
            (holder.status, holder.correction),
            ("held", Some("rectified"))
        );
    }
    let all = receipts(&net).await;
    assert!(
        all.iter()
            .all(|r| r.kind == "rectification" && r.state == "rectified")
    );
    // A row that was taken back is not corrected.
    net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    assert!(net.rectify(0, "personaaa").await.notices.is_empty());
    let nobody = rectify::rectify(&net.nodes[0].app, &corrects("nobody"), false).await;
    assert!(nobody.is_err());
}

#[tokio::test]
async fn a_correction_finds_a_share_that_still_waits_and_one_that_is_not_fetched() {
    let net = Net::of(&ALLIES).await;
    let sender = &net.nodes[1];
    sender.add(&[who(0, &["Nurses Local"])]).await;
    net.settle().await;
    net.away(1, true);
    net.send_unheard(1, ask(&["Nurses Local"], &FIELDS), LIST)
        .await;
    sender.sql("UPDATE person SET surname = 'Corrected'").await;
    let waits = rectify::rectify(&sender.app, &corrects("personaaa"), false).await;
    assert_eq!(waits.unwrap().notices[0].state, "share-waits");
    net.away(1, false);
    net.settle().await;
    let text = csv(&net, 2).await;
    assert!(text.contains("Corrected") && !text.contains("Quillfeather"));
}

#[tokio::test]
async fn what_a_law_keeps_is_named_in_the_receipt_and_goes_when_its_time_is_over() {
    let (net, given) = shared().await;
    let app = &net.nodes[1].app;
    let until = net.now().plus(3 * DAY);
    let retain = async |share, class, ground: &str, until| {
        except::retain(app, share, class, ground, until).await
    };
    let identity = FieldClass::Identity;
    assert!(retain(given[0], identity, " ", until).await.is_err());
    assert!(
        retain(given[0], identity, "two\nlines", until)
            .await
            .is_err()
    );
    assert!(retain(given[0], identity, "law", net.now()).await.is_err());
    assert!(retain(given[1], identity, "law", until).await.is_err());
    let email = retain(given[0], FieldClass::Email, "law", until).await;
    assert!(email.is_err(), "it was not shared");
    let ground = "Gifts are kept for seven years";
    retain(given[0], identity, ground, until).await.unwrap();
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    let all = receipts(&net).await;
    let partly = all.iter().find(|r| r.to == app.me).unwrap();
    assert_eq!((partly.state, partly.erased), ("partly_retained", Some(1)));
    let kept = &partly.retained[0];
    assert_eq!(
        (kept.class.as_str(), kept.ground.as_str()),
        ("identity", ground)
    );
    let holder = holder(&net, "Clean Air Fund").await;
    assert_eq!(
        (holder.status, holder.retained.len()),
        ("partly_retained", 1)
    );
    let share = received(&net, 1).await;
    assert_eq!((share.held, share.resting), (1, 1));
    assert!(!csv(&net, 1).await.contains("Canarya"));
    net.pass(4 * DAY).await;
    net.settle().await;
    let share = received(&net, 1).await;
    assert_eq!((share.held, share.resting), (1, 0));
}

/// A coalition in which the second organization owes a receipt that is late.
async fn overdue() -> (Net, EntryId) {
    let (net, _) = shared().await;
    net.away(1, true);
    net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    assert_eq!(flows(&net, "Clean Air Fund").await, 1);
    net.pass(2 * DAY).await;
    net.tick(0).await;
    let late = shares::view::receipts(&net.nodes[0].app, true).await;
    let late = late.unwrap();
    assert_eq!(late.len(), 1);
    (net, late[0].notice)
}

#[tokio::test]
async fn who_is_overdue_gets_nothing_new_until_its_receipt_is_there() {
    let (net, _) = overdue().await;
    let sent = net.send(0, ask(&["Clean Air Fund"], &FIELDS), LIST).await;
    assert_eq!((sent[0].share, sent[0].state), (None, "nothing"));
    let withheld = &sent[0].preview.withheld;
    assert!(
        withheld
            .iter()
            .any(|rule| rule.rule == "law.notices-overdue")
    );
    net.away(1, false);
    net.settle().await;
    let sent = net.send(0, ask(&["Clean Air Fund"], &FIELDS), LIST).await;
    assert_eq!((sent[0].state, sent[0].preview.flow), ("done", 1));
}

#[tokio::test]
async fn an_exception_ends_the_overdue_state_and_everybody_reads_why() {
    let (net, notice) = overdue().await;
    let app = &net.nodes[0].app;
    let other = &net.nodes[2].app;
    let (reason, name) = ("The organization has dissolved", "Ada Quill");
    let kind = ExceptionKind::Impossible;
    let refused = [
        (app, notice, " ", name),
        (app, notice, "two\nlines", name),
        (app, notice, reason, ""),
        (app, EntryId([9; 16]), reason, name),
        (other, notice, reason, name),
    ];
    for (n, (app, notice, reason, name)) in refused.into_iter().enumerate() {
        let said = except::except(app, notice, kind, reason, name).await;
        assert!(said.is_err(), "{n}");
    }
    except::except(app, notice, kind, reason, name)
        .await
        .unwrap();
    net.settle().await;
    let late = shares::view::receipts(app, true).await.unwrap();
    assert!(late.is_empty());
    let all = receipts(&net).await;
    let excepted = all.iter().find(|receipt| receipt.notice == notice).unwrap();
    assert_eq!(excepted.state, "excepted");
    let exception = excepted.exception.as_ref().unwrap();
    assert_eq!(
        (exception.reason.as_str(), exception.approver.as_str()),
        (reason, name)
    );
    let holder = holder(&net, "Clean Air Fund").await;
    assert_eq!(holder.status, "excepted");
    assert_eq!(holder.exception.unwrap().kind, "impossible");
    assert_eq!(flows(&net, "Clean Air Fund").await, 1);
    let twice = except::except(app, notice, kind, reason, name).await;
    assert!(twice.is_err());
    // The receipt comes after all.
    net.away(1, false);
    net.settle().await;
    assert!(receipts(&net).await.iter().all(|r| r.state == "erased"));
}

#[tokio::test]
async fn a_notice_for_a_row_that_is_not_held_is_answered_like_any_other() {
    let (net, given) = shared().await;
    // E.g. the recipient had dropped it; nobody learns which rows it holds by what it does.
    net.nodes[1].sql("DELETE FROM received_row").await;
    net.nodes[1].sql("DELETE FROM received_token").await;
    for kind in [RevokeKind::Restriction, RevokeKind::Erasure] {
        net.revoke(0, "personaaa", kind).await;
    }
    net.rectify(0, "personbbb").await;
    let what = What::Person {
        person: "personaaa".to_owned(),
        share: Some(EntryId([9; 16])),
        kind: RevokeKind::Erasure,
    };
    let unknown = recall::revoke(&net.nodes[0].app, &what, false).await;
    assert!(unknown.is_err());
    let all = receipts(&net).await;
    let of = all.iter().filter(|r| r.share == given[0]);
    let answers: Vec<_> = of
        .map(|r| (r.state, r.erased, r.acknowledged.is_some()))
        .collect();
    assert_eq!(answers, [("not_found", Some(0), true); 3]);
}
