//! Every named maximum of what nodes say to each other (spec/identity.md, section 9).
//!
//! Bytes are bytes, times are milliseconds, rates are per second. A queue, body, loop or retry
//! that names none of these is a mistake.

use crate::time::DAY;

/// Active members of a coalition.
pub const MEMBERS_MAX: usize = 200;
/// How many keepers a coalition may have.
pub const KEEPERS: [usize; 3] = [1, 3, 5];

/// One sealed entry of the log.
pub const ENTRY_BYTES: usize = 64 * 1024;
/// Entries of one append.
pub const APPEND_ENTRIES: usize = 256;
/// The body of one append.
pub const APPEND_BODY: usize = 1024 * 1024;
/// Batches under way per admission class.
pub const INFLIGHT: usize = 1;
/// Entries that wait at their author.
pub const OUTBOX_ROWS: usize = 100_000;
/// Bytes that wait at their author.
pub const OUTBOX_BYTES: u64 = 1024 * 1024 * 1024;
/// Appends per second and member in class control.
pub const APPENDS_CONTROL: u32 = 10;
/// Appends per second and member in class claims.
pub const APPENDS_CLAIMS: u32 = 10;
/// Appends per second and member in class data.
pub const APPENDS_DATA: u32 = 5;
/// So many seconds' worth of a rate may come at once after a quiet time.
pub const RATE_SECONDS: u32 = 10;
/// Calls of any kind per second and member.
pub const CALLS_PER_MEMBER: u32 = 100;
/// Entries that wait at a keeper, per class.
pub const KEEPER_QUEUE: usize = 4_096;
/// Appends of one member that wait at a keeper for their turn.
pub const APPENDS_WAITING: usize = 8;
/// How long an append waits for its turn.
pub const APPEND_TURN: i64 = 20_000;
/// Appends that a keeper works on at a time.
pub const APPENDS_AT_WORK: usize = 8;
/// Of these, how many places only class control may take: a quarter.
pub const APPENDS_FOR_CONTROL: usize = APPENDS_AT_WORK / 4;
/// Requests that a keeper hands on to the leader at a time.
pub const RELAY_INFLIGHT: usize = 32;

/// Entries stay at keepers for this long at least, even when every member has read them.
pub const LOG_LEAST: i64 = 30 * DAY;
/// Entries stay at keepers for this long at most, even when a member has not read them. Whoever was away
/// for longer comes back with the folded state.
pub const LOG_MOST: i64 = 180 * DAY;
/// Entries that a keeper lets go in one transaction.
pub const PRUNE_BATCH: u64 = 1_000;
/// Entries of which a member keeps the sealed bytes, to hand them back to a keeper that was restored.
pub const TAIL_ENTRIES: u64 = 10_000;
/// How long a member keeps them, in log time.
pub const TAIL_KEPT: i64 = 30 * DAY;
/// After how many entries a member lets go what is older.
pub const TAIL_STEP: u64 = 256;
/// Lines of the log that a member hands back to a restored keeper, in one piece.
pub const REPAIR_LINES: usize = 50_000;
/// Bytes of one message to a keeper in repair.
pub const REPAIR_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one page of the log.
pub const READ_PAGE_BYTES: usize = 1024 * 1024;
/// Entries of one page of the log.
pub const READ_PAGE_ENTRIES: usize = 1_000;
/// Entries folded in one transaction.
pub const FOLD_BATCH: usize = 1_000;
/// How long one transaction of the fold goes on.
pub const FOLD_BATCH_TIME: i64 = 1_000;
/// How long a read waits for something new.
pub const LONGPOLL_WAIT: i64 = 25_000;
/// Reads that wait, per member.
pub const LONGPOLLS_PER_MEMBER: usize = 2;

/// The body of a call at the federation listener, from its first byte to its last.
pub const REQUEST_TIME: i64 = 30_000;
/// The longest silence within a body, at either listener.
pub const BODY_SILENCE: i64 = 10_000;
/// From a connection's begin, or the end of the request before, to the end of a request's headers.
pub const HEADER_TIME: i64 = 10_000;
/// A TLS handshake.
pub const HANDSHAKE_TIME: i64 = 10_000;
/// Connections of one listener at a time.
pub const CONNECTIONS: usize = 2_000;
/// How long one connection to the federation listener lives; requests under way are finished.
pub const CONNECTION_LIFE: i64 = 600_000;
/// All headers of a request.
pub const HEADER_BYTES: usize = 16 * 1024;
/// One header that takes part in a signature.
pub const SIGNED_HEADER_BYTES: usize = 1_024;
/// Path and query of a signed request.
pub const SIGNED_TARGET_BYTES: usize = 4_096;
/// A problem document.
pub const PROBLEM_BYTES: usize = 16 * 1024;

