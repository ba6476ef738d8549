//! `commonturf init`: makes a node.

use super::{client::CliError, output};
use crate::{
    ambient::SystemClock,
    config::{
        Config, ConfigError, DESK_DEFAULT, Database, Desk, Federation, Lists, NodeDir, Peers,
        public_url,
    },
    init,
};
use clap::Args;
use policy::facts::OrgKind;
use protocol::identity::Name;
use std::{net::SocketAddr, path::Path};

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
    /// The address under which members reach the keeper, such as `https://keeper.example.org`.
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
        let id = init::make(&dir, &config, name, kind, &SystemClock).await?;
        if json {
            output::json(&serde_json::json!({
                "node": id, "directory": node, "desk": config.desk.listen,
            }));
            return Ok(());
        }
        println!("Made a node for {} in {}.", self.name, node.display());
        println!("Its id is {id}");
        println!(
            "Keep {} safe and apart from backups: it opens what the database seals.",
            dir.key().display()
        );
        println!("Next: commonturf serve --node {}", node.display());
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
}
