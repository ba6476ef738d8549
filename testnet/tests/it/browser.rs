//! Every page in a real browser, served by a real node: readable on a phone and by keyboard, without
//! an error and without another server.

mod driver;
mod node;

use anyhow::Result;
use driver::Browser;
use node::Node;

/// Two organizations with an agreement that waits for the second signature.
fn coalition() -> Result<(Node, Node)> {
    let founder = Node::keeper("Tenants United", "c4")?;
    let ally = Node::member("Green Table", "c3")?;
    founder.run(&[
        "coalition",
        "create",
        "Riverside",
        "--agreement",
        "template:us-issue-table",
    ])?;
    let invited = founder.json(&["coalition", "invite", "--to-name", "Green Table"])?;
    let code = invited["code"].as_str().unwrap_or_default().to_owned();
    ally.run_in_time(&["coalition", "join", &code])?;
    Ok((founder, ally))
}

#[tokio::test]
async fn a_link_signs_in_once_and_signing_out_ends_it() -> Result<()> {
    let node = Node::member("Green Table", "c3")?;
    let browser = Browser::open(&node).await?;
    browser.goto("/agreement").await?;
    assert_eq!(browser.path().await?, "/sign-in");
    browser.says("You are signed out").await?;

    browser.window.goto(node.first_link()).await?;
    browser
        .is_sound("sign-in", "Green Table", "button[type=submit]")
        .await?;
    browser.press("button[type=submit]").await?;
    assert_eq!(browser.path().await?, "/");

    browser.press(".desk-leave button").await?;
    assert_eq!(browser.path().await?, "/sign-in");
    browser.goto("/").await?;
    assert_eq!(browser.path().await?, "/sign-in");
    browser.window.goto(node.first_link()).await?;
    browser.says("used up or too old").await?;
    browser.close().await
}

#[tokio::test]
async fn a_node_in_no_coalition_is_told_what_to_do_on_every_page() -> Result<()> {
    let node = Node::member("Green Table", "c3")?;
    let browser = Browser::signed_in(&node).await?;
    for (path, name, heading, action) in [
        ("/", "alone-home", "Welcome", "a[href='/lists'].btn"),
        (
            "/agreement",
            "alone-agreement",
            "Agreement",
            "a.btn-primary",
        ),
    ] {
        browser.goto(path).await?;
        browser.is_sound(name, heading, action).await?;
    }
    browser.close().await
}

#[tokio::test]
async fn a_newcomer_is_approved_and_the_agreement_is_signed_by_pressing_buttons() -> Result<()> {
    let (founder, ally) = coalition()?;
    let ours = Browser::signed_in(&founder).await?;
    let theirs = Browser::signed_in(&ally).await?;
    theirs
        .is_sound("joining-home", "Waiting to be let in", "a.btn-primary")
        .await?;

    ours.waits_for("Green Table asks to join").await?;
    ours.is_sound("newcomer-home", "Riverside", "main .btn-primary")
        .await?;
    ours.press("main .btn-primary").await?;
    ours.says("The agreement waits for everybody's signature again")
        .await?;

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