/// How far a signature's `created` may lie ahead of the reader's clock.
pub const CLOCK_AHEAD: i64 = 5_000;
/// The longest time from `created` to `expires`.
pub const NONCE_LIFE: i64 = 300_000;
/// Nonces remembered per member.
pub const NONCES_MAX: usize = 20_000;
/// Nodes whose nonces are remembered at a time: the members, and those who ask to join.
pub const NONCE_CALLERS: usize = 400;

/// An identity document.
pub const IDENTITY_BYTES: usize = 16 * 1024;
/// Keys of an identity document.
pub const DOCUMENT_KEYS: usize = 32;
/// Addresses of one keeper.
pub const ENDPOINTS_MAX: usize = 4;
/// One address.
pub const ENDPOINT_BYTES: usize = 280;
/// Capabilities of one node.
pub const CAPABILITIES_MAX: usize = 32;
/// How long an identity document may count.
pub const DOCUMENT_LIFE: i64 = 400 * DAY;
/// The largest step from the number of an identity document to that of the next one.
pub const SERIAL_STEP: u64 = 1 << 32;
/// Two cosignatures of one length that are this many seconds apart are no evidence: a node that was set
/// back may have forgotten the first.
pub const VOUCHED_APART: u64 = 3_600;
/// The name of an organization or coalition, in characters.
pub const NAME_CHARACTERS: usize = 120;
/// A word that programs compare, in characters.
pub const WORD_CHARACTERS: usize = 32;

/// Invites of one member that are open at a time.
pub const INVITES_OPEN: usize = 20;
/// Wrong tokens from one node before it is refused.
pub const JOIN_TRIES: u32 = 3;
/// How long an invite counts.
pub const INVITE_LIFE: i64 = 3 * DAY;
/// The bytes inside an invite code.
pub const INVITE_BYTES: usize = 1_024;
/// What a person may paste where an invite code belongs.
pub const INVITE_TEXT_BYTES: usize = 8 * 1024;

/// One chunk of a blob.
pub const CHUNK_BYTES: u64 = 4 * 1024 * 1024;
/// Chunks of one transfer under way.
pub const CHUNKS_INFLIGHT: usize = 4;
/// One blob.
pub const BLOB_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// Chunks of one blob.
pub const BLOB_CHUNKS: usize = 2_048;
/// A blob's list of chunks.
pub const MANIFEST_BYTES: usize = 72 * 1024;
/// How long a keeper stores a blob.
pub const BLOB_TTL: i64 = 30 * DAY;
/// Blobs of one member at a keeper.
pub const BLOB_QUOTA: u64 = 50 * 1024 * 1024 * 1024;
/// The header of sealed bytes: room for every member and then some.
pub const SEAL_HEADER_BYTES: usize = 64 * 1024;

/// Blinded points of one evaluation.
pub const EVAL_POINTS: usize = 4_096;
/// By how much of its declared list size a member's evaluations of a class grow in a day, in percent. So who
/// comes in begins with this share, and whoever tries values out is seen before it is through.
pub const GROWTH_PERCENT: u64 = 20;
/// The declared list size as a share of the agreement's budget: a budget leaves a tenth of it for points
/// that change.
pub const LIST_PER_BUDGET: (u64, u64) = (10, 11);
/// By so many points evaluations may grow in a day in any case: one whole batch.
pub const GROWTH_LEAST: u64 = EVAL_POINTS as u64;
/// Over how long growth is counted.
pub const GROWTH_TIME: i64 = DAY;
/// Slots in one answer of a keeper that hands its ledger to another one.
pub const LEDGER_PAGE: usize = 5_000;
/// Answers that a keeper takes from one other until it asks again.
pub const LEDGER_PAGES: usize = 10_000;
/// How soon keepers are asked again whose ledgers could not be had.
pub const LEDGER_RETRY: i64 = 10_000;
/// How long an evaluation is answered again without a charge.
pub const EVAL_REPLAY: i64 = 600_000;

/// Attempts to encrypt an entry anew, or to rebase it, before it slows down and alarms.
pub const REENCRYPT: u32 = 8;
/// Past epochs whose application messages still count.
pub const EPOCHS_ACCEPTED: u64 = 5;
/// Commits per member and day; removals are exempt.
pub const COMMITS_PER_DAY: u32 = 24;
/// How far back the ratchet of one sender reaches.
pub const RATCHET_BACK: u32 = 1_024;
/// How far ahead the ratchet of one sender reaches.
pub const RATCHET_FORWARD: u32 = 4_096;
/// A snapshot for a joiner.
pub const SNAPSHOT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Proofs of two histories that are kept.
pub const EVIDENCE_KEPT: usize = 1_000;

/// What one member's claims hold at a time: contact points times days of the window.
pub const CLAIM_TOKEN_DAYS: u64 = 20_000_000;

/// The first pause before a retry.
pub const BACKOFF_FIRST: i64 = 1_000;
/// The longest pause before a retry.
pub const BACKOFF_CAP: i64 = 60_000;
/// The longest pause before a blob is tried again.
pub const BACKOFF_CAP_BLOBS: i64 = 300_000;
