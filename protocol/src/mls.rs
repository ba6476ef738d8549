//! The coalition's MLS group (RFC 9420) behind our own verbs.
//!
//! The coalition log orders what members send, so a group here never decides anything by itself:
//! [`Group::seal`] and the `commit_*` verbs make bytes to append, [`Group::open`] says what an
//! ordered entry's bytes are, and [`Group::merge`] or [`Group::merge_own`] follow a commit once the
//! fold has accepted it. The first commit of an epoch that is not void wins; everything that is
//! void is void at every member alike ([`OpenError::is_void`]).
//!
//! A group lives in an [`Overlay`] and does no IO. The node commits [`Group::changes`] together
//! with what the entries meant, calls [`Group::settle`], and only then lets bytes leave; after any
//! [`MlsError`] or [`OpenError`] that is not void it drops the group and loads it from the rows.
//!
//! Two things are ambient all the same, because openmls takes neither as an argument: key material
//! comes from the operating system's randomness, and stored secrets carry the system's time. No
//! verdict depends on either. Spec: `spec/mls.md`.

mod commit;
mod key;
mod message;
mod open;
mod overlay;
mod package;
mod rejoin;
mod settings;
mod verdict;

pub use commit::Commit;
pub use key::MlsKey;
pub use open::{Leaf, Opened, Staged};
pub use overlay::{Changes, Overlay, Rows, STORAGE_FORMAT};
pub use package::{inspect_key_package, key_package};
pub use settings::{
    ADDS_AT_ONCE, EPOCHS_ACCEPTED, MLS_BYTES, PADDING_BYTES, RATCHET_AHEAD, RATCHET_BACK,
};
pub use verdict::OpenError;

use crate::id::{Hash, NodeId};
use openmls::{
    group::{GroupId, MlsGroup, PastEpochDeletion, StagedWelcome},
    prelude::{MlsMessageBodyIn, OpenMlsProvider, WelcomeError},
};
use std::{collections::BTreeSet, fmt};
use zeroize::Zeroizing;

/// Why a verb of the group was refused. Nothing was sent, and the overlay is to be dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MlsError {
    /// The bytes of a key package cannot be used.
    #[error("this key package cannot be used: {0}; ask for a new one")]
    KeyPackage(&'static str),
    /// An addition of somebody who is there.
    #[error("node {0} is already a member of the group")]
    AlreadyMember(NodeId),
    /// A removal of somebody who is not there, or of oneself.
    #[error("node {0} is not another member of the group")]
    NotAMember(NodeId),
    /// More additions than one commit carries.
    #[error("one commit adds at most {limit} organizations, not {found}; split the list")]
    TooMany {
        /// The named limit.
        limit: usize,
        /// What was asked for.
        found: usize,
    },
    /// A commit with nothing to do.
    #[error("a commit that adds or removes needs at least one organization")]
    Nothing,
    /// A commit is waiting for the log.
    #[error("a commit of this node waits to be read back; follow or discard it first")]
    CommitPending,
    /// There is no commit to follow.
    #[error("no commit of this node waits to be read back")]
    NoCommitPending,
    /// The key is not the one in this node's leaf.
    #[error("this is not the key of this node's leaf in the group")]
    WrongKey,
    /// This node was removed.
    #[error("this node is no longer a member of the group")]
    Evicted,
    /// A welcome whose key package this node does not hold, or has used up.
    #[error(
        "this welcome is for a key package that this node does not hold or has used already; ask for a new invitation"
    )]
    NoMatchingKeyPackage,
    /// Bytes that are no welcome or no group information of a coalition.
    #[error("these bytes are not usable as a {0}; fetch them again")]
    Malformed(&'static str),
    /// The group that a welcome or creation names is there already.
    #[error("this node is already an active member of the group that it is to join")]
    GroupExists,
    /// Two leaves name one node, or a leaf names none.
    #[error("the group has a leaf that does not name exactly one node")]
    Leaf,
    /// A staged commit that belongs to another epoch than the group's next one, or changes nothing.
    #[error("this commit does not lead from the group's epoch to the next one")]
    NoProgress,
    /// Another release wrote the stored state.
    #[error("another release stored this group in another format; start that release, or rejoin")]
    Format,
    /// Our own rows do not fit the library's.
    #[error("the stored state of the group is damaged; restore it or rejoin")]
    Stored,
    /// The library failed.
    #[error("MLS: {0}")]
    Library(String),
}

impl MlsError {
    fn library(error: impl fmt::Display) -> Self {
        Self::Library(error.to_string())
    }
}

/// One coalition's group at this node.
pub struct Group {
    overlay: Overlay,
    inner: MlsGroup,
    /// Application messages of earlier epochs are void: folded state, equal at all members.
    floor: u64,
}

