//! The coalition as this node holds it in memory: folded state and MLS rows, as on disk.

use crate::store::{
    Result, StoreError, Write,
    coalition::{self as table, CoalitionRow, Phase},
    sealed::RestKey,
};
use protocol::{
    envelope::{Envelope, EnvelopeError, VERSION},
    id::NodeId,
    identity::IdentityDocument,
    mls::{Group, Overlay, Rows, STORAGE_FORMAT},
    state::State,
    version::Versions,
};
use sqlx::AnyConnection;

/// Folded state and MLS rows of one coalition; equal to what the database holds.
pub struct Coalition {
    /// The row about it.
    pub row: CoalitionRow,
    /// What the log says.
    pub state: State,
    /// The present MLS group; none while joining.
    group_id: Option<[u8; 16]>,
    mls: Rows,
    version: i64,
}

impl std::fmt::Debug for Coalition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Coalition({})", self.row.id)
    }
}

impl Coalition {
    /// Reads an entry of this log, in a version that all members speak.
    ///
    /// # Errors
    /// [`EnvelopeError`], for all readers alike.
    pub fn envelope(&self, sealed: &[u8]) -> std::result::Result<Envelope, EnvelopeError> {
        let spoken = self.state.meta().versions;
        Envelope::read(sealed, self.row.id, self.row.lineage, spoken)
    }

    /// The version in which entries are sealed now: the newest that all members speak; before the
    /// first entry, that its author speaks.
    #[must_use]
    pub fn speaks(&self, own: &IdentityDocument) -> u8 {
        let spoken = self.state.meta().versions;
        let spoken = spoken.unwrap_or_else(|| Versions::of(own));
        u8::try_from(spoken.newest()).unwrap_or(VERSION)
    }

    /// Reads it from the database.
    ///
    /// # Errors
    /// [`StoreError`] when something stored cannot be read.
    pub async fn load(db: &mut AnyConnection, rest: &RestKey) -> Result<Option<Self>> {
        let Some(row) = table::find(&mut *db).await? else {
            return Ok(None);
        };
        let mls = open_rows(rest, table::mls_rows(&mut *db).await?)?;
        let group = table::mls_group(&mut *db).await?;
        if let Some(group) = &group
            && group.storage_format != STORAGE_FORMAT
        {
            return Err(StoreError::damaged(
                "mls_group",
                "written by another version; join the coalition again",
            ));
        }
        let mut state = table::state(db).await?;
        if state.meta.is_empty() {
            state = State::start(row.id, row.lineage);
        }
        let (group_id, version) = match group {
            Some(group) => (Some(group.group_id), group.version),
            None => (None, 0),
        };
        Ok(Some(Self {
            row,
            state,
            group_id,
            mls,
            version,
        }))
    }

    /// What a founder or newcomer begins with.
    #[must_use]
    pub fn new(row: CoalitionRow) -> Self {
        let state = State::start(row.id, row.lineage);
        Self {
            row,
            state,
            group_id: None,
            mls: Rows::new(),
            version: 0,
        }
    }

    /// Whether a node keeps the log: by the agreement in force, or as the founder before the first
    /// entry.
    #[must_use]
    pub fn is_kept_by(&self, node: NodeId) -> bool {
        match self.state.roster().next() {
            None => self.row.keeper == node && self.row.phase != Phase::Joining,
            Some(_) => self.state.active(node).is_some_and(|member| member.keeper),
        }
    }

    /// Whether this node reads the log: also before it may speak again, as a copy of an earlier day.
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(self.row.phase, Phase::Active | Phase::Restored) && self.group_id.is_some()
    }

    /// Whether this node folds and speaks.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.row.phase == Phase::Active && self.group_id.is_some()
    }

    /// An overlay over the stored rows, for one unit of work.
    #[must_use]
    pub fn overlay(&self) -> Overlay {
        Overlay::from_rows(self.mls.clone())
    }

    /// The group over a fresh overlay. Dropping it forgets what was done with it.
    ///
    /// # Errors
    /// [`StoreError`] when the rows hold no group.
    pub fn group(&self) -> Result<Group> {
        let damaged = |detail: String| StoreError::damaged("mls_state", detail);
        let id = self
            .group_id
            .ok_or_else(|| damaged("there is no group yet".to_owned()))?;
        Group::load(self.overlay(), id)
            .map_err(|error| damaged(error.to_string()))?
            .ok_or_else(|| damaged("the group's rows are gone".to_owned()))
    }

    /// Writes what happened to the group, in the caller's transaction.
    ///
    /// Call [`Coalition::settle`] once that transaction is committed.
    ///
    /// # Errors
    /// [`StoreError`], also when another process wrote meanwhile.
    pub async fn write_group(&self, tx: &mut Write, rest: &RestKey, group: &Group) -> Result<()> {
        if !table::bump_mls_version(&mut *tx, self.version).await? {
            return Err(StoreError::damaged(
                "mls_group",
                "another process wrote to it",
            ));
        }
        self.write_rows(tx, rest, &group.changes()).await
    }

    /// Begins to store a group that was founded or joined.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_group(&self, tx: &mut Write, rest: &RestKey, group: &Group) -> Result<()> {
        table::put_mls_group(&mut *tx, group.id(), STORAGE_FORMAT).await?;
        self.write_rows(tx, rest, &group.changes()).await
    }

    /// Writes rows that belong to no group yet, such as a key package.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_rows(
        &self,
        tx: &mut Write,
        rest: &RestKey,
        changes: &protocol::mls::Changes,
    ) -> Result<()> {
        for (k, v) in changes {
            let sealed = v.as_ref().map(|v| seal_row(rest, k, v));
            table::put_mls_row(&mut *tx, k, sealed.as_deref()).await?;
        }
        Ok(())
    }

    /// Takes over what was committed.
    pub fn settle(&mut self, group: &Group) {
        self.settle_rows(group.changes());
        self.group_id = Some(group.id());
        self.version += 1;
    }

    /// Takes over rows that were committed.
    pub fn settle_rows(&mut self, changes: protocol::mls::Changes) {
        for (k, v) in changes {
            match v {
                Some(v) => self.mls.insert(k, v),
                None => self.mls.remove(&k),
            };
        }
    }
}

/// Seals an MLS row for the database.
#[must_use]
pub fn seal_row(rest: &RestKey, k: &[u8], v: &[u8]) -> Vec<u8> {
    rest.seal(&place(k), v, &mut crate::ambient::rng())
}

/// Opens sealed MLS rows.
///
/// # Errors
/// [`StoreError`] when one does not open.
pub fn open_rows(
    rest: &RestKey,
    sealed: std::collections::BTreeMap<Vec<u8>, Vec<u8>>,
) -> Result<Rows> {
    let open = |(k, v): (Vec<u8>, Vec<u8>)| {
        let v = rest
            .open(&place(&k), &v)
            .map_err(|error| StoreError::damaged("mls_state", error))?;
        Ok((k, v))
    };
    sealed.into_iter().map(open).collect()
}

/// What a sealed MLS row is bound to.
fn place(k: &[u8]) -> String {
    format!("mls_state/{}", protocol::id::to_base32(k))
}
