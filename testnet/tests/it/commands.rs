//! The commands of a working day, by two real nodes: a killed import, claims, suppressions, shares, recall.

use serde_json::Value;
use std::{fs::File, io::BufWriter, path::Path, time::Duration};
use testnet::{
    ambient::today,
    export_files::van_rows,
    nodes::{Member, Node, Organization, Program, found_quietly, settled},
    people::{OrganizationKind, consent},
};

/// People of the list that both organizations have.
const ROWS: usize = 4_500;
/// How long anything may take to reach the ally, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn member(slug: &'static str, keeper: bool) -> Member<'static> {
    Member {
        slug,
        who: Organization {
            name: slug,
            kind: "c4",
            keeper,
        },
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The list, and a form that everybody on it has signed and that names the ally alone.
fn write_files(folder: &Path) {
    let list = BufWriter::new(File::create(folder.join("list.csv")).unwrap());
    van_rows(list, 7, ROWS).unwrap();
    let forms = consent::forms(OrganizationKind::C4);
    let mut form = forms
        .into_iter()
        .find(|form| form.form_version == consent::NAMING_FORM)
        .unwrap();
    for purpose in &mut form.purposes {
        purpose.recipients = vec!["ally".to_owned()];
    }
    std::fs::write(folder.join("form.toml"), form.to_toml()).unwrap();
}

#[tokio::test]
async fn a_working_day_by_command_survives_kills_and_leaves_one_state() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let program = Program::build().await.unwrap();
    let members = [member("founder", true), member("ally", false)];
    // Nobody waits a day between the announcement of a use and its beginning here.
    let terms = policy::terms::template("us-issue-table").unwrap().text;
    let terms = terms.replace("notice_hours = 24", "notice_hours = 0");
    std::fs::write(folder.path().join("terms.toml"), terms).unwrap();
    let terms = folder.path().join("terms.toml");
    let mut nodes = found_quietly(&program, folder.path(), &members, text(&terms))
        .await
        .unwrap();
    import_with_a_kill(&mut nodes[0], folder.path()).await;
    let list = folder.path().join("list.csv");
    let list = ["import", text(&list), "--list", "voters"];
    nodes[1].run(&list).await.unwrap();
    for node in &nodes {
        node.run(&["tokens", "status", "--wait"]).await.unwrap();
    }
    claims(&mut nodes, folder.path()).await;
    suppressions(&nodes).await;
    shares(&mut nodes, folder.path()).await;
    papers(&nodes[0], folder.path()).await;
    passed_on(&nodes, &folder.path().join("received.csv")).await;
    many_taken_back(&nodes[0], folder.path()).await;
    audit(&nodes, folder.path()).await;
    let both: Vec<&Node> = nodes.iter().collect();
    let standing = settled(&both, PATIENCE).await.unwrap();
    assert_eq!(standing.len(), 2);
    testnet::nodes::stop_all(&mut nodes).await.unwrap();
}

/// The same command after a kill goes on where the last batch ended; once more it adds nothing.
async fn import_with_a_kill(node: &mut Node, folder: &Path) {
    let (list, form) = (folder.join("list.csv"), folder.join("form.toml"));
    let mut words = vec!["import", text(&list), "--list", "voters"];
    words.extend(["--source", "own_signup", "--basis", "consent"]);
    words.extend(["--consent-form", text(&form)]);
    let some = |lists: &Value| lists[0]["people"].as_u64().filter(|people| *people > 0);
    let first_batch = node.until("the first batch is in", PATIENCE, &["lists"], some);
    let in_the_middle = tokio::select! {
        _ = node.run(&words) => false,
        people = first_batch => people.unwrap() < ROWS as u64,
    };
    node.kill().await.unwrap();
    node.start().await.unwrap();
    let imports = node.run(&["imports"]).await.unwrap().to_string();
    assert!(
        !in_the_middle || imports.contains("interrupted"),
        "{imports}"
    );
    let again = node.run(&words).await.unwrap();
    assert_eq!(again["rows"], ROWS);
    assert!(!in_the_middle || again["resumed_at"].is_u64(), "{again}");
    let third = node.run(&words).await.unwrap();
    assert_eq!(
        (&third["imported"], &third["updated"]),
        (&0.into(), &0.into())
    );
    let lists = node.run(&["lists"]).await.unwrap();
    let people = lists.to_string();
    assert!(people.contains("voters"), "{people}");
}

