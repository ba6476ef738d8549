//! A file that a command writes: whole or not at all, readable by its owner alone.

use super::client::CliError;
use clap::Args;
use std::{
    io::Write,
    path::{Path, PathBuf},
};

/// Where a command writes to, if it is told to.
#[derive(Debug, Args)]
pub struct MaybeOutFile {
    /// The file to write.
    #[arg(id = "out", long = "out", value_name = "FILE")]
    path: Option<PathBuf>,
    /// Write over a file that exists.
    #[arg(long, requires = "out")]
    force: bool,
}

impl MaybeOutFile {
    /// The file, where one is named.
    pub(super) fn file(&self) -> Option<OutFile> {
        self.path.clone().map(|path| OutFile {
            path,
            force: self.force,
        })
    }
}

/// Where a command writes to.
#[derive(Debug, Args)]
pub struct OutFile {
    /// The file to write.
    #[arg(id = "out", long = "out", value_name = "FILE")]
    path: PathBuf,
    /// Write over a file that exists.
    #[arg(long, requires = "out")]
    force: bool,
}

impl OutFile {
    /// Refuses a file that exists, before anything is asked of the node.
    pub(super) fn check(&self) -> Result<(), CliError> {
        if self.path.exists() && !self.force {
            return Err(CliError::Failed(format!(
                "{} exists; choose another name, or write over it with --force",
                self.path.display()
            )));
        }
        Ok(())
    }

    /// Writes the whole file under another name and then gives it its own.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), CliError> {
        let failed = |error: std::io::Error| CliError::file(&self.path, &error);
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        let written = if self.force {
            file.persist(&self.path)
        } else {
            file.persist_noclobber(&self.path)
        };
        written.map(drop).map_err(|error| failed(error.error))
    }

    /// The name as it was given.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(path: &Path, force: bool) -> OutFile {
        OutFile {
            path: path.to_owned(),
            force,
        }
    }

    #[test]
    fn a_file_that_exists_is_written_over_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("walk.csv");
        let file = out(&path, false);
        file.check().unwrap();
        file.write(b"first").unwrap();
        assert!(file.check().is_err());
        assert!(file.write(b"second").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        out(&path, true).write(b"third").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"third");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_but_the_owner_reads_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        out(&path, false).write(b"rows").unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = out(&folder.path().join("nowhere/rows.csv"), false);
        assert!(
            file.write(b"rows")
                .unwrap_err()
                .to_string()
                .contains("nowhere")
        );
    }
}
