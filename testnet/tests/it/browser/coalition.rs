//! Two organizations: joining, signing, claiming, sharing and taking back, by pressing buttons where
//! pages have them.

use super::{TABLE, TENANTS, alone, driver::Browser, file, together};
use anyhow::{Context, Result};
use std::{path::Path, time::Duration};
use testnet::nodes::Node;

/// How long tokens, shares and receipts may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A consent form that names the ally.
const FORM: &str = "language = \"en\"
collection_method = \"paper\"
withdrawal_method = \"Write to us\"
form_version = \"2026-1\"

[notice]
url = \"https://tenants.example/notice\"
version = \"1\"
sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"

[[purposes]]
purpose = \"issue_advocacy\"
pii_information = [\"identity\", \"postal\"]
channels = [\"door\"]
recipients = [\"Green Table\"]
onward = false
expiry_days = 365
";

/// People in one street.
fn street(houses: std::ops::Range<u32>) -> String {
    let mut text = "First Name,Last Name,Street Address,City,State,Zip,Date of Birth\n".to_owned();
    for house in houses {
        text.push_str(&format!(
            "Ada,Okafor{house},{house} Elm St,Columbus,OH,43215,1980-01-{:02}\n",
            house % 28 + 1
        ));
    }
    text
}

/// Imports a list and waits until each of its doors has a match token.
async fn import(folder: &Path, node: &Node, houses: std::ops::Range<u32>) -> Result<()> {
    let path = file(folder, "list.csv", &street(houses))?;
    let form = file(folder, "form.toml", FORM)?;
    node.run(&[
        "import",
        &path,
        "--list",
        "Elm Street",
        "--consent-form",
        &form,
        "--source",
        "own_signup",
    ])
    .await?;
    node.until("tokens are there", PATIENCE, &["tokens", "status"], |now| {
        let classes = now["classes"].as_array()?;
        let waiting = classes.iter().filter_map(|class| class["waiting"].as_u64());
        let done = classes.iter().filter_map(|class| class["done"].as_u64());
        (waiting.sum::<u64>() == 0 && done.sum::<u64>() > 0).then_some(())
    })
    .await
}

#[tokio::test]
async fn a_newcomer_is_approved_and_the_agreement_is_signed_by_pressing_buttons() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let founder = alone(&folder.path().join("a"), TENANTS).await?;
    let ally = alone(&folder.path().join("b"), TABLE).await?;
    let terms = "template:us-issue-table";
    let create = ["coalition", "create", "Riverside", "--agreement", terms];
    founder.run(&create).await?;
    let ours = Browser::signed_in(&founder).await?;
    ours.is_sound("founded-home", "Riverside", "main a.btn")
        .await?;
    let invite = ["coalition", "invite", "--to-name", "Green Table"];
    let invited = founder.run(&invite).await?;
    let code = invited["code"].as_str().context("no code")?;
    ally.run(&["coalition", "join", code]).await?;
    let theirs = Browser::signed_in(&ally).await?;
    theirs
        .is_sound("joining-home", "Waiting to be let in", "a.btn-primary")
        .await?;
    for path in ["/agreement", "/claims", "/shares"] {
        theirs.goto(path).await?;
        theirs.no_errors(path).await?;
    }

    ours.waits_for("Green Table asks to join").await?;
    ours.is_sound("newcomer-home", "Riverside", "main .btn-primary")
        .await?;
    ours.press("main .btn-primary").await?;
    ours.says("The agreement waits for everybody's signature again")
        .await?;

    theirs.goto("/").await?;
    theirs.waits_for("Issue table, version 2").await?;
    theirs
        .is_sound("draft-home", "Riverside", "main .btn-primary")
        .await?;
    theirs.goto("/agreement").await?;
    theirs
        .is_sound("draft-agreement", "Agreement", "main .btn-primary")
        .await?;
    theirs.press("main .btn-primary").await?;
    theirs.says("the agreement is in force").await?;
    theirs
        .is_sound("agreement", "Agreement", "main summary")
        .await?;

    ours.goto("/").await?;
    ours.waits_for("version 2").await?;
    ours.is_sound("home", "Riverside", "main a.btn").await?;
    theirs.close().await?;
    ours.close().await
}

#[tokio::test]
async fn doors_are_claimed_kept_and_released_by_pressing_buttons() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (founder, ally) = together(folder.path()).await?;
    import(folder.path(), &founder, 1..31).await?;
    import(folder.path(), &ally, 21..51).await?;
    let ours = Browser::signed_in(&founder).await?;
    ours.goto("/claims?list=Elm%20Street").await?;
    ours.says("Claim 30 doors").await?;
    ours.is_sound("claims-free", "Claims", "form[method=get] button")
        .await?;
    ours.press("form[method=post][action='/claims'] button")
        .await?;
    ours.says("What was free is yours").await?;
    ours.says("30 of 30").await?;
    ours.says("holds 30").await?;

    let theirs = Browser::signed_in(&ally).await?;
    theirs.goto("/claims?list=Elm%20Street").await?;
    theirs.waits_for("Tenants United: 10 held").await?;
    theirs.says("Claim 20 doors").await?;
    theirs
        .is_sound(
            "claims",
            "Claims",
            "form[method=post][action='/claims'] button",
        )
        .await?;
    theirs.says("counts only, never whom").await?;

    ours.press("form[action$='/renewal'] button").await?;
    ours.says("Renewed.").await?;
    ours.press("form[action$='/release'] button").await?;
    ours.says("Allies can take it now").await?;
    theirs.waits_for("Claim 30 doors").await?;
    ours.no_errors("released").await?;
    theirs.close().await?;
    ours.close().await
}

#[tokio::test]
async fn a_plan_is_looked_at_filed_seen_by_the_ally_and_withdrawn_by_pressing_buttons() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let (founder, ally) = together(folder.path()).await?;
    import(folder.path(), &founder, 1..31).await?;
    let plan = ["plan", "file", "Ward walk", "--channel", "door", "--from"];
    let mut words = plan.to_vec();
    words.extend(["2099-01-02", "--to", "2099-01-03", "--purpose", "gotv"]);
    words.extend([
        "--place",
        "area:ward 5",
        "--volume",
        "40",
        "--contact",
        "Bo",
    ]);
    assert!(
        ally.run(&words).await.is_err(),
        "a plan begins within a year"
    );

    let ours = Browser::signed_in(&founder).await?;
    ours.goto("/plans?label=Elm%20doors&list=Elm%20Street&contact=Ana%2C%20555-0100")
        .await?;
    ours.says("No ally's plan meets it").await?;
    ours.is_sound("plans-look", "Plans", "form[method=get] button")
        .await?;
    ours.press("button[formmethod=post]").await?;
    ours.says("All members see it now").await?;

    let theirs = Browser::signed_in(&ally).await?;
    theirs.goto("/plans").await?;
    theirs.waits_for("Elm doors").await?;
    theirs.says("Ana, 555-0100").await?;
    theirs
        .goto("/plans?label=Again&places=43215&volume=40&contact=Bo")
        .await?;
    theirs.says("Talk to them").await?;
    theirs
        .is_sound("plans-meet", "Plans", "form[method=get] button")
        .await?;

    ours.press("form[action$='/withdrawal'] button").await?;
    ours.says("Allies see it no more").await?;
    ours.no_errors("withdrawn").await?;
    theirs.close().await?;
    ours.close().await
}

