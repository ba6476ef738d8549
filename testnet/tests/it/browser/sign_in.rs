//! Signing in and out, and a node that is in no coalition yet.

use super::{TABLE, alone, driver};
use anyhow::Result;
use driver::Browser;

#[tokio::test]
async fn a_link_signs_in_once_and_signing_out_ends_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = alone(folder.path(), TABLE).await?;
    let browser = Browser::open(&node).await?;
    browser.goto("/agreement").await?;
    assert_eq!(browser.path().await?, "/sign-in");
    browser.says("You are signed out").await?;

    let link = driver::link(&node).await?;
    browser.window.goto(&link).await?;
    browser
        .is_sound("sign-in", "Green Table", "button[type=submit]")
        .await?;
    browser.press("button[type=submit]").await?;
    browser.arrives("/").await?;

    browser.press(".desk-leave button").await?;
    browser.arrives("/sign-in").await?;
    browser.goto("/").await?;
    assert_eq!(browser.path().await?, "/sign-in");
    browser.window.goto(&link).await?;
    browser.says("used up or too old").await?;
    browser.close().await
}

#[tokio::test]
async fn a_node_in_no_coalition_is_told_what_to_do_on_every_page() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = alone(folder.path(), TABLE).await?;
    let browser = Browser::signed_in(&node).await?;
    for (path, name, heading, action) in [
        ("/", "alone-home", "Welcome", "a[href='/lists'].btn"),
        (
            "/agreement",
            "alone-agreement",
            "Agreement",
            "main a.btn-primary",
        ),
        (
            "/lists",
            "alone-lists",
            "Lists",
            "form[action='/imports'] button",
        ),
        ("/people", "alone-people", "People", "main a.btn-primary"),
        ("/plans", "alone-plans", "Plans", "main a.btn-primary"),
        ("/claims", "alone-claims", "Claims", "main a.btn-primary"),
        ("/shares", "alone-shares", "Shares", "main a.btn-primary"),
        ("/audit", "alone-audit", "Audit", "main a.btn-primary"),
    ] {
        browser.goto(path).await?;
        browser.is_sound(name, heading, action).await?;
    }
    browser.close().await
}