/// Taken while the keeper dies, seen by the ally, renewed, walked, given back.
async fn claims(nodes: &mut [Node], folder: &Path) {
    let tomorrow = today().tomorrow().unwrap().to_string();
    let window = ["--channel", "door", "--from", &tomorrow, "--to", &tomorrow];
    let words = |verb| [&["claim", verb, "--list", "voters"], window.as_slice()].concat();
    let (founder, ally) = nodes.split_at_mut(1);
    let (founder, ally) = (&mut founder[0], &ally[0]);
    let before = ally.run(&words("check")).await.unwrap();
    let free = before["counts"]["free"].as_u64().unwrap();
    assert!(free > 100, "{before}");
    let taking = words("take");
    let (taken, _) = tokio::join!(ally.run(&taking), async {
        founder.kill().await.unwrap();
        founder.start().await.unwrap();
    });
    let all = ["claim", "list", "--all"];
    let granted = |claims: &Value| {
        let claim = claims
            .as_array()?
            .iter()
            .find(|claim| claim["state"] == "granted")?;
        (claim["holds"] == free).then(|| claim["claim"].as_str().unwrap_or_default().to_owned())
    };
    let claim = ally
        .until("the claim is granted", PATIENCE, &all, granted)
        .await
        .unwrap();
    if let Ok(taken) = taken {
        assert_eq!(taken["claim"]["claim"], claim.as_str());
    }
    let seen = |check: &Value| (check["counts"]["held"] == free).then_some(());
    founder
        .until("every door is held", PATIENCE, &words("check"), seen)
        .await
        .unwrap();
    let refused = founder.run(&words("take")).await.unwrap_err();
    assert!(
        refused.to_string().contains("nothing was granted"),
        "{refused:#}"
    );
    ally.run(&["claim", "renew", &claim]).await.unwrap();
    let out = folder.join("walk.csv");
    ally.run(&["walklist", "--claim", &claim, "--out", text(&out)])
        .await
        .unwrap();
    let lines = std::fs::read_to_string(&out).unwrap().lines().count() as u64;
    assert!(lines > free, "a line for each person, and the heading");
    ally.run(&["claim", "release", &claim]).await.unwrap();
    let free_again = |check: &Value| (check["counts"]["free"] == free).then_some(());
    founder
        .until("the doors are free", PATIENCE, &words("check"), free_again)
        .await
        .unwrap();
}

/// Told by one, known to the other, withdrawn again.
async fn suppressions(nodes: &[Node]) {
    let found = nodes[0].run(&["people", "search", "a"]).await.unwrap();
    assert!(!found.is_null());
    let mark = ["suppress", "--phone", "+12065550123", "--channel", "phone"];
    nodes[0].run(&mark).await.unwrap();
    nodes[0]
        .run(&[mark.as_slice(), &["--withdraw"]].concat())
        .await
        .unwrap();
    nodes[1].run(&["suppressions", "list"]).await.unwrap();
}

