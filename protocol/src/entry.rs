//! One item of the coalition log: what a member tells all others. Spec: section 5.
//!
//! An entry does not name its author: MLS proves who sealed it. Its id, coalition and class stand
//! in the [`crate::envelope`], which MLS authenticates along with it.

pub mod agreement;
pub mod ceremony;
pub mod claim;
pub mod contact_report;
pub mod housekeeping;
pub mod membership;
pub mod overlap;
pub mod parting;
pub mod payload;
pub mod plan;
pub mod recall;
pub mod share;
pub mod suppression;
pub mod two_truths;
pub mod use_notice;

use crate::{
    codec::{self, Canonical},
    id::Hash,
};
use agreement::{AgreementPropose, AgreementSign};
use ceremony::{
    CeremonyAbandon, CeremonyCommit, CeremonyConfirm, CeremonyDeal, CeremonyHandOn, CeremonyStart,
    EvaluationFault, KeyRotation, TokensMoved,
};
use claim::{Claim, ClaimRelease, ClaimRenew};
use contact_report::ContactReport;
use housekeeping::{Checkpoint, Keyset, Tick};
use membership::{Genesis, Identity, Invite, JoinRequest};
use minicbor::{Decode, Encode};
use overlap::{OverlapAgree, OverlapAsk, OverlapEnd, OverlapPass};
use parting::{Leave, Remove, RemoveApprove};
use payload::Payload;
use plan::{Plan, PlanWithdraw};
use recall::{Dispute, NoticeException};
use share::{ErasureReceipt, NoticeAck, Revoke, Share, ShareReceived};
use suppression::{Suppress, SuppressWithdraw};
use two_truths::{QuarantineLift, TwoTruths};
use use_notice::UseNotice;

/// The most bytes of an entry before sealing.
pub const ENTRY_PLAIN_BYTES: usize = 60 * 1024;

/// How a keeper admits entries: in this order when it must choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Roster, agreement, suppressions, revocations, receipts.
    #[n(0)]
    Control,
    /// Claims and contact reports.
    #[n(1)]
    Claims,
    /// Announcements of shares.
    #[n(2)]
    Data,
}

