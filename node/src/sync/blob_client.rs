//! Blobs to keepers and from them: uploaded to a majority, fetched from whoever has them.

use super::{
    exchange::Content,
    keeper_client::{Keeper, KeeperError},
    keepers::Purpose,
};
use crate::app::App;
use bytes::Bytes;
use http::Method;
use protocol::{
    blob::{BlobId, Manifest},
    codec,
};

/// Where the chunks of an upload come from.
#[derive(Debug, Clone, Copy)]
pub enum Chunks<'a> {
    /// The whole ciphertext.
    InMemory(&'a [u8]),
    /// What this node keeps until the keeper has it.
    Kept,
}

impl Chunks<'_> {
    async fn get(self, app: &App, manifest: &Manifest, n: u64) -> Option<Vec<u8>> {
        match self {
            Self::InMemory(bytes) => bytes
                .chunks(crate::federation::CHUNK)
                .nth(usize::try_from(n).ok()?)
                .map(<[u8]>::to_vec),
            Self::Kept => {
                let mut db = app.store.read("reading a chunk").await.ok()?;
                crate::store::blob::chunk(&mut db, manifest.id(), n)
                    .await
                    .ok()?
            }
        }
    }
}

impl Keeper {
    /// Uploads a blob to a majority of the keepers, resuming where an earlier upload stopped. A keeper
    /// that is this node has it in its own database.
    ///
    /// # Errors
    /// [`KeeperError`] of the last keeper that did not take it.
    pub async fn upload(
        &self,
        app: &App,
        manifest: &Manifest,
        chunks: Chunks<'_>,
    ) -> Result<(), KeeperError> {
        let mut copies = 0;
        let mut refused = None;
        for seat in app.keepers.order(&self.seats, Purpose::Order, app.now()) {
            if seat.url.is_none() {
                copies += 1;
                continue;
            }
            let one = Self {
                seats: vec![seat],
                ..self.clone()
            };
            match one.upload_to_one(app, manifest, chunks).await {
                Ok(()) => copies += 1,
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if copies * 2 <= self.seats.len() => Err(error),
            _ => Ok(()),
        }
    }

    async fn upload_to_one(
        &self,
        app: &App,
        manifest: &Manifest,
        chunks: Chunks<'_>,
    ) -> Result<(), KeeperError> {
        let answer = self
            .call(
                app,
                Method::POST,
                "blobs",
                "",
                Content::Cbor(codec::encode(manifest)),
            )
            .await?;
        let missing: crate::federation::blob::Missing = self.read(answer)?;
        for n in missing.chunks {
            let bytes = chunks.get(app, manifest, n).await.ok_or_else(|| {
                KeeperError::Unreadable("it asks for a chunk that is not there".to_owned())
            })?;
            let path = format!("blobs/{}/{n}", manifest.id());
            self.call(app, Method::PUT, &path, "", Content::Chunk(&bytes))
                .await?;
        }
        Ok(())
    }

    /// What a blob is made of.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn manifest(&self, app: &App, blob: BlobId) -> Result<Manifest, KeeperError> {
        let path = format!("blobs/{blob}");
        let answer = self
            .call(app, Method::GET, &path, "", Content::None)
            .await?;
        let manifest: Manifest = self.read(answer)?;
        if manifest.id() == blob {
            Ok(manifest)
        } else {
            Err(KeeperError::Unreadable(
                "it is another blob than was asked for".to_owned(),
            ))
        }
    }

    /// One chunk of a blob, still to be checked against the manifest.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn chunk(&self, app: &App, blob: BlobId, n: u64) -> Result<Bytes, KeeperError> {
        let path = format!("blobs/{blob}/{n}");
        self.call(app, Method::GET, &path, "", Content::AskForChunk)
            .await
    }

    /// Fetches a blob whole, each chunk checked against the blob's id.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn download(
        &self,
        app: &App,
        blob: BlobId,
        max_bytes: u64,
    ) -> Result<Vec<u8>, KeeperError> {
        let manifest = self.manifest(app, blob).await?;
        if manifest.size() > max_bytes {
            return Err(KeeperError::TooLong);
        }
        let mut bytes = Vec::new();
        for n in 0..manifest.chunks().len() as u64 {
            let chunk = self.chunk(app, blob, n).await?;
            manifest
                .verify_chunk(n, &chunk)
                .map_err(|error| KeeperError::Unreadable(error.to_string()))?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}
