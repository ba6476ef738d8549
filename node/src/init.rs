//! Making a node: keys, database, configuration, in an order in which a crash leaves no half node.

use crate::{
    app::SECRETS,
    config::{Config, ConfigError, NodeDir},
    keys::DOCUMENT_DAYS,
    store::{self, Store, node::NodeRow, sealed::RestKey},
};
use policy::facts::OrgKind;
use protocol::{
    codec,
    id::{NodeId, to_base32},
    identity::{Endpoint, Name, NodeSecrets, Particulars, Word},
    time::{Clock, DAY},
    version::Versions,
};
use rand_core::RngCore;

/// Makes a node in a directory that holds none, and returns its id.
///
/// # Errors
/// [`ConfigError`] when there is a node already or a file cannot be written; anything that the
/// database brings.
pub async fn make(
    dir: &NodeDir,
    config: &Config,
    name: Name,
    kind: OrgKind,
    clock: &dyn Clock,
) -> anyhow::Result<NodeId> {
    make_speaking(dir, config, (name, kind), Versions::SPOKEN, clock).await
}

/// As [`make`], for a node that speaks other versions of the protocol than this program's: it does
/// what its document says.
///
/// # Errors
/// As [`make`].
pub async fn make_speaking(
    dir: &NodeDir,
    config: &Config,
    (name, kind): (Name, OrgKind),
    speaks: Versions,
    clock: &dyn Clock,
) -> anyhow::Result<NodeId> {
    if dir.config().exists() {
        return Err(ConfigError::Exists(dir.0.clone()).into());
    }
    if dir.key().exists() {
        anyhow::bail!(
            "{} holds the rest of an init that did not finish; remove the directory and try again",
            dir.0.display()
        );
    }
    std::fs::create_dir_all(&dir.0).map_err(|source| ConfigError::File {
        path: dir.0.clone(),
        source,
    })?;
    dir.close_to_others()?;
    let secrets = NodeSecrets::generate(&mut crate::ambient::rng());
    let row = row(config, &secrets, (name, kind), speaks, clock)?;
    let key = write_secrets(dir)?;
    let store = Store::open(&dir.database(config)).await?;
    save(&store, &row, &secrets, &key, clock).await?;
    store.close().await;
    // The configuration comes last: a directory without one is no node yet.
    let path = dir.config();
    std::fs::write(&path, toml::to_string(config)?)
        .map_err(|source| ConfigError::File { path, source })?;
    Ok(row.node_id)
}

fn row(
    config: &Config,
    secrets: &NodeSecrets,
    (name, kind): (Name, OrgKind),
    speaks: Versions,
    clock: &dyn Clock,
) -> anyhow::Result<NodeRow> {
    let endpoints = match &config.federation {
        Some(federation) => vec![federation.public_url.parse::<Endpoint>()?],
        None => Vec::new(),
    };
    let particulars = Particulars {
        organization: name.clone(),
        kind: kind.name().parse::<Word>()?,
        endpoints,
        capabilities: vec![speaks.capability()],
        valid_until: clock.now().plus(DOCUMENT_DAYS * DAY),
    };
    Ok(NodeRow {
        node_id: secrets.node_id(),
        name: name.to_string(),
        kind: kind.name().to_owned(),
        document: codec::encode(&secrets.document(particulars, None)?),
    })
}

/// The key that seals, and the token with which commands speak to the desk; both mode 0600.
fn write_secrets(dir: &NodeDir) -> Result<RestKey, ConfigError> {
    let mut key = [0; 32];
    crate::ambient::rng().fill_bytes(&mut key);
    NodeDir::write_secret(&dir.key(), &to_base32(&key))?;
    let mut token = [0; 32];
    crate::ambient::rng().fill_bytes(&mut token);
    NodeDir::write_secret(&dir.token(), &to_base32(&token))?;
    Ok(RestKey::new(key))
}

async fn save(
    store: &Store,
    row: &NodeRow,
    secrets: &NodeSecrets,
    key: &RestKey,
    clock: &dyn Clock,
) -> store::Result<()> {
    let mut tx = store.write("making a node").await?;
    store::node::insert(&mut tx, row, clock.now().0).await?;
    let sealed = key.seal(SECRETS, &secrets.to_bytes(), &mut crate::ambient::rng());
    store::node::put_secret(&mut tx, SECRETS, &sealed).await?;
    tx.commit().await
}
