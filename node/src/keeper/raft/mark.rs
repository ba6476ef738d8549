//! A small file beside the database that shows when the database went back in time.
//!
//! A keeper that was restored from a backup has forgotten votes and entries that others count on; it
//! must never vote again under its old id. Backups hold the database and not this file. It names the
//! id, the term of the last vote and the end of the Raft log, and is written after each commit: the
//! database may be ahead of it, never behind. It is not flushed to disk on its own: a power cut can
//! only leave it older, which is harmless.

use std::{
    fs::File,
    io::Read,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::Mutex,
};

/// Bytes of the file: three numbers in decimal, filled up with spaces.
const BYTES: usize = 64;

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reached {
    /// The id under which the node takes part.
    pub(super) id: u64,
    /// The term of the last vote.
    pub(super) term: u64,
    /// One more than the index of the last entry; 0 for an empty log.
    pub(super) length: u64,
}

impl Reached {
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self {
            id: next()?,
            term: next()?,
            length: next()?,
        })
    }

    fn bytes(self) -> Vec<u8> {
        let text = format!("{} {} {}", self.id, self.term, self.length);
        format!("{text:<width$}\n", width = BYTES - 1).into_bytes()
    }

    /// Whether a database that says this is older than what the file saw of it.
    pub(super) fn is_behind(self, file: Self) -> bool {
        self.id != file.id || self.term < file.term || self.length < file.length
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct Mark {
    file: File,
    reached: Mutex<Reached>,
}

impl Mark {
    /// What the file at a path says; none where there is no such file, or it cannot be read.
    pub(super) fn find(path: &Path) -> Option<Reached> {
        let mut bytes = Vec::new();
        let file = File::open(path).ok()?;
        file.take(BYTES as u64).read_to_end(&mut bytes).ok()?;
        Reached::read(&bytes)
    }

    /// Opens the file and writes what the database says.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn open(path: &Path, reached: Reached) -> std::io::Result<Self> {
        let mut options = File::options();
        options.create(true).truncate(false).write(true).mode(0o600);
        let mark = Self {
            file: options.open(path)?,
            reached: Mutex::new(reached),
        };
        mark.file.write_all_at(&reached.bytes(), 0)?;
        mark.file.sync_all()?;
        Ok(mark)
    }

    /// The log ends with this index now.
    pub(super) fn reached(&self, index: u64) {
        self.change(|reached| reached.length = index + 1);
    }

    /// The log will end before this index.
    pub(super) fn cut(&self, index: u64) {
        self.change(|reached| reached.length = reached.length.min(index));
    }

    /// The last vote is of this term now.
    pub(super) fn voted(&self, term: u64) {
        self.change(|reached| reached.term = term);
    }

    fn change(&self, change: impl FnOnce(&mut Reached)) {
        let Ok(mut reached) = self.reached.lock() else {
            return;
        };
        change(&mut reached);
        if let Err(error) = self.file.write_all_at(&reached.bytes(), 0) {
            // An older mark hides a restored backup, and refuses nothing by mistake.
            tracing::error!(%error, "the keeper's mark beside the database cannot be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Reached = Reached {
        id: 7,
        term: 3,
        length: 40,
    };

    #[test]
    fn a_database_that_lost_a_vote_an_entry_or_its_id_is_behind_and_one_that_is_ahead_is_not() {
        for older in [
            Reached { term: 2, ..SEEN },
            Reached { length: 39, ..SEEN },
            Reached { id: 8, ..SEEN },
            Reached {
                term: 2,
                length: 50,
                ..SEEN
            },
        ] {
            assert!(older.is_behind(SEEN), "{older:?}");
        }
        for same_or_newer in [
            SEEN,
            Reached { length: 41, ..SEEN },
            Reached { term: 4, ..SEEN },
        ] {
            assert!(!same_or_newer.is_behind(SEEN), "{same_or_newer:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_shorter_numbers_leave_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keeper.mark");
        assert_eq!(Mark::find(&path), None);
        let mark = Mark::open(&path, SEEN).unwrap();
        mark.reached(1_000_000);
        mark.voted(u64::MAX);
        mark.cut(5);
        let expected = Reached {
            id: 7,
            term: u64::MAX,
            length: 5,
        };
        assert_eq!(Mark::find(&path), Some(expected));
        std::fs::write(&path, "nonsense").unwrap();
        assert_eq!(Mark::find(&path), None);
    }
}
