//! Signing in over the desk's own router, and what every answer carries.

use crate::{
    app::App,
    config::{Config, Database, Desk, Lists, NodeDir, Peers},
    http::desk,
    store::{
        self, Store,
        coalition::{CoalitionRow, Phase},
    },
    transport::HttpTransport,
};
use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt;
use protocol::{
    id::{CoalitionId, Lineage, NodeId},
    time::{Clock, FixedClock, HOUR, Moment},
};
use std::sync::Arc;
use tower::ServiceExt;

const NOON: Moment = Moment(1_795_608_000_000);
const HOST: &str = "127.0.0.1:7310";
const HERE: &str = "http://127.0.0.1:7310";

/// Every page that only people who signed in may see.
const PAGES: [&str; 6] = ["/", "/agreement", "/lists", "/people", "/claims", "/shares"];
/// Every form of the pages.
const FORMS: [&str; 12] = [
    "/comparison",
    "/newcomers",
    "/agreement/signatures",
    "/imports",
    "/claims",
    "/claims/abcdef/renewal",
    "/claims/abcdef/release",
    "/leave",
    "/removal",
    "/return",
    "/sign-out",
    "/sign-in",
];

#[derive(Clone)]
struct Shared(Arc<FixedClock>);

impl Clock for Shared {
    fn now(&self) -> Moment {
        self.0.now()
    }
}

/// A node's desk whose clock the test moves.
struct Door {
    app: App,
    clock: Shared,
    router: Router,
    _folder: tempfile::TempDir,
}

impl Door {
    async fn new() -> Self {
        Self::within(None).await
    }

    /// The desk of a node that has come so far with a coalition.
    async fn within(phase: Option<Phase>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = NodeDir(folder.path().join("node"));
        let config = Config {
            desk: Desk {
                listen: HOST.parse().unwrap(),
            },
            federation: None,
            database: Database::default(),
            peers: Peers::default(),
            lists: Lists::default(),
        };
        let clock = Shared(Arc::new(FixedClock::at(NOON)));
        let (name, kind) = ("Green Table".parse().unwrap(), "c3".parse().unwrap());
        crate::init::make(&dir, &config, name, kind, &clock)
            .await
            .unwrap();
        let store = Store::open(&dir.database(&config)).await.unwrap();
        let rest = crate::app::read_rest_key(&dir).unwrap();
        if let Some(phase) = phase {
            let mut tx = store
                .write("putting a node into a coalition")
                .await
                .unwrap();
            let row = coalition(phase);
            store::coalition::insert(&mut tx, &row, NOON.0)
                .await
                .unwrap();
            let because = (phase != Phase::Joining).then_some(WHY);
            store::coalition::set_phase(&mut tx, phase, because)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
        let wire = Box::new(HttpTransport::new(&config.peers).unwrap());
        let now = Box::new(clock.clone());
        let app = App::assemble(dir, config, store, now, rest, wire)
            .await
            .unwrap();
        Self {
            router: desk(app.clone()),
            app,
            clock,
            _folder: folder,
        }
    }

    async fn ask(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str, cookie: &str) -> Response {
        self.ask(request(Method::GET, path, None, cookie, "")).await
    }

    async fn post(&self, path: &str, origin: Option<&str>, cookie: &str, form: &str) -> Response {
        self.ask(request(Method::POST, path, origin, cookie, form))
            .await
    }

    async fn token(&self) -> String {
        let (url, _) = super::new_link(&self.app).await.unwrap();
        let token = url.strip_prefix(&format!("{HERE}/sign-in?token="));
        token.unwrap().to_owned()
    }

    /// Signs in from a page of this desk; returns the cookie as a browser sends it back.
    async fn sign_in(&self, token: &str, cookie: &str) -> String {
        let form = format!("token={token}");
        let answer = self.post("/sign-in", Some(HERE), cookie, &form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(text(&answer, header::LOCATION), "/");
        let set = text(&answer, header::SET_COOKIE);
        set.split(';').next().unwrap().to_owned()
    }
}

/// Why the node of a test has stopped.
const WHY: &str = "Entry 7 was written by a <later> version.";

fn coalition(phase: Phase) -> CoalitionRow {
    CoalitionRow {
        id: CoalitionId([1; 16]),
        name: "Riverside".to_owned(),
        lineage: Lineage([2; 16]),
        phase,
        stopped_because: None,
        keeper: NodeId([3; 32]),
        keeper_url: "https://keeper.example".to_owned(),
        keeper_document: Vec::new(),
    }
}

fn request(
    method: Method,
    path: &str,
    origin: Option<&str>,
    cookie: &str,
    form: &str,
) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, HOST)
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    if !cookie.is_empty() {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Body::from(form.to_owned())).unwrap()
}

fn text(answer: &Response, name: header::HeaderName) -> &str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

