//! Signing in at the pages: a one-time link, then a session.
//!
//! The link's page has one button: a preview that fetches the link does not spend it. Link token
//! and session id are 32 random bytes each, stored as hashes only.
//!
//! Cookies are not kept apart by port, so the cookie's name carries the desk's port: two nodes on
//! one machine do not sign each other's people out. The desk speaks plain HTTP on this machine,
//! where not every browser stores a `Secure` cookie; behind a proxy that ends TLS the browser says
//! so in `Origin`, and the cookie becomes `Secure` with the prefix `__Host-`.

use super::{Page, PageError, render};
use crate::{
    app::App,
    http::problem::Failure,
    store::{self, desk},
};
use askama::Template;
use axum::{
    Form,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use protocol::{
    id::{Hash, to_base32},
    time::HOUR,
};
use rand_core::RngCore;
use serde::Deserialize;

/// For how long a link is good: 15 minutes.
const LINK_LIFE: i64 = HOUR / 4;
/// For how long a session is good: 12 hours, a day of work.
const SESSION_LIFE: i64 = 12 * HOUR;

/// Makes a link that signs somebody in once; returns it with its end.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn new_link(app: &App) -> Result<(String, i64), Failure> {
    let token = new_secret();
    let now = app.now().0;
    let expires_at = now + LINK_LIFE;
    let mut tx = app.store.write("making a sign-in link").await?;
    desk::insert_link(&mut tx, &hash(&token), now, expires_at).await?;
    tx.commit().await?;
    let url = format!("http://{}/sign-in?token={token}", app.config.desk.listen);
    Ok((url, expires_at))
}

/// Whether a request carries a session that is good.
pub async fn is_signed_in(app: &App, headers: &HeaderMap) -> bool {
    let now = app.now().0;
    let Ok(mut db) = app.store.read("looking up a session").await else {
        return false;
    };
    for session in sessions(app, headers) {
        if matches!(
            desk::session_is_good(&mut db, &hash(session), now).await,
            Ok(true)
        ) {
            return true;
        }
    }
    false
}

/// Lets through who is signed in; sends everybody else to the sign-in page.
pub async fn signed_in_only(State(app): State<App>, request: Request, next: Next) -> Response {
    if is_signed_in(&app, request.headers()).await {
        return next.run(request).await;
    }
    Redirect::to("/sign-in").into_response()
}

/// The sign-in page.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    organization: String,
    command: String,
    link: Link,
}

/// What the address of the sign-in page says.
#[derive(Debug)]
enum Link {
    /// A token that can be spent.
    Good(String),
    /// A token that is used up, too old or unknown.
    Spent,
    /// No token.
    Absent,
}

impl SignIn {
    fn new(app: &App, link: Link) -> Self {
        Self {
            organization: app.name.clone(),
            command: super::frame::command(app, "desk-link"),
            link,
        }
    }

    /// The page with one text in every place that others can fill.
    #[cfg(test)]
    pub(super) fn sample(text: &str) -> Self {
        Self {
            organization: text.to_owned(),
            command: text.to_owned(),
            link: Link::Good(text.to_owned()),
        }
    }
}

/// The token of a link.
#[derive(Deserialize)]
pub struct Token {
    #[serde(default)]
    token: String,
}

/// Shows the page of a link, and spends nothing.
pub async fn ask(State(app): State<App>, Query(link): Query<Token>) -> Page {
    let link = if link.token.is_empty() {
        Link::Absent
    } else {
        let mut db = app.store.read("looking up a sign-in link").await?;
        if desk::link_is_good(&mut db, &hash(&link.token), app.now().0).await? {
            Link::Good(link.token)
        } else {
            Link::Spent
        }
    };
    render(&SignIn::new(&app, link))
}

/// Spends a link: the session that the browser had ends, a new one begins.
pub async fn enter(
    State(app): State<App>,
    headers: HeaderMap,
    Form(link): Form<Token>,
) -> Result<Response, PageError> {
    let now = app.now().0;
    let session = new_secret();
    let mut tx = app.store.write("signing in").await?;
    if !desk::spend_link(&mut tx, &hash(&link.token), now).await? {
        drop(tx);
        let page = render(&SignIn::new(&app, Link::Spent))?;
        return Ok((http::StatusCode::GONE, page).into_response());
    }
    end_sessions(&app, &mut tx, &headers).await?;
    desk::insert_session(&mut tx, &hash(&session), now, now + SESSION_LIFE).await?;
    tx.commit().await?;
    let cookie = Cookie::of(&app, &headers).set(&session, SESSION_LIFE / 1000)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// Ends the session.
pub async fn leave(State(app): State<App>, headers: HeaderMap) -> Result<Response, PageError> {
    let mut tx = app.store.write("signing out").await?;
    end_sessions(&app, &mut tx, &headers).await?;
    tx.commit().await?;
    let cookie = Cookie::of(&app, &headers).set("", 0)?;
    let to_sign_in = Redirect::to("/sign-in");
    Ok(([(header::SET_COOKIE, cookie)], to_sign_in).into_response())
}

async fn end_sessions(app: &App, tx: &mut store::Write, headers: &HeaderMap) -> store::Result<()> {
    for session in sessions(app, headers) {
        desk::end_session(tx, &hash(session)).await?;
    }
    Ok(())
}

/// The session's cookie, as this browser can keep it.
struct Cookie {
    name: String,
    over_tls: bool,
}

impl Cookie {
    fn plain(app: &App) -> Self {
        let port = app.config.desk.listen.port();
        Self {
            name: format!("ct_session_{port}"),
            over_tls: false,
        }
    }

    fn tls(app: &App) -> Self {
        let plain = Self::plain(app);
        Self {
            name: format!("__Host-{}", plain.name),
            over_tls: true,
        }
    }

    /// `Origin` has been compared with `Host` before: it is the address in the browser's bar.
    fn of(app: &App, headers: &HeaderMap) -> Self {
        let origin = headers
            .get(header::ORIGIN)
            .and_then(|origin| origin.to_str().ok());
        if origin.is_some_and(|origin| origin.starts_with("https://")) {
            Self::tls(app)
        } else {
            Self::plain(app)
        }
    }

    fn set(&self, value: &str, seconds: i64) -> Result<HeaderValue, Failure> {
        let secure = if self.over_tls { "; Secure" } else { "" };
        HeaderValue::from_str(&format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}",
            self.name
        ))
        .map_err(Failure::internal)
    }
}

/// The session ids that a request carries; one that came over TLS is looked at first.
fn sessions<'a>(app: &App, headers: &'a HeaderMap) -> Vec<&'a str> {
    let pairs = || {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
    };
    [Cookie::tls(app), Cookie::plain(app)]
        .into_iter()
        .filter_map(|cookie| {
            pairs()
                .find(|(name, _)| *name == cookie.name)
                .map(|(_, value)| value)
        })
        .collect()
}

fn new_secret() -> String {
    let mut bytes = [0; 32];
    crate::ambient::rng().fill_bytes(&mut bytes);
    to_base32(&bytes)
}

/// What is stored of a secret.
fn hash(secret: &str) -> String {
    Hash::of(secret.as_bytes()).to_string()
}

#[cfg(test)]
mod tests;
