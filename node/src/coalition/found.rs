//! Founding: this node becomes the first member and the keeper.

use super::agreement;
use crate::{
    app::App,
    http::problem::Failure,
    keeper::evaluator::share_place,
    store::{
        self, Write,
        coalition::{CoalitionRow, Phase},
    },
    sync::{coalition::Coalition, outbox},
};
use protocol::{
    codec,
    entry::{housekeeping::Keyset, membership::Genesis},
    id::{CoalitionId, Lineage},
    mls::{Group, Overlay, Rows},
    problem::ProblemKind,
    token::KeyShare,
};

/// Founds a coalition with this node as its keeper, and proposes the agreement.
///
/// # Errors
/// [`Failure`] when the node is in a coalition already, cannot be reached by others, or the terms
/// cannot be read.
pub async fn found(app: &App, name: &str, terms: &str) -> Result<CoalitionId, Failure> {
    if app.config.federation.is_none() {
        return Err(Failure::input(
            "a founder keeps the log, so others must reach it: give this node a [federation] section in \
             config.toml (or init it with --federation and --public-url)",
        ));
    }
    if !app.identity().is_keeper() {
        return Err(Failure::input(
            "this node's identity names no address, so nobody could read its log; init it with --federation and \
             --public-url",
        ));
    }
    let name: protocol::identity::Name = name
        .parse()
        .map_err(|error| Failure::input(format!("{error}")))?;
    let usable = agreement::usable(app, terms)?;
    let mut guard = app.coalition.write().await;
    if guard.is_some() {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "this node is in a coalition already",
        ));
    }
    let mut rng = crate::ambient::rng();
    let row = CoalitionRow {
        id: CoalitionId::random(&mut rng),
        name: name.to_string(),
        lineage: Lineage::random(&mut rng),
        phase: Phase::Active,
        stopped_because: None,
        keeper: app.me,
        keeper_url: String::new(),
        keeper_document: codec::encode(&app.keys().document),
    };
    let group_id = CoalitionId::random(&mut rng).0;
    let group = Group::create(
        Overlay::from_rows(Rows::new()),
        &app.mls_key(),
        app.me,
        group_id,
    )
    .map_err(Failure::internal)?;
    let id = row.id;
    let coalition = Coalition::new(row);
    let mut tx = app.store.write("founding a coalition").await?;
    store::coalition::insert(&mut tx, &coalition.row, app.now().0).await?;
    coalition.begin_group(&mut tx, &app.rest, &group).await?;
    first_entries(app, &mut tx, &coalition.row.name).await?;
    let agreement = agreement::first(app, id, (terms, &usable));
    agreement::queue_with_signature(app, &mut tx, &agreement).await?;
    tx.commit().await?;
    let mut db = app.store.read("reading the coalition").await?;
    *guard = Coalition::load(&mut db, &app.rest).await?;
    drop(db);
    drop(guard);
    app.wake.joined.notify_waiters();
    app.wake.outbox.notify_one();
    Ok(id)
}

/// The first entry of the log, and a key of match tokens whose only share is this keeper's.
async fn first_entries(app: &App, tx: &mut Write, name: &str) -> store::Result<()> {
    let genesis = Genesis {
        name: name.to_owned(),
        document: codec::encode(&app.keys().document),
    };
    outbox::queue(app, tx, genesis.into(), None).await?;
    let mut rng = crate::ambient::rng();
    let (share, keyset) = KeyShare::found(1, app.me, &mut rng);
    let place = share_place(keyset.generation(), keyset.reshare());
    let sealed = app.rest.seal(&place, &share.to_bytes(), &mut rng);
    store::node::put_secret(&mut *tx, &place, &sealed).await?;
    let keyset = Keyset {
        keyset: codec::encode(&keyset),
    };
    outbox::queue(app, tx, keyset.into(), None).await?;
    Ok(())
}
