//! A table of the folded state that remembers which of its rows were touched.

use crate::codec;
use minicbor::{Decode, Encode, bytes::ByteVec};
use std::collections::{BTreeMap, BTreeSet};

/// A changed row: its key, and its value or nothing where it was removed.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// Ordered rows; [`Table::take_changes`] says which differ from what was stored last.
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    rows: BTreeMap<K, V>,
    touched: BTreeSet<K>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }
}

impl<K: Ord, V: PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl<K, V> Table<K, V>
where
    K: Ord + Clone + Encode<()> + for<'b> Decode<'b, ()>,
    V: Encode<()> + for<'b> Decode<'b, ()>,
{
    /// The row under a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// The row under a key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let row = self.rows.get_mut(key)?;
        self.touched.insert(key.clone());
        Some(row)
    }

    /// Whether there is a row under a key.
    #[must_use]
    pub fn has(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    /// Writes a row.
    pub fn put(&mut self, key: K, value: V) {
        self.touched.insert(key.clone());
        self.rows.insert(key, value);
    }

    /// Removes a row.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let row = self.rows.remove(key)?;
        self.touched.insert(key.clone());
        Some(row)
    }

    /// All rows in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    /// The rows whose keys lie in a range, in order.
    pub fn range(&self, range: impl std::ops::RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> {
        self.rows.range(range)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows touched since the last call, encoded.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.touched)
            .into_iter()
            .map(|key| (codec::encode(&key), self.rows.get(&key).map(codec::encode)))
            .collect()
    }

    /// Puts a stored row back; it does not count as touched.
    ///
    /// # Errors
    /// When the bytes are no row of this table: the database was changed by something else.
    pub fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), minicbor::decode::Error> {
        self.rows
            .insert(minicbor::decode(key)?, minicbor::decode(value)?);
        Ok(())
    }

    /// Every row encoded, in order: a part of the state's canonical bytes.
    pub(super) fn encoded(&self) -> Vec<(ByteVec, ByteVec)> {
        self.rows
            .iter()
            .map(|(key, value)| (codec::encode(key).into(), codec::encode(value).into()))
            .collect()
    }
}
