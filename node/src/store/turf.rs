//! Where doors lie, the organization's areas, and packets of claims.

use super::{Result, StoreError, rows};
use crate::turf::{area::Area, position::Position};
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::BTreeMap;

/// Writes where doors lie; a later file counts.
///
/// # Errors
/// [`StoreError`].
pub async fn put_places(db: &mut AnyConnection, doors: &BTreeMap<String, Position>) -> Result<()> {
    let doors: Vec<(&String, &Position)> = doors.iter().collect();
    for chunk in doors.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO place (door, latitude, longitude) VALUES {} ON CONFLICT (door) \
             DO UPDATE SET latitude = excluded.latitude, longitude = excluded.longitude",
            rows::places(chunk.len(), 3)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (door, position) in chunk {
            query = query
                .bind((*door).clone())
                .bind(i64::from(position.latitude))
                .bind(i64::from(position.longitude));
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Where people live by a geocoder's file: their first door that it names.
///
/// # Errors
/// [`StoreError`].
pub async fn geocoded(db: &mut AnyConnection) -> Result<BTreeMap<String, Position>> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT pp.person_id, l.latitude, l.longitude FROM place l \
         JOIN point p ON p.value = l.door AND p.class = 0 AND p.kind = 'door' \
         JOIN person_point pp ON pp.point_id = p.point_id WHERE pp.bad = 0 \
         ORDER BY pp.person_id, pp.rank DESC",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(person, latitude, longitude)| {
            let position = Position::of_stored(latitude, longitude);
            let position = position.ok_or_else(|| StoreError::damaged("place", "latitude"))?;
            Ok((person, position))
        })
        .collect()
}

/// Writes a new area.
///
/// # Errors
/// [`StoreError`].
pub async fn insert_area(db: &mut AnyConnection, area: &Area) -> Result<()> {
    let shape =
        serde_json::to_string(&area.shape).map_err(|error| StoreError::damaged("area", error))?;
    sqlx::query("INSERT INTO area (area_id, name, shape, created_at) VALUES ($1, $2, $3, $4)")
        .bind(&area.area_id)
        .bind(&area.name)
        .bind(shape)
        .bind(area.created_at)
        .execute(db)
        .await?;
    Ok(())
}

/// Every area, by name.
///
/// # Errors
/// [`StoreError`].
pub async fn areas(db: &mut AnyConnection) -> Result<Vec<Area>> {
    let rows = sqlx::query("SELECT area_id, name, shape, created_at FROM area ORDER BY name")
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| {
            let shape: String = row.try_get("shape")?;
            Ok(Area {
                area_id: row.try_get("area_id")?,
                name: row.try_get("name")?,
                shape: serde_json::from_str(&shape)
                    .map_err(|_| StoreError::damaged("area", "shape"))?,
                created_at: row.try_get("created_at")?,
            })
        })
        .collect()
}

/// Removes an area.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_area(db: &mut AnyConnection, area_id: &str) -> Result<()> {
    sqlx::query("DELETE FROM area WHERE area_id = $1")
        .bind(area_id)
        .execute(db)
        .await?;
    Ok(())
}
