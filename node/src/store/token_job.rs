//! Batches of points that are being turned into tokens, and what stands in their way.

use super::{Result, StoreError, integer, natural};
use protocol::{
    id::{EntryId, NodeId},
    token::{Class, Kind, Normalized},
};
use sqlx::{AnyConnection, Row};

/// A batch: written before its request leaves, so that a retry is the same to the byte.
#[derive(Debug, Clone)]
pub struct Job {
    /// This node's number of the batch within class and generation.
    pub slot: u64,
    /// Blinds follow from it; sealed at rest.
    pub job_secret: Vec<u8>,
    /// The points, in order.
    pub points: Vec<String>,
}

/// A point that is to be evaluated.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The point.
    pub point_id: String,
    /// What is hashed.
    pub value: Normalized,
}

/// A point with its token of some generation.
#[derive(Debug)]
pub struct Tokenized {
    /// The point.
    pub point_id: String,
    /// Its class.
    pub class: Class,
    /// The evaluated group element, sealed at rest.
    pub element: Vec<u8>,
}

/// A point's new token.
#[derive(Debug)]
pub struct Evaluated {
    /// The point.
    pub point_id: String,
    /// The evaluated group element, sealed at rest.
    pub element: Vec<u8>,
    /// The token for the ground.
    pub token: [u8; 16],
}

/// A keeper's reply that does not hold.
#[derive(Debug)]
pub struct Fault<'a> {
    /// Who signed it.
    pub keeper: NodeId,
    /// The generation that was asked for.
    pub generation: u32,
    /// The class.
    pub class: Class,
    /// This node's number of the batch.
    pub slot: u64,
    /// What was asked.
    pub request: &'a [u8],
    /// What came back.
    pub reply: &'a [u8],
    /// The entry that tells the coalition.
    pub entry: EntryId,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// How far a class has come.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Progress {
    /// The class.
    pub class: Class,
    /// Points that wait for a token.
    pub waiting: u64,
    /// Points that have one.
    pub done: u64,
    /// Why the last batch brought none.
    pub problem: Option<String>,
    /// When that was, in milliseconds since 1970.
    pub problem_at: Option<i64>,
    /// When it goes on by itself, in milliseconds since 1970.
    pub retry_at: Option<i64>,
}

fn class_number(class: Class) -> i64 {
    class as i64
}

fn value(kind: &str, value: String) -> Result<Normalized> {
    kind.parse::<Kind>()
        .ok()
        .and_then(|kind| Normalized::stored(kind, value))
        .ok_or_else(|| StoreError::damaged("point", "kind or value"))
}

/// The batch of a class that was begun and has not come back.
///
/// # Errors
/// [`StoreError`].
pub async fn open(db: &mut AnyConnection, class: Class, generation: u32) -> Result<Option<Job>> {
    let row = sqlx::query(
        "SELECT slot, job_secret, point_ids FROM token_job \
         WHERE class = $1 AND generation = $2 AND done_at IS NULL ORDER BY slot LIMIT 1",
    )
    .bind(class_number(class))
    .bind(i64::from(generation))
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let points: String = row.try_get("point_ids")?;
    Ok(Some(Job {
        slot: natural(row.try_get("slot")?),
        job_secret: row.try_get("job_secret")?,
        points: serde_json::from_str(&points)
            .map_err(|error| StoreError::damaged("token_job", error))?,
    }))
}

/// The slot of the next batch.
///
/// # Errors
/// [`StoreError`].
pub async fn next_slot(db: &mut AnyConnection, class: Class, generation: u32) -> Result<u64> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT MAX(slot) FROM token_job WHERE class = $1 AND generation = $2")
            .bind(class_number(class))
            .bind(i64::from(generation))
            .fetch_one(db)
            .await?;
    Ok(last.map_or(0, |last| natural(last) + 1))
}

