//! What every part of a running node is given.

use crate::{
    config::{Config, NodeDir},
    keys::Keys,
    lifecycle::Lifecycle,
    store::{self, Store, node::NodeRow, sealed::RestKey},
    sync::{coalition::Coalition, offsets::Offsets},
    transport::Transport,
};
use protocol::{
    codec,
    id::NodeId,
    identity::IdentityDocument,
    sign::{Nonces, RequestSigner},
    time::{Clock, Moment},
};
use std::{
    ops::Deref,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock as RwLockNow},
};
use tokio::sync::{Notify, RwLock, watch};

/// A running node; cloning it is cheap.
#[derive(Clone)]
pub struct App(Arc<Node>);

impl Deref for App {
    type Target = Node;
    fn deref(&self) -> &Node {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({})", self.me.short())
    }
}

/// The parts of a running node.
pub struct Node {
    /// Its directory.
    pub dir: NodeDir,
    /// Its settings.
    pub config: Config,
    /// Its database.
    pub store: Store,
    /// Where it takes the time from.
    pub clock: Box<dyn Clock>,
    /// What seals its secrets.
    pub rest: RestKey,
    /// Its keys and its own signed identity document; they change where the log says so.
    pub(crate) keys: RwLockNow<Arc<Keys>>,
    /// Its id.
    pub me: NodeId,
    /// The organization's name.
    pub name: String,
    /// How it reaches other nodes.
    pub transport: Box<dyn Transport>,
    /// Its tasks.
    pub life: Lifecycle,
    /// The coalition it is in, as far as it has folded. Whoever needs it and a writing transaction
    /// locks it first: the other order would wait for ever.
    pub coalition: RwLock<Option<Coalition>>,
    /// Requests that members made lately.
    pub nonces: Mutex<Nonces>,
    /// How far keepers' clocks differ from this one's.
    pub offsets: Offsets,
    /// What wakes whom.
    pub wake: Wake,
    /// What this node does as a keeper, if it is one.
    pub kept: crate::keeper::raft::Kept,
    /// What members have asked of this node as a keeper.
    pub gate: crate::federation::gate::Gate,
    /// Whose append is worked on next.
    pub turns: crate::keeper::turns::Turns,
    /// What keepers sign about the length of the log.
    pub heads: crate::sync::heads::Heads,
    /// What is known of each keeper from its answers.
    pub keepers: crate::sync::keepers::Book,
    /// What keepers answer, for calls that this node makes to itself.
    pub federation: OnceLock<axum::Router>,
}

/// Signals between the node's tasks.
#[derive(Debug)]
pub struct Wake {
    /// There is something to say.
    pub outbox: Notify,
    /// There may be work.
    pub jobs: Notify,
    /// There is a coalition now.
    pub joined: Notify,
    /// The position up to which this node has folded.
    pub folded: watch::Sender<u64>,
    /// The head of the log that this node keeps.
    pub kept: watch::Sender<u64>,
    /// How the last exchange with the keeper went.
    pub contact: watch::Sender<Contact>,
    /// Why own contact reports are not published, if the gate refuses them.
    pub withheld: watch::Sender<Option<crate::contacts::Withheld>>,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            outbox: Notify::new(),
            jobs: Notify::new(),
            joined: Notify::new(),
            folded: watch::Sender::new(0),
            kept: watch::Sender::new(0),
            contact: watch::Sender::new(Contact::default()),
            withheld: watch::Sender::new(None),
        }
    }
}

/// How the keeper was reached last.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Contact {
    /// When it last answered, by this node's clock.
    pub answered_at: Option<Moment>,
    /// Why it did not, if the last try failed.
    pub error: Option<String>,
    /// Whether that is because the keeper is in repair after a restore.
    pub in_repair: bool,
}