async fn body(answer: Response) -> String {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn is_sent_to_sign_in(answer: &Response) -> bool {
    answer.status() == StatusCode::SEE_OTHER && text(answer, header::LOCATION) == "/sign-in"
}

#[tokio::test]
async fn whoever_is_signed_out_is_sent_to_sign_in_from_every_page_and_form() {
    let door = Door::new().await;
    for page in PAGES {
        assert!(is_sent_to_sign_in(&door.get(page, "").await), "{page}");
    }
    for form in FORMS.into_iter().filter(|form| *form != "/sign-in") {
        let answer = door.post(form, Some(HERE), "", "").await;
        assert!(is_sent_to_sign_in(&answer), "{form}");
    }
}

#[tokio::test]
async fn looking_at_a_link_spends_nothing_and_signing_in_spends_it() {
    let door = Door::new().await;
    let token = door.token().await;
    for _ in 0..3 {
        let page = door.get(&format!("/sign-in?token={token}"), "").await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(text(&page, header::SET_COOKIE).is_empty());
        assert!(
            body(page)
                .await
                .contains("<form method=\"post\" action=\"/sign-in\">")
        );
    }
    let cookie = door.sign_in(&token, "").await;
    for page in PAGES {
        assert_eq!(
            door.get(page, &cookie).await.status(),
            StatusCode::OK,
            "{page}"
        );
    }
    let form = format!("token={token}");
    let again = door.post("/sign-in", Some(HERE), "", &form).await;
    assert_eq!(again.status(), StatusCode::GONE);
    assert!(text(&again, header::SET_COOKIE).is_empty());
}

#[tokio::test]
async fn a_link_is_good_for_fifteen_minutes_and_no_longer() {
    let door = Door::new().await;
    let (late, just) = (door.token().await, door.token().await);
    door.clock.0.set(NOON.plus(HOUR / 4 - 1));
    door.sign_in(&just, "").await;
    door.clock.0.set(NOON.plus(HOUR / 4));
    let form = format!("token={late}");
    let answer = door.post("/sign-in", Some(HERE), "", &form).await;
    assert_eq!(answer.status(), StatusCode::GONE);
}

#[tokio::test]
async fn guessed_and_empty_tokens_are_refused() {
    let door = Door::new().await;
    let token = door.token().await;
    for wrong in ["", "a", &token[1..], &format!("{token}a"), "%27%20OR%201=1"] {
        let form = format!("token={wrong}");
        let answer = door.post("/sign-in", Some(HERE), "", &form).await;
        assert_eq!(answer.status(), StatusCode::GONE, "{wrong}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_everywhere() {
    let door = Door::new().await;
    let cookie = door.sign_in(&door.token().await, "").await;
    let token = door.token().await;
    for origin in ["https://evil.example", "http://127.0.0.1:7311", "null"] {
        for path in FORMS {
            let form = format!("token={token}");
            let answer = door.post(path, Some(origin), &cookie, &form).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin} to {path}");
        }
    }
    let mut request = request(Method::POST, "/sign-out", None, &cookie, "");
    let site = "cross-site".parse().unwrap();
    request.headers_mut().insert("sec-fetch-site", site);
    assert_eq!(door.ask(request).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(door.get("/", &cookie).await.status(), StatusCode::OK);
    door.sign_in(&token, "").await; // nobody has spent it
}

#[tokio::test]
async fn each_sign_in_begins_a_new_session_and_ends_the_one_before() {
    let door = Door::new().await;
    let planted = "ct_session_7310=planted";
    let first = door.sign_in(&door.token().await, planted).await;
    assert_ne!(first, planted);
    assert!(is_sent_to_sign_in(&door.get("/", planted).await));
    let second = door.sign_in(&door.token().await, &first).await;
    assert_ne!(first, second);
    assert!(is_sent_to_sign_in(&door.get("/", &first).await));
    assert_eq!(door.get("/", &second).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn signing_out_and_twelve_hours_end_a_session() {
    let door = Door::new().await;
    let cookie = door.sign_in(&door.token().await, "").await;
    let other = door.sign_in(&door.token().await, "").await;
    let left = door.post("/sign-out", Some(HERE), &cookie, "").await;
    assert!(is_sent_to_sign_in(&left));
    assert!(text(&left, header::SET_COOKIE).contains("Max-Age=0"));
    assert!(is_sent_to_sign_in(&door.get("/", &cookie).await));

    door.clock.0.set(NOON.plus(12 * HOUR - 1));
    assert_eq!(door.get("/", &other).await.status(), StatusCode::OK);
    door.clock.0.set(NOON.plus(12 * HOUR));
    assert!(is_sent_to_sign_in(&door.get("/", &other).await));
}

#[tokio::test]
async fn the_cookie_is_closed_to_scripts_and_other_sites_and_secure_where_tls_is() {
    let door = Door::new().await;
    for (origin, host, name, secure) in [
        (HERE, HOST, "ct_session_7310=", false),
        (
            "https://desk.example",
            "desk.example",
            "__Host-ct_session_7310=",
            true,
        ),
    ] {
        let form = format!("token={}", door.token().await);
        let mut request = request(Method::POST, "/sign-in", Some(origin), "", &form);
        request
            .headers_mut()
            .insert(header::HOST, host.parse().unwrap());
        let answer = door.ask(request).await;
        let cookie = text(&answer, header::SET_COOKIE);
        assert!(cookie.starts_with(name), "{cookie}");
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert_eq!(cookie.contains("; Secure"), secure);
        assert!(!cookie.contains("Domain"));
        let sent = cookie.split(';').next().unwrap();
        assert_eq!(door.get("/", sent).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn neither_token_nor_session_is_stored() {
    let door = Door::new().await;
    let token = door.token().await;
    let spent = door.token().await;
    let cookie = door.sign_in(&spent, "").await;
    let session = cookie.split('=').nth(1).unwrap();
    let mut db = door.app.store.read("looking for secrets").await.unwrap();
    let links: Vec<String> = sqlx::query_scalar("SELECT token_hash FROM desk_link")
        .fetch_all(&mut *db)
        .await
        .unwrap();
    let sessions: Vec<String> = sqlx::query_scalar("SELECT session_hash FROM desk_session")
        .fetch_all(&mut *db)
        .await
        .unwrap();
    assert_eq!((links.len(), sessions.len()), (2, 1));
    for stored in links.iter().chain(&sessions) {
        assert!(![token.as_str(), spent.as_str(), session].contains(&stored.as_str()));
    }
}

#[tokio::test]
async fn every_page_carries_the_headers_that_keep_it_in_its_place() {
    let door = Door::new().await;
    let cookie = door.sign_in(&door.token().await, "").await;
    let missing = ["/people/nobody", "/imports/none", "/nothing-here"];
    for path in PAGES.into_iter().chain(missing).chain(["/sign-in"]) {
        let answer = door.get(path, &cookie).await;
        let policy = text(&answer, header::CONTENT_SECURITY_POLICY);
        assert!(
            policy.starts_with("default-src 'self';"),
            "{path}: {policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(
            text(&answer, header::X_CONTENT_TYPE_OPTIONS),
            "nosniff",
            "{path}"
        );
        assert_eq!(
            text(&answer, header::REFERRER_POLICY),
            "same-origin",
            "{path}"
        );
        assert_eq!(text(&answer, header::CACHE_CONTROL), "no-store", "{path}");
        assert!(
            text(&answer, header::CONTENT_TYPE).starts_with("text/html"),
            "{path}"
        );
        if missing.contains(&path) {
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            assert!(body(answer).await.contains("<h1>"), "{path}");
        }
    }
}

#[tokio::test]
async fn tools_are_told_of_a_wrong_address_in_json() {
    let door = Door::new().await;
    let mut request = request(Method::GET, "/nothing-here", None, "", "");
    request.headers_mut().remove(header::ACCEPT);
    let answer = door.ask(request).await;
    assert_eq!(
        text(&answer, header::CONTENT_TYPE),
        "application/problem+json"
    );
}

#[tokio::test]
async fn assets_have_their_types_and_are_kept_only_under_their_own_address() {
    let door = Door::new().await;
    for (path, kind) in [
        ("desk.css", "text/css; charset=utf-8"),
        ("desk.js", "text/javascript; charset=utf-8"),
        ("vendor/tabler.min.css", "text/css; charset=utf-8"),
        ("vendor/icons.svg", "image/svg+xml"),
    ] {
        let answer = door.get(&crate::pages::assets::url(path), "").await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(text(&answer, header::CONTENT_TYPE), kind, "{path}");
        assert!(
            text(&answer, header::CACHE_CONTROL).contains("immutable"),
            "{path}"
        );
        let old = door.get(&format!("/assets/old/{path}"), "").await;
        assert_eq!(text(&old, header::CACHE_CONTROL), "no-store", "{path}");
    }
    for path in [
        "/assets/x/../Cargo.toml",
        "/assets/x/%2e%2e/Cargo.toml",
        "/assets/x/none",
    ] {
        assert_eq!(
            door.get(path, "").await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_word_in_the_address_puts_no_words_on_the_page() {
    let door = Door::new().await;
    let cookie = door.sign_in(&door.token().await, "").await;
    let page = body(door.get("/?done=Send+money&x=%3Cb%3E", &cookie).await).await;
    assert!(!page.contains("Send") && !page.contains("<b>"));
    let page = body(door.get("/?done=approved", &cookie).await).await;
    assert!(page.contains("Approved."));
}

#[tokio::test]
async fn every_page_works_in_every_phase_of_a_node_that_is_not_active() {
    for (phase, words) in [
        (Phase::Joining, "Riverside"),
        (
            Phase::Stopped,
            "Entry 7 was written by a &#60;later&#62; version.",
        ),
        (Phase::Returning, "on its way back"),
        (Phase::Gone, "not a member any more"),
    ] {
        let door = Door::within(Some(phase)).await;
        let cookie = door.sign_in(&door.token().await, "").await;
        for path in PAGES {
            let answer = door.get(path, &cookie).await;
            assert_eq!(answer.status(), StatusCode::OK, "{phase:?} {path}");
            assert!(body(answer).await.contains(words), "{phase:?} {path}");
        }
    }
}
