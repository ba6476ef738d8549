//! Why an entry's bytes could not be opened, sorted by what follows from it.
//!
//! Only what every member sees alike may be void; whatever another member might judge otherwise
//! stops this node instead. The table errs on the side of stopping.

use openmls::{
    framing::errors::{MessageDecryptionError, SecretTreeError},
    group::{MlsGroupStateError, ProcessMessageError, StageCommitError, ValidationError},
    prelude::ApplyUpdatePathError,
};
use openmls_memory_storage::MemoryStorageError;

/// Why bytes from the log could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not an MLS message of a kind that the log carries, or too long.
    #[error("these bytes are no MLS message of the kinds that the log carries")]
    Malformed,
    /// A message of another group, for instance of one that was given up.
    #[error("this message belongs to another group")]
    NotForThisGroup,
    /// An epoch that the log has not reached.
    #[error("this message is from epoch {epoch}, and the log has only reached {current}")]
    FutureEpoch {
        /// The message's epoch.
        epoch: u64,
        /// The group's epoch.
        current: u64,
    },
    /// A commit that lost its race, or an application message of an epoch that is closed. Its
    /// author builds the commit anew, or seals the message anew under the same entry id.
    #[error("this message is from epoch {epoch}, which the group, now in {current}, has closed")]
    StaleEpoch {
        /// The message's epoch.
        epoch: u64,
        /// The group's epoch.
        current: u64,
    },
    /// A message or commit of a form that MLS has and the coalition log has not.
    #[error("the coalition log does not accept {0}")]
    NotAllowed(&'static str),
    /// Signature, membership tag or encryption do not hold: nobody in the group made this.
    #[error("this message was not made by a member of the group, or was changed on the way")]
    Forged,
    /// A commit that a member signed and that breaks the rules of MLS.
    #[error("this commit breaks the rules of MLS: {0}")]
    Invalid(String),
    /// A message whose key was used before: replayed, or sealed by a node restored from a backup.
    #[error("this message uses a key that was used before")]
    Replayed,
    /// A message too far from the others of its author.
    #[error("this message is too far ahead of or behind the others of its author")]
    OutsideWindow,
    /// Other members may be able to follow this commit, and this node is not: it stops and rejoins.
    #[error("this node cannot follow the commit ({0}); it must stop and rejoin")]
    CannotFollow(&'static str),
    /// This node was removed from the group.
    #[error("this node is no longer a member of the group")]
    Evicted,
    /// The library or its state failed: stop, and load the group again.
    #[error("MLS: {0}")]
    Library(String),
}

impl OpenError {
    /// Whether the entry is void, at every member alike. If not, this node does not know the
    /// verdict: it must neither move its cursor nor go on.
    #[must_use]
    pub fn is_void(&self) -> bool {
        !matches!(
            self,
            Self::CannotFollow(_) | Self::Evicted | Self::Library(_)
        )
    }
}

/// Sorts an error of the library.
pub(super) fn of(error: ProcessMessageError<MemoryStorageError>) -> OpenError {
    match error {
        ProcessMessageError::ValidationError(error) => of_message(error),
        ProcessMessageError::InvalidCommit(error) => of_commit(error),
        ProcessMessageError::GroupStateError(MlsGroupStateError::UseAfterEviction) => {
            OpenError::Evicted
        }
        error @ (ProcessMessageError::LibraryError(_)
        | ProcessMessageError::StorageError(_)
        | ProcessMessageError::GroupStateError(_)) => OpenError::Library(error.to_string()),
        _ => OpenError::NotAllowed("a message from outside the group"),
    }
}

fn of_message(error: ValidationError) -> OpenError {
    match error {
        ValidationError::LibraryError(error) => OpenError::Library(error.to_string()),
        ValidationError::WrongGroupId => OpenError::NotForThisGroup,
        ValidationError::UnableToDecrypt(error) => of_decryption(error),
        ValidationError::InvalidSignature
        | ValidationError::MissingMembershipTag
        | ValidationError::InvalidMembershipTag
        | ValidationError::UnknownMember => OpenError::Forged,
        error => OpenError::Invalid(error.to_string()),
    }
}

fn of_decryption(error: MessageDecryptionError) -> OpenError {
    match error {
        MessageDecryptionError::LibraryError(error) => OpenError::Library(error.to_string()),
        MessageDecryptionError::SecretTreeError(SecretTreeError::SecretReuseError) => {
            OpenError::Replayed
        }
        MessageDecryptionError::SecretTreeError(
            SecretTreeError::TooDistantInThePast | SecretTreeError::TooDistantInTheFuture,
        )
        | MessageDecryptionError::GenerationOutOfBound => OpenError::OutsideWindow,
        MessageDecryptionError::SecretTreeError(error @ SecretTreeError::LibraryError) => {
            OpenError::Library(error.to_string())
        }
        _ => OpenError::Forged,
    }
}

fn of_commit(error: StageCommitError) -> OpenError {
    let reason = match error {
        StageCommitError::LibraryError(error) => return OpenError::Library(error.to_string()),
        StageCommitError::UpdatePathError(error) => match error {
            ApplyUpdatePathError::LibraryError(error) => {
                return OpenError::Library(error.to_string());
            }
            ApplyUpdatePathError::UnableToDecrypt => "its path does not decrypt here",
            ApplyUpdatePathError::PathMismatch => "its path decrypts to other keys than it shows",
            ApplyUpdatePathError::MissingCiphertext => "its path has no secret for this node",
            ApplyUpdatePathError::MissingOwnLeaf => "this node's leaf is missing",
            error => return OpenError::Invalid(error.to_string()),
        },
        StageCommitError::MissingDecryptionKey | StageCommitError::OwnKeyNotFound => {
            "a key of this node is missing"
        }
        StageCommitError::ConfirmationTagMismatch => "it leads to another epoch than it says",
        StageCommitError::OwnCommitMismatch => {
            "it is this node's own, and this node has forgotten it"
        }
        error => return OpenError::Invalid(error.to_string()),
    };
    OpenError::CannotFollow(reason)
}
