//! `/revocations`, `/receipts`, `/exceptions`, `/disputes`, `/retentions`, and who holds a person.

use super::{
    Said, said,
    shares::{Items, end_of, word},
};
use crate::{
    app::App,
    http::{extract::Body, problem::Failure},
    shares::{
        dispute::{self, Open},
        except, holders, notice, plan,
        recall::{self, Checked, Recall, What},
        rectify::{self, Rectification},
        view::{self, Holder, Receipt},
    },
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State},
    routing::{get, post},
};
use policy::FieldClass;
use protocol::{
    entry::{recall::ExceptionKind, share::RevokeKind},
    id::EntryId,
};
use serde::{Deserialize, Serialize};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/revocations", post(revoke).layer(large()))
        .route("/revocations/check", post(check).layer(large()))
        .route("/receipts", get(receipts))
        .route("/exceptions", post(exception))
        .route("/disputes", get(disputes))
        .route("/disputes/settled", post(settle))
        .route("/retentions", post(retain))
        .route("/people/{person}/holders", get(person_holders))
}

/// The most bytes of a list of people.
const PEOPLE_BYTES: usize = 8 * 1024 * 1024;

fn large() -> DefaultBodyLimit {
    DefaultBodyLimit::max(PEOPLE_BYTES)
}

/// People to look up.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    people: Vec<String>,
}

/// Tells whom a list of people means; changes nothing.
pub async fn check(
    State(app): State<App>,
    Body(lookup): Body<Lookup>,
) -> Result<Json<Checked>, Failure> {
    Ok(Json(recall::check(&app, &lookup.people).await?))
}

/// What to take back, rest or correct: a person, everywhere or in one share, many people, or a whole share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    person: Option<String>,
    /// Many people in the place of one.
    people: Option<Vec<String>>,
    /// Whose record holds the right fields of a rectification.
    with: Option<String>,
    share: Option<String>,
    #[serde(default)]
    all: bool,
    kind: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

/// Takes back, lets rest or corrects.
pub async fn revoke(
    State(app): State<App>,
    Body(revoke): Body<Revoke>,
) -> Result<Json<Recall>, Failure> {
    let share = revoke
        .share
        .as_deref()
        .map(|share| word::<EntryId>("share", share))
        .transpose()?;
    let kind = || notice::person_kind(revoke.kind.as_deref().unwrap_or(notice::KINDS[0]));
    let with_nothing = revoke.with.is_none();
    let what = match (revoke.person, revoke.people, share, revoke.all) {
        (Some(person), None, share, false) => {
            let kind = kind()?;
            if kind == RevokeKind::Rectification {
                let what = Rectification {
                    person,
                    share,
                    with: revoke.with,
                };
                let recall = rectify::rectify(&app, &what, revoke.dry_run).await?;
                return Ok(Json(recall));
            }
            What::Person {
                person,
                share,
                kind,
            }
        }
        (None, Some(people), None, false) => {
            let kind = kind()?;
            if kind == RevokeKind::Rectification {
                return Err(Failure::input(
                    "people are corrected one by one: name a person",
                ));
            }
            What::People { people, kind }
        }
        (None, None, Some(share), true) if revoke.kind.is_none() => What::Share(share),
        _ => {
            return Err(Failure::input(
                "name a person or people (with a kind if it is no withdrawal), or a share and `all` for everybody in it",
            ));
        }
    };
    if !with_nothing {
        return Err(Failure::input(
            "with: only a rectification takes fields of another record",
        ));
    }
    Ok(Json(recall::revoke(&app, &what, revoke.dry_run).await?))
}

/// Which receipts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    #[serde(default)]
    overdue: bool,
}

/// Notices that this organization gave and the answers, with all members' open disputes.
#[derive(Debug, Serialize)]
pub struct Receipts {
    items: Vec<Receipt>,
    disputes: Vec<Open>,
}

/// Notices that this organization gave, and the answers.
pub async fn receipts(
    State(app): State<App>,
    Query(late): Query<Late>,
) -> Result<Json<Receipts>, Failure> {
    let items = view::receipts(&app, late.overdue).await?;
    let coalition = crate::coalition::active(&app).await?;
    let disputes = dispute::open(&app, &coalition.state);
    Ok(Json(Receipts { items, disputes }))
}

/// A notice whose receipt nobody waits for any more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    notice: String,
    kind: ExceptionKind,
    reason: String,
    approver: String,
}

/// Excepts a notice.
pub async fn exception(
    State(app): State<App>,
    Body(exception): Body<Exception>,
) -> Result<Json<Said>, Failure> {
    let notice = word::<EntryId>("notice", &exception.notice)?;
    let Exception {
        kind,
        reason,
        approver,
        ..
    } = &exception;
    let entry = except::except(&app, notice, *kind, reason, approver).await?;
    Ok(Json(said(&app, entry).await?))
}

/// Disputes that are not settled.
pub async fn disputes(State(app): State<App>) -> Result<Json<Items<Open>>, Failure> {
    let coalition = crate::coalition::active(&app).await?;
    let items = dispute::open(&app, &coalition.state);
    Ok(Json(Items::new(items)))
}

/// An own dispute.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    share: String,
    code: String,
}

/// Settles an own dispute.
pub async fn settle(
    State(app): State<App>,
    Body(settle): Body<Settle>,
) -> Result<Json<Said>, Failure> {
    let share = word::<EntryId>("share", &settle.share)?;
    let entry = dispute::settle(&app, share, &settle.code).await?;
    Ok(Json(said(&app, entry).await?))
}

/// What must be kept of a received share when its rows are taken back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retain {
    share: String,
    class: String,
    ground: String,
    /// The last day on which it is kept: `YYYY-MM-DD`.
    until: String,
}

/// What was noted.
#[derive(Debug, Serialize)]
pub struct Retained {
    share: EntryId,
    class: &'static str,
}

/// Notes what must be kept.
pub async fn retain(
    State(app): State<App>,
    Body(retain): Body<Retain>,
) -> Result<Json<Retained>, Failure> {
    let share = word::<EntryId>("share", &retain.share)?;
    let class = word::<FieldClass>("class", &retain.class)?;
    let until = end_of("until", &retain.until)?;
    except::retain(&app, share, class, &retain.ground, until).await?;
    Ok(Json(Retained {
        share,
        class: class.name(),
    }))
}

/// Who was given a person.
#[derive(Debug, Serialize)]
pub struct Holders {
    /// The person's local id.
    person: String,
    holders: Vec<Holder>,
}

/// Tells who was given a person.
pub async fn person_holders(
    State(app): State<App>,
    Path(reference): Path<String>,
) -> Result<Json<Holders>, Failure> {
    let person = plan::person(&app, &reference).await?;
    let holders = holders(&app, &person).await?;
    Ok(Json(Holders { person, holders }))
}
