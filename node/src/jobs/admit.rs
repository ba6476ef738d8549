//! Hands newcomers what lets them in, once the commit that adds them has won.

use crate::{
    app::App,
    federation::join::Admission,
    store,
    sync::{blob_client::Chunks, keeper_client::Keeper, outbox},
};
use protocol::{blob::Manifest, seal};

/// Hands over every admission that waits.
///
/// # Errors
/// When the keeper is not reached; the admission stays.
pub async fn run(app: &App) -> anyhow::Result<()> {
    loop {
        let mut db = app.store.read("reading admissions").await?;
        let Some(kept) = store::admission::first(&mut db, &app.rest).await? else {
            return Ok(());
        };
        drop(db);
        let (keeper, is_keeper, recipient) = {
            let guard = app.coalition.read().await;
            let Some(coalition) = guard.as_ref() else {
                return Ok(());
            };
            let document = coalition.state.document(kept.node);
            (
                Keeper::of(app, coalition),
                coalition.is_kept_by(app.me),
                document.and_then(|document| document.age_recipient()),
            )
        };
        let recipient =
            recipient.ok_or_else(|| anyhow::anyhow!("the newcomer's document names no age key"))?;
        let sealed = seal::seal(&kept.snapshot, &[recipient])?;
        let manifest = Manifest::of(&sealed)?;
        if is_keeper {
            let mut tx = app.store.write("keeping a snapshot").await?;
            outbox::keep_blob(app, &mut tx, &manifest, &sealed).await?;
            tx.commit().await?;
        }
        keeper
            .upload(app, &manifest, Chunks::InMemory(&sealed))
            .await?;
        let admission = Admission {
            welcome: kept.welcome,
            snapshot: manifest.id(),
            position: kept.position,
        };
        keeper.admit(app, kept.node, &admission).await?;
        let mut tx = app.store.write("forgetting an admission").await?;
        store::admission::remove(&mut tx, kept.node).await?;
        tx.commit().await?;
    }
}
