//! Brings a database up to date. Migrations only add; one that was released never changes.

use super::{Result, StoreError};
use sqlx::{
    AnyPool, SqlStr,
    error::BoxDynError,
    migrate::{Migration, MigrationSource, MigrationType, Migrator},
};
use std::{borrow::Cow, future::Future, pin::Pin};

/// Every migration, in order: version, name, text.
pub const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "node", include_str!("../../migrations/0001_node.sql")),
    (
        2,
        "keeper",
        include_str!("../../migrations/0002_keeper.sql"),
    ),
    (
        3,
        "people",
        include_str!("../../migrations/0003_people.sql"),
    ),
    (
        4,
        "claims",
        include_str!("../../migrations/0004_claims.sql"),
    ),
    (
        5,
        "shares",
        include_str!("../../migrations/0005_shares.sql"),
    ),
    (6, "desk", include_str!("../../migrations/0006_desk.sql")),
    (7, "proof", include_str!("../../migrations/0007_proof.sql")),
    (
        8,
        "recall",
        include_str!("../../migrations/0008_recall.sql"),
    ),
    (
        9,
        "onward",
        include_str!("../../migrations/0009_onward.sql"),
    ),
    (
        11,
        "keepers",
        include_str!("../../migrations/0011_keepers.sql"),
    ),
    (
        12,
        "members",
        include_str!("../../migrations/0012_members.sql"),
    ),
    (
        13,
        "generations",
        include_str!("../../migrations/0013_generations.sql"),
    ),
    (16, "turf", include_str!("../../migrations/0016_turf.sql")),
    (
        17,
        "joining",
        include_str!("../../migrations/0017_joining.sql"),
    ),
    (
        20,
        "overlap",
        include_str!("../../migrations/0020_overlap.sql"),
    ),
    (
        22,
        "retention",
        include_str!("../../migrations/0022_retention.sql"),
    ),
    (
        23,
        "ledger",
        include_str!("../../migrations/0023_ledger.sql"),
    ),
    (
        25,
        "repair",
        include_str!("../../migrations/0025_repair.sql"),
    ),
    (
        27,
        "vouching",
        include_str!("../../migrations/0027_vouching.sql"),
    ),
    (29, "calls", include_str!("../../migrations/0029_calls.sql")),
    (
        30,
        "impact",
        include_str!("../../migrations/0030_impact.sql"),
    ),
    (
        31,
        "standing",
        include_str!("../../migrations/0031_standing.sql"),
    ),
];

#[derive(Debug)]
struct Embedded;

impl MigrationSource<'static> for Embedded {
    fn resolve(
        self,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Vec<Migration>, BoxDynError>> + Send>>
    {
        let migrations = MIGRATIONS
            .iter()
            .map(|(version, name, text)| {
                Migration::new(
                    *version,
                    Cow::Borrowed(name),
                    MigrationType::Simple,
                    SqlStr::from_static(text),
                    false,
                )
            })
            .collect();
        Box::pin(async move { Ok(migrations) })
    }
}

pub(super) async fn run(pool: &AnyPool) -> Result<()> {
    let migrator = Migrator::new(Embedded).await?;
    migrator.run(pool).await.map_err(StoreError::Migration)
}
