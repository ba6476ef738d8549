//! `/agreement`: show, propose, sign.

use super::{
    Said, said,
    status::{AgreementStatus, version},
};
use crate::{
    app::App,
    coalition as work,
    http::{extract::Body, problem::Failure},
};
use axum::{Json, extract::State};
use protocol::{agreement::Agreement, codec, id::Hash};
use serde::{Deserialize, Serialize};

/// The agreement in force and the drafts, with their terms.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// In force; none before the first.
    pub in_force: Option<Text>,
    /// Waiting for signatures.
    pub drafts: Vec<Text>,
}

/// A version with its terms.
#[derive(Debug, Serialize)]
pub struct Text {
    /// Version, hash, signatures.
    #[serde(flatten)]
    pub status: AgreementStatus,
    /// The terms, to the letter.
    pub terms: String,
}

/// Shows the agreement in force and the drafts.
pub async fn show(State(app): State<App>) -> Result<Json<Shown>, Failure> {
    let coalition = work::active(&app).await?;
    let state = &coalition.state;
    let text = |hash: Hash| {
        let agreement: Agreement = codec::decode(&state.agreements.get(&hash)?.bytes).ok()?;
        Some(Text {
            status: version(state, hash)?,
            terms: agreement.terms,
        })
    };
    let open = state
        .agreements
        .iter()
        .filter(|(_, row)| row.active_from.is_none());
    Ok(Json(Shown {
        in_force: state.meta().agreement.and_then(text),
        drafts: open.filter_map(|(hash, _)| text(*hash)).collect(),
    }))
}

/// Terms to propose; absent: the present ones, for the present members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    terms: Option<String>,
}

/// A draft that was proposed or signed.
#[derive(Debug, Serialize)]
pub struct Draft {
    /// Its hash.
    pub hash: Hash,
    /// What became of the signature.
    #[serde(flatten)]
    pub said: Said,
    /// Whether it is in force now.
    pub in_force: bool,
}

/// Proposes a version, with this organization's signature under it.
pub async fn propose(
    State(app): State<App>,
    Body(propose): Body<Propose>,
) -> Result<Json<Draft>, Failure> {
    let (hash, entry) = work::agreement::propose(&app, propose.terms.as_deref()).await?;
    draft(&app, hash, entry).await
}

/// A draft to sign; absent: the only one that waits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    draft: Option<String>,
}

/// Signs a draft.
pub async fn sign(State(app): State<App>, Body(sign): Body<Sign>) -> Result<Json<Draft>, Failure> {
    let (hash, entry) = work::agreement::sign(&app, sign.draft.as_deref()).await?;
    draft(&app, hash, entry).await
}

async fn draft(
    app: &App,
    hash: Hash,
    entry: protocol::id::EntryId,
) -> Result<Json<Draft>, Failure> {
    let said = said(app, entry).await?;
    let in_force = work::active(app).await?.state.meta().agreement == Some(hash);
    Ok(Json(Draft {
        hash,
        said,
        in_force,
    }))
}
