//! `/agreement`: show, propose, sign.

use super::{
    Said, said,
    status::{AgreementStatus, version},
};
use crate::{
    app::App,
    coalition::{self as work, parties::Stated},
    disclosure::{self, Readers},
    http::{extract::Body, problem::Failure},
};
use axum::{Json, extract::State};
use protocol::{
    agreement::Agreement,
    codec,
    id::{EntryId, Hash},
};
use serde::{Deserialize, Serialize};

/// The agreement in force and the drafts, with their terms.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// In force; none before the first.
    pub in_force: Option<Text>,
    /// Waiting for signatures.
    pub drafts: Vec<Text>,
    /// What the next version would state of the present members unless facts are changed.
    pub present: Vec<Stated>,
}

/// A version with its terms.
#[derive(Debug, Serialize)]
pub struct Text {
    /// Version, hash, signatures.
    #[serde(flatten)]
    pub status: AgreementStatus,
    /// The terms, to the letter.
    pub terms: String,
    /// What it states of each member.
    pub parties: Vec<Stated>,
    /// Who may read whose plans, claims and contact reports; none where the rules cannot be used.
    pub readers: Option<Vec<Readers>>,
    /// Why there are no readers.
    pub readers_missing: Option<String>,
}

/// Shows the agreement in force and the drafts.
pub async fn show(State(app): State<App>) -> Result<Json<Shown>, Failure> {
    let (in_force, drafts, present) = {
        let coalition = work::active(&app).await?;
        let state = &coalition.state;
        let read = |hash: Hash| {
            let agreement: Agreement = codec::decode(&state.agreements.get(&hash)?.bytes).ok()?;
            Some((version(state, hash)?, agreement))
        };
        let open = state.agreements.iter();
        let open = open.filter(|(_, row)| row.active_from.is_none());
        let drafts: Vec<_> = open.filter_map(|(hash, _)| read(*hash)).collect();
        let present = work::agreement::present(state);
        (state.meta().agreement.and_then(read), drafts, present)
    };
    let mut shown = Shown {
        in_force: None,
        drafts: Vec::new(),
        present: present.iter().map(Stated::of).collect(),
    };
    if let Some((status, agreement)) = in_force {
        shown.in_force = Some(text(&app, status, agreement).await);
    }
    for (status, agreement) in drafts {
        shown.drafts.push(text(&app, status, agreement).await);
    }
    Ok(Json(shown))
}

async fn text(app: &App, status: AgreementStatus, agreement: Agreement) -> Text {
    let (readers, readers_missing) = match disclosure::readers(app, status.hash, &agreement).await {
        Ok(readers) => (Some(readers), None),
        Err(refusal) => (None, Some(refusal.0.detail)),
    };
    Text {
        status,
        parties: agreement.parties.iter().map(Stated::of).collect(),
        readers,
        readers_missing,
        terms: agreement.terms,
    }
}

/// What to propose; what is absent stays as it is, for the present members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// The terms, a TOML text.
    terms: Option<String>,
    /// Facts of members that change, a TOML text.
    parties: Option<String>,
    /// Who keeps the log: 1, 3 or 5 members.
    keepers: Option<Vec<String>>,
    /// Check it and say nothing to anybody.
    #[serde(default)]
    dry_run: bool,
}

/// What was proposed, or would be.
#[derive(Debug, Serialize)]
pub struct Proposed {
    /// The draft; none when nothing was proposed.
    #[serde(flatten)]
    pub draft: Option<Draft>,
    /// Whether nothing was proposed.
    pub dry_run: bool,
    /// What it states of each member.
    pub parties: Vec<Stated>,
    /// Who may read whose plans, claims and contact reports under it.
    pub readers: Vec<Readers>,
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
) -> Result<Json<Proposed>, Failure> {
    let wanted = work::agreement::Wanted {
        terms: propose.terms.as_deref(),
        parties: propose.parties.as_deref(),
        keepers: propose.keepers.as_deref(),
    };
    let agreement = work::agreement::draft(&app, wanted).await?;
    let readers = disclosure::readers(&app, agreement.hash(), &agreement).await?;
    let draft = if propose.dry_run {
        None
    } else {
        let (hash, entry) = work::agreement::put_forward(&app, &agreement).await?;
        Some(draft(&app, hash, entry).await?)
    };
    Ok(Json(Proposed {
        draft,
        dry_run: propose.dry_run,
        parties: agreement.parties.iter().map(Stated::of).collect(),
        readers,
    }))
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
    Ok(Json(draft(&app, hash, entry).await?))
}

async fn draft(app: &App, hash: Hash, entry: EntryId) -> Result<Draft, Failure> {
    let said = said(app, entry).await?;
    let in_force = work::active(app).await?.state.meta().agreement == Some(hash);
    Ok(Draft {
        hash,
        said,
        in_force,
    })
}
