//! A file through the form, and the people who came of it.

use super::{TABLE, alone, driver::Browser, file};
use anyhow::Result;

/// One person whose name and notes are written to break pages.
const HOSTILE: &str = "First Name,Last Name,Street Address,City,Zip,Mobile,Email,Shirt Size\n\
    Ada,Okafor,12 Elm St,Columbus,43215,6145550102,ada@example.org,M\n\
    <script>alert(1)</script>,\"\"\" onmouseover=\"\"alert(2)\",9 Oak Ave,Columbus,43215,6145550103,b@example.org,<img src=x onerror=alert(3)>\n\
    Bea,Lindqvist,nowhere,,,,,L\n";

#[tokio::test]
async fn a_file_is_imported_by_the_form_and_its_people_are_found() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = alone(&folder.path().join("node"), TABLE).await?;
    let path = file(folder.path(), "people.csv", HOSTILE)?;
    let browser = Browser::signed_in(&node).await?;
    browser.goto("/lists").await?;
    browser.fill("#name", "Members <b>& friends</b>").await?;
    browser.fill("#file", &path).await?;
    browser.press("form[action='/imports'] button").await?;
    browser.says("The file was read").await?;
    browser.says("3 new").await?;
    browser
        .is_sound("import", "people.csv", "a[href='/lists'].btn")
        .await?;

    browser.goto("/lists").await?;
    browser.says("Members <b>& friends</b>").await?;
    browser
        .is_sound("lists", "Lists", "form[action='/imports'] button")
        .await?;

    browser.goto("/people").await?;
    browser.fill("#search", "okafor").await?;
    browser.press("form[role=search] button").await?;
    browser.says("Ada Okafor").await?;
    browser.goto("/people").await?;
    browser.says("<script>alert(1)</script>").await?;
    browser
        .is_sound("people", "People", "form[role=search] button")
        .await?;
    browser.press("tbody tr:nth-child(1) a").await?;
    browser.says("How to reach").await?;
    browser.goto("/people?search=script").await?;
    browser.press("tbody a").await?;
    browser.says("onmouseover=").await?;
    browser.says("<img src=x onerror=alert(3)>").await?;
    let heading = "<script>alert(1)</script> \" onmouseover=\"alert(2)";
    browser.is_sound("person", heading, "main a.btn").await?;
    browser.close().await
}