#[tokio::test]
async fn shares_and_what_is_taken_back_are_seen_on_both_sides() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (founder, ally) = together(folder.path()).await?;
    import(folder.path(), &founder, 1..31).await?;
    let share = "share send --list";
    let mut words: Vec<&str> = share.split(' ').collect();
    words.extend([
        "Elm Street",
        "--to",
        "Green Table",
        "--purpose",
        "issue_advocacy",
    ]);
    words.extend(["--fields", "identity,postal"]);
    founder.run(&words).await?;

    let theirs = Browser::signed_in(&ally).await?;
    theirs.goto("/shares").await?;
    theirs.waits_for("30 people from Tenants United").await?;
    theirs
        .is_sound("shares-received", "Shares", "form[action$='/uses'] button")
        .await?;
    theirs.press("form[action$='/uses'] button").await?;
    theirs.says("Announced to all members").await?;
    theirs.says("A use is announced: it begins").await?;

    let ours = Browser::signed_in(&founder).await?;
    ours.goto("/people?search=okafor1").await?;
    ours.press("tbody a").await?;
    ours.waits_for("Green Table").await?;
    ours.is_sound("person-shared", "Ada Okafor1", "main a.btn")
        .await?;
    let person = ours.path().await?;
    let person = person.trim_start_matches("/people/");
    founder.run(&["revoke", "--person", person]).await?;
    ours.goto("/shares").await?;
    ours.waits_for("signed: erased").await?;
    ours.says("30 people to Green Table").await?;
    ours.is_sound(
        "shares",
        "Shares",
        "main summary, main a.btn, .desk-leave button",
    )
    .await?;
    theirs.goto("/shares").await?;
    theirs.waits_for("29 people from Tenants United").await?;
    theirs.no_errors("taken back").await?;
    theirs.close().await?;
    ours.close().await
}

