//! Calls to the keeper: signed, answered with a signature, checked before anything is believed.

use super::exchange::Content;
use crate::{app::App, store::coalition::CoalitionRow, transport::TransportError};
use bytes::Bytes;
use http::Method;
use protocol::{
    blob::{BlobId, Manifest},
    chain::{Append, Appended, Page},
    codec::{self, Canonical},
    id::{CoalitionId, NodeId},
    identity::IdentityDocument,
    problem::{Problem, ProblemKind},
    sign::{LogPoint, SignatureError},
};
use std::{collections::BTreeMap, sync::Mutex};

/// The most that an own clock is corrected by for one keeper: a day.
const OFFSET_LIMIT: i64 = 24 * protocol::time::HOUR;

/// The unit in which a signature tells its time.
const A_SECOND: std::time::Duration = std::time::Duration::from_secs(1);

/// How far each keeper's clock differs from this node's, in milliseconds.
#[derive(Debug, Default)]
pub struct Offsets(Mutex<BTreeMap<NodeId, i64>>);

impl Offsets {
    pub(super) fn of(&self, keeper: NodeId) -> i64 {
        self.0
            .lock()
            .map_or(0, |offsets| offsets.get(&keeper).copied().unwrap_or(0))
    }

    fn set(&self, keeper: NodeId, offset: i64) {
        if let Ok(mut offsets) = self.0.lock() {
            offsets.insert(keeper, offset.clamp(-OFFSET_LIMIT, OFFSET_LIMIT));
        }
    }
}

/// Why a call to the keeper brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// It was not reached.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// It refused.
    #[error("the keeper answered: {}{}", .0.title, if .0.detail.is_empty() { String::new() } else { format!(" ({})", .0.detail) })]
    Refused(Box<Problem>),
    /// Its answer is not signed by it.
    #[error("the answer is not the keeper's: {0}")]
    Forged(#[from] SignatureError),
    /// The blob is longer than what it is said to be.
    #[error("the blob is longer than what it is needed for")]
    TooLong,
    /// Its answer is signed and makes no sense.
    #[error("the keeper's answer cannot be read: {0}")]
    Unreadable(String),
}

impl KeeperError {
    /// What kind of refusal this is, if it is one.
    #[must_use]
    pub fn kind(&self) -> Option<ProblemKind> {
        match self {
            Self::Refused(problem) => problem.kind(),
            _ => None,
        }
    }
}

/// Where the keeper is and how its answers verify.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// Whose.
    pub node: NodeId,
    /// Its address; none when this node is the keeper itself.
    pub url: Option<String>,
    /// The coalition.
    pub coalition: CoalitionId,
    /// How far this node has folded.
    pub seen: Option<LogPoint>,
    /// The keeper's document, where it is known already.
    pub document: Option<IdentityDocument>,
}

/// Where the chunks of an upload come from.
#[derive(Debug, Clone, Copy)]
pub enum Chunks<'a> {
    /// The whole ciphertext.
    InMemory(&'a [u8]),
    /// What this node keeps until the keeper has it.
    Kept,
}

impl Chunks<'_> {
    async fn get(self, app: &App, manifest: &Manifest, n: u64) -> Option<Vec<u8>> {
        match self {
            Self::InMemory(bytes) => bytes
                .chunks(crate::federation::CHUNK)
                .nth(usize::try_from(n).ok()?)
                .map(<[u8]>::to_vec),
            Self::Kept => {
                let mut db = app.store.read("reading a chunk").await.ok()?;
                crate::store::blob::chunk(&mut db, manifest.id(), n)
                    .await
                    .ok()?
            }
        }
    }
}

impl Keeper {
    /// The keeper of the coalition that this node is a member of.
    #[must_use]
    pub fn of(app: &App, coalition: &super::coalition::Coalition) -> Self {
        let CoalitionRow {
            id,
            keeper,
            keeper_url,
            keeper_document,
            ..
        } = &coalition.row;
        let head = coalition.state.meta().head;
        Self {
            node: *keeper,
            url: (*keeper != app.me).then(|| keeper_url.clone()),
            coalition: *id,
            seen: (head.position > 0).then_some(LogPoint {
                lineage: head.lineage,
                position: head.position,
                chain: head.chain,
            }),
            document: coalition.state.document(*keeper).or_else(|| {
                let signed: protocol::identity::SignedDocument =
                    codec::decode(keeper_document).ok()?;
                codec::decode(&signed.document).ok()
            }),
        }
    }

    /// A member that holds a share of the keys, as its document says where it is reached; none when
    /// the document names no address.
    #[must_use]
    pub fn holding_a_share(
        app: &App,
        coalition: &super::coalition::Coalition,
        node: NodeId,
    ) -> Option<Self> {
        let log = Self::of(app, coalition);
        if node == log.node {
            return Some(log);
        }
        let document = coalition.state.document(node)?;
        let url = document.endpoints.first().map(ToString::to_string);
        let url = if node == app.me { None } else { Some(url?) };
        Some(Self {
            node,
            url,
            coalition: log.coalition,
            seen: None,
            document: Some(document),
        })
    }

