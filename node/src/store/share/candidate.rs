//! People of the lists with everything that decides whether they may be shared.

use super::super::{
    Result,
    people::{self, Member},
    person_suppression::Cause,
};
use protocol::{channel::Channel, entry::payload::Channels, token::Token};
use sqlx::{AnyConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

/// People of one page.
pub const PAGE: i64 = people::PAGE_PEOPLE;

/// A person, with what stands against sharing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The person, contact points and consents.
    pub member: Member,
    /// Channels on which the organization itself has noted a wish not to be contacted.
    pub suppressed: Channels,
    /// Ids of contact points that do not reach the person.
    pub unusable: BTreeSet<String>,
    /// When the person last took back what was shared.
    pub recalled_at: Option<i64>,
}

impl Candidate {
    /// The person's local id; it never leaves.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.member.person.person_id
    }

    /// Contact points and keys that reach the person.
    pub fn points(&self) -> impl Iterator<Item = &super::super::point::PersonPoint> {
        self.member
            .points
            .iter()
            .filter(|point| !point.bad && !self.unusable.contains(&point.point.point_id))
    }

    fn of(member: Member) -> Self {
        let mut candidate = Self {
            member,
            suppressed: Channels::default(),
            unusable: BTreeSet::new(),
            recalled_at: None,
        };
        let marks = candidate.member.suppressions.clone();
        for mark in marks.iter().filter(|mark| mark.withdrawn_at.is_none()) {
            candidate.mark(
                mark.cause.name(),
                mark.point_id.as_deref(),
                mark.channels,
                mark.deceased,
            );
        }
        candidate
    }

    /// A wish closes channels; a defect takes a contact point out.
    fn mark(&mut self, reason: &str, point: Option<&str>, channels: i64, deceased: bool) {
        if is_defect(reason) {
            self.unusable.extend(point.map(str::to_owned));
        } else {
            self.suppressed = self.suppressed.with(closed(channels, deceased));
        }
    }
}

fn is_defect(reason: &str) -> bool {
    [Cause::Defect.name(), Cause::Moved.name()].contains(&reason)
}

fn closed(channels: i64, deceased: bool) -> Channels {
    if deceased {
        Channels::EVERY
    } else {
        Channels(u8::try_from(channels).unwrap_or(u8::MAX))
    }
}

/// The next people of a list after a person (empty: from the first); an empty page is the end.
///
/// # Errors
/// [`super::StoreError`].
pub async fn page(db: &mut AnyConnection, list_id: &str, after: &str) -> Result<Vec<Candidate>> {
    let members = people::page(&mut *db, list_id, after, PAGE).await?;
    with_marks(db, members).await
}

/// One person.
///
/// # Errors
/// [`super::StoreError`].
pub async fn one(db: &mut AnyConnection, person_id: &str) -> Result<Option<Candidate>> {
    let member = people::member(&mut *db, person_id).await?;
    let mut found = with_marks(db, member.into_iter().collect()).await?;
    Ok(found.pop())
}

/// Adds what is noted of contact points for whoever has them, and who took something back.
async fn with_marks(db: &mut AnyConnection, members: Vec<Member>) -> Result<Vec<Candidate>> {
    let mut people: BTreeMap<String, Candidate> = members
        .into_iter()
        .map(|member| (member.person.person_id.clone(), Candidate::of(member)))
        .collect();
    let (Some(first), Some(last)) = (
        people.keys().next().cloned(),
        people.keys().next_back().cloned(),
    ) else {
        return Ok(Vec::new());
    };
    let of_points = "SELECT x.person_id, s.point_id, s.reason, s.channels, s.deceased FROM suppression s \
        JOIN person_point x ON x.point_id = s.point_id \
        WHERE s.person_id IS NULL AND s.withdrawn_at IS NULL AND x.person_id >= $1 AND x.person_id <= $2";
    let rows = sqlx::query(of_points)
        .bind(&first)
        .bind(&last)
        .fetch_all(&mut *db)
        .await?;
    for row in rows {
        let person: String = row.try_get("person_id")?;
        let reason: String = row.try_get("reason")?;
        let point: Option<String> = row.try_get("point_id")?;
        let deceased = row.try_get::<i64, _>("deceased")? != 0;
        if let Some(candidate) = people.get_mut(&person) {
            candidate.mark(
                &reason,
                point.as_deref(),
                row.try_get("channels")?,
                deceased,
            );
        }
    }
    let recalled: Vec<(String, i64)> = sqlx::query_as(
        "SELECT person_id, at FROM recalled WHERE person_id >= $1 AND person_id <= $2",
    )
    .bind(&first)
    .bind(&last)
    .fetch_all(db)
    .await?;
    for (person, at) in recalled {
        if let Some(candidate) = people.get_mut(&person) {
            candidate.recalled_at = Some(at);
        }
    }
    Ok(people.into_values().collect())
}