/// Begins a batch.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    db: &mut AnyConnection,
    class: Class,
    generation: u32,
    job: &Job,
) -> Result<()> {
    let points = serde_json::to_string(&job.points)
        .map_err(|error| StoreError::damaged("token_job", error))?;
    sqlx::query(
        "INSERT INTO token_job (class, generation, slot, job_secret, point_ids) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(class_number(class))
    .bind(i64::from(generation))
    .bind(integer(job.slot))
    .bind(&job.job_secret)
    .bind(points)
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a batch, whatever came of it.
///
/// # Errors
/// [`StoreError`].
pub async fn finish(
    db: &mut AnyConnection,
    class: Class,
    generation: u32,
    slot: u64,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "UPDATE token_job SET done_at = $1 WHERE class = $2 AND generation = $3 AND slot = $4",
    )
    .bind(now)
    .bind(class_number(class))
    .bind(i64::from(generation))
    .bind(integer(slot))
    .execute(db)
    .await?;
    Ok(())
}

/// Points of a class without a token of the generation.
///
/// # Errors
/// [`StoreError`].
pub async fn waiting(
    db: &mut AnyConnection,
    class: Class,
    generation: u32,
    most: usize,
) -> Result<Vec<Waiting>> {
    // One question for fresh points and one for older generations: each reads an index, both at once
    // would read every point of the class each time.
    let fresh =
        "SELECT point_id, kind, value FROM point WHERE generation IS NULL AND class = $1 LIMIT $2";
    let older =
        "SELECT point_id, kind, value FROM point WHERE generation < $3 AND class + 0 = $1 LIMIT $2";
    let mut rows: Vec<(String, String, String)> = sqlx::query_as(fresh)
        .bind(class_number(class))
        .bind(integer(most as u64))
        .fetch_all(&mut *db)
        .await?;
    if rows.is_empty() {
        rows = sqlx::query_as(older)
            .bind(class_number(class))
            .bind(integer(most as u64))
            .bind(i64::from(generation))
            .fetch_all(db)
            .await?;
    }
    rows.into_iter()
        .map(|(point_id, kind, text)| {
            Ok(Waiting {
                point_id,
                value: value(&kind, text)?,
            })
        })
        .collect()
}

/// Points that have a token of the generation in use and none of the one that closes.
///
/// # Errors
/// [`StoreError`].
pub async fn waiting_before(
    db: &mut AnyConnection,
    class: Class,
    closing: u32,
    most: usize,
) -> Result<Vec<Waiting>> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT point_id, kind, value FROM point WHERE class = $1 AND generation > $2 \
         AND (old_generation IS NULL OR old_generation <> $2) LIMIT $3",
    )
    .bind(class_number(class))
    .bind(i64::from(closing))
    .bind(integer(most as u64))
    .fetch_all(db)
    .await?;
    let waiting = |(point_id, kind, text): (String, String, String)| {
        let value = value(&kind, text)?;
        Ok(Waiting { point_id, value })
    };
    rows.into_iter().map(waiting).collect()
}

