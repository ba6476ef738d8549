//! The desk's routes for shares, as commands and pages call them.

use super::{
    net::Net,
    people::{LIST, who},
};
use axum::body::Body;
use commonturf::{app::App, config::NodeDir, http};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// One node's desk, called as commands call it.
pub(crate) struct Desk {
    router: axum::Router,
    token: String,
}

impl Desk {
    pub(super) fn of(net: &Net, node: usize) -> Self {
        Self::at(&net.nodes[node].app)
    }

    pub(crate) fn at(app: &App) -> Self {
        let token = NodeDir::read_secret(&app.dir.token()).unwrap();
        Self {
            router: http::desk(app.clone()),
            token,
        }
    }

    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Vec<u8>) {
        let request = ::http::Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, bytes.to_vec())
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let (status, bytes) = self.call(method, path, body).await;
        (status, serde_json::from_slice(&bytes).unwrap())
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one walk through the desk")]
async fn the_desk_previews_shares_lists_exports_and_takes_back() {
    let net = Net::of(&[("Tenants United", "c4"), ("Clean Air Fund", "c3")]).await;
    net.nodes[0]
        .add(&[who(0, &["Clean Air Fund"]), who(1, &[])])
        .await;
    net.settle().await;
    let (ours, theirs) = (Desk::of(&net, 0), Desk::of(&net, 1));
    let body = json!({
        "to": ["clean air fund"], "list": LIST, "purpose": "gotv", "fields": ["postal", "identity"],
        "expires": "2026-12-24",
    });
    let (status, preview) = ours
        .json("POST", "/shares/preview", Some(body.clone()))
        .await;
    assert_eq!(status, 200, "{preview}");
    assert_eq!(preview["recipients"][0]["flow"], 1);
    assert_eq!(
        preview["recipients"][0]["withheld"][0]["rule"],
        "con.channel"
    );

    let mut dry = body.clone();
    dry["dry_run"] = true.into();
    let (_, answer) = ours.json("POST", "/shares", Some(dry)).await;
    assert_eq!(answer["recipients"][0]["state"], "dry-run");
    let (_, none) = ours.json("GET", "/shares", None).await;
    assert_eq!(none["items"], json!([]));

    let (status, sent) = net.during(ours.json("POST", "/shares", Some(body))).await;
    assert_eq!(
        (status, sent["recipients"][0]["state"].as_str()),
        (200, Some("done"))
    );
    net.settle().await;
    let share = sent["recipients"][0]["share"].as_str().unwrap();
    let (_, received) = theirs
        .json("GET", &format!("/received/{share}"), None)
        .await;
    assert_eq!(received["held"], 1);
    let export = format!("/received/export?share={share}");
    let (status, refused) = theirs.json("GET", &export, None).await;
    assert_eq!(status, 409);
    let said = refused["detail"].as_str().unwrap();
    assert!(said.contains("received announce"), "{said}");
    let path = format!("/received/{share}/uses");
    let (_, dry) = theirs
        .json("POST", &path, Some(json!({ "dry_run": true })))
        .await;
    assert_eq!(
        (dry["state"].is_null(), &dry["received"]["uses"]["state"]),
        (true, &json!("none"))
    );
    let announcing = theirs.json("POST", &path, Some(json!({})));
    let (status, announced) = net.during(announcing).await;
    assert_eq!((status, announced["state"].as_str()), (200, Some("done")));
    assert_eq!(announced["received"]["uses"]["left"], 5);
    let (_, uses) = ours.json("GET", "/uses", None).await;
    assert_eq!(uses["items"][0]["share"], share);
    let (status, csv) = theirs.call("GET", &export, None).await;
    assert_eq!(status, 200);
    assert!(
        String::from_utf8(csv)
            .unwrap()
            .contains("2026-12-25T00:00:00Z")
    );

    let (_, holders) = ours.json("GET", "/people/personaaa/holders", None).await;
    assert_eq!(holders["holders"][0]["status"], "held");
    let (status, recall) = net
        .during(ours.json(
            "POST",
            "/revocations",
            Some(json!({ "person": "personaaa" })),
        ))
        .await;
    assert_eq!(
        (status, recall["notices"][0]["state"].as_str()),
        (200, Some("done"))
    );
    net.settle().await;
    let (_, receipts) = ours.json("GET", "/receipts", None).await;
    assert_eq!(receipts["items"][0]["state"], "erased");
    assert_eq!(receipts["items"][0]["kind"], "withdrawal");
    let (_, late) = ours.json("GET", "/receipts?overdue=true", None).await;
    assert_eq!(late["items"], json!([]));
}

