//! Plans and own areas, drawn.

use super::{driver::Browser, file, together};
use anyhow::Result;

/// A block of a few streets.
const WARD: &str = r#"{"type":"Polygon","coordinates":[[[-83.01,39.96],[-83.0,39.96],[-83.0,39.965],[-83.01,39.965],[-83.01,39.96]]]}"#;

#[tokio::test]
async fn a_plan_for_an_own_area_is_drawn_on_the_ground_for_both() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (tenants, table) = together(folder.path()).await?;
    let path = file(folder.path(), "ward.geojson", WARD)?;
    let hostile = "ward <b>5</b>";
    tenants
        .run(&["area", "add", hostile, "--file", &path])
        .await?;
    let ours = Browser::signed_in(&tenants).await?;
    ours.goto("/plans").await?;
    ours.says("Your area ward <b>5</b>").await?;
    ours.fill("#label", "Ward 5 doors").await?;
    ours.fill("#area", hostile).await?;
    ours.fill("#volume", "400").await?;
    ours.fill("#contact", "Ana, 614-555-0199").await?;
    ours.press("form[method=get] button").await?;
    ours.says("No ally's plan meets it").await?;
    ours.press("button[formmethod=post]").await?;
    ours.says("On the ground").await?;
    ours.press(".ground a").await?;
    ours.is_sound("plans-ground", "Plans", ".ground a").await?;
    ours.close().await?;
    let theirs = Browser::signed_in(&table).await?;
    for _ in 0..20 {
        theirs.goto("/plans").await?;
        if theirs.text().await?.contains("On the ground") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    theirs.says("On the ground").await?;
    let text = theirs.text().await?;
    assert!(
        !text.contains("Your area ward"),
        "areas stay with their owner: {text}"
    );
    theirs.close().await
}