macro_rules! entries {
    ($($(#[$doc:meta])* $index:literal $name:ident $class:ident $kind:literal;)*) => {
        /// Everything that a member can say.
        #[derive(Debug, Clone, PartialEq, Encode, Decode)]
        pub enum Entry {
            $($(#[$doc])* #[n($index)] $name(#[n(0)] $name),)*
        }

        impl Entry {
            /// The name of each kind, by index.
            pub const ALL: &'static [&'static str] = &[$($kind),*];

            /// The name of this kind, as the specification has it.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)* }
            }

            /// The class under which a keeper admits this kind; another one makes it void.
            #[must_use]
            pub fn class(&self) -> Class {
                match self { $(Self::$name(_) => Class::$class,)* }
            }
        }

        $(impl From<$name> for Entry {
            fn from(body: $name) -> Self { Self::$name(body) }
        })*
    };
}

entries! {
    /// The first entry of a log.
    0 Genesis Control "genesis";
    /// A one-use invitation.
    1 Invite Control "invite";
    /// A newcomer at the door, announced by the keeper.
    2 JoinRequest Control "join_request";
    /// A draft of the agreement.
    3 AgreementPropose Control "agreement_propose";
    /// A member's signature under a draft.
    4 AgreementSign Control "agreement_sign";
    /// The public half of a match-token key.
    5 Keyset Control "keyset";
    /// An exclusive, expiring reservation.
    6 Claim Claims "claim";
    /// A sign of life for a claim.
    7 ClaimRenew Claims "claim_renew";
    /// A claim given back, whole or in part.
    8 ClaimRelease Claims "claim_release";
    /// Who was attempted, by token.
    9 ContactReport Claims "contact_report";
    /// Assertions that somebody must not be contacted.
    10 Suppress Control "suppress";
    /// The end of such assertions.
    11 SuppressWithdraw Control "suppress_withdraw";
    /// The announcement of a share.
    12 Share Data "share";
    /// The recipient's count of what it took.
    13 ShareReceived Control "share_received";
    /// A share taken back, whole or in part.
    14 Revoke Control "revoke";
    /// The recipient has stopped using the rows.
    15 NoticeAck Control "notice_ack";
    /// The recipient's signed statement that the rows are gone.
    16 ErasureReceipt Control "erasure_receipt";
    /// The hash of a member's folded state.
    17 Checkpoint Control "checkpoint";
    /// Nothing but the passing of log time.
    18 Tick Control "tick";
    /// Nobody waits for the receipt of a notice any more.
    19 NoticeException Control "notice_exception";
    /// What should not have been in a share.
    20 Dispute Control "dispute";
    /// A filed intention to contact people.
    21 Plan Data "plan";
    /// A plan taken back.
    22 PlanWithdraw Data "plan_withdraw";
    /// The author wants to go.
    23 Leave Control "leave";
    /// A proposal that a member goes.
    24 Remove Control "remove";
    /// A member's word for such a proposal.
    25 RemoveApprove Control "remove_approve";
    /// A use of shared rows that begins after the agreement's notice.
    26 UseNotice Data "use_notice";
    /// The beginning of a key ceremony.
    27 CeremonyStart Control "ceremony_start";
    /// A keeper's commitments in a key ceremony.
    28 CeremonyCommit Control "ceremony_commit";
    /// What a keeper deals to the others, sealed.
    29 CeremonyDeal Control "ceremony_deal";
    /// A keeper has its share of the new keys.
    30 CeremonyConfirm Control "ceremony_confirm";
    /// The end of a key ceremony that failed.
    31 CeremonyAbandon Control "ceremony_abandon";
    /// A member has moved to the keys in use.
    32 TokensMoved Control "tokens_moved";
    /// A keeper signed a false evaluation.
    33 EvaluationFault Control "evaluation_fault";
    /// A member's next identity document, whoever carries it.
    34 Identity Control "identity";
    /// The wish to count what lists have in common.
    35 OverlapAsk Data "overlap_ask";
    /// A party takes part in such a count.
    36 OverlapAgree Data "overlap_agree";
    /// A list of a count, handed on.
    37 OverlapPass Data "overlap_pass";
    /// The end of a count.
    38 OverlapEnd Data "overlap_end";
    /// A step of the rotation of the keys after a removal for cause.
    39 KeyRotation Control "key_rotation";
    /// What a keeper has summed for the share of a new one, sealed.
    40 CeremonyHandOn Control "ceremony_hand_on";
    /// A member signed what cannot all be true.
    44 TwoTruths Control "two_truths";
    /// The author agrees that such a member may go on.
    45 QuarantineLift Control "quarantine_lift";
}

impl Canonical for Entry {
    const WHAT: &'static str = "entry";
    const MAX_BYTES: usize = ENTRY_PLAIN_BYTES;
}

impl Entry {
    /// Rows that every member must have before it can fold this entry.
    #[must_use]
    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Claim(claim) => Some(&claim.tokens),
            Self::ClaimRelease(release) => release.tokens.as_ref(),
            Self::ContactReport(report) => Some(&report.rows),
            Self::Suppress(suppress) => Some(&suppress.rows),
            Self::SuppressWithdraw(withdraw) => Some(&withdraw.rows),
            _ => None,
        }
    }

    /// What the envelope shows of an entry that may have to be proved to outsiders: its hash.
    ///
    /// Only kinds that hold something nobody can guess, the root of salted rows or a signature, so
    /// that the hash tells nothing to those who may not read the entry.
    #[must_use]
    pub fn evidence(&self) -> Option<Hash> {
        match self {
            Self::Share(_) | Self::ErasureReceipt(_) => Some(self.hash()),
            _ => None,
        }
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&codec::encode(self))
    }

    /// Every blob that this entry names; its envelope lists the same ones.
    #[must_use]
    pub fn blobs(&self) -> Vec<crate::blob::BlobId> {
        match self {
            Self::Share(share) => vec![share.blob],
            Self::OverlapPass(pass) => vec![pass.blob],
            Self::Revoke(revoke) => revoke.row_refs.blob().into_iter().collect(),
            other => other
                .payload()
                .and_then(Payload::blob)
                .into_iter()
                .collect(),
        }
    }
}