impl Group {
    /// Founds a group with one member. The id is random and names nothing.
    ///
    /// # Errors
    /// [`MlsError::GroupExists`], or [`MlsError::Library`].
    pub fn create(
        overlay: Overlay,
        key: &MlsKey,
        me: NodeId,
        id: [u8; 16],
    ) -> Result<Self, MlsError> {
        let id = GroupId::from_slice(&id);
        if MlsGroup::load(overlay.storage(), &id)
            .map_err(MlsError::library)?
            .is_some()
        {
            return Err(MlsError::GroupExists);
        }
        let config = settings::create_config();
        let inner =
            MlsGroup::new_with_group_id(&overlay, key, &config, id, settings::credential(me, key))
                .map_err(MlsError::library)?;
        Self::begin(overlay, inner)
    }

    /// Reads a group back from the rows in the overlay; none when they hold no such group.
    ///
    /// # Errors
    /// [`MlsError::Format`] when another release wrote the rows, [`MlsError::Stored`] or
    /// [`MlsError::Library`] when some are missing.
    ///
    /// # Panics
    /// Inside the library, when a row is not what the library wrote. Rows are authenticated where
    /// they are sealed at rest, so damage is found before it comes here.
    pub fn load(overlay: Overlay, id: [u8; 16]) -> Result<Option<Self>, MlsError> {
        let id = GroupId::from_slice(&id);
        // The format is checked first: the library would panic over rows that it cannot read.
        let floor = overlay.row(&floor_row(&id)).map(read_floor).transpose()?;
        let inner = MlsGroup::load(overlay.storage(), &id).map_err(MlsError::library)?;
        match (inner, floor) {
            (Some(inner), Some(floor)) => Ok(Some(Self {
                overlay,
                inner,
                floor,
            })),
            (None, None) => Ok(None),
            _ => Err(MlsError::Stored),
        }
    }

    /// Joins by a welcome that answers a key package in the overlay, and uses that package up.
    ///
    /// Take the welcome only from the position of the log where its commit won.
    ///
    /// # Errors
    /// [`MlsError::NoMatchingKeyPackage`], [`MlsError::Malformed`], [`MlsError::GroupExists`] or
    /// [`MlsError::Leaf`].
    pub fn join(overlay: Overlay, welcome: &[u8]) -> Result<Self, MlsError> {
        Self::join_by(overlay, welcome).map(|(group, _)| group)
    }

    /// As [`Group::join`], and tells which leaf has made and signed the welcome.
    ///
    /// # Errors
    /// As [`Group::join`].
    pub fn join_by(overlay: Overlay, welcome: &[u8]) -> Result<(Self, Leaf), MlsError> {
        let Some(MlsMessageBodyIn::Welcome(welcome)) = message::read(welcome) else {
            return Err(MlsError::Malformed("welcome"));
        };
        let builder =
            StagedWelcome::build_from_welcome(&overlay, &settings::join_config(), welcome)
                .map_err(|error| match error {
                    WelcomeError::NoMatchingKeyPackage => MlsError::NoMatchingKeyPackage,
                    error => MlsError::library(error),
                })?
                .skip_lifetime_validation();
        let id = builder
            .processed_welcome()
            .unverified_group_info()
            .group_id()
            .clone();
        let builder = match MlsGroup::load(overlay.storage(), &id).map_err(MlsError::library)? {
            None => builder,
            Some(old) if !old.is_active() => builder.replace_old_group(),
            Some(_) => return Err(MlsError::GroupExists),
        };
        let staged = builder.build().map_err(MlsError::library)?;
        let author = staged
            .welcome_sender()
            .map(settings::identity_of)
            .map_err(MlsError::library)?
            .ok_or(MlsError::Leaf)?;
        let inner = staged.into_group(&overlay).map_err(MlsError::library)?;
        Ok((Self::begin(overlay, inner)?, author))
    }

    /// A group as of the epoch in which this node entered it.
    fn begin(overlay: Overlay, inner: MlsGroup) -> Result<Self, MlsError> {
        let mut group = Self {
            overlay,
            inner,
            floor: 0,
        };
        if group.inner.group_id().as_slice().len() != 16 {
            return Err(MlsError::Malformed("group of a coalition"));
        }
        let members = group.checked_members()?;
        let nodes: BTreeSet<_> = members.iter().map(|(node, _)| *node).collect();
        if nodes.len() != members.len() {
            return Err(MlsError::Leaf);
        }
        group.set_floor(group.epoch());
        Ok(group)
    }

