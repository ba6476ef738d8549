//! The factor by which keys and points are multiplied after a removal for cause: exported where the
//! removal is folded, held against the keyset where that is in use, erased once it was applied.
//! Spec: section 5.12, and `spec/matching.md`, 3.8.

use super::outbox;
use crate::{
    app::App,
    store::{self, Write},
};
use protocol::{
    codec,
    entry::ceremony::{KeyRotation, RotationFault, RotationStep},
    fold::At,
    mls::Group,
    state::{State, rows::RotationStanding},
    token::{Keyset, Rotation, rotate::EXPORT_LABEL},
};
use zeroize::Zeroizing;

/// Where factors lie until the rotated keyset is in use, by the removal's position.
pub const FACTORS: &str = "secret/rotation/";
/// Where factors lie whose keyset is in use, until this node's own points are multiplied too, by the
/// generation that they are multiplied from.
pub const APPLIED: &str = "secret/rotating/";

/// Where the factor of a removal is stored, and to which it is sealed.
#[must_use]
pub fn factor_place(removal: u64) -> String {
    format!("{FACTORS}{removal:020}")
}

/// Where the factor from one generation to the next is stored, and to which it is sealed.
#[must_use]
pub fn applied_place(from: u32) -> String {
    format!("{APPLIED}{from:010}")
}

/// A stored factor; none where there is none, or what lies there does not open.
///
/// # Errors
/// [`store::StoreError`].
pub async fn factor(
    app: &App,
    db: &mut sqlx::AnyConnection,
    place: &str,
) -> store::Result<Option<Rotation>> {
    let sealed = store::node::secret(db, place).await?;
    let opened = sealed.and_then(|sealed| app.rest.open(place, &sealed).ok());
    let bytes: Option<Zeroizing<[u8; 64]>> = opened
        .map(Zeroizing::new)
        .and_then(|bytes| Some(Zeroizing::new(bytes.as_slice().try_into().ok()?)));
    Ok(bytes.and_then(|bytes| Rotation::new(&bytes)))
}

/// Keeps the factor of a removal that calls for a rotation, from the epoch that it opened; the one of an
/// earlier removal that was not applied yet is known to whoever goes now, and worth nothing.
///
/// # Errors
/// When the database or the group fails.
pub(super) async fn keep(
    app: &App,
    tx: &mut Write,
    state: &State,
    group: &Group,
    at: At,
) -> anyhow::Result<()> {
    if state
        .rotation
        .get(&())
        .is_none_or(|row| row.position != at.position)
    {
        return Ok(());
    }
    let bytes = group.export(EXPORT_LABEL, &state.meta().coalition.0)?;
    for old in store::node::secrets_beginning(&mut *tx, FACTORS).await? {
        store::node::delete_secret(&mut *tx, &old).await?;
    }
    let place = factor_place(at.position);
    let sealed = app
        .rest
        .seal(&place, bytes.as_slice(), &mut crate::ambient::rng());
    store::node::put_secret(&mut *tx, &place, &sealed).await?;
    Ok(())
}

/// A rotated keyset is in use here: this node multiplies its points by the factor, if the keyset is the
/// product of the one before and it. If not, it says so, and has its points evaluated; so does
/// a node that never had the factor, because it came in or came back later.
///
/// # Errors
/// When the database fails.
pub(super) async fn in_use(app: &App, tx: &mut Write, state: &State, at: At) -> anyhow::Result<()> {
    let Some(row) = state.rotation.get(&()) else {
        return Ok(());
    };
    let keyset = |generation: u32| -> Option<Keyset> {
        codec::decode(&state.keysets.get(&generation)?.bytes).ok()
    };
    let begins = state.keysets.get(&row.generation);
    let begins = begins.is_some_and(|keyset| keyset.position == at.position);
    if row.standing != RotationStanding::InUse || !begins {
        return Ok(());
    }
    let from = row.generation.saturating_sub(1);
    let (Some(before), Some(after)) = (keyset(from), keyset(row.generation)) else {
        return Ok(());
    };
    let place = factor_place(row.position);
    let Some(sealed) = store::node::secret(&mut *tx, &place).await? else {
        tracing::info!("this node has no factor of the rotation: its points are evaluated");
        return Ok(());
    };
    store::node::delete_secret(&mut *tx, &place).await?;
    let opened = app.rest.open(&place, &sealed).map(Zeroizing::new).ok();
    let fits = opened.filter(|bytes| {
        let bytes: Option<&[u8; 64]> = bytes.as_slice().try_into().ok();
        let rotation = bytes.and_then(Rotation::new);
        rotation.is_some_and(|rotation| rotation.keyset(&before).as_ref() == Ok(&after))
    });
    match fits {
        Some(bytes) => {
            let place = applied_place(from);
            let sealed = app.rest.seal(&place, &bytes, &mut crate::ambient::rng());
            store::node::put_secret(&mut *tx, &place, &sealed).await?;
        }
        None => {
            tracing::warn!("the rotated keys are not the product of the keys before");
            let entry = KeyRotation {
                removal: row.position,
                step: RotationStep::Refuse(RotationFault::Other),
            };
            outbox::queue(app, tx, entry.into(), None).await?;
        }
    }
    Ok(())
}
