//! Commits of this node: made, kept pending, and followed only when the log hands them back.

use super::{Group, MlsError, MlsKey, Staged, package, settings};
use crate::id::{Hash, NodeId};
use openmls::prelude::{
    KeyPackage, LeafNodeIndex, LeafNodeParameters, NewSignerBundle, OpenMlsProvider, StagedCommit,
};
use std::collections::BTreeSet;

/// A commit to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// What goes into the entry.
    pub bytes: Vec<u8>,
    /// What those who were added need, for all of them alike. Keep it back until the commit has won.
    pub welcome: Option<Vec<u8>>,
}

impl Group {
    /// Makes a commit that adds the owners of these key packages.
    ///
    /// # Errors
    /// [`MlsError::KeyPackage`], [`MlsError::AlreadyMember`], [`MlsError::TooMany`],
    /// [`MlsError::CommitPending`] and those of [`Group::seal`].
    pub fn commit_add(
        &mut self,
        key: &MlsKey,
        aad: &[u8],
        packages: &[impl AsRef<[u8]>],
    ) -> Result<Commit, MlsError> {
        match packages.len() {
            0 => return Err(MlsError::Nothing),
            found if found > settings::ADDS_AT_ONCE => {
                return Err(MlsError::TooMany {
                    limit: settings::ADDS_AT_ONCE,
                    found,
                });
            }
            _ => {}
        }
        let mut nodes: BTreeSet<NodeId> =
            self.members().into_iter().map(|(node, _)| node).collect();
        let mut adds = Vec::with_capacity(packages.len());
        for bytes in packages {
            let package = package::read(&self.overlay, bytes.as_ref())?;
            let (node, _) = package::acceptable(&package).map_err(MlsError::KeyPackage)?;
            if !nodes.insert(node) {
                return Err(MlsError::AlreadyMember(node));
            }
            adds.push(package);
        }
        self.commit(key, aad, adds, Vec::new())
    }

    /// Makes a commit that removes these other members.
    ///
    /// # Errors
    /// [`MlsError::NotAMember`] (also for oneself), [`MlsError::CommitPending`] and those of
    /// [`Group::seal`].
    pub fn commit_remove(
        &mut self,
        key: &MlsKey,
        aad: &[u8],
        nodes: &[NodeId],
    ) -> Result<Commit, MlsError> {
        if nodes.is_empty() {
            return Err(MlsError::Nothing);
        }
        let own = self.inner.own_leaf_index();
        let others: Vec<_> = self
            .inner
            .members()
            .filter(|member| member.index != own)
            .collect();
        let leaf_of = |node: &NodeId| {
            let found = others
                .iter()
                .find(|member| settings::node_of(&member.credential) == Some(*node));
            found
                .map(|member| member.index)
                .ok_or(MlsError::NotAMember(*node))
        };
        let removals = nodes
            .iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(leaf_of)
            .collect::<Result<_, _>>()?;
        self.commit(key, aad, Vec::new(), removals)
    }

    /// Makes a commit that gives this node fresh key material and changes nothing else.
    ///
    /// # Errors
    /// [`MlsError::CommitPending`] and those of [`Group::seal`].
    pub fn commit_update(&mut self, key: &MlsKey, aad: &[u8]) -> Result<Commit, MlsError> {
        self.commit(key, aad, Vec::new(), Vec::new())
    }

    /// Makes a commit that puts another signature key, and fresh key material, into this node's leaf.
    /// It is signed with the present one, so that the others know whose it is.
    ///
    /// # Errors
    /// [`MlsError::CommitPending`] and those of [`Group::seal`].
    pub fn commit_rekey(
        &mut self,
        old: &MlsKey,
        new: &MlsKey,
        me: NodeId,
        aad: &[u8],
    ) -> Result<Commit, MlsError> {
        self.check_author(old)?;
        if self.has_pending_commit() {
            return Err(MlsError::CommitPending);
        }
        self.inner.set_aad(aad.to_vec());
        let signer = NewSignerBundle {
            signer: new,
            credential_with_key: settings::credential(me, new),
        };
        let bundle = self
            .inner
            .self_update_with_new_signer(&self.overlay, old, signer, LeafNodeParameters::default())
            .map_err(MlsError::library)?;
        Ok(Commit {
            bytes: bundle.commit().to_bytes().map_err(MlsError::library)?,
            welcome: None,
        })
    }

    fn commit(
        &mut self,
        key: &MlsKey,
        aad: &[u8],
        adds: Vec<KeyPackage>,
        removals: Vec<LeafNodeIndex>,
    ) -> Result<Commit, MlsError> {
        self.check_author(key)?;
        if self.has_pending_commit() {
            return Err(MlsError::CommitPending);
        }
        self.inner.set_aad(aad.to_vec());
        let bundle = self
            .inner
            .commit_builder()
            .force_self_update(true)
            .propose_adds(adds)
            .propose_removals(removals)
            .load_psks(self.overlay.storage())
            .map_err(MlsError::library)?
            .build(self.overlay.rand(), self.overlay.crypto(), key, |_| true)
            .map_err(MlsError::library)?
            .stage_commit(&self.overlay)
            .map_err(MlsError::library)?;
        let (commit, welcome, _) = bundle.into_messages();
        Ok(Commit {
            bytes: commit.to_bytes().map_err(MlsError::library)?,
            welcome: welcome
                .map(|welcome| welcome.to_bytes())
                .transpose()
                .map_err(MlsError::library)?,
        })
    }

    /// Forgets the pending commit, after the log has shown that it is void. If another commit has
    /// won instead, merging that one forgets it too.
    ///
    /// # Errors
    /// [`MlsError::Library`].
    pub fn discard_pending(&mut self) -> Result<(), MlsError> {
        self.inner
            .clear_pending_commit(self.overlay.storage())
            .map_err(MlsError::library)
    }

    /// Follows another member's commit that the fold has accepted; returns the new epoch. When the
    /// commit changed who is in the group, all earlier epochs are closed.
    ///
    /// # Errors
    /// [`MlsError::NoProgress`] or [`MlsError::Library`].
    pub fn merge(&mut self, staged: Staged) -> Result<u64, MlsError> {
        self.check_progress(&staged.inner)?;
        self.inner
            .merge_staged_commit(&self.overlay, staged.inner)
            .map_err(MlsError::library)?;
        if staged.closes {
            self.close_earlier_epochs()?;
        }
        Ok(self.epoch())
    }

    /// Follows one's own pending commit, once it was read back and accepted; like [`Group::merge`].
    ///
    /// # Errors
    /// [`MlsError::NoCommitPending`], [`MlsError::NoProgress`] or [`MlsError::Library`].
    pub fn merge_own(&mut self) -> Result<u64, MlsError> {
        let pending = self
            .inner
            .pending_commit()
            .ok_or(MlsError::NoCommitPending)?;
        self.check_progress(pending)?;
        let closes = pending.queued_proposals().next().is_some();
        self.inner
            .merge_pending_commit(&self.overlay)
            .map_err(MlsError::library)?;
        if closes {
            self.close_earlier_epochs()?;
        }
        Ok(self.epoch())
    }

    /// A commit must lead to the next epoch, with another authenticator than this one's.
    fn check_progress(&self, staged: &StagedCommit) -> Result<(), MlsError> {
        let next = staged.group_context().epoch().as_u64();
        let same = staged
            .epoch_authenticator()
            .is_some_and(|new| Hash::of(new.as_slice()) == self.authenticator());
        if Some(next) != self.epoch().checked_add(1) || same {
            return Err(MlsError::NoProgress);
        }
        Ok(())
    }
}
