//! Copies of a node, sealed to a key that lies elsewhere, and nodes made from them.
//!
//! A copy is marked as one before it is sealed: whoever opens it comes back into the group before it
//! speaks, since the node may have said more after the copy was made. The key that opens the
//! database's secrets is not in it. A file is `commonturf backup v1` and a line end, then the
//! configuration and the database, each behind its length in 8 bytes, big-endian; all of it sealed
//! with age.

use crate::{
    app::{SECRETS, read_rest_key},
    config::{Config, ConfigError, NodeDir},
    store::{self, Store, copy},
};
use protocol::{
    id::{NodeId, to_base32},
    seal::{AgeIdentity, AgeRecipient, SealedWriter, opened},
    time::Moment,
};
use rand_core::RngCore;
use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

/// How a copy begins.
const MARK: &[u8] = b"commonturf backup v1\n";
/// The longest configuration in a copy.
const CONFIG_BYTES: u64 = 64 * 1024;
/// How a database that is a server's own is copied.
const BY_POSTGRESQL: &str = "this node's data lie in PostgreSQL, which makes its own copies: \
    pg_dump --format=custom URL | age -r RECIPIENT > FILE. After pg_restore into an empty database, run \
    `commonturf restore --mark` before `commonturf serve`: the node then comes back into its coalition \
    before it speaks";

/// Why a node that was made from a copy does not speak at once.
fn because(now: Moment) -> String {
    let seconds = jiff::Timestamp::from_millisecond(now.0)
        .map(|moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string());
    format!(
        "this node was restored from a copy of {}",
        seconds.unwrap_or_default()
    )
}

/// Writes a sealed copy of a node, also while it runs; returns its length in bytes.
///
/// # Errors
/// When the node keeps its data in PostgreSQL, or a file cannot be written; then none is left.
pub async fn write(
    dir: &NodeDir,
    recipient: AgeRecipient,
    to: &Path,
    now: Moment,
) -> anyhow::Result<u64> {
    let config = dir.read()?;
    anyhow::ensure!(config.database.url.is_none(), BY_POSTGRESQL);
    let folder = tempfile::tempdir_in(&dir.0)?;
    let copied = folder.path().join("copy.db");
    copy::make(&dir.0.join("node.db"), &copied).await?;
    copy::mark(&copied, &because(now)).await?;
    let place = match to.parent() {
        Some(place) if !place.as_os_str().is_empty() => place,
        _ => Path::new("."),
    };
    // Readable by its owner alone, and under its own name only once it is whole.
    let part = tempfile::NamedTempFile::new_in(place)?;
    let mut out = SealedWriter::new(BufWriter::new(part), recipient)?;
    let text = toml::to_string(&config)?;
    out.write_all(MARK)?;
    out.write_all(&(text.len() as u64).to_be_bytes())?;
    out.write_all(text.as_bytes())?;
    let mut database = File::open(&copied)?;
    out.write_all(&database.metadata()?.len().to_be_bytes())?;
    std::io::copy(&mut database, &mut out)?;
    let part = out
        .finish()?
        .into_inner()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    part.as_file().sync_all()?;
    let bytes = part.as_file().metadata()?.len();
    part.persist(to)?;
    File::open(place)?.sync_all()?;
    Ok(bytes)
}

/// Makes a node from a copy in a directory that holds none, and returns its id.
///
/// # Errors
/// When the directory holds a node, the copy is sealed to another key or damaged, or the node key is
/// another node's; then nothing is left in the directory.
pub async fn restore(
    dir: &NodeDir,
    from: &Path,
    identity: &AgeIdentity,
    key: &Path,
    now: Moment,
) -> anyhow::Result<NodeId> {
    if dir.config().exists() {
        return Err(ConfigError::Exists(dir.0.clone()).into());
    }
    std::fs::create_dir_all(&dir.0)?;
    anyhow::ensure!(
        std::fs::read_dir(&dir.0)?.next().is_none(),
        "{} is not empty; choose another directory",
        dir.0.display()
    );
    dir.close_to_others()?;
    let made = unpack(dir, from, identity, key, now).await;
    if made.is_err() {
        // A directory with half a node would look like one.
        for entry in std::fs::read_dir(&dir.0)?.flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    made
}

async fn unpack(
    dir: &NodeDir,
    from: &Path,
    identity: &AgeIdentity,
    key: &Path,
    now: Moment,
) -> anyhow::Result<NodeId> {
    let mut input = opened(BufReader::new(File::open(from)?), identity)?;
    let mut mark = [0; MARK.len()];
    input.read_exact(&mut mark)?;
    anyhow::ensure!(
        mark == MARK,
        "this is no backup that this program can read; use the one that wrote it"
    );
    let length = length(&mut input)?;
    anyhow::ensure!(length <= CONFIG_BYTES, "the configuration is too long");
    let mut text = String::new();
    (&mut input).take(length).read_to_string(&mut text)?;
    let config: Config = toml::from_str(&text)?;
    let database = dir.0.join("node.db");
    let bytes = self::length(&mut input)?;
    let mut out = File::create_new(&database)?;
    let written = std::io::copy(&mut (&mut input).take(bytes), &mut out)?;
    anyhow::ensure!(
        written == bytes && input.read(&mut [0])? == 0,
        "the backup is cut off or has something behind its end"
    );
    out.sync_all()?;
    drop(out);
    copy::mark(&database, &because(now)).await?;
    NodeDir::write_secret(&dir.key(), &NodeDir::read_secret(key)?)?;
    let mut token = [0; 32];
    crate::ambient::rng().fill_bytes(&mut token);
    NodeDir::write_secret(&dir.token(), &to_base32(&token))?;
    let node = check(dir, &config).await?;
    // The configuration comes last: a directory without one is no node yet.
    std::fs::write(dir.config(), text)?;
    Ok(node)
}

fn length(input: &mut impl Read) -> std::io::Result<u64> {
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}

/// Opens the node's secrets with its key, so that a wrong key is found now.
async fn check(dir: &NodeDir, config: &Config) -> anyhow::Result<NodeId> {
    let store = Store::open(&dir.database(config)).await?;
    let mut db = store.read("checking a restored node").await?;
    let row = store::node::find(&mut db).await?;
    let sealed = store::node::secret(&mut db, SECRETS).await?;
    drop(db);
    store.close().await;
    let (Some(row), Some(sealed)) = (row, sealed) else {
        anyhow::bail!("the backup holds no node");
    };
    read_rest_key(dir)?.open(SECRETS, &sealed)?;
    Ok(row.node_id)
}

/// Marks the database of a node as a copy, after it was restored by other means.
///
/// # Errors
/// When the database cannot be opened.
pub async fn mark_in_place(dir: &NodeDir, now: Moment) -> anyhow::Result<()> {
    let config = dir.read()?;
    let store = Store::open(&dir.database(&config)).await?;
    let mut tx = store.write("marking a copy").await?;
    store::coalition::mark_as_copy(&mut tx, &because(now)).await?;
    tx.commit().await?;
    store.close().await;
    Ok(())
}

/// Makes a key for backups: the secret into a new file, to be kept elsewhere; returns the recipient.
///
/// # Errors
/// [`ConfigError`] when the file exists or cannot be written.
pub fn new_key(path: &Path) -> Result<AgeRecipient, ConfigError> {
    let identity = AgeIdentity::generate(&mut crate::ambient::rng());
    NodeDir::write_secret(path, &identity.to_secret_text())?;
    Ok(identity.recipient())
}
