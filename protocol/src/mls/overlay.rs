//! A group's stored state as a map in memory, and what has changed in it.
//!
//! openmls writes a dozen values for one commit and knows no transactions. So it never sees the
//! database: the node reads the rows of one coalition into an overlay, folds entries, and writes
//! [`Overlay::changes`] in the same transaction as everything else that these entries meant. After
//! any error it drops the overlay: memory is then ahead of the disk. See
//! `spec/decisions/0001-mls-overlay.md`.

use openmls_memory_storage::MemoryStorage;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::OpenMlsProvider;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard},
};
use zeroize::Zeroize;

/// Which library and codec wrote a row. A node refuses rows that carry another one and rejoins:
/// stored formats have changed between releases of openmls.
pub const STORAGE_FORMAT: &str = "openmls 0.9.2, openmls_memory_storage 0.6.0, json";

/// The rows of one coalition: key to value, both opaque and the values secret.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Key to new value, or to none where the row is to be deleted.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The rows of one coalition in memory, in the form that openmls reads and writes.
#[derive(Default)]
pub struct Overlay {
    crypto: RustCrypto,
    storage: MemoryStorage,
    committed: Rows,
}

type Values = std::collections::HashMap<Vec<u8>, Vec<u8>>;

impl Overlay {
    /// An overlay over what the database holds.
    #[must_use]
    pub fn from_rows(rows: Rows) -> Self {
        let mut overlay = Self::default();
        overlay.values_mut().extend(rows.clone());
        overlay.committed = rows;
        overlay
    }

    /// What to write and delete so that the database holds what this overlay holds.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let values = self.values();
        let written = values
            .iter()
            .filter(|(key, value)| self.committed.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), Some(value.clone())));
        let deleted = self
            .committed
            .keys()
            .filter(|key| !values.contains_key(*key))
            .map(|key| (key.clone(), None));
        written.chain(deleted).collect()
    }

    /// Takes note that the changes were committed: the next ones count from here.
    pub fn settle(&mut self) {
        let rows = self
            .values()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        wipe(&mut self.committed);
        self.committed = rows;
    }

    /// Reads a row that is ours and not the library's.
    pub(super) fn row(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.values().get(key).cloned()
    }

    /// Writes a row that is ours and not the library's.
    pub(super) fn write_row(&self, key: Vec<u8>, value: Vec<u8>) {
        self.values_mut().insert(key, value);
    }

    // A poisoned lock would mean a panic inside the library; the map itself is whole at all times.
    fn values(&self) -> RwLockReadGuard<'_, Values> {
        self.storage
            .values
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn values_mut(&self) -> RwLockWriteGuard<'_, Values> {
        self.storage
            .values
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn wipe(rows: &mut Rows) {
    rows.values_mut().for_each(Zeroize::zeroize);
}

impl Drop for Overlay {
    fn drop(&mut self) {
        self.values_mut().values_mut().for_each(Zeroize::zeroize);
        wipe(&mut self.committed);
    }
}

impl fmt::Debug for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Overlay({} rows)", self.values().len())
    }
}

impl OpenMlsProvider for Overlay {
    type CryptoProvider = RustCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &RustCrypto {
        &self.crypto
    }
}