/// Previewed, sent, received, taken back while the recipient is down, erased and signed.
async fn shares(nodes: &mut [Node], folder: &Path) {
    let what = [
        "--to",
        "ally",
        "--list",
        "voters",
        "--purpose",
        "issue_advocacy",
    ];
    let fields = ["--fields", "identity,postal"];
    let words = |verb| [&["share", verb], what.as_slice(), fields.as_slice()].concat();
    let preview = nodes[0].run(&words("preview")).await.unwrap();
    let flow = preview["recipients"][0]["flow"].as_u64().unwrap();
    assert!(flow > 100, "{preview}");
    nodes[0].run(&words("send")).await.unwrap();
    let answered = |shares: &Value| shares["items"][0]["accepted"].as_u64();
    let accepted = nodes[0]
        .until(
            "the ally has answered",
            PATIENCE,
            &["share", "list"],
            answered,
        )
        .await
        .unwrap();
    assert_eq!(
        accepted, flow,
        "the ally's gate takes what the sender's lets go"
    );
    let out = folder.join("received.csv");
    let received = nodes[1].run(&["received", "list"]).await.unwrap();
    let share = received["items"][0]["share"].as_str().unwrap();
    let announced = nodes[1]
        .run(&["received", "announce", "--share", share])
        .await
        .unwrap();
    assert_eq!(announced["received"]["uses"]["state"], "open");
    let uses = nodes[0].run(&["share", "uses"]).await.unwrap();
    assert_eq!(uses["items"][0]["share"], share, "{uses}");
    nodes[1]
        .run(&["received", "export", "--all", "--out", text(&out)])
        .await
        .unwrap();
    let given = std::fs::read_to_string(&out).unwrap().lines().count() as u64;
    assert_eq!(given, flow + 1);
    nodes[1].kill().await.unwrap();
    let person = take_back_somebody(&nodes[0]).await;
    let explained = ["share", "explain", "--person", &person, "--to", "ally"];
    let explained = [explained.as_slice(), &["--purpose", "issue_advocacy"]].concat();
    nodes[0].run(&explained).await.unwrap();
    nodes[1].start().await.unwrap();
    let signed = |receipts: &Value| (!receipts["items"][0]["receipt_at"].is_null()).then_some(());
    nodes[0]
        .until("the receipt is there", PATIENCE, &["receipts"], signed)
        .await
        .unwrap();
    nodes[0]
        .run(&["who-has", "--person", &person])
        .await
        .unwrap();
    rest_correct_erase(nodes).await;
}

/// Another person's row is corrected, rests, and goes but for what a law keeps; what is answered needs
/// no exception.
async fn rest_correct_erase(nodes: &[Node]) {
    let (ours, theirs) = (&nodes[0], &nodes[1]);
    let given = ours.run(&["share", "list"]).await.unwrap();
    let share = given["items"][0]["share"].as_str().unwrap();
    let person = somebody_given(ours, share).await;
    let retain = [
        "received", "retain", "--share", share, "--class", "identity",
    ];
    let why = ["--ground", "Accounts of gifts", "--until", "2099-12-31"];
    let kept = [retain.as_slice(), &why].concat();
    theirs.run(&kept).await.unwrap();
    let mut notice = String::new();
    for (words, result) in [
        (vec!["rectify", "--person", &person], "rectified"),
        (
            vec!["revoke", "--kind", "restriction", "--person", &person],
            "restricted",
        ),
        (
            vec!["revoke", "--kind", "erasure", "--person", &person],
            "partly_retained",
        ),
    ] {
        let told = ours.run(&words).await.unwrap();
        let own = told["notices"][0]["notice"].as_str().unwrap().to_owned();
        let answered = |receipts: &Value| {
            let items = receipts["items"].as_array()?;
            let item = items.iter().find(|item| item["notice"] == own.as_str())?;
            (item["state"] == result).then_some(())
        };
        ours.until(result, PATIENCE, &["receipts"], answered)
            .await
            .unwrap();
        notice = own;
    }
    let shown = theirs.run(&["received", "show", share]).await.unwrap();
    assert_eq!(shown["resting"], 1, "{shown}");
    let except = ["receipts", "except", "--notice", &notice];
    let except = [except.as_slice(), &["--kind", "impossible"]].concat();
    let except = [
        except.as_slice(),
        &["--reason", "gone", "--approver", "Ada"],
    ]
    .concat();
    assert!(ours.run(&except).await.is_err(), "it has its receipt");
    let open = theirs.run(&["receipts", "disputes"]).await.unwrap();
    assert_eq!(open["items"], serde_json::json!([]));
}