/// Whether this organization itself has noted a wish not to be contacted at a contact point, by its
/// token: what others share is held against it, too.
///
/// # Errors
/// [`super::StoreError`].
pub async fn is_suppressed(db: &mut AnyConnection, token: Token, channel: Channel) -> Result<bool> {
    let found: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT s.reason, s.channels, s.deceased FROM point p \
         JOIN suppression s ON s.point_id = p.point_id WHERE p.token = $1 AND s.withdrawn_at IS NULL \
         UNION ALL \
         SELECT s.reason, s.channels, s.deceased FROM point p \
         JOIN person_point x ON x.point_id = p.point_id \
         JOIN suppression s ON s.person_id = x.person_id \
         WHERE p.token = $2 AND p.class <> 0 AND s.point_id IS NULL AND s.withdrawn_at IS NULL",
    )
    .bind(token.0.to_vec())
    .bind(token.0.to_vec())
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().any(|(reason, channels, deceased)| {
        !is_defect(&reason) && closed(channels, deceased != 0).has(channel)
    }))
}

/// Match tokens at which this organization itself has noted a wish not to be contacted on a channel: what
/// [`is_suppressed`] tells of one of them.
///
/// # Errors
/// [`super::StoreError`].
pub async fn suppressed(db: &mut AnyConnection, channel: Channel) -> Result<BTreeSet<Token>> {
    type Line = (Vec<u8>, String, i64, i64);
    let found: Vec<Line> = sqlx::query_as(
        "SELECT p.token, s.reason, s.channels, s.deceased FROM point p \
         JOIN suppression s ON s.point_id = p.point_id WHERE p.token IS NOT NULL AND s.withdrawn_at IS NULL \
         UNION ALL \
         SELECT p.token, s.reason, s.channels, s.deceased FROM point p \
         JOIN person_point x ON x.point_id = p.point_id \
         JOIN suppression s ON s.person_id = x.person_id \
         WHERE p.token IS NOT NULL AND p.class <> 0 AND s.point_id IS NULL AND s.withdrawn_at IS NULL",
    )
    .fetch_all(db)
    .await?;
    found
        .into_iter()
        .filter(|(_, reason, channels, deceased)| {
            !is_defect(reason) && closed(*channels, *deceased != 0).has(channel)
        })
        .map(|(token, ..)| Ok(Token(super::sixteen("point", token)?)))
        .collect()
}

/// Whether the ledger knows a person: also one that is on no list any more.
///
/// # Errors
/// [`super::StoreError`].
pub async fn is_in_ledger(db: &mut AnyConnection, person: &str) -> Result<bool> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM disclosure WHERE person_id = $1")
        .bind(person)
        .fetch_one(db)
        .await?;
    Ok(count > 0)
}

/// Notes that a person took back what was shared; the later moment stands, and a restriction does not
/// take the place of anything stronger.
///
/// # Errors
/// [`super::StoreError`].
pub async fn recall(db: &mut AnyConnection, person: &str, kind: &str, at: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO recalled (person_id, kind, at) VALUES ($1, $2, $3) \
         ON CONFLICT (person_id) DO UPDATE SET \
         at = CASE WHEN excluded.at > recalled.at THEN excluded.at ELSE recalled.at END, \
         kind = CASE WHEN excluded.kind = 'restriction' THEN recalled.kind ELSE excluded.kind END",
    )
    .bind(person)
    .bind(kind)
    .bind(at)
    .execute(db)
    .await?;
    Ok(())
}

/// Ends the rest of a person that nothing stronger was asked for.
///
/// # Errors
/// [`super::StoreError`].
pub async fn lift(db: &mut AnyConnection, person: &str) -> Result<()> {
    sqlx::query("DELETE FROM recalled WHERE person_id = $1 AND kind = 'restriction'")
        .bind(person)
        .execute(db)
        .await?;
    Ok(())
}

/// How many people took something back since a moment.
///
/// # Errors
/// [`super::StoreError`].
pub async fn recalled_since(db: &mut AnyConnection, at: i64) -> Result<i64> {
    Ok(
        sqlx::query_scalar("SELECT COUNT(*) FROM recalled WHERE at >= $1")
            .bind(at)
            .fetch_one(db)
            .await?,
    )
}
