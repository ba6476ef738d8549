//! Opening what the log brings: epochs first, then the library, then what a commit may hold.

use super::{Group, MlsError, OpenError, message, package, settings, verdict};
use crate::id::NodeId;
use openmls::prelude::{
    ContentType, MlsMessageBodyIn, ProcessedMessageContent, Proposal, ProposalOrRefType,
    ProtocolMessage, Sender, StagedCommit,
};
use std::{collections::BTreeSet, fmt};

/// A node and its signature key in the group.
pub type Leaf = (NodeId, [u8; 32]);

/// What an entry's bytes turned out to be.
pub enum Opened {
    /// An application message of another member.
    Application {
        /// Who sealed and signed it.
        author: NodeId,
        /// The epoch in which it was sealed.
        epoch: u64,
        /// The additional data, authenticated.
        aad: Vec<u8>,
        /// What it says.
        plaintext: Vec<u8>,
    },
    /// A commit of another member. Nothing has changed yet: merge it, or drop it when it is void.
    Commit {
        /// Who signed it.
        author: NodeId,
        /// The epoch that it ends.
        epoch: u64,
        /// The additional data, authenticated.
        aad: Vec<u8>,
        /// Who enters. Both the id and the key are to be compared with what was approved.
        added: Vec<Leaf>,
        /// Who leaves.
        removed: Vec<NodeId>,
        /// The author's signature key from the next epoch on; to be compared with its identity.
        author_key: [u8; 32],
        /// Whether the author came back from outside (external commit) onto its old leaf.
        rejoin: bool,
        /// The commit, ready to be merged.
        staged: Box<Staged>,
    },
    /// This node's own pending commit: merge it, or discard it when it is void.
    OwnCommit {
        /// The epoch that it ends.
        epoch: u64,
        /// The additional data, authenticated.
        aad: Vec<u8>,
        /// Who enters.
        added: Vec<Leaf>,
        /// Who leaves.
        removed: Vec<NodeId>,
        /// This node's signature key from the next epoch on.
        author_key: [u8; 32],
    },
    /// An application message that claims to be this node's own. The claim is **not**
    /// authenticated: what it says is in the outbox, found by the entry's hash, or it is nobody's.
    OwnApplication {
        /// The epoch in which it was sealed.
        epoch: u64,
    },
}

/// A commit that was checked but not yet followed.
pub struct Staged {
    pub(super) inner: StagedCommit,
    /// Whether following it closes all earlier epochs.
    pub(super) closes: bool,
}

impl Staged {
    /// Whether this commit removes this node.
    #[must_use]
    pub fn removes_this_node(&self) -> bool {
        self.inner.self_removed()
    }
}

