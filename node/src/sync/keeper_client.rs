//! Calls to keepers: signed, answered with a signature, checked before anything is believed.

use super::{
    exchange::Content,
    keepers::{Purpose, Seat},
};
use crate::{app::App, transport::TransportError};
use bytes::Bytes;
use http::Method;
use protocol::{
    chain::{Append, Appended, Outline, Page},
    codec::{self, Canonical},
    id::{CoalitionId, NodeId},
    problem::{Problem, ProblemKind},
    sign::{LogPoint, SignatureError},
    version::NoCommonVersion,
};
use std::collections::VecDeque;

/// Why a call to the keeper brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// It was not reached.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// It refused.
    #[error("the keeper answered: {}{}", .0.title, if .0.detail.is_empty() { String::new() } else { format!(" ({})", .0.detail) })]
    Refused(Box<Problem>),
    /// Its answer is not signed by it.
    #[error("the answer is not the keeper's: {0}")]
    Forged(#[from] SignatureError),
    /// The blob is longer than what it is said to be.
    #[error("the blob is longer than what it is needed for")]
    TooLong,
    /// It speaks no version of the protocol that this node speaks.
    #[error("the keeper speaks another protocol: {0}")]
    Version(#[from] NoCommonVersion),
    /// Its answer is signed and makes no sense.
    #[error("the keeper's answer cannot be read: {0}")]
    Unreadable(String),
}

impl KeeperError {
    /// What kind of refusal this is, if it is one.
    #[must_use]
    pub fn kind(&self) -> Option<ProblemKind> {
        match self {
            Self::Refused(problem) => problem.kind(),
            _ => None,
        }
    }

    /// After how many milliseconds to ask again, where the keeper said so.
    #[must_use]
    pub fn asks_to_wait(&self) -> Option<u64> {
        match self {
            Self::Refused(problem) if problem.status == 429 => problem.retry_after_ms,
            _ => None,
        }
    }

    /// Whether asking another keeper may help.
    fn another_may_answer(&self) -> bool {
        let Self::Refused(problem) = self else {
            return !matches!(self, Self::TooLong);
        };
        matches!(
            problem.kind(),
            Some(
                ProblemKind::NotLeader
                    | ProblemKind::NoQuorum
                    | ProblemKind::Draining
                    | ProblemKind::Repair
                    | ProblemKind::OutcomeUnknown
                    | ProblemKind::KeeperBehind
                    | ProblemKind::UnknownCoalition
                    | ProblemKind::NotMember
                    | ProblemKind::BlobMissing
                    | ProblemKind::LogPruned
                    | ProblemKind::Internal
            )
        )
    }

    /// Whether another error says more about why nothing came of a call. That too few keepers are there
    /// says most; whose leader is gone says least.
    fn tells_less_than(&self, other: &Self) -> bool {
        let rank = |error: &Self| match error.kind() {
            Some(ProblemKind::NoQuorum) => 3,
            Some(ProblemKind::OutcomeUnknown) => 2,
            Some(ProblemKind::NotLeader) => 0,
            _ => 1,
        };
        rank(self) < rank(other)
    }
}

/// The coalition's keepers: where they are and how their answers verify. A call goes to one after the
/// other until one answers.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// The coalition.
    pub(super) coalition: CoalitionId,
    /// How far this node has folded.
    pub(super) seen: Option<LogPoint>,
    pub(super) seats: Vec<Seat>,
}

impl Keeper {
    /// The keepers of the coalition that this node is a member of.
    #[must_use]
    pub fn of(app: &App, coalition: &super::coalition::Coalition) -> Self {
        let head = coalition.state.meta().head;
        Self {
            coalition: coalition.row.id,
            seen: (head.position > 0).then_some(LogPoint {
                lineage: head.lineage,
                position: head.position,
                chain: head.chain,
            }),
            seats: Seat::all(app, coalition),
        }
    }

    /// One keeper and no other.
    #[must_use]
    pub fn at(coalition: CoalitionId, seat: Seat) -> Self {
        Self {
            coalition,
            seen: None,
            seats: vec![seat],
        }
    }

