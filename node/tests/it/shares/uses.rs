//! Uses of received rows: announced to everybody, after the agreement's notice, and not too often.

use super::{
    net::{Net, ask},
    people::{LIST, who},
};
use commonturf::shares::{export, uses, view};
use policy::FieldClass;
use protocol::{
    id::EntryId,
    time::{DAY, HOUR},
};

const ALLIES: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("Nurses Local", "union"),
];
const FIELDS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];

/// One row was shared under an agreement with a day's notice that allows so many uses a year.
async fn shared(limit: u32) -> (Net, EntryId) {
    let terms = policy::template("us-issue-table").unwrap().text;
    let terms = terms.replace("use_limit = 6", &format!("use_limit = {limit}"));
    let net = Net::under(&ALLIES, &terms).await;
    net.nodes[0].add(&[who(0, &["Clean Air Fund"])]).await;
    net.settle().await;
    let sent = net.send(0, ask(&["Clean Air Fund"], &FIELDS), LIST).await;
    (net, sent[0].share.unwrap())
}

async fn standing(net: &Net) -> uses::Standing {
    let received = view::received(&net.nodes[1].app).await.unwrap();
    received[0].uses.clone().unwrap()
}

async fn refusal(net: &Net, share: Option<EntryId>) -> String {
    let refused = export::export(&net.nodes[1].app, share).await;
    refused.unwrap_err().0.detail
}

#[tokio::test]
async fn rows_stay_where_they_are_until_an_announced_use_begins() {
    let (net, share) = shared(6).await;
    let app = &net.nodes[1].app;
    for which in [None, Some(share)] {
        let said = refusal(&net, which).await;
        assert!(said.contains("received announce"), "{said}");
        assert!(said.contains("24 hours later") && said.contains("allows 6 more"));
    }
    uses::announce(app, share, None).await.unwrap();
    net.settle().await;
    let begins = net.now().plus(DAY);
    let now = standing(&net).await;
    assert_eq!(
        (now.state, now.from, now.left),
        ("announced", Some(begins), 5)
    );
    let said = refusal(&net, Some(share)).await;
    assert!(said.contains("2026-11-26 12:00 UTC"), "{said}");
    net.pass(DAY - HOUR).await;
    assert!(export::export(app, Some(share)).await.is_err());
    net.pass(HOUR).await;
    let export = export::export(app, Some(share)).await.unwrap();
    assert!(String::from_utf8(export.csv).unwrap().contains("Canarya"));
    assert_eq!(standing(&net).await.state, "open");
    net.pass(7 * DAY).await;
    let said = refusal(&net, Some(share)).await;
    assert!(
        said.contains("received announce"),
        "a week is one use: {said}"
    );
}

#[tokio::test]
async fn every_member_sees_who_uses_what_and_when() {
    let (net, share) = shared(6).await;
    let later = net.now().plus(10 * DAY);
    let entry = uses::announce(&net.nodes[1].app, share, Some(later)).await;
    entry.unwrap();
    net.settle().await;
    for node in &net.nodes {
        let all = uses::all(&node.app).await.unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].share, all[0].from), (share, later));
        let names = (all[0].by_name.as_str(), all[0].from_name.as_str());
        assert_eq!(names, ("Clean Air Fund", "Tenants United"));
        assert_eq!(all[0].purpose, "gotv");
    }
}

#[tokio::test]
async fn beyond_the_agreements_uses_the_refusal_says_when_there_is_room() {
    let (net, share) = shared(1).await;
    let app = &net.nodes[1].app;
    uses::announce(app, share, None).await.unwrap();
    net.settle().await;
    let refused = uses::announce(app, share, None).await.unwrap_err();
    let said = refused.0.detail;
    assert!(said.contains("1 times a year"), "{said}");
    assert!(said.contains("2027-11-26 12:00 UTC"), "{said}");
    net.pass(9 * DAY).await;
    net.settle().await;
    let now = standing(&net).await;
    assert_eq!((now.state, now.left), ("used_up", 0));
    let said = refusal(&net, Some(share)).await;
    assert!(said.contains("2027-11-26 12:00 UTC"), "{said}");
}

#[tokio::test]
async fn nobody_announces_what_it_does_not_hold_or_what_ends_before() {
    let (net, share) = shared(6).await;
    let refused = uses::announce(&net.nodes[2].app, share, None).await;
    assert!(refused.unwrap_err().0.detail.contains("received list"));
    let far = Some(net.now().plus(91 * DAY));
    let refused = uses::announce(&net.nodes[1].app, share, far).await;
    assert!(refused.unwrap_err().0.detail.contains("90 days"));
    let mut short = ask(&["Clean Air Fund"], &FIELDS);
    short.expires = Some(net.now().plus(12 * HOUR));
    let sent = net.send(0, short, LIST).await;
    let refused = uses::announce(&net.nodes[1].app, sent[0].share.unwrap(), None).await;
    let said = refused.unwrap_err().0.detail;
    assert!(said.contains("may be used until"), "{said}");
}