/// Writes a batch's tokens of the generation that closes.
///
/// # Errors
/// [`StoreError`].
pub async fn put_tokens_before(
    db: &mut AnyConnection,
    closing: u32,
    points: &[Evaluated],
) -> Result<()> {
    for point in points {
        sqlx::query("UPDATE point SET old_generation = $1, old_token = $2 WHERE point_id = $3")
            .bind(i64::from(closing))
            .bind(point.token.as_slice())
            .bind(&point.point_id)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Forgets the tokens before: the generation has closed.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_before(db: &mut AnyConnection) -> Result<()> {
    sqlx::query(
        "UPDATE point SET old_generation = NULL, old_token = NULL WHERE old_generation IS NOT NULL",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps a reply that does not hold; false when this one is kept already.
///
/// # Errors
/// [`StoreError`].
pub async fn keep_fault(db: &mut AnyConnection, fault: &Fault<'_>) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO evaluation_fault (keeper, generation, class, slot, request, reply, entry_id, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (keeper, generation, class, slot) DO NOTHING",
    )
    .bind(fault.keeper.to_string())
    .bind(i64::from(fault.generation))
    .bind(class_number(fault.class))
    .bind(integer(fault.slot))
    .bind(fault.request)
    .bind(fault.reply)
    .bind(fault.entry.to_string())
    .bind(fault.at)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The points of a batch that was begun; none when one of them is gone.
///
/// # Errors
/// [`StoreError`].
pub async fn of_job(db: &mut AnyConnection, job: &Job) -> Result<Option<Vec<Waiting>>> {
    let mut points = Vec::with_capacity(job.points.len());
    for point_id in &job.points {
        let row: Option<(String, String)> =
            sqlx::query_as("SELECT kind, value FROM point WHERE point_id = $1")
                .bind(point_id)
                .fetch_optional(&mut *db)
                .await?;
        let Some((kind, text)) = row else {
            return Ok(None);
        };
        points.push(Waiting {
            point_id: point_id.clone(),
            value: value(&kind, text)?,
        });
    }
    Ok(Some(points))
}

/// Writes a batch's tokens.
///
/// # Errors
/// [`StoreError`].
pub async fn put_tokens(
    db: &mut AnyConnection,
    generation: u32,
    points: &[Evaluated],
) -> Result<()> {
    for point in points {
        sqlx::query(
            "UPDATE point SET \
             old_token = CASE WHEN generation < $1 THEN token ELSE old_token END, \
             old_generation = CASE WHEN generation < $1 THEN generation ELSE old_generation END, \
             generation = $1, element = $2, token = $3 WHERE point_id = $4",
        )
        .bind(i64::from(generation))
        .bind(&point.element)
        .bind(point.token.as_slice())
        .bind(&point.point_id)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Points with a token of a generation.
///
/// # Errors
/// [`StoreError`].
pub async fn of_generation(
    db: &mut AnyConnection,
    generation: u32,
    most: usize,
) -> Result<Vec<Tokenized>> {
    let rows: Vec<(String, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT point_id, class, COALESCE(element, $3) FROM point WHERE generation = $1 LIMIT $2",
    )
    .bind(i64::from(generation))
    .bind(integer(most as u64))
    .bind(Vec::<u8>::new())
    .fetch_all(db)
    .await?;
    let read = |(point_id, number, element): (String, i64, Vec<u8>)| {
        let class = Class::ALL
            .into_iter()
            .find(|class| class_number(*class) == number);
        Ok(Tokenized {
            point_id,
            class: class.ok_or_else(|| StoreError::damaged("point", "class"))?,
            element,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Forgets what points became, so that they are evaluated anew.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_tokens(db: &mut AnyConnection, points: &[String]) -> Result<()> {
    for point in points {
        sqlx::query(
            "UPDATE point SET generation = NULL, element = NULL, token = NULL WHERE point_id = $1",
        )
        .bind(point)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Notes why a class brought no tokens, and when it is worth another try.
///
/// # Errors
/// [`StoreError`].
pub async fn put_problem(
    db: &mut AnyConnection,
    class: Class,
    problem: &str,
    at: i64,
    retry_at: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO token_problem (class, problem, at, retry_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (class) DO UPDATE SET problem = excluded.problem, at = excluded.at, retry_at = excluded.retry_at",
    )
    .bind(class_number(class))
    .bind(problem)
    .bind(at)
    .bind(retry_at)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets a class's problem.
///
/// # Errors
/// [`StoreError`].
pub async fn clear_problem(db: &mut AnyConnection, class: Class) -> Result<()> {
    sqlx::query("DELETE FROM token_problem WHERE class = $1")
        .bind(class_number(class))
        .execute(db)
        .await?;
    Ok(())
}

/// When a class that had a problem may be tried again.
///
/// # Errors
/// [`StoreError`].
pub async fn retry_at(db: &mut AnyConnection, class: Class) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar("SELECT retry_at FROM token_problem WHERE class = $1")
            .bind(class_number(class))
            .fetch_optional(db)
            .await?,
    )
}

/// How far each class has come; without a generation every point waits.
///
/// # Errors
/// [`StoreError`].
pub async fn progress(db: &mut AnyConnection, generation: Option<u32>) -> Result<Vec<Progress>> {
    let generation = generation.map_or(-1, i64::from);
    let mut classes = Vec::new();
    for class in Class::ALL {
        let (all, done): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN generation = $1 THEN 1 ELSE 0 END), 0) AS BIGINT) \
             FROM point WHERE class = $2",
        )
        .bind(generation)
        .bind(class_number(class))
        .fetch_one(&mut *db)
        .await?;
        let problem: Option<(String, i64, i64)> =
            sqlx::query_as("SELECT problem, at, retry_at FROM token_problem WHERE class = $1")
                .bind(class_number(class))
                .fetch_optional(&mut *db)
                .await?;
        let retry_at = problem.as_ref().map(|(_, _, retry_at)| *retry_at);
        let (problem, problem_at) = problem.map(|(problem, at, _)| (problem, at)).unzip();
        classes.push(Progress {
            class,
            waiting: natural(all - done),
            done: natural(done),
            problem,
            problem_at,
            retry_at,
        });
    }
    Ok(classes)
}