/// What a person may ask for, whose consent ends, and what other rules would do.
async fn papers(node: &Node, folder: &Path) {
    let given = node.run(&["share", "list"]).await.unwrap();
    let share = given["items"][0]["share"].as_str().unwrap();
    let person = somebody_given(node, share).await;
    let statement = node.run(&["statement", "--person", &person]).await.unwrap();
    assert_eq!(statement["recipients"][0]["name"], "ally");
    let page = folder.join("statement.html");
    let words = ["statement", "--person", &person, "--out", text(&page)];
    node.run(&words).await.unwrap();
    assert!(node.run(&words).await.is_err(), "a file that exists stays");
    let receipt = ["consent", "receipt", "--person", &person];
    let receipts = node.run(&receipt).await.unwrap();
    assert_eq!(receipts["receipts"][0]["state"], "given");
    node.run(&["consent", "renewals"]).await.unwrap();
    let draft = ["policy", "simulate", "--draft", "template:us-claims-only"];
    let narrow = ["--purpose", "issue_advocacy", "--fields", "postal"];
    let words = [draft.as_slice(), &narrow].concat();
    let simulated = node.run(&words).await.unwrap();
    let cell = &simulated["simulations"][0]["cells"][0];
    assert_eq!(cell["flows_now"], cell["newly_withheld"], "{cell}");
    assert!(cell["flows_now"].as_u64() > Some(100));
}

/// Received rows do not go back to where they came from, do not become own ones, and each says why.
async fn passed_on(nodes: &[Node], received: &Path) {
    let (ours, theirs) = (&nodes[0], &nodes[1]);
    let what = ["--received", "--to", "founder"];
    let why = ["--purpose", "issue_advocacy", "--fields", "postal"];
    let words = |verb| [&["share", verb], what.as_slice(), &why].concat();
    let preview = theirs.run(&words("preview")).await.unwrap();
    let recipient = &preview["recipients"][0];
    assert_eq!(recipient["flow"], 0);
    assert!(recipient["people"].as_u64() > Some(100), "{preview}");
    let refused = theirs.run(&words("send")).await.unwrap_err();
    assert!(refused.exit == 1 && refused.to_string().contains("nothing was sent"));
    let mut both = words("preview");
    both.extend(["--list", "voters"]);
    assert_eq!(theirs.run(&both).await.unwrap_err().exit, 2);

    let table = std::fs::read_to_string(received).unwrap();
    let row = table.lines().last().unwrap().rsplit(',').next().unwrap();
    let explain = ["share", "explain", "--to", "founder", "--person", row];
    let explain = [explain.as_slice(), &["--purpose", "issue_advocacy"]].concat();
    let explained = theirs.run(&explain).await;
    let said = explained.unwrap_or_else(|refused| refused.problem);
    assert!(!said.to_string().contains("internal"), "{said}");
    let draft = ["policy", "simulate", "--draft", "template:us-claims-only"];
    let simulate = [draft.as_slice(), &["--received"], &why].concat();
    let simulated = theirs.run(&simulate).await.unwrap();
    assert_eq!(simulated["simulations"][0]["cells"][0]["flows_now"], 0);
    assert!(ours.run(&simulate).await.is_ok(), "who received nothing");
    let import = ["import", text(received), "--list", "back"];
    let imported = theirs.run(&import).await.unwrap();
    assert_eq!(imported["imported"], 0, "{imported}");
}

