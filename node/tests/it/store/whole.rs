//! The whole database: settings, migrations, transactions, stored types.

use super::{NOW, TRICKY, node};
use crate::site::stores;
use commonturf::{
    ambient,
    store::{self, Store, node::NodeRow, sealed::RestKey},
};

#[tokio::test]
async fn every_connection_to_sqlite_has_the_settings_that_the_promises_rest_on() {
    let stores = stores().await;
    let store = &stores[0].store;
    assert!(stores[0].is_sqlite());
    let settings = [
        ("journal_mode", "wal", None),
        ("synchronous", "2", None),
        ("foreign_keys", "1", None),
        ("busy_timeout", "5000", Some("5000")),
        ("trusted_schema", "0", Some("0")),
        ("secure_delete", "1", None),
        ("query_only", "0", Some("1")),
    ];
    let mut writer = store.write("looking").await.unwrap();
    let mut reader = store.read("looking").await.unwrap();
    for (name, at_writer, at_reader) in settings {
        assert_eq!(pragma(&mut writer, name).await, at_writer, "{name}");
        if let Some(expected) = at_reader {
            assert_eq!(
                pragma(&mut reader, name).await,
                expected,
                "{name} of readers"
            );
        }
    }
}

/// A setting as SQLite tells it.
async fn pragma(db: &mut sqlx::AnyConnection, name: &str) -> String {
    use sqlx::Row;
    let sql = format!("PRAGMA {name}");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_one(db)
        .await
        .unwrap();
    match row.try_get::<String, _>(0) {
        Ok(text) => text,
        Err(_) => row.get::<i64, _>(0).to_string(),
    }
}

#[tokio::test]
async fn a_reader_cannot_write_and_what_was_dropped_was_never_written() {
    for test in stores().await {
        let mut tx = test.store.write("dropped").await.unwrap();
        store::node::put_secret(&mut tx, "name", b"value")
            .await
            .unwrap();
        assert!(
            store::node::secret(&mut tx, "name")
                .await
                .unwrap()
                .is_some()
        );
        drop(tx);
        let mut db = test.store.read("looking").await.unwrap();
        assert_eq!(store::node::secret(&mut db, "name").await.unwrap(), None);
        if test.is_sqlite() {
            assert!(
                store::node::put_secret(&mut db, "name", b"value")
                    .await
                    .is_err()
            );
        }
    }
}

#[tokio::test]
async fn a_database_is_brought_up_to_date_once_and_opened_as_often_as_one_likes() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        store::node::put_secret(&mut tx, "name", b"value")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        test.store.close().await;
        let again = Store::open(&test.url).await.unwrap();
        let mut db = again.read("looking").await.unwrap();
        assert_eq!(
            store::node::secret(&mut db, "name").await.unwrap().unwrap(),
            b"value"
        );
        let migrations: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM _sqlx_migrations")
            .fetch_one(&mut *db)
            .await
            .unwrap();
        assert_eq!(
            usize::try_from(migrations).unwrap(),
            store::migrate::MIGRATIONS.len()
        );
        drop(db);
        again.close().await;
    }
}

#[tokio::test]
async fn bytes_stay_bytes_whatever_they_look_like() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        for (n, bytes) in TRICKY.iter().enumerate() {
            let name = n.to_string();
            store::node::put_secret(&mut tx, &name, bytes)
                .await
                .unwrap();
            assert_eq!(
                store::node::secret(&mut tx, &name).await.unwrap().unwrap(),
                *bytes
            );
        }
        if test.is_sqlite() {
            let types: Vec<String> =
                sqlx::query_scalar("SELECT DISTINCT typeof(sealed) FROM secret")
                    .fetch_all(&mut *tx)
                    .await
                    .unwrap();
            assert_eq!(types, ["blob"]);
        }
    }
}

#[tokio::test]
async fn a_database_is_one_nodes() {
    for test in stores().await {
        let row = |n| NodeRow {
            node_id: node(n),
            name: "Tenants \u{1f33e} United".to_owned(),
            kind: "c4".to_owned(),
            document: vec![1, 2, 3],
        };
        let mut tx = test.store.write("writing").await.unwrap();
        assert!(store::node::find(&mut tx).await.unwrap().is_none());
        store::node::insert(&mut tx, &row(1), NOW.0).await.unwrap();
        let found = store::node::find(&mut tx).await.unwrap().unwrap();
        assert_eq!(
            (found.node_id, found.name.as_str()),
            (node(1), "Tenants \u{1f33e} United")
        );
        tx.commit().await.unwrap();
        let mut tx = test.store.write("writing").await.unwrap();
        let error = store::node::insert(&mut tx, &row(2), NOW.0)
            .await
            .unwrap_err();
        assert!(error.is_unique_violation(), "{error}");
    }
}

#[tokio::test]
async fn a_sealed_value_that_was_moved_to_another_row_does_not_open() {
    for test in stores().await {
        let key = RestKey::new([1; 32]);
        let sealed = key.seal("secret/one", b"value", &mut ambient::rng());
        let mut tx = test.store.write("writing").await.unwrap();
        store::node::put_secret(&mut tx, "two", &sealed)
            .await
            .unwrap();
        let moved = store::node::secret(&mut tx, "two").await.unwrap().unwrap();
        assert!(key.open("secret/two", &moved).is_err());
        assert_eq!(key.open("secret/one", &moved).unwrap(), b"value");
    }
}
