//! What the agreement states of members, and what follows: who shares a coalition, who reads what.

use crate::{
    shares::desk::Desk,
    support::{
        coalition::Coalition,
        people::{Somebody, put},
    },
};
use commonturf::{
    app::App,
    claims::take::{self, From, Question},
    coalition::agreement::{self, Wanted},
    disclosure,
    store::{self, contact::Contact},
};
use protocol::{
    agreement::Agreement,
    channel::Channel,
    time::{DAY, HOUR},
};
use serde_json::{Value, json};

const ANN: Somebody<'_> = Somebody {
    given: "Ann",
    surname: "Ash",
    line1: "12 Elm St",
    phone: "",
    email: "",
    voter_id: "OH1",
    van_id: "",
};

const TABLE: [(&str, &str); 3] = [
    ("Tenants United", "c4"),
    ("Green Table", "c3"),
    ("Smith for Senate", "candidate"),
];

async fn table() -> Coalition {
    let terms = policy::template("us-electoral-table").unwrap().text;
    Coalition::of(&TABLE, terms).await
}

fn stated(parties: &str) -> Wanted<'_> {
    Wanted {
        terms: None,
        parties: Some(parties),
        ..Default::default()
    }
}

/// All sign a version that states this.
async fn state(coalition: &Coalition, parties: &str) {
    let draft = agreement::draft(coalition.node(0), stated(parties))
        .await
        .unwrap();
    agreement::put_forward(coalition.node(0), &draft)
        .await
        .unwrap();
    coalition.settle().await;
    for n in 1..TABLE.len() {
        agreement::sign(coalition.node(n), None).await.unwrap();
    }
    coalition.settle().await;
    let in_force = coalition.state().await.agreement().unwrap().0;
    assert_eq!(in_force, draft.hash());
}

async fn in_force(coalition: &Coalition) -> Agreement {
    coalition.state().await.agreement().unwrap().1
}

fn elm_street() -> Question {
    Question {
        from: From::List("ours".to_owned()),
        channel: Channel::Door,
        first: "2026-11-26".parse().unwrap(),
        last: "2026-11-28".parse().unwrap(),
        portion: None,
    }
}

