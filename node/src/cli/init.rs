//! `commonturf init`: makes a node.

use super::{client::CliError, output};
use crate::{
    app::SECRETS,
    config::{
        Config, ConfigError, DESK_DEFAULT, Database, Desk, Federation, Lists, NodeDir, Peers,
        public_url,
    },
    store::{Store, node::NodeRow, sealed::RestKey},
};
use clap::Args;
use policy::facts::OrgKind;
use protocol::{
    codec,
    identity::{Endpoint, Name, NodeSecrets, Particulars, Word},
    time::{Clock, DAY},
};
use rand_core::RngCore;
use std::{net::SocketAddr, path::Path};

/// For how long a new identity document is good, in days.
const DOCUMENT_DAYS: i64 = 390;

/// Makes a node: keys, configuration, database.
#[derive(Debug, Args)]
pub struct Init {
    /// The organization's name, as allies know it.
    #[arg(long)]
    name: String,
    /// Its legal kind: c3, c4, union, pac, super_pac, candidate, party or vendor.
    #[arg(long)]
    kind: String,
    /// Where the desk listens, on this machine only.
    #[arg(long, default_value = DESK_DEFAULT)]
    desk: SocketAddr,
    /// Where a keeper listens for members.
    #[arg(long, requires = "public_url")]
    federation: Option<SocketAddr>,
    /// The address under which members reach the keeper, such as https://keeper.example.org.
    #[arg(long, requires = "federation")]
    public_url: Option<String>,
    /// PEM file with the certificate chain for the federation listener.
    #[arg(long, requires_all = ["tls_key", "federation"])]
    tls_certificate: Option<std::path::PathBuf>,
    /// PEM file with the certificate's key.
    #[arg(long, requires = "tls_certificate")]
    tls_key: Option<std::path::PathBuf>,
    /// A PostgreSQL database instead of a file: postgres://...
    #[arg(long)]
    database: Option<String>,
}

impl Init {
    pub(super) async fn run(&self, node: &Path, json: bool) -> Result<(), CliError> {
        let usage = |error: String| CliError::Usage(error);
        let name: Name = self
            .name
            .parse()
            .map_err(|error| usage(format!("--name: {error}")))?;
        let kind: OrgKind = self
            .kind
            .parse()
            .map_err(|error| usage(format!("--kind: {error}")))?;
        let config = self.config().map_err(|error| usage(error.to_string()))?;
        let dir = NodeDir(node.to_owned());
        if dir.config().exists() || dir.key().exists() {
            return Err(ConfigError::Exists(node.to_owned()).into());
        }
        std::fs::create_dir_all(node).map_err(|error| CliError::file(node, &error))?;
        let secrets = NodeSecrets::generate(&mut crate::ambient::rng());
        let row = self.row(&secrets, name, kind)?;
        let key = write_secrets(&dir)?;
        let store = Store::open(&dir.database(&config))
            .await
            .map_err(|error| CliError::Failed(error.to_string()))?;
        save(&store, &row, &secrets, &key)
            .await
            .map_err(|error| CliError::Failed(error.to_string()))?;
        store.close().await;
        let text = toml::to_string(&config).map_err(|error| CliError::Failed(error.to_string()))?;
        // The configuration comes last: a directory without one is no node yet.
        std::fs::write(dir.config(), text)
            .map_err(|error| CliError::file(&dir.config(), &error))?;
        if json {
            output::json(
                &serde_json::json!({ "node": row.node_id, "directory": node, "desk": config.desk.listen }),
            );
        } else {
            println!("Made a node for {} in {}.", row.name, node.display());
            println!("Its id is {}", row.node_id);
            println!(
                "Keep {} safe and apart from backups: it opens what the database seals.",
                dir.key().display()
            );
            println!("Next: commonturf serve --node {}", node.display());
        }
        Ok(())
    }

    fn config(&self) -> Result<Config, ConfigError> {
        let federation = match (self.federation, &self.public_url) {
            (Some(listen), Some(url)) => {
                let url = public_url(url)?;
                Some(Federation {
                    listen,
                    public_url: url.as_str().trim_end_matches('/').to_owned(),
                    tls_certificate: self.tls_certificate.clone(),
                    tls_key: self.tls_key.clone(),
                })
            }
            _ => None,
        };
        if !self.desk.ip().is_loopback() {
            return Err(ConfigError::Value(
                "--desk: the desk listens on this machine only, such as 127.0.0.1:7310".to_owned(),
            ));
        }
        Ok(Config {
            desk: Desk { listen: self.desk },
            federation,
            database: Database {
                url: self.database.clone(),
            },
            peers: Peers::default(),
            lists: Lists::default(),
        })
    }

    fn row(&self, secrets: &NodeSecrets, name: Name, kind: OrgKind) -> Result<NodeRow, CliError> {
        let endpoints = match &self.public_url {
            Some(url) => {
                let endpoint: Endpoint = url
                    .trim_end_matches('/')
                    .parse()
                    .map_err(|error| CliError::Usage(format!("--public-url: {error}")))?;
                vec![endpoint]
            }
            None => Vec::new(),
        };
        let word: Word = kind
            .name()
            .parse()
            .map_err(|error| CliError::Usage(format!("--kind: {error}")))?;
        let particulars = Particulars {
            organization: name.clone(),
            kind: word,
            endpoints,
            capabilities: Vec::new(),
            valid_until: crate::ambient::SystemClock.now().plus(DOCUMENT_DAYS * DAY),
        };
        let document = secrets
            .document(particulars, None)
            .map_err(|error| CliError::Failed(error.to_string()))?;
        Ok(NodeRow {
            node_id: secrets.node_id(),
            name: name.to_string(),
            kind: kind.name().to_owned(),
            document: codec::encode(&document),
        })
    }
}

fn write_secrets(dir: &NodeDir) -> Result<RestKey, CliError> {
    let mut bytes = [0; 32];
    crate::ambient::rng().fill_bytes(&mut bytes);
    NodeDir::write_secret(&dir.key(), &protocol::id::to_base32(&bytes))?;
    let mut token = [0; 32];
    crate::ambient::rng().fill_bytes(&mut token);
    NodeDir::write_secret(&dir.token(), &protocol::id::to_base32(&token))?;
    Ok(RestKey::new(bytes))
}

async fn save(
    store: &Store,
    row: &NodeRow,
    secrets: &NodeSecrets,
    key: &RestKey,
) -> crate::store::Result<()> {
    let mut tx = store.write("making a node").await?;
    crate::store::node::insert(&mut tx, row, crate::ambient::SystemClock.now().0).await?;
    let sealed = key.seal(SECRETS, &secrets.to_bytes(), &mut crate::ambient::rng());
    crate::store::node::put_secret(&mut tx, SECRETS, &sealed).await?;
    tx.commit().await
}