    /// Appends sealed entries; the answer tells for each what became of it.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn append(&self, app: &App, append: &Append) -> Result<Appended, KeeperError> {
        self.read(
            self.call(
                app,
                Method::POST,
                "log",
                "",
                Content::Cbor(codec::encode(append)),
            )
            .await?,
        )
    }

    /// Reads entries after a position, waiting some seconds for one to come.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn page(&self, app: &App, after: u64, wait: u64) -> Result<Page, KeeperError> {
        let query = format!("after={after}&wait={wait}");
        self.read(
            self.call(app, Method::GET, "log", &query, Content::None)
                .await?,
        )
    }

    /// Has blinded points evaluated.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn evaluate(
        &self,
        app: &App,
        request: &protocol::token::EvalRequest,
    ) -> Result<protocol::token::EvalReply, KeeperError> {
        self.read(
            self.call(
                app,
                Method::POST,
                "evaluate",
                "",
                Content::Cbor(codec::encode(request)),
            )
            .await?,
        )
    }

    /// Uploads a blob, resuming where an earlier upload stopped.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn upload(
        &self,
        app: &App,
        manifest: &Manifest,
        chunks: Chunks<'_>,
    ) -> Result<(), KeeperError> {
        let answer = self
            .call(
                app,
                Method::POST,
                "blobs",
                "",
                Content::Cbor(codec::encode(manifest)),
            )
            .await?;
        let missing: crate::federation::blob::Missing = self.read(answer)?;
        for n in missing.chunks {
            let bytes = chunks.get(app, manifest, n).await.ok_or_else(|| {
                KeeperError::Unreadable("it asks for a chunk that is not there".to_owned())
            })?;
            let path = format!("blobs/{}/{n}", manifest.id());
            self.call(app, Method::PUT, &path, "", Content::Chunk(&bytes))
                .await?;
        }
        Ok(())
    }

    /// Fetches a blob whole, each chunk checked against the blob's id.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn download(
        &self,
        app: &App,
        blob: BlobId,
        max_bytes: u64,
    ) -> Result<Vec<u8>, KeeperError> {
        let answer = self
            .call(
                app,
                Method::GET,
                &format!("blobs/{blob}"),
                "",
                Content::None,
            )
            .await?;
        let manifest: Manifest = self.read(answer)?;
        if manifest.id() != blob {
            return Err(KeeperError::Unreadable(
                "it is another blob than was asked for".to_owned(),
            ));
        }
        if manifest.size() > max_bytes {
            return Err(KeeperError::TooLong);
        }
        let mut bytes = Vec::new();
        for n in 0..manifest.chunks().len() as u64 {
            let chunk = self
                .call(
                    app,
                    Method::GET,
                    &format!("blobs/{blob}/{n}"),
                    "",
                    Content::AskForChunk,
                )
                .await?;
            manifest
                .verify_chunk(n, &chunk)
                .map_err(|error| KeeperError::Unreadable(error.to_string()))?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Asks to join.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn ask_to_join(
        &self,
        app: &App,
        ask: &crate::federation::join::Ask,
    ) -> Result<crate::federation::join::Answer, KeeperError> {
        self.read(
            self.call(
                app,
                Method::POST,
                "join",
                "",
                Content::Cbor(codec::encode(ask)),
            )
            .await?,
        )
    }

    /// Asks whether the door is open; none while nobody has approved.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn admission(
        &self,
        app: &App,
    ) -> Result<Option<crate::federation::join::Admission>, KeeperError> {
        let answer = self
            .call(
                app,
                Method::GET,
                &format!("join/{}", app.me),
                "",
                Content::None,
            )
            .await?;
        if answer.is_empty() {
            Ok(None)
        } else {
            self.read(answer).map(Some)
        }
    }

    /// Hands over what lets a newcomer in.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn admit(
        &self,
        app: &App,
        newcomer: NodeId,
        admission: &crate::federation::join::Admission,
    ) -> Result<(), KeeperError> {
        let path = format!("join/{newcomer}");
        self.call(
            app,
            Method::PUT,
            &path,
            "",
            Content::Cbor(codec::encode(admission)),
        )
        .await
        .map(drop)
    }

    /// Asks for the group, to come back into it from outside.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn group_now(
        &self,
        app: &App,
    ) -> Result<crate::federation::rejoin::GroupNow, KeeperError> {
        self.read(
            self.call(app, Method::GET, "rejoin", "", Content::None)
                .await?,
        )
    }

    /// Asks how this node's way back stands.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn standing(
        &self,
        app: &App,
    ) -> Result<crate::federation::rejoin::Standing, KeeperError> {
        let path = format!("rejoin/{}", app.me);
        self.read(
            self.call(app, Method::GET, &path, "", Content::None)
                .await?,
        )
    }

    fn read<T: Canonical>(&self, body: Bytes) -> Result<T, KeeperError> {
        codec::decode(&body).map_err(|error| KeeperError::Unreadable(error.to_string()))
    }

    async fn call(
        &self,
        app: &App,
        method: Method,
        path: &str,
        query: &str,
        content: Content<'_>,
    ) -> Result<Bytes, KeeperError> {
        let first = self
            .exchange(app, method.clone(), path, query, &content, 0)
            .await;
        let Err(KeeperError::Refused(problem)) = &first else {
            return first;
        };
        match (problem.kind(), problem.server_time) {
            (Some(ProblemKind::ClockSkew), Some(theirs)) => {
                app.offsets.set(self.node, theirs.since(app.now()));
                self.exchange(app, method, path, query, &content, 0).await
            }
            // The keeper has just started and takes nothing that may have been signed before; a
            // signature as far ahead as clocks may differ cannot have been.
            (Some(ProblemKind::StaleSinceRestart), _) => {
                let ahead = protocol::limits::CLOCK_AHEAD;
                let again = self
                    .exchange(app, method.clone(), path, query, &content, ahead)
                    .await;
                let refused = again.as_ref().err().and_then(KeeperError::kind);
                if refused != Some(ProblemKind::StaleSinceRestart) {
                    return again;
                }
                // A signature names whole seconds, so within the keeper's first one even that
                // moment is cut off to one that is refused.
                app.life.pause(A_SECOND).await;
                self.exchange(app, method, path, query, &content, ahead)
                    .await
            }
            _ => first,
        }
    }
}