/// Many people are taken back by one command; a list with somebody unknown changes nothing.
async fn many_taken_back(node: &Node, folder: &Path) {
    let given = node.run(&["share", "list"]).await.unwrap();
    let share = given["items"][0]["share"].as_str().unwrap();
    let person = somebody_given(node, share).await;
    let list = folder.join("gone.csv");
    std::fs::write(&list, format!("person\n{person}\nnobody-knows-me\n")).unwrap();
    let words = ["revoke", "--kind", "erasure", "--list", text(&list)];
    let refused = node.run(&words).await.unwrap_err();
    assert_eq!(refused.exit, 2);
    assert!(refused.problem.to_string().contains("line 3"));
    std::fs::write(&list, format!("person\n{person}\n")).unwrap();
    let dry = [words.as_slice(), &["--dry-run"]].concat();
    node.run(&dry).await.unwrap();
    let holders = ["who-has", "--person", &person];
    let held = node.run(&holders).await.unwrap();
    assert_eq!(held["holders"][0]["status"], "held", "{held}");
    let told = node.run(&words).await.unwrap();
    let notice = told["notices"][0]["notice"].as_str().unwrap().to_owned();
    let erased = |receipts: &Value| {
        let items = receipts["items"].as_array()?;
        let item = items
            .iter()
            .find(|item| item["notice"] == notice.as_str())?;
        (item["state"] == "partly_retained" || item["state"] == "erased").then_some(())
    };
    node.until("all are erased", PATIENCE, &["receipts"], erased)
        .await
        .unwrap();
}

/// Recorded and proved into files that anybody can check; an altered file proves nothing.
async fn audit(nodes: &[Node], folder: &Path) {
    let (record, proof) = (folder.join("record.evidence"), folder.join("row.evidence"));
    let status = nodes[0].run(&["audit", "status"]).await.unwrap();
    assert_eq!(status["forks"], serde_json::json!([]), "{status}");
    for node in nodes {
        let differences = node.run(&["audit", "reconcile"]).await.unwrap();
        assert_eq!(differences["items"], serde_json::json!([]));
        let export = ["audit", "export", "--force", "--out", text(&record)];
        node.run(&export).await.unwrap();
        let report = node.run(&["audit", "verify", text(&record)]).await.unwrap();
        assert_eq!(report["holds"], true, "{report}");
    }
    let given = nodes[0].run(&["share", "list"]).await.unwrap();
    let share = given["items"][0]["share"].as_str().unwrap();
    let person = somebody_given(&nodes[0], share).await;
    let words = ["audit", "prove", "--share", share, "--person", &person];
    let prove = [words.as_slice(), &["--out", text(&proof)]].concat();
    nodes[0].run(&prove).await.unwrap();
    let verify = ["audit", "verify", text(&proof)];
    let report = nodes[1].run(&verify).await.unwrap();
    assert_eq!(report["holds"], true, "{report}");
    let mut altered = std::fs::read(&proof).unwrap();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    std::fs::write(&proof, altered).unwrap();
    assert!(nodes[1].run(&verify).await.is_err());
}

/// Somebody whose row went with a share and was not taken back.
async fn somebody_given(node: &Node, share: &str) -> String {
    let search = ["people", "search", "a", "--list", "voters"];
    let found = node.run(&search).await.unwrap();
    for person in found.as_array().unwrap() {
        let person = person["person_id"].as_str().unwrap();
        let holders = node.run(&["who-has", "--person", person]).await.unwrap();
        let holder = &holders["holders"][0];
        if holder["share"] == share && holder["status"] == "held" {
            return person.to_owned();
        }
    }
    panic!("nobody of the list was given");
}

/// Takes back the first person who was shared at all.
async fn take_back_somebody(node: &Node) -> String {
    let search = ["people", "search", "a", "--list", "voters"];
    let found = node.run(&search).await.unwrap();
    for person in found.as_array().unwrap() {
        let person = person["person_id"].as_str().unwrap();
        let taken_back = node.run(&["revoke", "--person", person]).await;
        if taken_back.is_ok_and(|recall| recall["notices"][0].is_object()) {
            return person.to_owned();
        }
    }
    panic!("nobody of the list was shared");
}
