//! Everything that can happen in a simulation. A seed makes a list of operations; a list runs without
//! the seed, so a found fault stays when the generator changes.

use protocol::channel::Channel;
use serde::{Deserialize, Serialize};

/// One thing that happens. Nodes are counted from 0; the first keeps the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Time passes everywhere.
    Pass {
        /// How much of it.
        seconds: i64,
    },
    /// A node's clock is set wrong by so much.
    Skew {
        /// Whose.
        node: usize,
        /// Ahead of true time; behind it when negative.
        seconds: i64,
    },
    /// A node reads one page and folds it.
    Read {
        /// Which.
        node: usize,
    },
    /// A node says what waits in its outbox.
    Push {
        /// Which.
        node: usize,
    },
    /// A node runs all its jobs once.
    Jobs {
        /// Which.
        node: usize,
    },
    /// A node claims a list.
    Claim {
        /// Which.
        node: usize,
        /// The list's number.
        list: usize,
        /// How people will be reached.
        channel: Channel,
        /// Days from now on which the window begins.
        ahead: i64,
        /// Days of the window.
        days: i64,
    },
    /// A sign of life for an own claim.
    Renew {
        /// Which node.
        node: usize,
        /// Which of its granted claims, counted round.
        nth: usize,
    },
    /// An own claim is given back.
    Release {
        /// Which node.
        node: usize,
        /// Which of its granted claims, counted round.
        nth: usize,
        /// Whole, or what was not visited.
        whole: bool,
    },
    /// Somebody was reached at a door.
    Contact {
        /// By whom.
        node: usize,
        /// Who.
        person: usize,
        /// So long ago.
        ago: i64,
    },
    /// A person is marked, or the mark is taken back.
    Mark {
        /// By whom.
        node: usize,
        /// Who.
        person: usize,
        /// On which channel.
        channel: Channel,
        /// Take it back.
        withdraw: bool,
    },
    /// A list is shared with somebody.
    Share {
        /// By whom.
        node: usize,
        /// The list's number.
        list: usize,
        /// With whom.
        to: usize,
    },
    /// A person is taken back.
    Revoke {
        /// By whom.
        node: usize,
        /// Who.
        person: usize,
        /// Everything goes, or it only rests.
        erase: bool,
    },
    /// A whole share is taken back.
    Recall {
        /// By whom.
        node: usize,
        /// Which of its shares, counted round.
        nth: usize,
    },
    /// One more person comes onto a node's first list.
    Import {
        /// Whose.
        node: usize,
        /// Who.
        person: usize,
    },
    /// A node invites the stranger.
    Invite {
        /// Which.
        node: usize,
    },
    /// The stranger uses the latest invitation.
    Join,
    /// A node approves the stranger.
    Approve {
        /// Which.
        node: usize,
    },
    /// A node proposes the agreement anew, for the present members.
    Propose {
        /// Which.
        node: usize,
    },
    /// A node signs what was proposed.
    Sign {
        /// Which.
        node: usize,
    },
    /// A node takes back what it gave, and says that it leaves once nobody owes a receipt.
    Leave {
        /// Which.
        node: usize,
    },
    /// A node proposes that another goes, or agrees with that proposal.
    Remove {
        /// Which.
        node: usize,
        /// Who shall go.
        whom: usize,
        /// Agrees with a proposal that there is.
        agree: bool,
    },
    /// A node files a plan about a list.
    Plan {
        /// Which.
        node: usize,
        /// The list's number.
        list: usize,
        /// Days from now on which it begins.
        ahead: i64,
        /// Days that it takes.
        days: i64,
    },
    /// A node withdraws an own plan.
    Unplan {
        /// Which.
        node: usize,
        /// Which of its plans, counted round.
        nth: usize,
    },
    /// A node proposes that others keep the log.
    Keepers {
        /// Which.
        node: usize,
        /// Who shall keep it.
        keepers: Vec<usize>,
    },
    /// A node gets new keys.
    Rotate {
        /// Which.
        node: usize,
        /// All of them, the root's too, or those for requests alone.
        all: bool,
        /// Who says the new document for it, where it does not do so itself.
        by: Option<usize>,
    },
    /// A node asks what its register has in common with others'.
    Count {
        /// Which.
        node: usize,
        /// The other parties.
        with: Vec<usize>,
        /// Somebody else counts, where there is one.
        counter: bool,
    },
    /// A node agrees to a count, or does not want one.
    Answer {
        /// Which.
        node: usize,
        /// Which of those that go on, counted round.
        nth: usize,
        /// It agrees.
        agree: bool,
    },
    /// What becomes of a node's next requests, one by one.
    Wire {
        /// Whose.
        node: usize,
        /// In order; after them everything arrives.
        fates: Vec<Fate>,
    },
    /// What becomes of a keeper's next calls to the other keepers.
    Raft {
        /// Whose.
        node: usize,
        /// In order; after them everything arrives.
        fates: Vec<Fate>,
    },
    /// Nothing passes any more between some nodes and all others: silence, not an error.
    Split {
        /// The one side; nobody ends the split.
        side: Vec<usize>,
    },
    /// As [`Op::Split`], with whoever leads the keepers alone on its side.
    SplitLeader,
    /// Nothing that a node sends to another one arrives, answers included, or all does again.
    Mute {
        /// Who sends.
        from: usize,
        /// To whom.
        to: usize,
        /// Nothing arrives.
        mute: bool,
    },
    /// A node stops and stays so.
    Kill {
        /// Which.
        node: usize,
    },
    /// Whoever leads the keepers stops and stays so.
    KillLeader,
    /// A node stops for ever, with all that it had.
    Lose {
        /// Which.
        node: usize,
    },
    /// A request that was late arrives.
    Late,
    /// Somebody who listened sends an old request again.
    Replay {
        /// How many requests ago.
        back: usize,
    },
    /// A node is cut off, or connected again.
    Cut {
        /// Which.
        node: usize,
        /// Cut off.
        cut: bool,
    },
    /// The disk fails while something happens; the node lives on.
    Disk {
        /// Whose.
        node: usize,
        /// After so many good transactions.
        after: u32,
        /// So many fail.
        failing: u32,
        /// Where in them.
        stage: Place,
        /// What happens.
        during: Box<Op>,
    },
    /// A node dies in a transaction while something happens, and starts again.
    Crash {
        /// Which.
        node: usize,
        /// After so many good transactions.
        after: u32,
        /// Where in the next one.
        stage: Place,
        /// What happens.
        during: Box<Op>,
    },
    /// The power fails under a node in a transaction that was just written: its end is torn off.
    Torn {
        /// Whose.
        node: usize,
        /// After so many good transactions.
        after: u32,
        /// So many bytes are missing at the end of the database's own log.
        bytes: u32,
        /// What happens.
        during: Box<Op>,
    },
    /// A node stops and starts, or starts again.
    Restart {
        /// Which.
        node: usize,
    },
    /// A node's database is copied.
    BackUp {
        /// Whose.
        node: usize,
    },
    /// A node's database is replaced by its copy.
    Restore {
        /// Whose.
        node: usize,
        /// As `commonturf restore` does it; else the copy does not know that it is one.
        #[serde(default)]
        marked: bool,
    },
    /// A keeper whose database went back in time learns the log from the others.
    KeepAgain {
        /// Which.
        node: usize,
    },
    /// A person asks a node that has stopped to come back.
    ComeBack {
        /// Which.
        node: usize,
    },
    /// A member misbehaves.
    Evil {
        /// Who.
        node: usize,
        /// How.
        how: Evil,
    },
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It arrives, and so does the answer.
    Arrive,
    /// It never arrives.
    Lost,
    /// It arrives; the answer is lost, so the caller knows nothing.
    AnswerLost,
    /// It arrives twice.
    Twice,
    /// The caller gives up, and it arrives later.
    Late,
    /// The answer is damaged on its way.
    Damaged,
}