#[tokio::test]
async fn people_are_previewed_shared_and_taken_back_and_the_audit_shows_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (founder, ally) = together(folder.path()).await?;
    import(folder.path(), &founder, 1..31).await?;
    let ours = Browser::signed_in(&founder).await?;
    ours.goto("/shares").await?;
    ours.press("main a.btn-primary").await?;
    ours.is_sound("share-new", "Share people", "main form button")
        .await?;
    // What a person would choose on the form, as the form would ask for it.
    let to = {
        let status = founder.run(&["coalition", "status"]).await?;
        let members = status["coalition"]["members"].as_array();
        let ally = members
            .into_iter()
            .flatten()
            .find(|one| one["name"] == "Green Table");
        ally.and_then(|one| one["node"].as_str().map(str::to_owned))
            .context("the ally is a member")?
    };
    let choice = "list=Elm%20Street&purpose=issue_advocacy&channel=door&expires=";
    let fields = "fields=identity&fields=postal";
    ours.goto(&format!("/shares/new?{choice}&to={to}&{fields}"))
        .await?;
    ours.says("30 of 30 people to Green Table").await?;
    ours.is_sound(
        "share-preview",
        "Share people",
        "form[method=post][action='/shares'] button",
    )
    .await?;
    ours.press("form[method=post][action='/shares'] button")
        .await?;
    ours.says("Shared. Below you see").await?;
    ours.says("30 people to Green Table").await?;
    ours.waits_for("taken: 30").await?;
    ours.goto("/audit").await?;
    ours.is_sound("audit", "Audit", "main a.btn").await?;
    ours.says("Who vouches for the log").await?;
    ours.says("None is open.").await?;

    ours.goto("/shares").await?;
    ours.press("details summary").await?;
    ours.press("form[action$='/revocation'] button").await?;
    ours.says("Taken back.").await?;
    ours.waits_for("signed: erased").await?;
    ours.no_errors("taken back").await?;
    ally.run(&["received", "list"]).await?;
    ours.close().await
}

#[tokio::test]
async fn a_person_is_suppressed_and_the_mark_withdrawn_by_pressing_buttons() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (founder, _ally) = together(folder.path()).await?;
    import(folder.path(), &founder, 1..4).await?;
    let ours = Browser::signed_in(&founder).await?;
    ours.goto("/people?search=okafor1").await?;
    ours.press("tbody a").await?;
    ours.press("form[action$='/suppression'] button").await?;
    ours.says("Noted. All members are told").await?;
    ours.says("Do not contact").await?;
    ours.is_sound("person-suppressed", "Ada Okafor1", "main a.btn")
        .await?;
    ours.press("details summary").await?;
    ours.no_errors("suppressed").await?;
    ours.close().await
}
