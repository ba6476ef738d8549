//! Asking the running node through its desk.

use crate::config::{ConfigError, NodeDir};
use protocol::problem::{Problem, ProblemKind};
use serde::{Serialize, de::DeserializeOwned};
use std::{path::Path, time::Duration};

/// How long a command waits for the node: imports and shares take their time.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Wrong use: the command line itself has to change.
    #[error("{0}")]
    Usage(String),
    /// The node's directory cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The node does not answer.
    #[error(
        "the node at {address} does not answer ({detail}); start it with: commonturf serve --node {node}"
    )]
    NotRunning {
        /// Where it should listen.
        address: String,
        /// Its directory.
        node: String,
        /// What the attempt said.
        detail: String,
    },
    /// The node refused.
    #[error("{}", if .0.detail.is_empty() { &.0.title } else { &.0.detail })]
    Refused(Box<Problem>),
    /// Anything else that failed.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// 2 for wrong use, 1 for a refusal or failure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Refused(problem) if problem.code == ProblemKind::InvalidInput.code() => 2,
            _ => 1,
        }
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::Failed(format!("{}: {error}", path.display()))
    }
}

impl From<anyhow::Error> for CliError {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<ConfigError>() {
            Ok(error) => Self::Config(error),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

/// The desk of one node.
#[derive(Debug)]
pub struct Desk {
    client: reqwest::Client,
    base: String,
    token: String,
    node: String,
    /// Whether answers are printed as JSON.
    pub json: bool,
}

impl Desk {
    /// Finds the desk of the node in a directory.
    ///
    /// # Errors
    /// [`CliError::Config`] when there is no node, or its token cannot be read.
    #[expect(
        clippy::disallowed_methods,
        reason = "a command asks its own node only"
    )]
    pub fn open(node: &Path, json: bool) -> Result<Self, CliError> {
        let dir = NodeDir(node.to_owned());
        let config = dir.read()?;
        let token = NodeDir::read_secret(&dir.token())?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .map_err(|error| CliError::Failed(error.to_string()))?;
        Ok(Self {
            client,
            base: format!("http://{}/api/v1", config.desk.listen),
            token,
            node: node.display().to_string(),
            json,
        })
    }

    /// Reads.
    ///
    /// # Errors
    /// [`CliError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        self.answer(self.client.get(format!("{}{path}", self.base)))
            .await
    }

    /// Asks for a change, with a JSON body.
    ///
    /// # Errors
    /// [`CliError`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CliError> {
        self.answer(self.client.post(format!("{}{path}", self.base)).json(body))
            .await
    }

    /// Sends a stream of bytes.
    ///
    /// # Errors
    /// [`CliError`].
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        body: reqwest::Body,
    ) -> Result<T, CliError> {
        let request = self.client.post(format!("{}{path}", self.base));
        self.answer(
            request
                .header("content-type", "application/octet-stream")
                .body(body),
        )
        .await
    }

    /// Reads bytes, such as a file to save.
    ///
    /// # Errors
    /// [`CliError`].
    pub async fn download(&self, path: &str) -> Result<Vec<u8>, CliError> {
        Ok(self.download_with(path).await?.0)
    }

    /// Reads a file, and what the node says about it beside it.
    ///
    /// # Errors
    /// [`CliError`].
    pub async fn download_with(
        &self,
        path: &str,
    ) -> Result<(Vec<u8>, reqwest::header::HeaderMap), CliError> {
        let response = self
            .send(self.client.get(format!("{}{path}", self.base)))
            .await?;
        let headers = response.headers().clone();
        let bytes = response.bytes().await;
        let bytes = bytes.map_err(|error| CliError::Failed(error.to_string()))?;
        Ok((bytes.into(), headers))
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, CliError> {
        let response = self.send(request).await?;
        let bytes = response
            .bytes()
            .await
            .map_err(|error| CliError::Failed(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            CliError::Failed(format!(
                "the node's answer cannot be read ({error}); are both of one version?"
            ))
        })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, CliError> {
        let response = request
            .bearer_auth(&self.token)
            .send()
            .await
            .map_err(|error| {
                let mut cause: &dyn std::error::Error = &error;
                while let Some(next) = cause.source() {
                    cause = next;
                }
                CliError::NotRunning {
                    address: self.base.clone(),
                    node: self.node.clone(),
                    detail: cause.to_string(),
                }
            })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let bytes = response
            .bytes()
            .await
            .map_err(|error| CliError::Failed(error.to_string()))?;
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(CliError::Refused(Box::new(problem))),
            Err(_) => Err(CliError::Failed(format!("the node answered {status}"))),
        }
    }
}

/// A reference as one segment of a path.
pub(super) fn segment(reference: &str) -> String {
    let mut text = String::new();
    for byte in reference.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
