//! Where nodes and files of a round lie.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// A folder for one round.
#[derive(Debug)]
pub(super) enum Place {
    /// Gone when dropped.
    Temporary(tempfile::TempDir),
    /// Stays.
    Kept(PathBuf),
}

impl Place {
    /// A temporary folder, or the one to keep, which must be empty.
    pub(super) fn new(keep: Option<&Path>) -> Result<Self> {
        let Some(dir) = keep else {
            let folder = tempfile::Builder::new()
                .prefix("commonturf-demo-")
                .tempdir()?;
            return Ok(Self::Temporary(folder));
        };
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let is_empty = fs::read_dir(dir)?.next().is_none();
        ensure!(
            is_empty,
            "{} is not empty; name another folder to keep",
            dir.display()
        );
        Ok(Self::Kept(fs::canonicalize(dir)?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }

    /// Whether it stays.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    /// Files that organizations exported from their systems.
    pub(super) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The nodes' directories.
    pub(super) fn nodes(&self) -> PathBuf {
        self.path().join("nodes")
    }

    /// Files that come out of nodes.
    pub(super) fn out(&self) -> PathBuf {
        self.path().join("out")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_something_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Place::new(Some(folder.path())).unwrap().is_kept());
        fs::write(folder.path().join("mine.txt"), "mine").unwrap();
        let error = Place::new(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
    }

    #[test]
    fn a_temporary_folder_goes_with_its_place() {
        let place = Place::new(None).unwrap();
        let path = place.path().to_owned();
        fs::create_dir_all(place.nodes()).unwrap();
        drop(place);
        assert!(!path.exists());
    }
}
