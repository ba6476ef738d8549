//! This node's keys over time: those that its document lists, those that it has retired, and those
//! that the next document will list once the log has ordered it. Spec: protocol.md, section 5.15.
//!
//! Retired keys stay here sealed: they open what was sealed to this node before, and sign answers
//! to members who have not read of the change yet. Nothing is said with them any more.

pub mod carry;
pub mod restate;
pub mod standing;

use crate::{
    app::{App, SECRETS},
    http::problem::Failure,
    store::{self, StoreError, Write, sealed::RestKey},
    sync::{
        fold::Stop,
        outbox::{self, Intent},
    },
};
use minicbor::{Decode, Encode, bytes::ByteVec};
use protocol::{
    codec::{self, Canonical},
    entry::membership::Identity,
    fold::identity as folded,
    id::{EntryId, NodeId},
    identity::{
        Endpoint, IdentityDocument, KeyUse, NodeSecrets, Particulars, SignedDocument, Skip,
    },
    mls::MlsKey,
    problem::ProblemKind,
    seal::{self, SealError},
    sign::RequestSigner,
    state::State,
    time::{DAY, Moment},
    version::Versions,
};
use serde::Serialize;
use sqlx::AnyConnection;
use std::sync::{Arc, PoisonError};

/// For how long a new document counts, in days of log time.
pub const DOCUMENT_DAYS: i64 = 390;
/// A document that runs out within this time is renewed, in milliseconds of log time.
pub const RENEW_BEFORE: i64 = 30 * DAY;
/// Where retired keys are kept, by the position at which they were retired.
const PAST: &str = "secret/node/past/";
/// Where the keys of a document are kept that the log has not ordered yet, by the entry that carries it.
const NEXT: &str = "secret/node/next/";
/// In the place of an entry where another member carries the document.
const CARRIED: &str = "carried";

/// A document with the secrets behind it.
struct Listed {
    document: SignedDocument,
    secrets: NodeSecrets,
}

/// All keys of this node.
pub struct Keys {
    /// Its own signed identity document.
    pub document: SignedDocument,
    /// The secrets behind it.
    pub secrets: NodeSecrets,
    /// What it has retired, the oldest first, by position.
    past: Vec<(u64, Listed)>,
    /// What waits to be ordered, and by which entry of its own.
    next: Option<(Option<EntryId>, Listed)>,
}

/// A document and its secrets as they are sealed at rest.
#[derive(Encode, Decode)]
struct Stored {
    #[n(0)]
    document: ByteVec,
    #[n(1)]
    secrets: ByteVec,
}

impl Canonical for Stored {
    const WHAT: &'static str = "keys of this node";
    const MAX_BYTES: usize = 64 * 1024;
}

impl Listed {
    fn sealed(&self, rest: &RestKey, place: &str) -> Vec<u8> {
        let stored = Stored {
            document: codec::encode(&self.document).into(),
            secrets: self.secrets.to_bytes().to_vec().into(),
        };
        rest.seal(place, &codec::encode(&stored), &mut crate::ambient::rng())
    }

    fn open(rest: &RestKey, place: &str, sealed: &[u8]) -> anyhow::Result<Self> {
        let stored: Stored = codec::decode(&rest.open(place, sealed)?)?;
        Ok(Self {
            document: codec::decode(&stored.document)?,
            secrets: NodeSecrets::from_bytes(&stored.secrets)?,
        })
    }
}

impl Keys {
    /// Reads all keys.
    ///
    /// # Errors
    /// When the database holds no node, or its secrets do not open.
    pub async fn load(db: &mut AnyConnection, rest: &RestKey) -> anyhow::Result<Self> {
        let row = store::node::find(&mut *db)
            .await?
            .ok_or_else(|| anyhow::anyhow!("the database holds no node; run commonturf init"))?;
        let sealed = store::node::secret(&mut *db, SECRETS)
            .await?
            .ok_or_else(|| anyhow::anyhow!("the database holds no keys; restore a backup"))?;
        let mut past = Vec::new();
        for (place, listed) in beginning(&mut *db, rest, PAST).await? {
            let until = place.strip_prefix(PAST).and_then(|rest| rest.parse().ok());
            past.push((until.unwrap_or_default(), listed));
        }
        let next = beginning(&mut *db, rest, NEXT).await?.pop();
        let next = next.map(|(place, listed)| {
            let entry = place.strip_prefix(NEXT).and_then(|id| id.parse().ok());
            (entry, listed)
        });
        Ok(Self {
            document: codec::decode(&row.document)?,
            secrets: NodeSecrets::from_bytes(&rest.open(SECRETS, &sealed)?)?,
            past,
            next,
        })
    }