    /// The same keepers one by one.
    #[must_use]
    pub fn each(&self) -> Vec<Self> {
        let alone = |seat: &Seat| Self {
            seats: vec![seat.clone()],
            ..self.clone()
        };
        self.seats.iter().map(alone).collect()
    }

    /// The same keepers without this node itself.
    #[must_use]
    pub fn others(mut self) -> Self {
        self.seats.retain(|seat| seat.url.is_some());
        self
    }

    /// Whose this is, where it is one keeper.
    #[must_use]
    pub fn node(&self) -> Option<NodeId> {
        self.seats.first().map(|seat| seat.node)
    }

    /// Appends sealed entries; the answer tells for each what became of it.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn append(&self, app: &App, append: &Append) -> Result<Appended, KeeperError> {
        self.read(
            self.call_for(
                app,
                Purpose::Order,
                Method::POST,
                "log",
                "",
                Content::Cbor(codec::encode(append)),
            )
            .await?,
        )
    }

    /// Reads entries after a position, waiting some seconds for one to come.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn page(&self, app: &App, after: u64, wait: u64) -> Result<Page, KeeperError> {
        let query = format!("after={after}&wait={wait}");
        self.read(
            self.call(app, Method::GET, "log", &query, Content::None)
                .await?,
        )
    }

    /// Reads lines of the log after a position.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn outline(&self, app: &App, after: u64) -> Result<Outline, KeeperError> {
        let query = format!("after={after}");
        self.read(
            self.call(app, Method::GET, "log/lines", &query, Content::None)
                .await?,
        )
    }

    /// Has blinded points evaluated.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn evaluate(
        &self,
        app: &App,
        request: &protocol::token::EvalRequest,
    ) -> Result<protocol::token::EvalReply, KeeperError> {
        self.read(
            self.call(
                app,
                Method::POST,
                "evaluate",
                "",
                Content::Cbor(codec::encode(request)),
            )
            .await?,
        )
    }

    /// Asks another keeper of the same keys what members had evaluated.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn ledger(
        &self,
        app: &App,
        ask: &crate::federation::ledger::Ask,
    ) -> Result<crate::federation::ledger::Page, KeeperError> {
        let content = Content::Cbor(codec::encode(ask));
        self.read(self.call(app, Method::POST, "ledger", "", content).await?)
    }

    /// Asks to join.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn ask_to_join(
        &self,
        app: &App,
        ask: &crate::federation::join::Ask,
    ) -> Result<crate::federation::join::Answer, KeeperError> {
        self.read(
            self.call(
                app,
                Method::POST,
                "join",
                "",
                Content::Cbor(codec::encode(ask)),
            )
            .await?,
        )
    }

    /// Asks whether the door is open; none while nobody has approved.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn admission(
        &self,
        app: &App,
    ) -> Result<Option<crate::federation::join::Admission>, KeeperError> {
        let answer = self
            .call(
                app,
                Method::GET,
                &format!("join/{}", app.me),
                "",
                Content::None,
            )
            .await?;
        if answer.is_empty() {
            Ok(None)
        } else {
            self.read(answer).map(Some)
        }
    }

    /// Hands over what lets a newcomer in, to the keeper at whose door it waits.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn admit(
        &self,
        app: &App,
        newcomer: NodeId,
        admission: &crate::federation::join::Admission,
    ) -> Result<(), KeeperError> {
        let path = format!("join/{newcomer}");
        let mut refused = None;
        for one in self.each() {
            let content = Content::Cbor(codec::encode(admission));
            match one.call(app, Method::PUT, &path, "", content).await {
                Ok(_) => return Ok(()),
                // One that cannot be reached may be the one with the door.
                Err(error) if refused.is_none() || error.kind() != Some(ProblemKind::NotFound) => {
                    refused = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(refused.unwrap_or_else(nobody))
    }

    /// Asks for the group, to come back into it from outside.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn group_now(
        &self,
        app: &App,
    ) -> Result<crate::federation::rejoin::GroupNow, KeeperError> {
        self.read(
            self.call(app, Method::GET, "rejoin", "", Content::None)
                .await?,
        )
    }

    /// Asks one keeper where it stands.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn status(
        &self,
        app: &App,
    ) -> Result<crate::federation::status::KeeperStatus, KeeperError> {
        self.read(
            self.call(app, Method::GET, "status", "", Content::None)
                .await?,
        )
    }

    /// Asks how this node's way back stands.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn standing(
        &self,
        app: &App,
    ) -> Result<crate::federation::rejoin::Standing, KeeperError> {
        let path = format!("rejoin/{}", app.me);
        self.read(
            self.call(app, Method::GET, &path, "", Content::None)
                .await?,
        )
    }

    /// Asks the only keeper what it lacks after a position.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn repair_now(
        &self,
        app: &App,
        after: u64,
    ) -> Result<crate::federation::repair::RepairNow, KeeperError> {
        let query = format!("after={after}");
        self.read(
            self.call(app, Method::GET, "repair", &query, Content::None)
                .await?,
        )
    }

    /// Hands the only keeper back what it lacks.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn hand_back(
        &self,
        app: &App,
        word: &crate::federation::repair::Word,
    ) -> Result<crate::federation::repair::RepairNow, KeeperError> {
        let content = Content::Cbor(codec::encode(word));
        self.read(self.call(app, Method::POST, "repair", "", content).await?)
    }

    /// A call from one keeper to another.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn raft(&self, app: &App, path: &str, body: Vec<u8>) -> Result<Bytes, KeeperError> {
        let seat = self.seats.first().ok_or_else(nobody)?;
        let (path, content) = (format!("raft/{path}"), Content::Cbor(body));
        self.call_one(app, seat, (Method::POST, &path, ""), &content)
            .await
    }

    pub(super) fn read<T: Canonical>(&self, body: Bytes) -> Result<T, KeeperError> {
        codec::decode(&body).map_err(|error| KeeperError::Unreadable(error.to_string()))
    }

    pub(super) async fn call(
        &self,
        app: &App,
        method: Method,
        path: &str,
        query: &str,
        content: Content<'_>,
    ) -> Result<Bytes, KeeperError> {
        self.call_for(app, Purpose::Read, method, path, query, content)
            .await
    }

    /// Asks one keeper after the other until one answers.
    async fn call_for(
        &self,
        app: &App,
        purpose: Purpose,
        method: Method,
        path: &str,
        query: &str,
        content: Content<'_>,
    ) -> Result<Bytes, KeeperError> {
        let mut waiting: VecDeque<Seat> = app.keepers.order(&self.seats, purpose, app.now()).into();
        let mut refused: Option<KeeperError> = None;
        while let Some(seat) = waiting.pop_front() {
            let answer = self
                .call_one(app, &seat, (method.clone(), path, query), &content)
                .await;
            let error = match answer {
                Ok(bytes) => {
                    app.keepers.answered(seat.node, app.now());
                    return Ok(bytes);
                }
                Err(error) => error,
            };
            match &error {
                KeeperError::Refused(_) => app.keepers.answered(seat.node, app.now()),
                _ => app.keepers.failed(seat.node, app.now(), error.to_string()),
            }
            if error.kind() == Some(ProblemKind::Repair) {
                app.keepers.repairs(seat.node);
                app.wake.jobs.notify_one();
            }
            if let KeeperError::Refused(problem) = &error
                && problem.kind() == Some(ProblemKind::NotLeader)
            {
                app.keepers.leads(problem.leader);
                let leader = waiting
                    .iter()
                    .position(|seat| Some(seat.node) == problem.leader);
                if let Some(leader) = leader.and_then(|n| waiting.remove(n)) {
                    waiting.push_front(leader);
                }
            }
            if !error.another_may_answer() {
                return Err(error);
            }
            if refused
                .as_ref()
                .is_none_or(|known| known.tells_less_than(&error))
            {
                refused = Some(error);
            }
        }
        Err(refused.unwrap_or_else(nobody))
    }
}

/// There is no keeper to ask.
pub(super) fn nobody() -> KeeperError {
    TransportError::Unreachable("no keeper is known".to_owned()).into()
}
