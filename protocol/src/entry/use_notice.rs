//! A recipient says that it is going to use what it was given. Spec: section 5.8.

use crate::{id::EntryId, time::Moment};
use minicbor::{Decode, Encode};

/// The announcement of one use of the rows of a share, for the purpose and on the channel of the share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UseNotice {
    /// The share: the id of the entry that announced it.
    #[n(0)]
    pub share: EntryId,
    /// When the use begins; it begins later where the agreement asks for more notice.
    #[n(1)]
    pub from: Moment,
}