    /// The secrets whose keys a member knows that has folded up to a position.
    #[must_use]
    pub fn known_at(&self, position: Option<u64>) -> &NodeSecrets {
        let retired = position.and_then(|position| {
            let mut past = self.past.iter();
            past.find(|(until, _)| position < *until)
        });
        retired.map_or(&self.secrets, |(_, listed)| &listed.secrets)
    }

    /// The secrets with which statements are made from here on. An own entry that waits with the next
    /// document is ordered before all that is said after it, so the next key counts already.
    #[must_use]
    pub fn stating(&self) -> &NodeSecrets {
        match &self.next {
            Some((Some(_), next)) => &next.secrets,
            _ => &self.secrets,
        }
    }

    /// Other keys under which a keeper may know this node: it may have read of a change before this
    /// node did, or not yet.
    #[must_use]
    pub fn other_signers(&self, me: NodeId) -> Vec<RequestSigner> {
        let next = self.next.iter().map(|(_, listed)| listed);
        let last = self.past.iter().rev().take(1).map(|(_, listed)| listed);
        let own = self.secrets.signing_key(KeyUse::Request).public();
        next.chain(last)
            .map(|listed| listed.secrets.signing_key(KeyUse::Request))
            .filter(|key| key.public() != own)
            .map(|key| RequestSigner::new(me, key))
            .collect()
    }

    /// Opens what was sealed to this node under its present, an earlier or the next document.
    ///
    /// # Errors
    /// [`SealError`]: sealed to somebody else, or damaged.
    pub fn open(&self, sealed: &[u8], max_bytes: usize) -> Result<Vec<u8>, SealError> {
        let mut opened = seal::open(sealed, &self.secrets.age(), max_bytes);
        let past = self.past.iter().rev().map(|(_, listed)| listed);
        for listed in past.chain(self.next.iter().map(|(_, listed)| listed)) {
            if !matches!(opened, Err(SealError::NotForMe)) {
                break;
            }
            opened = seal::open(sealed, &listed.secrets.age(), max_bytes);
        }
        opened
    }

    /// Keys under which this node's leaf may stand in the group as others know it: they may have folded a
    /// document that a copy of an earlier moment still waits to see.
    #[must_use]
    pub fn leaf_keys(&self) -> Vec<MlsKey> {
        let next = self.next.iter().map(|(_, listed)| &listed.secrets);
        std::iter::once(&self.secrets)
            .chain(next)
            .map(|secrets| MlsKey::from_seed(secrets.seed(KeyUse::Mls)))
            .collect()
    }

    /// The key inside the group with this public half.
    #[must_use]
    pub fn mls_with(&self, public: [u8; 32]) -> Option<MlsKey> {
        let past = self.past.iter().rev().map(|(_, listed)| &listed.secrets);
        std::iter::once(&self.secrets)
            .chain(past)
            .map(|secrets| MlsKey::from_seed(secrets.seed(KeyUse::Mls)))
            .find(|key| key.public() == public)
    }

    /// Addresses under which members may call this node, those of retired documents included.
    #[must_use]
    pub fn authorities(&self) -> Vec<String> {
        let past = self.past.iter().map(|(_, listed)| &listed.document);
        std::iter::once(&self.document)
            .chain(past)
            .filter_map(read)
            .flat_map(|document| document.endpoints)
            .map(|endpoint| endpoint.authority().to_owned())
            .collect()
    }
}

async fn beginning(
    db: &mut AnyConnection,
    rest: &RestKey,
    beginning: &str,
) -> anyhow::Result<Vec<(String, Listed)>> {
    let mut found = Vec::new();
    for place in store::node::secrets_beginning(&mut *db, beginning).await? {
        if let Some(sealed) = store::node::secret(&mut *db, &place).await? {
            let listed = Listed::open(rest, &place, &sealed)?;
            found.push((place, listed));
        }
    }
    Ok(found)
}

fn read(signed: &SignedDocument) -> Option<IdentityDocument> {
    codec::decode(&signed.document).ok()
}

