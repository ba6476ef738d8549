//! Calls to other keepers, over the federation listener like everything that nodes tell each other.

use super::{
    Peer, Types,
    wire::{Append, Appended, Ask, Asked, Install, Installed, Marker, WireSnapshot},
};
use crate::{
    app::App,
    sync::keeper_client::{Keeper, KeeperError},
    transport::TransportError,
};
use openraft::{
    OptionalSend, RaftNetwork, RaftNetworkFactory, Snapshot, Vote,
    error::{
        Fatal, InstallSnapshotError, NetworkError, RPCError, RaftError, ReplicationClosed,
        StreamingError, Unreachable,
    },
    network::RPCOption,
    raft::{
        AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest,
        InstallSnapshotResponse, SnapshotResponse, VoteRequest, VoteResponse,
    },
};
use protocol::{
    codec::{self, Canonical},
    id::NodeId,
};
use std::time::Duration;

/// How long a vote may take to come back.
const VOTE_TIME: Duration = Duration::from_secs(1);
/// How long a keeper that is far behind may read pages within one call.
const INSTALL_TIME: Duration = Duration::from_secs(60);

/// Makes links to other keepers.
#[derive(Clone)]
pub(super) struct Network {
    app: App,
}

impl Network {
    pub(super) fn new(app: &App) -> Self {
        Self { app: app.clone() }
    }
}

/// The road to one keeper.
pub(super) struct Link {
    app: App,
    to: u64,
    node: Option<NodeId>,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Link;

    async fn new_client(&mut self, target: u64, peer: &Peer) -> Link {
        Link {
            app: self.app.clone(),
            to: target,
            node: peer.node,
        }
    }
}

impl Link {
    /// One call with its own time limit.
    async fn call<T: Canonical>(
        &self,
        path: &str,
        body: Vec<u8>,
        time: Duration,
    ) -> Result<T, KeeperError> {
        let circle = self.app.kept.circle();
        let seat = self.node.and_then(|node| circle.as_ref()?.seat(node));
        let (Some(circle), Some(seat)) = (circle, seat) else {
            let unknown = "its address is not known here".to_owned();
            return Err(TransportError::Unreachable(unknown).into());
        };
        let keeper = Keeper::at(circle.coalition, seat);
        let call = keeper.raft(&self.app, path, body);
        let answer = tokio::time::timeout(time, call).await;
        let late = |_| TransportError::Unreachable("it did not answer in time".to_owned());
        let bytes = answer.map_err(late)??;
        codec::decode(&bytes).map_err(|error| KeeperError::Unreadable(error.to_string()))
    }
}

/// Nobody there: openraft pauses before it tries again. A refusal is tried again soon.
fn rpc_error<E: std::error::Error>(error: &KeeperError) -> RPCError<u64, Peer, E> {
    match error {
        KeeperError::Transport(_) => Unreachable::new(error).into(),
        _ => NetworkError::new(error).into(),
    }
}

impl RaftNetwork<Types> for Link {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, RPCError<u64, Peer, RaftError<u64>>> {
        let body = codec::encode(&Append::new(self.to, rpc));
        let answer: Result<Appended, _> = self.call("append", body, option.hard_ttl()).await;
        answer.map(Into::into).map_err(|error| rpc_error(&error))
    }

    async fn install_snapshot(
        &mut self,
        _: InstallSnapshotRequest<Types>,
        _: RPCOption,
    ) -> Result<
        InstallSnapshotResponse<u64>,
        RPCError<u64, Peer, RaftError<u64, InstallSnapshotError>>,
    > {
        // `full_snapshot` below does it in one call.
        let error = std::io::Error::from(std::io::ErrorKind::Unsupported);
        Err(NetworkError::new(&error).into())
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<u64>,
        _: RPCOption,
    ) -> Result<VoteResponse<u64>, RPCError<u64, Peer, RaftError<u64>>> {
        let body = codec::encode(&Ask::new(self.to, &rpc));
        let answer: Result<Asked, _> = self.call("vote", body, VOTE_TIME).await;
        answer.map(Into::into).map_err(|error| rpc_error(&error))
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote<u64>,
        snapshot: Snapshot<Types>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<u64>, StreamingError<Types, Fatal<u64>>> {
        let marker: Marker = codec::decode(snapshot.snapshot.get_ref())
            .map_err(|error| StreamingError::Network(NetworkError::new(&error)))?;
        let install = Install::new(self.to, vote, WireSnapshot::new(&snapshot.meta, marker));
        let body = codec::encode(&install);
        let call = self.call::<Installed>("snapshot", body, INSTALL_TIME);
        tokio::select! {
            biased;
            closed = cancel => Err(closed.into()),
            answer = call => match answer {
                Ok(answer) => Ok(answer.into()),
                Err(error @ KeeperError::Transport(_)) => {
                    Err(StreamingError::Unreachable(Unreachable::new(&error)))
                }
                Err(error) => Err(StreamingError::Network(NetworkError::new(&error))),
            },
        }
    }
}
