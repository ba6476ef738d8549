//! The one configuration file of a node, and the files beside it.
//!
//! `DIR/config.toml` is strict: an unknown key is an error. Secrets never stand in it; they lie in
//! files of their own with mode 0600.

use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Where the desk listens unless told otherwise: this machine only.
pub const DESK_DEFAULT: &str = "127.0.0.1:7310";

/// Everything an operator can set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Pages and API for the organization's own people.
    pub desk: Desk,
    /// What other members reach; only keepers have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federation: Option<Federation>,
    /// Where the data lie.
    #[serde(default)]
    pub database: Database,
    /// How other nodes are reached.
    #[serde(default)]
    pub peers: Peers,
    /// How files are read.
    #[serde(default)]
    pub lists: Lists,
}

/// The desk listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// Address and port.
    pub listen: SocketAddr,
}

/// The federation listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Federation {
    /// Address and port.
    pub listen: SocketAddr,
    /// The address that members use, as `https://name` (plain `http` on this machine only).
    pub public_url: String,
    /// PEM file with the certificate chain; without it a proxy on this machine must end TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the certificate's private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://...`; without it the node uses SQLite in its own directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Other nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Peers {
    /// Keepers may have private addresses (a keeper in the same office network).
    pub allow_private_addresses: bool,
    /// PEM file with a certificate authority to trust beside the public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_authority: Option<PathBuf>,
}

/// Reading files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lists {
    /// Region of phone numbers and addresses that do not say theirs: two capital letters.
    pub region: String,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            region: "US".to_owned(),
        }
    }
}

/// Why a node's directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No node there.
    #[error(
        "{0} holds no node; make one with: commonturf init --node {0} --name \"Your organization\" --kind c4"
    )]
    Missing(PathBuf),
    /// There is one already.
    #[error("{0} holds a node already; choose another directory, or use that node")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration does not parse.
    #[error("{path}: {detail}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Line, column and cause.
        detail: String,
    },
    /// A value that cannot work.
    #[error("{0}")]
    Value(String),
}

/// The directory of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeDir(pub PathBuf);

impl NodeDir {
    /// Lets nobody but the directory's owner in: the database holds people in clear.
    ///
    /// # Errors
    /// [`ConfigError::File`].
    pub fn close_to_others(&self) -> Result<(), ConfigError> {
        use std::os::unix::fs::PermissionsExt;
        let owner_only = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&self.0, owner_only).map_err(|source| ConfigError::File {
            path: self.0.clone(),
            source,
        })
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// The key that opens what is sealed in the database.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.0.join("node.key")
    }

    /// The token with which commands on this machine speak to the desk.
    #[must_use]
    pub fn token(&self) -> PathBuf {
        self.0.join("desk.token")
    }

    /// What a keeper has promised, outside of the database: backups must not hold it.
    #[must_use]
    pub fn mark(&self) -> PathBuf {
        self.0.join("keeper.mark")
    }

    /// The database's URL.
    #[must_use]
    pub fn database(&self, config: &Config) -> String {
        config
            .database
            .url
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.0.join("node.db").display()))
    }

    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError`], with file, line and column where there is one.
    pub fn read(&self) -> Result<Config, ConfigError> {
        let path = self.config();
        if !path.exists() {
            return Err(ConfigError::Missing(self.0.clone()));
        }
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::File {
            path: path.clone(),
            source,
        })?;
        let config: Config = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            path: path.clone(),
            detail: error.to_string(),
        })?;
        config.check()?;
        Ok(config)
    }

    /// Writes a file that only its owner may read.
    ///
    /// # Errors
    /// [`ConfigError::File`].
    pub fn write_secret(path: &Path, text: &str) -> Result<(), ConfigError> {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        let file = |source| ConfigError::File {
            path: path.to_owned(),
            source,
        };
        let mut options = std::fs::OpenOptions::new();
        let mut out = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(file)?;
        out.write_all(text.as_bytes())
            .and_then(|()| out.sync_all())
            .map_err(file)
    }

    /// Reads a small text file, trimmed.
    ///
    /// # Errors
    /// [`ConfigError::File`].
    pub fn read_secret(path: &Path) -> Result<String, ConfigError> {
        std::fs::read_to_string(path)
            .map(|text| text.trim().to_owned())
            .map_err(|source| ConfigError::File {
                path: path.to_owned(),
                source,
            })
    }
}

impl Config {
    /// What the types cannot say.
    fn check(&self) -> Result<(), ConfigError> {
        if !self.desk.listen.ip().is_loopback() {
            return Err(ConfigError::Value(format!(
                "desk.listen is {}: the desk listens on this machine only (127.0.0.1); reach it from elsewhere \
                 through a tunnel or a proxy that asks for a sign-in",
                self.desk.listen
            )));
        }
        let Some(federation) = &self.federation else {
            return Ok(());
        };
        public_url(&federation.public_url)?;
        if federation.tls_certificate.is_some() != federation.tls_key.is_some() {
            return Err(ConfigError::Value(
                "federation.tls_certificate and federation.tls_key go together".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Checks the address that members use for a keeper.
///
/// # Errors
/// [`ConfigError::Value`] with what is wrong.
pub fn public_url(text: &str) -> Result<url::Url, ConfigError> {
    let wrong =
        |why: &str| ConfigError::Value(format!("{text} cannot be a keeper's public URL: {why}"));
    let url = url::Url::parse(text)
        .map_err(|_| wrong("write it as https://name or https://name:port"))?;
    let loopback = matches!(url.host(), Some(url::Host::Ipv4(ip)) if ip.is_loopback())
        || matches!(url.host(), Some(url::Host::Ipv6(ip)) if ip.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err(wrong("plain http is for 127.0.0.1 only; use https")),
        _ => return Err(wrong("it must begin with https://")),
    }
    let more = url.query().is_some() || url.fragment().is_some();
    let user = !url.username().is_empty() || url.password().is_some();
    if url.path() != "/" || more || user {
        return Err(wrong(
            "it has a host and perhaps a port, and nothing after that",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_lets_nobody_but_its_owner_into_its_directory() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        NodeDir(folder.path().to_owned()).close_to_others().unwrap();
        let mode = folder.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    const SAMPLE: &str = "[desk]\nlisten = \"127.0.0.1:7310\"\n";

    fn read(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), text).unwrap();
        NodeDir(dir.path().to_owned()).read()
    }

    #[test]
    fn the_smallest_configuration_is_a_desk() {
        assert_eq!(read(SAMPLE).unwrap().lists.region, "US");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = read(&format!("{SAMPLE}colour = \"red\"\n"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 3") && error.contains("colour"),
            "{error}"
        );
    }

    #[test]
    fn a_desk_on_a_public_address_is_refused() {
        let error = read("[desk]\nlisten = \"0.0.0.0:7310\"\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("this machine only"), "{error}");
    }

    #[test]
    fn a_keeper_without_tls_is_refused_unless_it_is_on_this_machine() {
        assert!(public_url("http://keeper.example.org").is_err());
        assert!(public_url("ftp://keeper.example.org").is_err());
        assert!(public_url("https://keeper.example.org/path").is_err());
        assert!(public_url("http://127.0.0.1:8000").is_ok());
        assert!(public_url("https://keeper.example.org").is_ok());
    }
}