#[tokio::test]
async fn the_desk_lets_rest_corrects_keeps_excepts_and_lists_disputes() {
    let net = Net::of(&[("Tenants United", "c4"), ("Clean Air Fund", "c3")]).await;
    net.nodes[0]
        .add(&[who(0, &["Clean Air Fund"]), who(1, &["Clean Air Fund"])])
        .await;
    net.settle().await;
    let (ours, theirs) = (Desk::of(&net, 0), Desk::of(&net, 1));
    let body = json!({
        "to": ["clean air fund"], "list": LIST, "purpose": "gotv", "fields": ["postal", "identity"],
    });
    let (_, sent) = net.during(ours.json("POST", "/shares", Some(body))).await;
    net.settle().await;
    let share = sent["recipients"][0]["share"].as_str().unwrap();
    let retain = json!({ "share": share, "class": "identity", "ground": "Accounts of gifts",
                         "until": "2027-01-31" });
    let (status, kept) = theirs.json("POST", "/retentions", Some(retain)).await;
    assert_eq!((status, kept["class"].as_str()), (200, Some("identity")));
    let mut notices = Vec::new();
    for (kind, result) in [
        ("rectification", "rectified"),
        ("restriction", "restricted"),
        ("erasure", "partly_retained"),
    ] {
        let body = json!({ "person": "personaaa", "kind": kind });
        let revoking = ours.json("POST", "/revocations", Some(body));
        let (status, told) = net.during(revoking).await;
        assert_eq!(
            (status, told["notices"][0]["state"].as_str()),
            (200, Some("done"))
        );
        net.settle().await;
        let (_, receipts) = ours.json("GET", "/receipts", None).await;
        let is_kind = |item: &&Value| item["kind"] == kind;
        let receipt = receipts["items"].as_array().unwrap().iter().find(is_kind);
        let receipt = receipt.unwrap();
        assert_eq!(receipt["state"], result);
        notices.push(receipt["notice"].clone());
    }
    let (_, received) = theirs
        .json("GET", &format!("/received/{share}"), None)
        .await;
    assert_eq!(
        (received["held"].as_u64(), received["resting"].as_u64()),
        (Some(1), Some(1))
    );
    let (_, holders) = ours.json("GET", "/people/personaaa/holders", None).await;
    let kept = &holders["holders"][0]["retained"][0];
    assert_eq!(kept["ground"], "Accounts of gifts");
    net.away(1, true);
    let body = json!({ "person": "personbbb" });
    let (_, told) = net
        .during(ours.json("POST", "/revocations", Some(body)))
        .await;
    let except = |notice: &Value, kind: &str| json!({ "notice": notice, "kind": kind, "reason": "It has dissolved", "approver": "Ada Quill" });
    let notice = &told["notices"][0]["notice"];
    for (notice, kind, status) in [
        (&notices[0], "impossible", 409),
        (notice, "unlikely", 400),
        (notice, "impossible", 200),
    ] {
        let excepting = ours.json("POST", "/exceptions", Some(except(notice, kind)));
        let (found, answer) = net.during(excepting).await;
        assert_eq!(found, status, "{answer}");
    }
    let (_, disputes) = ours.json("GET", "/disputes", None).await;
    assert_eq!(disputes["items"], json!([]));
    let none = json!({ "share": share, "code": "W_OVERSHARE" });
    let (status, _) = theirs.json("POST", "/disputes/settled", Some(none)).await;
    assert_eq!(status, 404);
    let (_, told) = ours.json("GET", "/status", None).await;
    assert_eq!(told["coalition"]["disputes"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_a_sentence() {
    let net = Net::of(&[("Tenants United", "c4"), ("Clean Air Fund", "c3")]).await;
    net.nodes[0].add(&[who(0, &["Clean Air Fund"])]).await;
    let ours = Desk::of(&net, 0);
    let share = |purpose: &str, field: &str, expires: &str| {
        json!({ "to": ["Clean Air Fund"], "list": LIST, "purpose": purpose, "fields": [field],
                "expires": expires })
    };
    for (path, body, said) in [
        ("/shares", share("fun", "postal", "2026-12-24"), "purpose:"),
        (
            "/shares",
            share("gotv", "shoe_size", "2026-12-24"),
            "fields:",
        ),
        ("/shares", share("gotv", "postal", "soon"), "YYYY-MM-DD"),
        ("/shares", share("gotv", "postal", "2020-01-01"), "expired"),
        ("/revocations", json!({}), "name a person"),
        ("/revocations", json!({ "share": "x" }), "share:"),
        (
            "/revocations",
            json!({ "person": "personaaa", "kind": "recall" }),
            "withdrawal",
        ),
        (
            "/revocations",
            json!({ "person": "nobody-here" }),
            "no person",
        ),
    ] {
        let (status, problem) = ours.json("POST", path, Some(body)).await;
        assert!((400..500).contains(&status), "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{said}: {detail}");
    }
}
