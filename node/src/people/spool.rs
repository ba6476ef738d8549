//! The upload on its way to disk: a file without a name, gone when the import is over or the node dies.

use crate::import::limits::FILE_BYTES;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use protocol::id::Hash;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Seek},
    path::Path,
};
use tokio::io::AsyncWriteExt;

/// A whole upload.
#[derive(Debug)]
pub struct Spooled {
    file: File,
    /// SHA-256 of its bytes.
    pub hash: Hash,
    /// How many bytes.
    pub bytes: u64,
}

/// Why an upload did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Beyond the limit of any import.
    #[error("the file is larger than {} GiB; split it and import the parts", FILE_BYTES >> 30)]
    TooLarge,
    /// The sender went away.
    #[error("the upload ended before the file did; send it again")]
    CutOff,
    /// The disk.
    #[error("the upload cannot be kept for reading: {0}")]
    Disk(#[from] io::Error),
}

impl Spooled {
    /// Takes an upload; `directory` is where the nameless file lies.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn receive<E>(
        directory: &Path,
        upload: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Self, SpoolError> {
        let mut out = tokio::fs::File::from_std(tempfile::tempfile_in(directory)?);
        let mut hasher = Sha256::new();
        let mut bytes: u64 = 0;
        let mut upload = std::pin::pin!(upload);
        while let Some(piece) = upload.next().await {
            let piece = piece.map_err(|_| SpoolError::CutOff)?;
            bytes += piece.len() as u64;
            if bytes > FILE_BYTES {
                return Err(SpoolError::TooLarge);
            }
            hasher.update(&piece);
            out.write_all(&piece).await?;
        }
        out.flush().await?;
        Ok(Self {
            file: out.into_std().await,
            hash: Hash(hasher.finalize().into()),
            bytes,
        })
    }

    /// The file from its beginning. One reader at a time: all share one place in the file.
    ///
    /// # Errors
    /// What the system says.
    pub fn reader(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}