impl App {
    /// Opens a node's directory.
    ///
    /// # Errors
    /// When the configuration, the key or the database cannot be used; the message says which.
    pub async fn open(dir: NodeDir, clock: Box<dyn Clock>) -> anyhow::Result<Self> {
        let config = dir.read()?;
        dir.close_to_others()?;
        let rest = read_rest_key(&dir)?;
        let store = Store::open(&dir.database(&config)).await?;
        let mut tx = store.write("noting interrupted imports").await?;
        store::import_job::interrupt_running(&mut tx).await?;
        tx.commit().await?;
        let transport = crate::transport::HttpTransport::new(&config.peers)?;
        Self::assemble(dir, config, store, clock, rest, Box::new(transport)).await
    }

    /// Puts a node together from its parts; a test brings its own clock and transport.
    ///
    /// # Errors
    /// When the database holds no node, or its secrets do not open.
    pub async fn assemble(
        dir: NodeDir,
        config: Config,
        store: Store,
        clock: Box<dyn Clock>,
        rest: RestKey,
        transport: Box<dyn Transport>,
    ) -> anyhow::Result<Self> {
        let mut db = store.read("opening the node").await?;
        let row: NodeRow = store::node::find(&mut db)
            .await?
            .ok_or_else(|| anyhow::anyhow!("the database holds no node; run commonturf init"))?;
        let keys = Keys::load(&mut db, &rest).await?;
        let coalition = Coalition::load(&mut db, &rest).await?;
        drop(db);
        let folded = coalition
            .as_ref()
            .map_or(0, |coalition| coalition.state.meta().head.position);
        let wake = Wake::default();
        wake.folded.send_replace(folded);
        let now = clock.now();
        Ok(Self(Arc::new(Node {
            dir,
            config,
            store,
            rest,
            me: row.node_id,
            name: row.name,
            keys: RwLockNow::new(Arc::new(keys)),
            transport,
            life: Lifecycle::default(),
            coalition: RwLock::new(coalition),
            nonces: Mutex::new(Nonces::starting_at(now)),
            offsets: Offsets::default(),
            wake,
            kept: crate::keeper::raft::Kept::default(),
            gate: crate::federation::gate::Gate::default(),
            turns: crate::keeper::turns::Turns::default(),
            heads: crate::sync::heads::Heads::default(),
            keepers: crate::sync::keepers::Book::default(),
            federation: OnceLock::new(),
            clock,
        })))
    }
}

/// The name under which a node's keys are stored, and the place to which they are sealed.
pub const SECRETS: &str = "secret/node";

/// Reads the key that opens sealed values: from the environment, or from its file.
///
/// # Errors
/// When there is none, or it is no key.
pub fn read_rest_key(dir: &NodeDir) -> anyhow::Result<RestKey> {
    let text = match crate::ambient::variable("COMMONTURF_NODE_KEY") {
        Some(text) => text,
        None => NodeDir::read_secret(&dir.key())?,
    };
    let bytes = protocol::id::from_base32(text.trim())?;
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| anyhow::anyhow!("{} holds no key", dir.key().display()))?;
    Ok(RestKey::new(bytes))
}

impl Node {
    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Its keys, as they are at this moment.
    #[must_use]
    pub fn keys(&self) -> Arc<Keys> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&keys)
    }

    /// The node's own identity document.
    ///
    /// # Panics
    /// Never: it was read when the node was opened.
    #[must_use]
    pub fn identity(&self) -> IdentityDocument {
        codec::decode(&self.keys().document.document)
            .expect("the node's own document was written by this program")
    }

    /// What signs this node's requests and answers.
    #[must_use]
    pub fn signer(&self) -> RequestSigner {
        RequestSigner::new(
            self.me,
            self.keys()
                .secrets
                .signing_key(protocol::identity::KeyUse::Request),
        )
    }

    /// The key of this node inside the group.
    #[must_use]
    pub fn mls_key(&self) -> protocol::mls::MlsKey {
        protocol::mls::MlsKey::from_seed(self.keys().secrets.seed(protocol::identity::KeyUse::Mls))
    }
}
