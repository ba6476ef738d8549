//! Members with their rows, as a node would hold them: every step is committed or lost.

use protocol::{
    id::NodeId,
    mls::{Commit, Group, MlsKey, OpenError, Opened, Overlay, Rows, key_package},
};

pub(crate) const GROUP: [u8; 16] = [7; 16];
pub(crate) const AAD: &[u8] = b"coalition, lineage, entry id, class";

/// One organization's node: its key, its database and the group that it read from there.
pub(crate) struct Member {
    pub(crate) id: NodeId,
    pub(crate) key: MlsKey,
    pub(crate) rows: Rows,
    pub(crate) group: Group,
}

pub(crate) fn node(n: u8) -> (NodeId, MlsKey) {
    (
        NodeId::of_root_key(&[n; 32]),
        MlsKey::from_seed(&[n.wrapping_add(100); 32]),
    )
}

/// Writes changes to a database, as the node does in one transaction.
pub(crate) fn write(rows: &mut Rows, changes: protocol::mls::Changes) {
    for (key, value) in changes {
        match value {
            Some(value) => rows.insert(key, value),
            None => rows.remove(&key),
        };
    }
}

impl Member {
    pub(crate) fn founder() -> Self {
        let (id, key) = node(0);
        let group = Group::create(Overlay::default(), &key, id, GROUP).unwrap();
        let mut member = Self {
            id,
            key,
            rows: Rows::new(),
            group,
        };
        member.persist();
        member
    }

    /// Commits what changed.
    pub(crate) fn persist(&mut self) {
        write(&mut self.rows, self.group.changes());
        self.group.settle();
        assert!(self.group.changes().is_empty());
    }

    /// Loses memory and reads the database again.
    pub(crate) fn restart(&mut self) {
        self.group = Group::load(Overlay::from_rows(self.rows.clone()), GROUP)
            .unwrap()
            .unwrap();
    }

    pub(crate) fn seal(&mut self, text: &[u8]) -> Vec<u8> {
        let bytes = self.group.seal(&self.key, AAD, text).unwrap();
        self.persist();
        bytes
    }

    pub(crate) fn update(&mut self) -> Vec<u8> {
        let commit = self.group.commit_update(&self.key, AAD).unwrap();
        self.persist();
        commit.bytes
    }

    pub(crate) fn add(&mut self, packages: &[Vec<u8>]) -> Commit {
        let commit = self.group.commit_add(&self.key, AAD, packages).unwrap();
        self.persist();
        commit
    }

    pub(crate) fn remove(&mut self, nodes: &[NodeId]) -> Vec<u8> {
        let commit = self.group.commit_remove(&self.key, AAD, nodes).unwrap();
        self.persist();
        commit.bytes
    }

    /// Folds one entry as a node does: opens it, follows a commit, commits the changes.
    pub(crate) fn fold(&mut self, bytes: &[u8]) -> Result<Opened, OpenError> {
        let opened = match self.group.open(bytes)? {
            Opened::Commit {
                author,
                epoch,
                aad,
                added,
                removed,
                author_key,
                rejoin,
                staged,
            } => {
                let again = self.group.open(bytes).unwrap();
                self.group.merge(*staged).unwrap();
                let Opened::Commit { staged, .. } = again else {
                    panic!("a commit can be opened twice")
                };
                Opened::Commit {
                    author,
                    epoch,
                    aad,
                    added,
                    removed,
                    author_key,
                    rejoin,
                    staged,
                }
            }
            Opened::OwnCommit {
                epoch,
                aad,
                added,
                removed,
                author_key,
            } => {
                self.group.merge_own().unwrap();
                Opened::OwnCommit {
                    epoch,
                    aad,
                    added,
                    removed,
                    author_key,
                }
            }
            other => other,
        };
        self.persist();
        Ok(opened)
    }

    pub(crate) fn reads(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self.fold(bytes) {
            Ok(Opened::Application { plaintext, aad, .. }) if aad == AAD => plaintext,
            other => panic!("expected an application message, not {other:?}"),
        }
    }

    pub(crate) fn refuses(&mut self, bytes: &[u8]) -> OpenError {
        let (before, rows) = (self.group.authenticator(), self.rows.clone());
        let error = self.group.open(bytes).unwrap_err();
        assert_eq!(self.group.authenticator(), before);
        self.persist();
        assert_eq!(self.rows, rows, "a refused entry changes no row");
        error
    }
}

/// Somebody with a key package who waits for a welcome.
pub(crate) struct Newcomer {
    pub(crate) id: NodeId,
    pub(crate) key: MlsKey,
    pub(crate) rows: Rows,
    pub(crate) package: Vec<u8>,
}

pub(crate) fn newcomer(n: u8) -> Newcomer {
    let (id, key) = node(n);
    let mut overlay = Overlay::default();
    let package = key_package(&mut overlay, &key, id).unwrap();
    let mut rows = Rows::new();
    write(&mut rows, overlay.changes());
    Newcomer {
        id,
        key,
        rows,
        package,
    }
}

impl Newcomer {
    pub(crate) fn join(self, welcome: &[u8]) -> Member {
        let group = Group::join(Overlay::from_rows(self.rows.clone()), welcome).unwrap();
        let mut member = Member {
            id: self.id,
            key: self.key,
            rows: self.rows,
            group,
        };
        member.persist();
        member
    }
}

/// A coalition of this many members in one epoch, all interior nodes blank but the founder's.
pub(crate) fn coalition(size: u8) -> Vec<Member> {
    let mut founder = Member::founder();
    let newcomers: Vec<_> = (1..size).map(newcomer).collect();
    let packages: Vec<_> = newcomers
        .iter()
        .map(|newcomer| newcomer.package.clone())
        .collect();
    let commit = founder.add(&packages);
    founder.fold(&commit.bytes).unwrap();
    let welcome = commit.welcome.unwrap();
    let mut members = vec![founder];
    members.extend(
        newcomers
            .into_iter()
            .map(|newcomer| newcomer.join(&welcome)),
    );
    agree(&members);
    members
}

/// Everybody folds the same entry, its author included.
pub(crate) fn everybody_folds(members: &mut [Member], bytes: &[u8]) {
    for member in members {
        member.fold(bytes).unwrap();
    }
}

/// All are in the same epoch of the same history, with the same members.
pub(crate) fn agree(members: &[Member]) {
    for member in members {
        assert_eq!(member.group.epoch(), members[0].group.epoch());
        assert_eq!(
            member.group.authenticator(),
            members[0].group.authenticator()
        );
        assert_eq!(member.group.members(), members[0].group.members());
        assert_eq!(member.group.floor(), members[0].group.floor());
    }
}