impl Group {
    /// Says what the bytes of an ordered entry are. Only reading an application message changes the
    /// group (its key is used up); a commit can be opened any number of times.
    ///
    /// # Errors
    /// [`OpenError`]: void for all alike, or this node must stop ([`OpenError::is_void`]).
    pub fn open(&mut self, bytes: &[u8]) -> Result<Opened, OpenError> {
        let message = match message::read(bytes) {
            Some(MlsMessageBodyIn::PublicMessage(message)) => ProtocolMessage::from(message),
            Some(MlsMessageBodyIn::PrivateMessage(message)) => ProtocolMessage::from(message),
            _ => return Err(OpenError::Malformed),
        };
        let epoch = self.judge_frame(&message)?;
        let processed = self
            .inner
            .process_message(&self.overlay, message)
            .map_err(verdict::of)?;
        let aad = processed.aad().to_vec();
        let sender = processed.sender().clone();
        let author = settings::node_of(processed.credential()).ok_or(OpenError::Forged);
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Ok(Opened::Application {
                author: author?,
                epoch,
                aad,
                plaintext: message.into_bytes(),
            }),
            ProcessedMessageContent::OwnPrivateMessage => Ok(Opened::OwnApplication { epoch }),
            ProcessedMessageContent::OwnPendingCommit => {
                let pending = self
                    .inner
                    .pending_commit()
                    .ok_or(OpenError::CannotFollow("no commit is pending"))?;
                let (_, author_key) = pending
                    .update_path_leaf_node()
                    .and_then(settings::identity_of)
                    .ok_or(OpenError::CannotFollow("the pending commit has no leaf"))?;
                let (added, removed) = self.membership(pending)?;
                Ok(Opened::OwnCommit {
                    epoch,
                    aad,
                    added,
                    removed,
                    author_key,
                })
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                self.judge_commit(&sender, epoch, aad, staged)
            }
            _ => Err(OpenError::NotAllowed("a proposal outside a commit")),
        }
    }

    /// What the outside of a message says, judged before the library sees it: to openmls a future,
    /// a lost and a forgotten epoch are all the same error.
    fn judge_frame(&self, message: &ProtocolMessage) -> Result<u64, OpenError> {
        if !self.inner.is_active() {
            return Err(OpenError::Evicted);
        }
        if message.group_id() != self.inner.group_id() {
            return Err(OpenError::NotForThisGroup);
        }
        let (epoch, current) = (message.epoch().as_u64(), self.epoch());
        if epoch > current {
            return Err(OpenError::FutureEpoch { epoch, current });
        }
        let earliest = match (message.content_type(), message) {
            (ContentType::Application, ProtocolMessage::PrivateMessage(_)) => self
                .floor
                .max(current.saturating_sub(settings::EPOCHS_ACCEPTED)),
            (ContentType::Commit, ProtocolMessage::PublicMessage(_)) => current,
            (ContentType::Application, _) => {
                return Err(OpenError::NotAllowed("an application message in the clear"));
            }
            (ContentType::Commit, _) => {
                return Err(OpenError::NotAllowed("a commit that not all can judge"));
            }
            _ => return Err(OpenError::NotAllowed("a proposal outside a commit")),
        };
        if epoch < earliest {
            return Err(OpenError::StaleEpoch { epoch, current });
        }
        Ok(epoch)
    }

    /// What a commit may hold, beyond what MLS asks of it.
    fn judge_commit(
        &self,
        sender: &Sender,
        epoch: u64,
        aad: Vec<u8>,
        staged: Box<StagedCommit>,
    ) -> Result<Opened, OpenError> {
        let leaf = staged
            .update_path_leaf_node()
            .ok_or(OpenError::NotAllowed("a commit without fresh keys"))?;
        let (author, author_key) = settings::identity_of(leaf)
            .ok_or(OpenError::NotAllowed("a leaf that names no node"))?;
        let (added, mut removed) = self.membership(&staged)?;
        let rejoin = match sender {
            Sender::Member(index) => {
                if self.inner.member(*index).and_then(settings::node_of) != Some(author) {
                    return Err(OpenError::NotAllowed("a commit that renames its author"));
                }
                false
            }
            Sender::NewMemberCommit => {
                let old = self.members().into_iter().find(|(node, _)| *node == author);
                if removed != [author] || old != Some((author, author_key)) {
                    return Err(OpenError::NotAllowed(
                        "an external commit of somebody who has no leaf to return to",
                    ));
                }
                removed.clear();
                true
            }
            _ => return Err(OpenError::NotAllowed("a commit from outside the group")),
        };
        let closes = staged.queued_proposals().next().is_some();
        let staged = Box::new(Staged {
            inner: *staged,
            closes,
        });
        Ok(Opened::Commit {
            author,
            epoch,
            aad,
            added,
            removed,
            author_key,
            rejoin,
            staged,
        })
    }

    /// Who enters and who leaves by a commit; refuses proposals of any other kind or form.
    fn membership(&self, staged: &StagedCommit) -> Result<(Vec<Leaf>, Vec<NodeId>), OpenError> {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for proposal in staged.queued_proposals() {
            if proposal.proposal_or_ref_type() != ProposalOrRefType::Proposal {
                return Err(OpenError::NotAllowed("a proposal by reference"));
            }
            match proposal.proposal() {
                Proposal::Add(add) => {
                    added.push(
                        package::acceptable(add.key_package()).map_err(OpenError::NotAllowed)?,
                    );
                }
                Proposal::Remove(remove) => {
                    let node = self
                        .inner
                        .member(remove.removed())
                        .and_then(settings::node_of);
                    removed.push(node.ok_or(OpenError::NotAllowed("a removal of an empty leaf"))?);
                }
                // The path's own checks say who may use it: only an external commit.
                Proposal::ExternalInit(_) => {}
                _ => {
                    return Err(OpenError::NotAllowed(
                        "a proposal other than an addition or a removal",
                    ));
                }
            }
        }
        let mut nodes: BTreeSet<NodeId> =
            self.members().into_iter().map(|(node, _)| node).collect();
        nodes.retain(|node| !removed.contains(node));
        if added.iter().any(|(node, _)| !nodes.insert(*node)) {
            return Err(OpenError::NotAllowed("a second leaf for one node"));
        }
        Ok((added, removed))
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application {
                author,
                epoch,
                plaintext,
                ..
            } => {
                write!(
                    f,
                    "Application({} in epoch {epoch}, {} bytes)",
                    author.short(),
                    plaintext.len()
                )
            }
            Self::Commit {
                author,
                epoch,
                added,
                removed,
                rejoin,
                ..
            } => {
                let (added, removed) = (added.len(), removed.len());
                write!(
                    f,
                    "Commit({} in epoch {epoch}, +{added} -{removed}, rejoin: {rejoin})",
                    author.short()
                )
            }
            Self::OwnCommit { epoch, .. } => write!(f, "OwnCommit(in epoch {epoch})"),
            Self::OwnApplication { epoch } => write!(f, "OwnApplication(in epoch {epoch})"),
        }
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Staged(to epoch {})",
            self.inner.group_context().epoch().as_u64()
        )
    }
}

impl From<MlsError> for OpenError {
    fn from(error: MlsError) -> Self {
        Self::Library(error.to_string())
    }
}