/// Somebody was met at the door yesterday.
async fn met(coalition: &Coalition, n: usize) {
    let app = coalition.node(n);
    let at = coalition.now().plus(-DAY);
    let mut tx = app.store.write("test").await.unwrap();
    let row: (String, String) = sqlx::query_as(
        "SELECT p.point_id, pp.person_id FROM point p JOIN person_point pp ON pp.point_id = p.point_id WHERE p.class = 0",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    let contact = Contact {
        contact_id: "met".to_owned(),
        person_id: Some(row.1),
        point_id: Some(row.0),
        channel: Some("door".to_owned()),
        at: at.0,
        whole_day: false,
        effect: "contact-made".to_owned(),
        result: "contact-made".to_owned(),
        flagged: false,
        committee: String::new(),
        own: true,
        import_id: "test".to_owned(),
        told: None,
    };
    assert!(store::contact::insert(&mut tx, &contact).await.unwrap());
    tx.commit().await.unwrap();
}

async fn waiting(app: &App) -> i64 {
    let mut db = app.store.read("test").await.unwrap();
    store::outbox::waiting(&mut db).await.unwrap()
}

fn withheld(app: &App) -> Option<String> {
    let withheld = app.wake.withheld.borrow();
    withheld.as_ref().map(|withheld| withheld.reason.clone())
}

#[tokio::test]
async fn facts_are_proposed_signed_and_carried_into_the_next_version() {
    let coalition = table().await;
    for party in in_force(&coalition).await.parties {
        assert_eq!(party.facts.jurisdiction, "us");
        assert!(!party.facts.federal && party.facts.coordinated.is_empty());
        assert_eq!(party.facts.incorporated, party.kind != "candidate");
    }
    let text = "[\"Smith for Senate\"]\nfederal = true\ncoordinated = [\"us-oh-sen-2026\"]\n\
                attested_by = \"Jo Smith, treasurer\"\nattested_on = \"2026-11-25\"\n";
    state(&coalition, text).await;
    state(&coalition, "[\"Green Table\"]\njurisdiction = \"us-oh\"\n").await;
    let agreement = in_force(&coalition).await;
    let facts = |name: &str| {
        let party = agreement.parties.iter().find(|party| party.name == name);
        party.unwrap().facts.clone()
    };
    let smith = facts("Smith for Senate");
    assert!(smith.federal);
    assert_eq!(smith.coordinated, ["us-oh-sen-2026"]);
    assert_eq!(smith.attested.unwrap().by, "Jo Smith, treasurer");
    assert_eq!(facts("Green Table").jurisdiction, "us-oh");
    assert_eq!(facts("Tenants United").jurisdiction, "us");
    // The same again is no new version.
    let same = agreement::draft(coalition.node(0), stated(text)).await;
    assert!(same.unwrap_err().0.detail.contains("says the same"));
}

#[tokio::test]
async fn both_sides_of_a_race_are_refused_before_anything_is_said() {
    let coalition = table().await;
    let sides = "[\"Smith for Senate\"]\ncoordinated = [\"us-oh-sen-2026\"]\n\
                 [\"Tenants United\"]\nindependent = [\"us-oh-sen-2026\"]\n";
    let refusal = agreement::draft(coalition.node(1), stated(sides)).await;
    let said = refusal.unwrap_err().0.detail;
    for word in [
        "E_FIREWALL_CONFLICT",
        "Smith for Senate coordinates",
        "Tenants United spends",
        "us-oh-sen-2026",
        "separate coalitions",
    ] {
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(waiting(coalition.node(1)).await, 0);
    let alone = "[\"Green Table\"]\ncoordinated = [\"a\"]\nindependent = [\"a\"]\n";
    let refusal = agreement::draft(coalition.node(1), stated(alone)).await;
    let said = refusal.unwrap_err().0.detail;
    assert!(
        said.contains("E_FIREWALL_CONFLICT") && said.contains("one race"),
        "{said}"
    );
    // One side each is no conflict.
    state(&coalition, &sides.replacen("independent", "coordinated", 1)).await;
}

#[tokio::test]
async fn a_draft_of_both_sides_by_another_program_is_void_everywhere() {
    let coalition = table().await;
    let mut draft = agreement::draft(
        coalition.node(2),
        stated("[\"Tenants United\"]\nindependent = [\"us-oh-sen-2026\"]\n"),
    )
    .await
    .unwrap();
    let smith = draft.parties.iter_mut().find(|p| p.kind == "candidate");
    smith.unwrap().facts.coordinated = vec!["us-oh-sen-2026".to_owned()];
    agreement::put_forward(coalition.node(2), &draft)
        .await
        .unwrap();
    coalition.settle().await;
    let state = coalition.state().await;
    assert!(!state.agreements.has(&draft.hash()));
    assert_ne!(state.meta().agreement, Some(draft.hash()));
}

#[tokio::test]
async fn a_file_of_parties_that_means_nobody_is_refused_with_its_line() {
    let coalition = table().await;
    for (text, words) in [
        ("\n[\"River PAC\"]\nfederal = true", ["line 2", "River PAC"]),
        ("[\"Green Table\"]\nfederal = 1", ["line 2", "boolean"]),
        (
            "[\"Green Table\"]\nattested_by = \"Ann Lee\"",
            ["line 1", "attested_on"],
        ),
    ] {
        let refusal = agreement::draft(coalition.node(0), stated(text)).await;
        let said = refusal.unwrap_err().0.detail;
        for word in words {
            assert!(said.contains(word), "{said}");
        }
    }
    let id = coalition.id(1).to_string();
    let twice = format!("[\"Green Table\"]\nfederal = true\n[{id}]\nfederal = true\n");
    let refusal = agreement::draft(coalition.node(0), stated(&twice)).await;
    assert!(refusal.unwrap_err().0.detail.contains("a table already"));
}

#[tokio::test]
async fn beside_a_federal_candidate_claims_are_published_and_contact_reports_are_not() {
    let coalition = table().await;
    put(coalition.node(1), "ours", &[ANN]).await;
    coalition.settle().await;
    state(&coalition, "[\"Smith for Senate\"]\nfederal = true\n").await;
    met(&coalition, 1).await;
    coalition.settle().await;
    assert!(coalition.state().await.contacts.is_empty());
    let said = withheld(coalition.node(1)).expect("people are told why");
    for word in ["Smith for Senate", "law.corp-union", "30118", "usual price"] {
        assert!(said.contains(word), "{said}");
    }
    let (status, answer) = Desk::at(coalition.node(1))
        .json("GET", "/status", None)
        .await;
    assert_eq!(status, 200);
    assert_eq!(answer["coalition"]["reports_withheld"], said);
    take::take(coalition.node(1), elm_street()).await.unwrap();
    coalition.settle().await;
    assert_eq!(coalition.state().await.claims.len(), 1);
    // For a state office another law holds: what waited is told at once.
    state(&coalition, "[\"Smith for Senate\"]\nfederal = false\n").await;
    assert_eq!(coalition.state().await.contacts.len(), 1);
    assert_eq!(withheld(coalition.node(1)), None);
}

#[tokio::test]
async fn what_the_own_policy_keeps_from_one_member_is_claimed_beside_none() {
    let coalition = table().await;
    put(coalition.node(1), "ours", &[ANN]).await;
    coalition.settle().await;
    let own = format!(
        "{}\n@id(\"own.no-candidates\") @reason(\"We keep away from candidates.\")\n\
         forbid (principal, action == Turf::Action::\"publish\", resource)\n\
         when {{ context.to.kind == Turf::OrgKind::\"candidate\" }};\n",
        policy::OWN_DEFAULT
    );
    let path = coalition.node(1).dir.0.join("own-policy.cedar");
    std::fs::write(&path, own).unwrap();
    let refusal = take::take(coalition.node(1), elm_street()).await;
    let said = refusal.unwrap_err().0.detail;
    for word in [
        "Smith for Senate may not read it",
        "We keep away from candidates.",
        "own.no-candidates",
    ] {
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(waiting(coalition.node(1)).await, 0);
    let path_of_check = "/claims/check?list=ours&channel=door&from=2026-11-26&to=2026-11-28&rows=1";
    let desk = Desk::at(coalition.node(1));
    let (status, looked) = desk.json("POST", path_of_check, None).await;
    assert_eq!(
        (status, looked["withheld"].as_str()),
        (200, Some(said.as_str()))
    );
    // Nothing is published under rules that cannot be read, either.
    std::fs::write(&path, "permit").unwrap();
    take::take(coalition.node(1), elm_street())
        .await
        .unwrap_err();
    std::fs::remove_file(&path).unwrap();
    take::take(coalition.node(1), elm_street()).await.unwrap();
    coalition.settle().await;
    assert_eq!(coalition.state().await.claims.len(), 1);
}

#[tokio::test]
async fn contact_reports_that_the_own_policy_withheld_are_told_after_it_changed() {
    let coalition = table().await;
    put(coalition.node(1), "ours", &[ANN]).await;
    coalition.settle().await;
    let path = coalition.node(1).dir.0.join("own-policy.cedar");
    std::fs::write(&path, "permit").unwrap();
    met(&coalition, 1).await;
    coalition.settle().await;
    assert!(
        withheld(coalition.node(1))
            .unwrap()
            .contains("own-policy.cedar")
    );
    std::fs::remove_file(&path).unwrap();
    coalition.pass(HOUR).await;
    coalition.settle().await;
    assert_eq!(coalition.state().await.contacts.len(), 1);
    assert_eq!(withheld(coalition.node(1)), None);
}

/// Who may read what, by member.
fn cells(readers: &Value, member: &str) -> Vec<bool> {
    let rows = readers.as_array().unwrap();
    let row = rows.iter().find(|row| row["member"] == member).unwrap();
    ["plans", "claims", "contact_reports"]
        .map(|kind| row[kind]["published"].as_bool().unwrap())
        .to_vec()
}

#[tokio::test]
async fn who_may_read_what_is_seen_before_anything_is_signed() {
    let coalition = table().await;
    let desk = Desk::at(coalition.node(0));
    let federal = json!({ "parties": "[\"Smith for Senate\"]\nfederal = true\n", "dry_run": true });
    let (status, answer) = desk.json("POST", "/agreement", Some(federal)).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["hash"].is_null() && answer["dry_run"] == true);
    assert_eq!(
        cells(&answer["readers"], "Tenants United"),
        [true, true, false]
    );
    assert_eq!(cells(&answer["readers"], "Smith for Senate"), [true; 3]);
    let kept = &answer["readers"].as_array().unwrap()[0];
    assert!(kept["member"].is_string());
    assert_eq!(waiting(coalition.node(0)).await, 0, "it was a dry run");

    let draft = agreement::draft(
        coalition.node(0),
        stated("[\"Smith for Senate\"]\nfederal = true\n"),
    );
    let draft = draft.await.unwrap();
    agreement::put_forward(coalition.node(0), &draft)
        .await
        .unwrap();
    coalition.settle().await;
    let (status, shown) = Desk::at(coalition.node(1))
        .json("GET", "/agreement", None)
        .await;
    assert_eq!(status, 200);
    let (now, then) = (&shown["in_force"], &shown["drafts"][0]);
    assert_eq!(cells(&now["readers"], "Green Table"), [true; 3]);
    assert_eq!(cells(&then["readers"], "Green Table"), [true, true, false]);
    let parties = then["parties"].as_array().unwrap();
    let smith = parties.iter().find(|p| p["kind"] == "candidate").unwrap();
    assert_eq!(
        (&smith["federal"], &smith["jurisdiction"]),
        (&json!(true), &json!("us"))
    );
    assert_eq!(
        shown["present"], now["parties"],
        "what goes on unless it is changed"
    );
    let readers = disclosure::readers(coalition.node(1), draft.hash(), &draft).await;
    let reasons = disclosure::reasons(&readers.unwrap());
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons[0].starts_with("law.corp-union: "));
}

#[tokio::test]
async fn a_refused_proposal_says_why_at_the_desk() {
    let coalition = table().await;
    let desk = Desk::at(coalition.node(0));
    let sides = "[\"Smith for Senate\"]\ncoordinated = [\"us-oh-sen-2026\"]\n\
                 [\"Green Table\"]\nindependent = [\"us-oh-sen-2026\"]\n";
    let (status, answer) = desk
        .json("POST", "/agreement", Some(json!({ "parties": sides })))
        .await;
    assert_eq!(status, 400);
    let said = answer["detail"].as_str().unwrap();
    assert!(said.starts_with("E_FIREWALL_CONFLICT: "), "{said}");
    assert!(said.contains("Green Table spends"), "{said}");
    assert_eq!(waiting(coalition.node(0)).await, 0);
}
