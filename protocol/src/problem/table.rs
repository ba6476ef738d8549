//! THE table of problems: add a row, and everything else follows.

use super::Reaction::{self, CheckIdentity, Obey, Park, Reposition, Retry, Tell};

macro_rules! problems {
    ($($name:ident $code:literal $status:literal $reaction:ident $title:literal;)*) => {
        /// A kind of problem: stable code, HTTP status, title, reaction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ProblemKind {
            $(#[doc = $title] $name,)*
        }

        impl ProblemKind {
            /// Every kind, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable code, in kebab case.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The kind in plain words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// What the side that asked does about it.
            #[must_use]
            pub fn reaction(self) -> Reaction {
                match self { $(Self::$name => $reaction),* }
            }
        }
    };
}

problems! {
    // Between nodes: who asks, and when.
    BadSignature "bad-signature" 401 CheckIdentity "The request signature does not hold";
    NotMember "not-member" 403 CheckIdentity "This node is no member here";
    ClockSkew "clock-skew" 401 Obey "The clocks of the two nodes are too far apart";
    StaleSinceRestart "stale-since-restart" 401 Obey "The request was signed before this keeper started";
    Replayed "replayed" 409 Obey "This very request was already answered";
    // Between nodes: how much.
    Credit "credit" 429 Obey "The credit for this class of entries is used up";
    Rate "rate" 429 Obey "Too many requests in a short time";
    Budget "budget" 429 Obey "The budget of evaluations is used up for now";
    Growth "growth" 429 Obey "More evaluations in a day than the list may grow by";
    TooSlow "too-slow" 408 Retry "The request did not arrive in time";
    TooLarge "too-large" 413 Park "An entry, batch or blob is over its limit";
    Quota "quota" 507 Park "The storage quota at this keeper is used up";
    Unsupported "unsupported" 422 Park "This keeper does not know this kind or version";
    // Between nodes: keepers.
    NotLeader "not-leader" 421 Obey "Another keeper leads at present";
    NoQuorum "no-quorum" 503 Retry "Too few keepers can be reached to order anything";
    Draining "draining" 503 Retry "This keeper is shutting down";
    Repair "repair" 503 Retry "This keeper is being repaired after a restore";
    TailRefused "tail-refused" 422 Tell "What was handed back does not continue this keeper's log to a head that it signed";
    OutcomeUnknown "outcome-unknown" 504 Retry "It is unknown whether this was ordered; send the same bytes again";
    // Between nodes: where in the log.
    KeeperBehind "keeper-behind" 409 Reposition "This keeper has not read as far as the member";
    ForkSuspected "fork-suspected" 409 Reposition "The member and this keeper saw different histories";
    LogPruned "log-pruned" 410 Reposition "The log no longer reaches back so far; come back from the state of the coalition";
    KeyChanged "key-changed" 409 Obey "The token key has changed; evaluate under the new one";
    // Between nodes: coalitions, invites, blobs.
    UnknownCoalition "unknown-coalition" 404 Tell "This node takes part in no such coalition";
    InviteUnknown "invite-unknown" 403 Tell "There is no such invite";
    InviteSpent "invite-spent" 409 Tell "This invite was already used; ask for a new one";
    InviteExpired "invite-expired" 410 Tell "This invite has expired; ask for a new one";
    BlobMissing "blob-missing" 404 Retry "This keeper does not have the blob, or not all of it";
    BlobMismatch "blob-mismatch" 422 Park "The bytes are not what the blob's manifest lists";
    // At the desk.
    NotFound "not-found" 404 Tell "There is nothing at this address";
    InvalidInput "invalid-input" 400 Tell "Something that was entered cannot be used";
    Unauthorized "unauthorized" 401 Tell "Sign in first";
    Forbidden "forbidden" 403 Tell "Your role does not allow this";
    MethodNotAllowed "method-not-allowed" 405 Tell "This address does not answer to this method";
    Conflict "conflict" 409 Tell "It was changed meanwhile; look at it again";
    NotInCoalition "not-in-coalition" 409 Tell "This node is not in a coalition yet";
    AgreementInactive "agreement-inactive" 409 Tell "No agreement is in force that covers this";
    ClaimRefused "claim-refused" 409 Tell "The claim was not granted";
    ImportFailed "import-failed" 422 Tell "The file could not be imported";
    PayloadTooLarge "payload-too-large" 413 Tell "The upload is over the limit";
    UnsupportedMediaType "unsupported-media-type" 415 Tell "This kind of content is not accepted here";
    Unavailable "unavailable" 503 Retry "This node cannot answer at present";
    Internal "internal" 500 Tell "Something went wrong in this node; its log has the details";
}
