//! What happens to a node's files: copies, restored copies, and a torn end after a power cut.

use super::{BOOT, World};
use anyhow::Result;
use commonturf::backup;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files of a database beside it.
const BESIDE: [&str; 2] = ["node.db-wal", "node.db-shm"];

fn without(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

impl World {
    fn backup(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("backup-{node}"))
    }

    fn database(&self, node: usize) -> PathBuf {
        self.sites[node].dir.0.join("node.db")
    }

    /// Copies a node's database.
    ///
    /// # Errors
    /// When the files fail.
    pub async fn back_up(&mut self, node: usize) -> Result<()> {
        if self.sites[node].lost {
            return Ok(());
        }
        self.stop(node).await;
        fs::copy(self.database(node), self.backup(node))?;
        self.start(node).await?;
        self.pass(BOOT);
        Ok(())
    }

    /// Puts the copy in the place of a node's database, if there is one, and marks it as one or not.
    ///
    /// # Errors
    /// When the files fail.
    pub async fn restore(&mut self, node: usize, marked: bool) -> Result<bool> {
        if !self.backup(node).exists() || self.sites[node].lost {
            return Ok(false);
        }
        self.stop(node).await;
        for file in BESIDE {
            // Gone already where the database was closed as it should be.
            without(&self.sites[node].dir.0.join(file))?;
        }
        fs::copy(self.backup(node), self.database(node))?;
        if marked {
            let _still = self.hold();
            backup::mark_in_place(&self.sites[node].dir, self.time()).await?;
        }
        self.start(node).await?;
        self.pass(BOOT);
        Ok(true)
    }

    /// Starts a node that is dead on its files as they are at this moment, less some bytes at the end of the
    /// database's own log.
    ///
    /// # Errors
    /// When the files fail, or the node does not start.
    pub async fn start_torn(&mut self, node: usize, bytes: u32) -> Result<()> {
        let (database, wal) = (self.database(node), self.sites[node].dir.0.join(BESIDE[0]));
        // As they lie there while nobody has closed them: closing would tidy up.
        let image = (fs::read(&database)?, fs::read(&wal).unwrap_or_default());
        let length = image.1.len().saturating_sub(bytes as usize);
        self.stop(node).await;
        for file in BESIDE {
            without(&self.sites[node].dir.0.join(file))?;
        }
        fs::write(&database, &image.0)?;
        if length > 0 {
            fs::write(&wal, &image.1[..length])?;
        }
        self.start(node).await?;
        self.pass(BOOT);
        Ok(())
    }
}