/// A document that will follow the present one.
#[derive(Debug, Serialize)]
pub struct Next {
    /// Its number.
    pub seq: u64,
    /// Uses whose keys change.
    pub keys: Vec<KeyUse>,
    /// Addresses in it.
    pub endpoints: Vec<String>,
    /// Until when it counts, by log time.
    pub valid_until: Moment,
    /// The entry that carries it; none in a dry run, and where another member carries it.
    pub entry: Option<EntryId>,
    /// The document in base32, for another member to carry.
    pub document: Option<String>,
}

/// What is to change.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Uses that get a new key.
    pub keys: Vec<KeyUse>,
    /// Whether the configured address is put in.
    pub address: bool,
    /// Whether another member shall carry it.
    pub carried: bool,
    /// Whether nothing is kept or said.
    pub dry_run: bool,
}

/// Writes the next document and says it, or hands it out for another member to carry.
///
/// # Errors
/// [`Failure`] when this node is in no coalition, or another document waits.
pub async fn rotate(app: &App, wanted: &Wanted) -> Result<Next, Failure> {
    let log_time = {
        let coalition = crate::coalition::active(app).await?;
        coalition.state.meta().head.log_time
    };
    let mut tx = app.store.write("writing an identity document").await?;
    let mut keys = Keys::load(&mut tx, &app.rest)
        .await
        .map_err(Failure::internal)?;
    let listed = match keys.next.take() {
        Some((Some(_), _)) => {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "a document of this node waits to be ordered already",
            ));
        }
        // One that was handed out is handed out again, or said by this node after all: two that
        // follow the same one would be one too many.
        Some((None, next)) => next,
        None => write(app, &keys, wanted, log_time)?,
    };
    let document = codec::encode(&listed.document);
    let shown_document = wanted.carried.then_some(document.as_slice());
    if wanted.dry_run {
        return shown(&keys, &listed, None, shown_document);
    }
    let entry = if wanted.carried {
        None
    } else {
        let entry = Identity {
            document: document.clone(),
        };
        Some(outbox::queue(app, &mut tx, entry.into(), None).await?)
    };
    let place = match entry {
        Some(id) => format!("{NEXT}{id}"),
        None => format!("{NEXT}{CARRIED}"),
    };
    let sealed = listed.sealed(&app.rest, &place);
    forget_next(&mut tx).await?;
    store::node::put_secret(&mut tx, &place, &sealed).await?;
    tx.commit().await?;
    reload(app).await.map_err(Failure::internal)?;
    app.wake.outbox.notify_one();
    shown(&keys, &listed, entry, shown_document)
}

fn write(app: &App, keys: &Keys, wanted: &Wanted, log_time: Moment) -> Result<Listed, Failure> {
    let before = read(&keys.document).ok_or_else(|| Failure::internal("no document"))?;
    let endpoints = if wanted.address {
        vec![configured(app)?]
    } else {
        before.endpoints
    };
    let secrets = keys
        .secrets
        .rotated(&wanted.keys, &mut crate::ambient::rng());
    let particulars = Particulars {
        organization: before.organization,
        kind: before.kind,
        endpoints,
        // What the program speaks that runs now, which may be newer than the document before.
        capabilities: vec![Versions::SPOKEN.capability()],
        valid_until: log_time.plus(DOCUMENT_DAYS * DAY),
    };
    let document = secrets
        .document(
            particulars,
            Some((&keys.document, Skip::draw(&mut crate::ambient::rng()))),
        )
        .map_err(|error| Failure::input(error.to_string()))?;
    Ok(Listed { document, secrets })
}

/// The address at which this node listens for members.
fn configured(app: &App) -> Result<Endpoint, Failure> {
    let federation = app.config.federation.as_ref().ok_or_else(|| {
        Failure::input(
            "this node does not listen for members: put a [federation] section with `listen` and \
             `public_url` into its config.toml, start it again, and try again",
        )
    })?;
    federation
        .public_url
        .parse()
        .map_err(|error: protocol::identity::EndpointError| Failure::input(error.to_string()))
}