    /// The id of the group; it changes when a coalition has to found its group anew.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.inner
            .group_id()
            .as_slice()
            .try_into()
            .expect("checked when the group was made")
    }

    /// The epoch: how many commits the group has followed.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.inner.epoch().as_u64()
    }

    /// The earliest epoch whose application messages are still open, apart from [`EPOCHS_ACCEPTED`].
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// Hash of the epoch authenticator (RFC 9420, section 8.7): equal at two members exactly when
    /// they are in the same epoch of the same history. For checkpoints.
    #[must_use]
    pub fn authenticator(&self) -> Hash {
        Hash::of(self.inner.epoch_authenticator().as_slice())
    }

    /// 64 bytes that exactly the members of this epoch can derive, for one purpose (RFC 9420, section 8.5).
    /// Export them in the epoch itself: a later one gives others, and keeps none of these.
    ///
    /// # Errors
    /// [`MlsError::Evicted`], or [`MlsError::Library`].
    pub fn export(&self, label: &str, context: &[u8]) -> Result<Zeroizing<[u8; 64]>, MlsError> {
        if !self.inner.is_active() {
            return Err(MlsError::Evicted);
        }
        let bytes = self
            .inner
            .export_secret(self.overlay.crypto(), label, context, 64)
            .map_err(MlsError::library)?;
        let bytes = Zeroizing::new(bytes);
        let bytes = bytes.as_slice().try_into();
        bytes.map(Zeroizing::new).map_err(MlsError::library)
    }

    /// Whether this node is a member still.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    /// The members and their signature keys, in the order of their leaves.
    #[must_use]
    pub fn members(&self) -> Vec<(NodeId, [u8; 32])> {
        self.checked_members()
            .expect("every leaf was checked before it entered the group")
    }

    fn checked_members(&self) -> Result<Vec<(NodeId, [u8; 32])>, MlsError> {
        let leaf = |member: openmls::prelude::Member| {
            Some((
                settings::node_of(&member.credential)?,
                member.signature_key.try_into().ok()?,
            ))
        };
        self.inner
            .members()
            .map(leaf)
            .collect::<Option<_>>()
            .ok_or(MlsError::Leaf)
    }

    /// Whether a commit of this node waits to be read back from the log.
    #[must_use]
    pub fn has_pending_commit(&self) -> bool {
        self.inner.pending_commit().is_some()
    }

    /// Seals an application message for the present members; a pending commit is no hindrance.
    ///
    /// The additional data is authenticated and readable: ids only. Commit the changes before the
    /// bytes leave: a generation that is used twice is refused by all.
    ///
    /// # Errors
    /// [`MlsError::WrongKey`], [`MlsError::Evicted`] or [`MlsError::Library`].
    pub fn seal(
        &mut self,
        key: &MlsKey,
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, MlsError> {
        self.check_author(key)?;
        self.inner.set_aad(aad.to_vec());
        let message = self
            .inner
            .create_message(&self.overlay, key, plaintext)
            .map_err(MlsError::library)?;
        message.to_bytes().map_err(MlsError::library)
    }

    /// The signature key that this node's leaf bears; none once it was removed.
    #[must_use]
    pub fn leaf_key(&self) -> Option<[u8; 32]> {
        let leaf = self.inner.own_leaf_node()?;
        leaf.signature_key().as_slice().try_into().ok()
    }

    fn check_author(&self, key: &MlsKey) -> Result<(), MlsError> {
        if !self.inner.is_active() {
            return Err(MlsError::Evicted);
        }
        let leaf = self.inner.own_leaf_node().ok_or(MlsError::Evicted)?;
        if leaf.signature_key().as_slice() != key.public() {
            return Err(MlsError::WrongKey);
        }
        Ok(())
    }

    /// Closes all earlier epochs: deletes their secrets and makes their late messages void.
    ///
    /// Following a commit that changes who is in the group does this by itself; the fold calls it
    /// only where the protocol closes epochs for another reason, at the same position everywhere.
    ///
    /// # Errors
    /// [`MlsError::Library`].
    pub fn close_earlier_epochs(&mut self) -> Result<(), MlsError> {
        self.inner
            .delete_past_epoch_secrets(&self.overlay, PastEpochDeletion::delete_all())
            .map_err(MlsError::library)?;
        self.set_floor(self.epoch());
        Ok(())
    }

    fn set_floor(&mut self, epoch: u64) {
        self.floor = epoch;
        let row = [&epoch.to_be_bytes(), STORAGE_FORMAT.as_bytes()].concat();
        self.overlay
            .write_row(floor_row(self.inner.group_id()), row);
    }

    /// What the node has to write so that it finds this group again.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.overlay.changes()
    }

    /// The changes were committed.
    pub fn settle(&mut self) {
        self.overlay.settle();
    }

    /// Gives the overlay back, for a key package or to look for another group.
    #[must_use]
    pub fn into_overlay(self) -> Overlay {
        self.overlay
    }
}

/// Where a group's floor is kept: eight bytes, then the format of all its rows.
fn floor_row(group: &GroupId) -> Vec<u8> {
    [b"commonturf floor v1 ", group.as_slice()].concat()
}

fn read_floor(row: Vec<u8>) -> Result<u64, MlsError> {
    let (floor, format) = row.split_first_chunk().ok_or(MlsError::Stored)?;
    if format != STORAGE_FORMAT.as_bytes() {
        return Err(MlsError::Format);
    }
    Ok(u64::from_be_bytes(*floor))
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Group(epoch {}, {} members)",
            self.epoch(),
            self.inner.members().count()
        )
    }
}
