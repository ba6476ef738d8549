//! A node by itself, with an empty database of each kind, and its desk.

use super::coalition::NOON;
use axum::body::Body;
use bytes::Bytes;
use commonturf::{
    ambient,
    app::App,
    config::{Config, Database, Desk, Lists, NodeDir, Peers},
    http, init,
    people::{self, ImportFailure, report::Report, request::Request, spool::Spooled},
    store::Store,
    transport::HttpTransport,
};
use http_body_util::BodyExt;
use protocol::{id::to_base32, time::FixedClock};
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use std::convert::Infallible;
use tower::ServiceExt;

/// Where tests find PostgreSQL, if they shall use it.
const POSTGRES: &str = "COMMONTURF_TEST_POSTGRES";

/// A node in no coalition.
pub(crate) struct Alone {
    pub(crate) app: App,
    _dir: tempfile::TempDir,
}

/// An empty database of each kind: SQLite, and PostgreSQL where the environment names one.
pub(crate) async fn stores() -> Vec<Alone> {
    let mut nodes = vec![Alone::on(None).await];
    if let Some(url) = ambient::variable(POSTGRES) {
        nodes.push(Alone::on(Some(fresh_database(&url).await)).await);
    }
    nodes
}

/// For nodes of a coalition: SQLite, and a new PostgreSQL database each where the environment names a server.
pub(crate) async fn databases(nodes: usize) -> Vec<Vec<Option<String>>> {
    let mut kinds = vec![vec![None; nodes]];
    if let Some(url) = ambient::variable(POSTGRES) {
        let mut fresh = Vec::new();
        for _ in 0..nodes {
            fresh.push(Some(fresh_database(&url).await));
        }
        kinds.push(fresh);
    }
    kinds
}

/// A new database beside the one that a URL names.
async fn fresh_database(url: &str) -> String {
    sqlx::any::install_default_drivers();
    let mut bytes = [0; 8];
    rand_core::RngCore::fill_bytes(&mut ambient::rng(), &mut bytes);
    let name = format!("it_{}", to_base32(&bytes));
    let mut db = AnyConnection::connect(url).await.unwrap();
    let sql = format!("CREATE DATABASE {name}");
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut db)
        .await
        .unwrap();
    url.replacen("/postgres?", &format!("/{name}?"), 1)
}

impl Alone {
    async fn on(url: Option<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = NodeDir(dir.path().join("node"));
        let config = Config {
            desk: Desk {
                listen: "127.0.0.1:7998".parse().unwrap(),
            },
            federation: None,
            database: Database { url },
            peers: Peers::default(),
            lists: Lists::default(),
        };
        let (name, kind) = ("Tenants United".parse().unwrap(), "c4".parse().unwrap());
        let clock = FixedClock::at(NOON);
        init::make(&path, &config, name, kind, &clock)
            .await
            .unwrap();
        let store = Store::open(&path.database(&config)).await.unwrap();
        let rest = commonturf::app::read_rest_key(&path).unwrap();
        let transport = Box::new(HttpTransport::new(&config.peers).unwrap());
        let app = App::assemble(path, config, store, Box::new(clock), rest, transport)
            .await
            .unwrap();
        Self { app, _dir: dir }
    }

    /// Sends a file, in small pieces.
    pub(crate) async fn send(
        &self,
        request: &Request,
        file: &[u8],
    ) -> Result<Report, ImportFailure> {
        let pieces = file
            .chunks(1_000)
            .map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)));
        let upload = futures_util::stream::iter(pieces.collect::<Vec<_>>());
        let spooled = Spooled::receive(&self.app.dir.0, upload).await?;
        people::run(&self.app, request, &spooled).await
    }

    /// Imports a file onto a list named Neighbors, with more parameters.
    pub(crate) async fn import(&self, file: &[u8], more: &[(&str, &str)]) -> Report {
        self.send(&list(more), file).await.unwrap()
    }

    /// Imports a contact history.
    pub(crate) async fn contacts(&self, file: &[u8], more: &[(&str, &str)]) -> Report {
        let request = Request::for_contacts(&pairs(more)).unwrap();
        self.send(&request, file).await.unwrap()
    }

    /// Asks the desk; status and answer.
    pub(crate) async fn desk(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, String) {
        let token = NodeDir::read_secret(&self.app.dir.token()).unwrap();
        let request = ::http::Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "text/plain")
            .body(Body::from(body))
            .unwrap();
        let answer = http::desk(self.app.clone()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// Reads a JSON answer of the desk.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, text) = self.desk("GET", path, Vec::new()).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The person whom a reference means, as the desk shows it.
    pub(crate) async fn person(&self, reference: &str) -> Value {
        self.get(&format!("/people/{}", reference.replace(' ', "%20")))
            .await
    }
}

/// The request for an import onto the list Neighbors.
pub(crate) fn list(more: &[(&str, &str)]) -> Request {
    let given = [&[("list", "Neighbors")], more].concat();
    Request::for_list(&pairs(&given)).unwrap()
}

/// Parameters as they come.
pub(crate) fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    given.iter().map(owned).collect()
}