fn shown(
    keys: &Keys,
    next: &Listed,
    entry: Option<EntryId>,
    document: Option<&[u8]>,
) -> Result<Next, Failure> {
    let unreadable = || Failure::internal("an own document cannot be read");
    let before = read(&keys.document).ok_or_else(unreadable)?;
    let after = read(&next.document).ok_or_else(unreadable)?;
    Ok(Next {
        seq: after.seq,
        keys: after
            .keys
            .iter()
            .filter(|key| !before.keys.contains(key))
            .map(|key| key.usage)
            .collect(),
        endpoints: after.endpoints.iter().map(ToString::to_string).collect(),
        valid_until: after.valid_until,
        entry,
        document: document.map(protocol::id::to_base32),
    })
}

/// Renews the own document before it runs out.
///
/// # Errors
/// When the database fails.
pub async fn renew(app: &App) -> anyhow::Result<()> {
    let is_due = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
            return Ok(());
        };
        let state = &coalition.state;
        let log_time = state.meta().head.log_time;
        app.identity().valid_until.since(log_time) < RENEW_BEFORE
            && state.active(app.me).is_some()
            && !folded::has_stale_leaf(state, app.me)
    };
    let waits = app
        .keys()
        .next
        .as_ref()
        .is_some_and(|(entry, _)| entry.is_some());
    if !is_due || waits {
        return Ok(());
    }
    rotate(app, &Wanted::default())
        .await
        .map_err(|failure| anyhow::anyhow!("{}", failure.0.detail))?;
    Ok(())
}

/// Takes up the document under which the folded state knows this node, in the transaction that
/// changed that state.
///
/// # Errors
/// [`Stop`] when this node does not hold the keys of that document.
pub async fn bring_in_line(app: &App, tx: &mut Write, state: &State) -> anyhow::Result<()> {
    let Some(member) = state.active(app.me) else {
        return Ok(());
    };
    let keys = Keys::load(&mut *tx, &app.rest).await?;
    if codec::encode(&keys.document) == member.document {
        return Ok(());
    }
    let document = state
        .document(app.me)
        .ok_or_else(|| Stop("this node's document in the coalition cannot be read".to_owned()))?;
    let secrets = match &keys.next {
        Some((_, next)) if next.secrets.fit(&document) => &next.secrets,
        _ if keys.secrets.fit(&document) => &keys.secrets,
        _ => {
            return Err(Stop(
                "the coalition follows a document of this node whose keys it does not hold: restore the latest \
                 backup, one from after its keys were changed"
                    .to_owned(),
            )
            .into());
        }
    };
    let until = folded::past(state, app.me).last().map_or(0, |(at, _)| at);
    let place = format!("{PAST}{until:020}");
    let retired = Listed {
        document: keys.document.clone(),
        secrets: NodeSecrets::from_bytes(&keys.secrets.to_bytes())?,
    };
    store::node::put_secret(&mut *tx, &place, &retired.sealed(&app.rest, &place)).await?;
    let sealed = app
        .rest
        .seal(SECRETS, &secrets.to_bytes(), &mut crate::ambient::rng());
    store::node::put_secret(&mut *tx, SECRETS, &sealed).await?;
    store::node::put_document(&mut *tx, &member.document).await?;
    forget_next(tx).await?;
    if folded::has_stale_leaf(state, app.me) {
        let intent = Intent {
            node: app.me,
            removes: false,
            rekeys: true,
            compared: None,
        };
        outbox::queue_commit(app, tx, &intent).await?;
    }
    Ok(())
}

/// An own entry was void: if it carried the next document, there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn own_void(tx: &mut Write, entry: EntryId) -> Result<(), StoreError> {
    store::node::delete_secret(&mut *tx, &format!("{NEXT}{entry}")).await
}

async fn forget_next(tx: &mut Write) -> Result<(), StoreError> {
    for place in store::node::secrets_beginning(&mut *tx, NEXT).await? {
        store::node::delete_secret(&mut *tx, &place).await?;
    }
    Ok(())
}

/// After a commit that may have changed them, reads the keys again.
///
/// # Errors
/// When the database fails.
pub async fn reload_if_changed(app: &App, state: &State) -> anyhow::Result<()> {
    let keys = app.keys();
    let listed = state.active(app.me).map(|member| &member.document);
    let same = listed.is_none_or(|bytes| *bytes == codec::encode(&keys.document));
    if same && keys.next.is_none() {
        return Ok(());
    }
    reload(app).await
}

async fn reload(app: &App) -> anyhow::Result<()> {
    let mut db = app.store.read("reading the keys").await?;
    let keys = Keys::load(&mut db, &app.rest).await?;
    *app.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    Ok(())
}