/// Where in a transaction something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Before anything was written.
    Begin,
    /// Before it lasts.
    Commit,
    /// It lasts, and nobody learns it.
    Committed,
}

/// How a member misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evil {
    /// Gives another's claim back.
    ReleaseOthers,
    /// Renews another's claim.
    RenewOthers,
    /// Claims a window that is out of order.
    ClaimBackwards,
    /// Claims under an agreement that does not exist.
    ClaimUnderNothing,
    /// Claims everything that anybody holds, for as long as it goes.
    ClaimAll,
    /// Says that a notice to somebody else was carried out.
    AnswerOthersNotice,
    /// Swears to a state that nobody has.
    FalseCheckpoint,
    /// Uses the id of another's claim once more.
    UseIdAgain,
    /// Sends rows that are none.
    RowsOfNothing,
    /// Founds the coalition again.
    SecondGenesis,
    /// Sends bytes that are no entry.
    Garbage,
    /// Sends another member's entry as its own.
    OthersEntry,
    /// Says nothing, very often.
    Flood,
}

impl Op {
    /// The node whose people or jobs do it; none for what befalls nodes and network.
    #[must_use]
    pub fn node(&self) -> Option<usize> {
        match self {
            Self::Claim { node, .. }
            | Self::Renew { node, .. }
            | Self::Release { node, .. }
            | Self::Share { node, .. }
            | Self::Revoke { node, .. }
            | Self::Recall { node, .. }
            | Self::Invite { node }
            | Self::Approve { node }
            | Self::Propose { node }
            | Self::Sign { node }
            | Self::Leave { node }
            | Self::Remove { node, .. }
            | Self::Plan { node, .. }
            | Self::Unplan { node, .. }
            | Self::Keepers { node, .. }
            | Self::Rotate { node, .. }
            | Self::Count { node, .. }
            | Self::Answer { node, .. }
            | Self::Jobs { node }
            | Self::Evil { node, .. } => Some(*node),
            _ => None,
        }
    }

    /// Its name, as lists write it.
    #[must_use]
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => fields.keys().next().cloned(),
            Ok(serde_json::Value::String(name)) => Some(name),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// What happens while a disk fails or a node dies, or the operation itself.
    #[must_use]
    pub fn inner(&self) -> &Self {
        match self {
            Self::Disk { during, .. } | Self::Crash { during, .. } | Self::Torn { during, .. } => {
                during
            }
            other => other,
        }
    }
}
